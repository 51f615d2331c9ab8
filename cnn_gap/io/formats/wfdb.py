"""WFDB records: a header and its signal files (https://physionet.org/content/wfdb/)."""

import struct
from pathlib import Path

import numpy as np

from cnn_gap.io.headers import Header, read_header
from cnn_gap.io.matlab import matrix_of, parse_matlab
from cnn_gap.io.signal_files import is_plain, read_with_wfdb, reading, signal_files
from cnn_gap.io.stored_values import from_digital, from_physical, require_samples
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

_MATLAB4 = struct.Struct("<5i4s")  # type, rows, columns, imaginary part, length of the name, the name
PLAIN_MATLAB_BYTES = _MATLAB4.size


def recognise(start: bytes) -> bool:
    """Recognise nothing by content: a header's name tells what it is."""
    return False


def guard(path: Path) -> None:
    """Refuse nothing: the signal files are limited where they are read."""


def read(path: Path) -> Record:
    """Read a record by its header."""
    return read_with_header(path, read_header(path))


def read_with_header(path: Path, header: Header) -> Record:
    """Read a record whose header is known."""
    signal_file, *_ = signal_files(path, header)
    first = header.leads[0]
    plain = is_plain(header)
    if plain and signal_file.suffix == ".mat":
        recording = read_recording(signal_file)
    elif plain and all(lead.storage == "16" for lead in header.leads):
        content = read_bytes(signal_file, LARGEST_SIGNAL_FILE)
        recording = _interleaved(signal_file, content, first.byte_offset, len(header.leads), header.samples)
    else:
        return from_physical(header, read_with_wfdb(path, header), str(path))
    require_samples(header, recording, str(signal_file))
    return from_digital(header, recording, str(path))


def _interleaved(path: Path, content: bytes, offset: int, leads: int, samples: int | None) -> np.ndarray:
    """Return int16 values that are stored sample by sample, shape (leads, samples), without a copy."""
    held = max(len(content) - offset, 0) // (2 * leads)
    if samples is not None and held < samples:
        raise InputError(f"{path}: is truncated; holds {held} of {samples} samples of {leads} leads")
    count = held if samples is None else samples
    if count == 0:
        raise InputError(f"{path}: has no samples")
    return np.frombuffer(content, "<i2", count * leads, offset).reshape(count, leads).T


def read_recording(path: Path, key: str = "val") -> np.ndarray:
    """Read the stored values of a ``.mat`` file, shape (leads, samples).

    The Challenge's files are level 4 MATLAB files, which are 24 bytes and then int16 values, all leads of a
    sample together (https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf); these are read straight
    from the bytes; `matlab` reads all others.

    Raises
    ------
    InputError
        If the file is missing, truncated, or has no such matrix.
    """
    path = Path(path)
    content = read_bytes(path, LARGEST_SIGNAL_FILE)
    if key == "val" and (shape := plain_matlab_shape(content)):
        return _interleaved(path, content, _MATLAB4.size, *shape)
    with reading(path, "MATLAB file"):
        return matrix_of(parse_matlab(content)[key])


def plain_matlab_shape(content: bytes) -> tuple[int, int] | None:
    """Return leads and samples of a file that begins as the Challenge's do, None for others."""
    if len(content) < _MATLAB4.size:
        return None
    kind, rows, columns, imaginary, _, name = _MATLAB4.unpack_from(content)
    plain = (kind, imaginary, name) == (30, 0, b"val\0") and rows > 0 and columns >= 0
    return (rows, columns) if plain else None
