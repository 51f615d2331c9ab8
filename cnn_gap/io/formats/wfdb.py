"""WFDB records: a header and its signal files (https://physionet.org/content/wfdb/)."""

import struct
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from cnn_gap.io.calibration_pulse import without_pulse
from cnn_gap.io.headers import Header, read_header
from cnn_gap.io.matlab import matrix_of, parse_matlab
from cnn_gap.io.matlab73 import Value
from cnn_gap.io.segments import open_segments
from cnn_gap.io.signal_files import SignalReader, held_samples, is_plain, parsing, read_with_wfdb, signal_files
from cnn_gap.io.stored_values import (
    StoredLeads,
    from_amplitudes,
    from_digital,
    record_from_digital,
    require_samples,
    stored_leads,
)
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

_MATLAB4 = struct.Struct("<5i4s")  # type, rows, columns, imaginary part, length of the name, the name


def recognise(start: bytes) -> bool:
    """Recognise nothing by content: a header is recognised by its name."""
    return False


def guard(path: Path) -> None:
    """Refuse nothing: the signal files are limited where they are read."""


def read(path: Path) -> Record:
    """Read a record by its header."""
    return read_with_header(path, read_header(path))


def read_with_header(path: Path, header: Header) -> Record:
    """Read a record whose header is known, without a calibration pulse that the header counts."""
    return without_pulse(_read_stored(path, header))


def _read_stored(path: Path, header: Header) -> Record:
    """Read all that is stored."""
    if header.segments:
        reader = open_signal(path, header)
        return reader.read(0, reader.samples)
    signal_file, *_ = signal_files(path, header)
    plain = is_plain(header)
    if plain and signal_file.suffix.lower() == ".mat":
        recording, notes = _read_matlab(signal_file, len(header.leads))
    elif plain and all(lead.storage == "16" for lead in header.leads):
        content = read_bytes(signal_file, LARGEST_SIGNAL_FILE)
        offset, notes = header.leads[0].byte_offset, ()
        recording = _interleaved(signal_file, content, offset, len(header.leads), header.samples)
    else:
        stored = stored_leads(header, str(path))
        return from_amplitudes(header, stored, read_with_wfdb(path, header, stored), str(path))
    require_samples(header, recording, str(signal_file))
    record = from_digital(header, recording, str(path))
    return replace(record, notes=record.notes + notes) if notes else record


def open_signal(path: Path, header: Header) -> SignalReader:
    """Return a reader of parts of a record.

    Raises
    ------
    InputError
        If a signal file or a segment is missing, damaged or shorter than the header says.
    """
    if header.segments:
        return open_segments(path, header, open_signal)
    sizes = signal_files(path, header)
    file, plain, stored = next(iter(sizes)), is_plain(header), stored_leads(header, str(path))
    notes = stored.choice.notes
    if plain and file.suffix.lower() == ".mat":
        samples = _plain_samples(file, header)
        reader = partial(_read_plain, file, header, _MATLAB4.size)
        return SignalReader(header.sampling_rate, samples, reader, notes)
    frames = held_samples(path, header, sizes)
    if plain and header.leads[0].storage == "16":
        reader = partial(_read_plain, file, header, header.leads[0].byte_offset)
        return SignalReader(header.sampling_rate, frames, reader, notes)
    per_frame = stored.samples_per_frame
    reader = partial(_read_part, path, header, stored)
    return SignalReader(header.sampling_rate * per_frame, frames * per_frame, reader, notes)


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
    with parsing(path, "MATLAB file"):
        variables = parse_matlab(content)
        if key not in variables:
            raise ValueError(f"it holds {', '.join(variables)[:80] or 'nothing'} and no {key}")
        return matrix_of(variables[key])


def plain_matlab_shape(content: bytes) -> tuple[int, int] | None:
    """Return leads and samples of a file that begins as the Challenge's do, None for others."""
    if len(content) < _MATLAB4.size:
        return None
    kind, rows, columns, imaginary, _, name = _MATLAB4.unpack_from(content)
    plain = (kind, imaginary, name) == (30, 0, b"val\0") and rows > 0 and columns >= 0
    return (rows, columns) if plain else None


def _read_matlab(path: Path, leads: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the stored values of a header's ``.mat`` file (leads, samples), and notes on how they are stored.

    A matrix of another name is read if it is the only one. A matrix with a row for each sample is transposed.
    """
    content = read_bytes(path, LARGEST_SIGNAL_FILE)
    if shape := plain_matlab_shape(content):
        recording, notes = _interleaved(path, content, _MATLAB4.size, *shape), []
    else:
        with parsing(path, "MATLAB file"):
            name, recording = _stored_matrix(parse_matlab(content), leads)
        notes = [] if name == "val" else [f"the signal is the variable {name}, as there is no val"]
    if len(recording) != leads and recording.shape[1] == leads:
        recording = recording.T
        notes.append("the signal is stored with a row a sample, not a row a lead")
    return recording, tuple(notes)


def _stored_matrix(variables: dict[str, Value], leads: int) -> tuple[str, np.ndarray]:
    """Return the matrix ``val``, or the only one with a row or a column for each lead, and its name."""
    if "val" in variables:
        return "val", matrix_of(variables["val"])
    fitting = {
        name: value
        for name, value in variables.items()
        if isinstance(value, np.ndarray)
        and value.ndim == 2
        and leads in value.shape
        and value.dtype.kind in "iuf"
    }
    if len(fitting) != 1:
        held = ", ".join(f"{name} {getattr(value, 'shape', '')}" for name, value in variables.items())[:120]
        raise ValueError(f"it holds {held or 'nothing'} and no val with a row for each of {leads} leads")
    ((name, found),) = fitting.items()
    if not np.array_equal(found, np.rint(found)):
        raise ValueError(
            f"its variable {name} holds fractions and no stored values; write a .csv with a sidecar"
        )
    return name, found


def _interleaved(path: Path, content: bytes, offset: int, leads: int, samples: int | None) -> np.ndarray:
    """Return int16 values that are stored sample by sample, shape (leads, samples), without a copy."""
    held = max(len(content) - offset, 0) // (2 * leads)
    if samples is not None and held < samples:
        raise InputError(f"{path}: is truncated; holds {held} of {samples} samples of {leads} leads")
    count = held if samples is None else samples
    if count == 0:
        raise InputError(f"{path}: has no samples")
    return np.frombuffer(content, "<i2", count * leads, offset).reshape(count, leads).T


def _plain_samples(file: Path, header: Header) -> int:
    """Return how many samples a plain ``.mat`` file has, 0 where it can be read only whole or not at all."""
    shape = plain_matlab_shape(read_bytes(file, LARGEST_SIGNAL_FILE, count=_MATLAB4.size))
    samples = 0 if shape is None or shape[0] != len(header.leads) else shape[1]
    # A file that is too short is reported when the whole is read.
    return 0 if samples < (header.samples or 0) else min(samples, header.samples or samples)


def _read_plain(file: Path, header: Header, offset: int, first: int, last: int) -> Record:
    width, count = 2 * len(header.leads), last - first
    content = read_bytes(file, LARGEST_SIGNAL_FILE, first=offset + first * width, count=count * width)
    if len(content) < count * width:
        raise InputError(f"{file}: is truncated; it has become shorter while it was read")
    values = np.frombuffer(content, "<i2").reshape(count, len(header.leads)).T
    return record_from_digital(replace(header, samples=count), values)


def _read_part(path: Path, header: Header, stored: StoredLeads, first: int, last: int) -> Record:
    return from_amplitudes(header, stored, read_with_wfdb(path, header, stored, first, last), str(path))
