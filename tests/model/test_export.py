"""Exported networks: other runtimes compute what Keras does, and the file says all that its use needs."""

import json
import os
import zipfile

import keras
import numpy as np
import pytest

import export
from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.evaluate.thresholds import DecisionRule
from cnn_gap.leads import LEADS
from cnn_gap.model.export import LITERT_METADATA, export_network, metadata
from cnn_gap.model.folder import ModelDescription, save_model
from cnn_gap.network.activation_maps import with_maps
from cnn_gap.network.architecture import build_network
from cnn_gap.network.options import Network
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import to_dict

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="exporting needs Keras to run on TensorFlow"
)
pytestmark = [
    pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning"),  # Keras on NumPy
    pytest.mark.filterwarnings(
        "ignore:(?s).*Interpreter is deprecated:UserWarning"
    ),  # the one that TensorFlow has
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model folder: an untrained network with everything that a trained one may have."""
    keras.utils.set_random_seed(3)
    classes = read_weights()
    options = {"residual": True, "squeeze": 4, "sharpen": True}
    blocks = Network(filters=(8, 8, 12), kernels=(5, 4, 3), pooling=(2, 1, 2), **options)
    network = build_network(blocks, len(LEADS), len(classes), margin=80)
    random = np.random.default_rng(1)
    network.set_weights([w + random.uniform(0, 0.1, w.shape) for w in network.get_weights()])
    description = ModelDescription(
        classes=classes.classes,
        weights=classes.weights,
        thresholds=(None, *[0.25] * (len(classes) - 1)),
        seen=(False, *[True] * (len(classes) - 1)),
        leads=LEADS,
        preprocessing=Preprocessing(sampling_rate=100.0, lowpass_hz=40.0, clip_mv=5.0, margin_s=0.8),
        answers=DecisionRule(),
        versions={"keras": keras.__version__},
        training={},
    )
    path = tmp_path_factory.mktemp("model")
    save_model(path, network, description)
    return path


@pytest.fixture(scope="module")
def classifier(folder):
    return load_classifier(folder)


@pytest.fixture(scope="module")
def onnx_file(classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_network(classifier.trained, classifier.description, path)
    return path


@pytest.fixture(scope="module")
def litert_file(classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.tflite"
    export_network(classifier.trained, classifier.description, path)
    return path


@pytest.fixture(scope="module")
def expected(classifier):
    return with_maps(classifier.network).predict_on_batch


def _windows(count, samples):
    return np.random.default_rng(samples).normal(size=(count, samples, len(LEADS))).astype(np.float32)


@pytest.mark.parametrize(("count", "samples"), [(1, 1000), (3, 1000), (2, 777)])
def test_onnx_runtime_agrees_with_keras(onnx_file, expected, count, samples):
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file)
    windows = _windows(count, samples)
    probabilities, maps = session.run(None, {"windows": windows})
    np.testing.assert_allclose(probabilities, expected(windows)[0], atol=1e-5)
    np.testing.assert_allclose(maps, expected(windows)[1], rtol=1e-4, atol=1e-4)


def test_an_onnx_file_names_what_goes_in_and_out(onnx_file):
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file)
    (windows,) = session.get_inputs()
    assert (windows.name, windows.shape) == ("windows", ["batch", "samples", 12])
    assert [(each.name, each.shape) for each in session.get_outputs()] == [
        ("probabilities", ["batch", 24]),
        ("maps", ["batch", "steps", 24]),
    ]


def test_an_onnx_file_holds_the_metadata(onnx_file, classifier):
    import onnxruntime

    held = onnxruntime.InferenceSession(onnx_file).get_modelmeta().custom_metadata_map
    assert {key: json.loads(value) for key, value in held.items()} == metadata(
        classifier.trained, classifier.description
    )


@needs_tensorflow
@pytest.mark.parametrize(("count", "samples"), [(1, 1000), (3, 1000), (2, 777)])
def test_litert_agrees_with_keras(litert_file, expected, count, samples):
    import tensorflow as tf

    windows = _windows(count, samples)
    results = tf.lite.Interpreter(str(litert_file)).get_signature_runner()(windows=windows)
    np.testing.assert_allclose(results["probabilities"], expected(windows)[0], atol=1e-4)
    np.testing.assert_allclose(results["maps"], expected(windows)[1], rtol=1e-5, atol=1e-4)


@needs_tensorflow
def test_a_litert_file_holds_the_metadata_and_needs_no_tensorflow_operations(litert_file, classifier):
    with zipfile.ZipFile(litert_file) as archive:
        assert json.loads(archive.read(LITERT_METADATA)) == metadata(classifier.trained, classifier.description)
    assert b"Flex" not in litert_file.read_bytes()


def test_the_metadata_says_all_that_the_model_folder_does(classifier):
    about = metadata(classifier.trained, classifier.description)
    described = to_dict(classifier.description)
    for key in ("thresholds", "seen", "preprocessing", "answers", "versions"):
        assert about[key] == json.loads(json.dumps(described[key]))
    assert about["leads"] == list(LEADS)
    assert about["classes"][0] == {
        "codes": ["270492004"],
        "system": "SNOMED CT",
        "abbreviation": "IAVB",
        "name": "1st degree AV block",
    }
    assert [tuple(each["codes"]) for each in about["classes"]] == list(classifier.classes.classes)
    assert about["map_stride_s"] == 0.04
    assert about["format"] == 1
    assert json.loads(json.dumps(about, allow_nan=False)) == about


@needs_tensorflow
def test_the_command_writes_the_file(folder, tmp_path, run_command):
    written = tmp_path / "new" / "model.tflite"
    ended = run_command(export, [folder, written])
    assert (ended.code, ended.out, ended.err) == (0, f"wrote {written}\n", "")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model.tflite"]


@pytest.mark.parametrize("name", ["model.pb", "model", "onnx"])
def test_an_unknown_format_is_named(folder, tmp_path, run_command, name):
    ended = run_command(export, [folder, tmp_path / name])
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert (
        f"{tmp_path / name}: cannot tell the format; give a name that ends with .onnx or .tflite" in ended.err
    )
    assert not list(tmp_path.iterdir())


@needs_tensorflow
@pytest.mark.skipif(os.name != "posix", reason="this system does not bound the size of files")
def test_no_room_for_temporary_files_is_named(classifier, tmp_path):
    import resource

    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, kept[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written while .*too large.*; set TMPDIR to a folder"):
            export_network(classifier.trained, classifier.description, tmp_path / "model.tflite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert not list(tmp_path.iterdir())


def test_another_backend_is_told_which_one_exports(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="set KERAS_BACKEND=tensorflow"):
        export_network(classifier.trained, classifier.description, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_the_metadata_names_findings_too(with_findings):
    listed = metadata(with_findings.trained, with_findings.description)["classes"]
    assert len(listed) == len(with_findings.classes)
    assert listed[-1]["codes"] == list(with_findings.classes.findings[-1].codes)
