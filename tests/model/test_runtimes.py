"""Runtimes: the same probabilities, whatever computes them."""

import ast
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.classifier import load_classifier
from cnn_gap.io.long_records import LongRecord, open_record
from cnn_gap.model.runtimes import Runtime, start_runtime
from cnn_gap.system.errors import InputError


@pytest.fixture(scope="module")
def network():
    return load_classifier().trained


def _windows(network, count, samples=480):
    rng = np.random.default_rng(count)
    return rng.normal(0, 0.3, (count, samples, network.structure.channels)).astype(np.float32)


@pytest.mark.parametrize("threads", ["1", "3", ""])
@pytest.mark.parametrize("count", [1, 21])
def test_onnx_runtime_gives_the_same_with_any_number_of_threads(network, monkeypatch, count, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    windows = _windows(network, count)
    (given,) = start_runtime(network, Runtime())(windows)
    np.testing.assert_allclose(given, network.keras.predict_on_batch(windows), atol=1e-5)


@pytest.mark.parametrize(("count", "samples"), [(1, 480), (5, 480), (3, 1160)])
def test_openvino_gives_what_keras_gives(network, count, samples):
    pytest.importorskip("openvino", reason="the extra cnn-gap[fast] is not installed")
    windows = _windows(network, count, samples)
    (given,) = start_runtime(network, Runtime("openvino"))(windows)
    np.testing.assert_allclose(given, network.keras.predict_on_batch(windows), atol=1e-5)


def test_bfloat16_is_near(network):
    openvino = pytest.importorskip("openvino", reason="the extra cnn-gap[fast] is not installed")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    windows = _windows(network, 4)
    (given,) = start_runtime(network, Runtime(precision="bfloat16"))(windows)
    (exact,) = start_runtime(network, Runtime())(windows)
    assert 0 < np.abs(given - exact).max() < 0.05


def test_a_runtime_or_precision_that_is_unknown_is_named():
    with pytest.raises(
        InputError, match="runtime must be one of auto, onnx, openvino, keras; received 'torch'"
    ):
        Runtime("torch")
    with pytest.raises(InputError, match=r"precision must be one of .*; received 'float16'"):
        Runtime(precision="float16")
    for name in ("keras", "onnx"):
        with pytest.raises(InputError, match=f"{name} predicts in float32"):
            Runtime(name, "bfloat16")


@pytest.mark.parametrize("name", ["auto", "onnx", "openvino"])
def test_a_classifier_answers_and_explains_alike_by_each_runtime(name):
    if name == "openvino":
        pytest.importorskip("openvino", reason="the extra cnn-gap[fast] is not installed")
    record = ROOT / "test_data" / "SIM0008"
    expected, found = (load_classifier(runtime=each).explain(record, "NSR") for each in ("keras", name))
    (by_keras,), (by_other,) = expected.classes, found.classes
    assert by_other.probability == pytest.approx(by_keras.probability, abs=1e-5)
    largest = np.abs(by_keras.activation).max()
    np.testing.assert_allclose(by_other.activation, by_keras.activation, rtol=1e-4, atol=1e-5 * largest)
    assert by_other.label == by_keras.label


def test_keras_is_loaded_where_it_is_asked_for():
    classifier = load_classifier(runtime="keras")
    loaded = classifier.network
    assert loaded is classifier.network
    assert loaded.output_shape == (None, len(classifier.classes))


@pytest.mark.parametrize("long", [False, True])
def test_the_chosen_runtime_computes_records_of_any_length(monkeypatch, long):
    monkeypatch.setattr("cnn_gap.io.long_records.LONG_SAMPLES", 100 if long else 1 << 19)
    classifier, chosen = load_classifier(), []

    def start(network, runtime):
        def compute(windows):
            chosen.append(len(windows))
            return (np.full((len(windows), network.structure.outputs), 0.25, np.float32),)

        return compute

    monkeypatch.setattr("cnn_gap.predict.predictor.start_runtime", start)
    path = ROOT / "test_data" / "SIM0008"
    assert isinstance(open_record(path), LongRecord) == long
    assert (classifier.predict(path).probabilities == 0.25).all()
    assert chosen


def test_openvino_tells_nobody_that_it_is_used():
    pytest.importorskip("openvino", reason="the extra cnn-gap[fast] is not installed")
    script = (
        "import sys; from cnn_gap import load_classifier; load_classifier(runtime='openvino')"
        ".predict('test_data/SIM0008'); print([n for n, m in sys.modules.items() if 'telemetry' in n and m])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = ast.literal_eval(ended.stdout)
    assert not [name for name in loaded if name.partition(".")[0] == "openvino_telemetry"]


def test_onnx_runtime_tells_nobody_that_it_is_used(tmp_path):
    script = "from cnn_gap import load_classifier; load_classifier().predict('test_data/SIM0008')"
    kept = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", script], env=os.environ | kept, cwd=ROOT, check=True)
    # Before it sends anything, it writes a number of this machine into the user's folder.
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name.lower()]
