"""A NumPy archive with an array `signal`, and a sidecar."""

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from cnn_gap.io.arrays import LARGEST_ARRAY, record_from_array
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

_SIGNAL = "signal.npy"


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return start.startswith(b"PK\x03\x04") and b".npy" in start[:300]


def guard(path: Path) -> None:
    """Refuse an array that is larger than the archive's data, or than `LARGEST_ARRAY`."""
    with zipfile.ZipFile(path) as archive:
        if _SIGNAL not in archive.namelist():
            held = ", ".join(archive.namelist())[:80]
            raise InputError(f"{path}: holds no array named signal; it holds {held}")
        with archive.open(_SIGNAL) as member:
            shape, _, kind = _npy_header(member)
        size = archive.getinfo(_SIGNAL).file_size
    needed = math.prod(shape) * kind.itemsize
    if needed > min(size, LARGEST_ARRAY):
        raise InputError(f"{path}: announces {needed} bytes and holds {size}; at most {LARGEST_ARRAY} are read")


def read(path: Path) -> Record:
    """Read the array of shape (samples, leads); the sidecar names the leads."""
    with np.load(path, allow_pickle=False) as arrays:
        return record_from_array(path, None, arrays["signal"])


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    return read_header(file)
