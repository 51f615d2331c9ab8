"""Write a network for ONNX or LiteRT runtimes, with classes, thresholds and preprocessing as metadata."""

import json
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.model.folder import ModelDescription
from cnn_gap.model.network_graph import network_graph
from cnn_gap.model.trained_network import TrainedNetwork
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import replacing
from cnn_gap.system.settings import to_dict

if TYPE_CHECKING:
    import keras

#: Version of the metadata. Raise it when the meaning of a key changes.
EXPORT_FORMAT = 1

#: The member of a LiteRT file that holds the metadata: such a file is a zip archive as well.
LITERT_METADATA = "metadata.json"

DESCRIPTION = (
    "Classifies 12-lead ECGs. The input is windows (batch, samples, leads) in mV, with the leads in the order"
    " of the metadata leads; a missing lead is 0. cnn_gap.signal.windows.prediction_windows makes such windows"
    " by the settings in preprocessing; samples is a multiple of window_multiple. A record's probabilities are"
    " the means of the output probabilities (batch, classes) over its windows. A class is answered if its"
    " probability reaches its threshold, and never if the threshold is null. The output maps (batch, steps,"
    " classes) says how much each step adds to the logit of each class; there is a step every map_stride_s"
    " seconds, from the end of the window's first margin on."
)


def export_network(network: TrainedNetwork, description: ModelDescription, path: Path) -> None:
    """Write the network with probabilities and activation maps as outputs; the suffix of `path` is the format.

    Any number of windows of any number of samples goes in. An ONNX file has each of `metadata` as a metadata
    property, JSON each; a LiteRT file has all of them in the member `LITERT_METADATA` of the zip archive that
    is appended to it, as associated files are in LiteRT (``unzip -p OUT.tflite metadata.json``).

    Parameters
    ----------
    network : TrainedNetwork
    description : ModelDescription
        Of the network.
    path : Path
        ``.onnx`` or ``.tflite``; whole or untouched.

    Raises
    ------
    InputError
        If the suffix is another, the network has no activation maps, or LiteRT is asked for and Keras has no
        TensorFlow.
    """
    writers = {".onnx": _write_onnx, ".tflite": _write_litert}
    if path.suffix not in writers:
        raise InputError(f"{path}: cannot tell the format; give a name that ends with {' or '.join(writers)}")
    with replacing(path) as aside:
        writers[path.suffix](network, aside, metadata(network, description))


def metadata(network: TrainedNetwork, description: ModelDescription) -> dict[str, object]:
    """Return the metadata of an exported network, as JSON holds it.

    The lists `classes`, `thresholds` and `seen` (whether the training records held the class) are in the order
    of the probabilities.
    """
    held = json.loads(json.dumps(to_dict(description)))  # tuples become lists
    kept = ("leads", "thresholds", "seen", "answers", "preprocessing", "versions")
    outputs = description.class_set
    classes = [
        {"codes": list(codes), "system": about.system, "abbreviation": about.abbreviation, "name": about.name}
        for codes, about in zip(outputs.outputs, outputs.diagnoses, strict=True)
    ]
    stride = network.structure.map_stride / description.preprocessing.sampling_rate
    return {
        "format": EXPORT_FORMAT,
        "description": DESCRIPTION,
        "classes": classes,
        "map_stride_s": stride,
        "window_multiple": network.structure.window_multiple,
        **{key: held[key] for key in kept},
    }


def _write_onnx(network: TrainedNetwork, path: Path, about: dict[str, object]) -> None:
    import onnx

    model = network_graph(network.structure)
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in about.items()})
    path.write_bytes(model.SerializeToString())


def _write_litert(network: TrainedNetwork, path: Path, about: dict[str, object]) -> None:
    _require_tensorflow()
    import keras

    from cnn_gap.network.activation_maps import with_maps

    mapped = with_maps(network.keras)
    named = keras.Model(mapped.input, dict(zip(("probabilities", "maps"), mapped.outputs, strict=True)))
    _convert(named, path)
    with zipfile.ZipFile(path, "a") as archive:
        # Without a date, so that the same model makes the same file.
        archive.writestr(zipfile.ZipInfo(LITERT_METADATA), json.dumps(about, indent=2))


def _require_tensorflow() -> None:
    start_keras(lean=True)
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise InputError(
            f"exporting for LiteRT needs TensorFlow, Keras runs on {backend}; set KERAS_BACKEND=tensorflow"
        )


def _convert(network: "keras.Model", path: Path) -> None:
    import keras
    import tensorflow

    windows = keras.InputSpec(shape=network.input_shape, dtype="float32", name="windows")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="In the future `np.object`", category=FutureWarning)  # Keras'
        try:
            network.export(path, format="litert", input_signature=[windows], verbose=False)
        except tensorflow.errors.OpError as error:  # by way of a SavedModel in a temporary folder
            raise InputError(
                f"{tempfile.gettempdir()}: cannot be written while the network is converted"
                f" ({' '.join(error.message.split())[-200:]}); set TMPDIR to a folder with room"
            ) from error
