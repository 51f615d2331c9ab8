"""HDF5 with a sidecar, read by h5py: files of one recording in the layout of SPH or of CODE-15.

SPH (Liu et al. 2022, doi:10.1038/s41597-022-01403-5) stores ``ecg`` of shape (12, samples); CODE-15 (Ribeiro et
al. 2021, doi:10.5281/zenodo.4916206) ``tracings`` of shape (recordings, 4096, 12), zeros around short ones.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.io.arrays import LARGEST_ARRAY, record_from_array
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return start.startswith(_SIGNATURE)


def guard(path: Path) -> None:
    """Refuse a file of several recordings or none, links out of it, and an array that is too large."""
    import h5py

    with h5py.File(path, "r") as file:
        found = _signal(file, path)
        size = found.size * found.dtype.itemsize
        if found.external or found.is_virtual:
            raise InputError(f"{path}: its array {found.name} is in other files, which is not supported")
        if size > LARGEST_ARRAY:
            raise InputError(f"{path}: its array takes {size} bytes; at most {LARGEST_ARRAY} are read")
        if found.ndim == 3 and len(found) != 1:
            raise InputError(
                f"{path}: holds {len(found)} recordings in {found.name}; write each to a file of its own, such"
                " as numpy.save(f'{exam}.npy', recording), with one signals.json beside them"
            )


def read(path: Path) -> Record:
    """Read the array; leads may be rows, and zeros before and after the recording are left out."""
    import h5py

    with h5py.File(path, "r") as file:
        signal = np.asarray(_signal(file, path)[()])
    signal = signal[0] if signal.ndim == 3 else signal
    if signal.shape[0] <= 16 < signal.shape[1]:
        signal = signal.T
    used = np.flatnonzero(np.any(signal != 0, axis=1))
    padded = len(used) and (used[0] > 0 or used[-1] < len(signal) - 1)
    notes = ("left out: zeros around the recording",) if padded else ()
    kept = signal[used[0] : used[-1] + 1] if padded else signal
    return record_from_array(path, None, kept, notes=notes)


def _signal(file: "h5py.File", path: Path) -> "h5py.Dataset":
    """Return the array of numbers with samples and leads: the only one at the top of the file."""
    import h5py

    fitting = [
        file[name]
        for name in file
        if isinstance(file.get(name, getlink=True), h5py.HardLink) and isinstance(file[name], h5py.Dataset)
    ]
    fitting = [each for each in fitting if each.ndim in (2, 3) and each.dtype.kind in "iuf" and each.size]
    if len(fitting) != 1:
        held = ", ".join(f"{name}" for name in file)[:80]
        raise InputError(f"{path}: has no single array of samples and leads; it holds {held or 'nothing'}")
    return fitting[0]
