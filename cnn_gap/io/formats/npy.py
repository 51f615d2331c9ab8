"""A NumPy array with a sidecar."""

from pathlib import Path

import numpy as np

from cnn_gap.io.arrays import record_from_array
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return start.startswith(b"\x93NUMPY")


def guard(path: Path) -> None:
    """Refuse nothing: a file that announces more than it holds cannot be mapped."""


def read(path: Path) -> Record:
    """Read an array of shape (samples, leads); the sidecar names the leads."""
    return record_from_array(path, None, np.array(np.load(path, mmap_mode="r", allow_pickle=False)))
