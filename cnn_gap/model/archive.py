"""Check the files of a network before they are loaded, and read its layers without Keras.

`model.keras` is a zip archive of three files. Keras unpacks any archive: a small one can become gigabytes, and
weights may link to other files of the machine. An archive that is not as `save_model` writes it, or larger than
any network here, is refused.
"""

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cnn_gap.network.structure import Structure, read_structure
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, open_regular, readable
from cnn_gap.system.settings import require_depth

#: The members of an archive, and the maximum size of each when it is unpacked, bytes.
MEMBERS = {"metadata.json": 1 << 16, "config.json": LARGEST_SETTINGS, "model.weights.h5": 1 << 30}

#: Maximum number of weights of a network, of objects in a weights file, and largest number in a configuration.
LARGEST_NETWORK = 100_000_000
MOST_OBJECTS = 100_000
LARGEST_NUMBER = 1 << 20

#: The modules of Keras that networks are made of: other modules have functions that download files or run code.
_MODULES = re.compile(
    r"keras(\.src)?"
    r"(\.(layers|models|ops|initializers|regularizers|constraints|activations|dtype_policies)(\.\w+)*)?"
)

#: Keys of a configuration whose numbers are not sizes.
_NO_SIZES = frozenset(("seed", "shared_object_id"))


def check_archive(path: Path) -> None:
    """Check a `model.keras`, as `read_layers` does."""
    read_layers(path)


def read_layers(path: Path) -> Structure:
    """Check a `model.keras`, and return its layers with their weights.

    Raises
    ------
    InputError
        If it is missing, damaged, larger than a network, or refers to something outside of it.
    """
    with readable(path), open_regular(path) as file, _understood(path), zipfile.ZipFile(file) as archive:
        sizes = [(member.filename, member.file_size) for member in archive.infolist()]
        if sorted(name for name, _ in sizes) != sorted(MEMBERS):
            raise InputError(f"{path}: must hold {', '.join(MEMBERS)}, each once; received {str(sizes)[:200]}")
        for name, size in sizes:
            if size > MEMBERS[name]:
                raise InputError(f"{path}: {name} unpacks to {size} bytes; at most {MEMBERS[name]} are read")
        config = json.loads(archive.read("config.json"))
        _check_config(path, config)
        weights = io.BytesIO(archive.read("model.weights.h5"))
        _check_weights(path, weights)
        structure = read_structure(config["config"], _weights_by_layer(weights))
        _ = structure.channels, structure.outputs, structure.window_multiple  # so it has layers that fit
        return structure


def check_weights(path: Path) -> None:
    """Check a file of weights (HDF5).

    Raises
    ------
    InputError
        As `check_archive`.
    """
    with readable(path), open_regular(path) as file, _understood(path):
        _check_weights(path, file)


@contextmanager
def _understood(path: Path) -> Iterator[None]:
    """Turn the errors of libraries that read a damaged file into an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib, json and h5py raise many kinds
        if isinstance(error, OSError) and error.strerror:  # the system's, not h5py's
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: cannot be loaded; it is damaged or incomplete ({reason})") from error


def _check_config(path: Path, config: object) -> None:
    """Refuse code from outside of Keras, and layers that are larger than a network."""
    require_depth(config, f"{path}: config.json")
    weights = 0
    for each in _tables(config):
        module = each.get("module")
        if module is not None and not _MODULES.fullmatch(str(module)):
            raise InputError(f"{path}: must be made of Keras's own layers; received one of {module!r}")
        for key, value in each.items():
            numbers = value if isinstance(value, list) else [value]
            if key not in _NO_SIZES and any(isinstance(n, int) and abs(n) > LARGEST_NUMBER for n in numbers):
                raise InputError(f"{path}: {key} must be at most {LARGEST_NUMBER}; received {str(value)[:80]}")
        weights += _weights_of(each)
    if weights > LARGEST_NETWORK:
        raise InputError(f"{path}: has {weights} weights; at most {LARGEST_NETWORK} are loaded")


def _weights_of(layer: dict[str, Any]) -> int:
    """Return the number of weights of a layer's kernel, 0 where its configuration does not tell it."""
    config, built = layer.get("config"), layer.get("build_config")
    if not isinstance(config, dict) or not isinstance(built, dict):
        return 0
    outputs = config.get("filters") or config.get("units")
    if not outputs:
        return 0
    return int(built["input_shape"][-1]) * int(outputs) * math.prod(config.get("kernel_size") or [1])


def _tables(content: object) -> Iterator[dict[str, Any]]:
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _weights_by_layer(file: BinaryIO) -> dict[str, list[np.ndarray]]:
    """Return the arrays of each layer of a checked file of weights, by the layer's name."""
    import h5py

    with h5py.File(file, "r") as held:
        groups = [group["vars"] for group in held["layers"].values()]
        return {group.attrs["name"]: [group[key][()] for key in sorted(group, key=int)] for group in groups}


def _check_weights(path: Path, file: BinaryIO) -> None:
    """Refuse links to other files, and arrays that are larger than a network."""
    import h5py

    with h5py.File(file, "r") as held:
        waiting, objects, size = [held], 0, 0
        while waiting:
            group = waiting.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise InputError(f"{path}: {name!r} is a link; weights must be in the file itself")
                each = group[name]
                if isinstance(each, h5py.Group):
                    waiting.append(each)
                elif each.external or each.is_virtual or each.dtype.kind not in "biuf":
                    raise InputError(f"{path}: {name!r} is no array of numbers in the file itself")
                else:
                    size += math.prod(each.shape) * each.dtype.itemsize
                objects += 1
                if size > MEMBERS["model.weights.h5"] or objects > MOST_OBJECTS:
                    raise InputError(f"{path}: unpacks to more than a network's weights can be")
