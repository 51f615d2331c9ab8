"""Find and read recordings, whatever they are stored in, as twelve leads in mV."""

import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_gap.io.headers import Header, HeaderLead, parse_age, parse_sex, read_header
from cnn_gap.io.matlab import Value, parse_matlab, text_of
from cnn_gap.io.registry import files_of, is_other_record, read_other
from cnn_gap.io.signal_files import is_plain, read_with_wfdb, reading, signal_files
from cnn_gap.io.stored_values import from_digital, from_physical, require_samples
from cnn_gap.leads import LEADS
from cnn_gap.record import Record, record_name
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: How the names of a record's files end.
RECORD_SUFFIXES = (".hea", ".mat", ".dat")


#: Sampling rates (Hz) that two earlier Challenges' .mat files do not state, and the gain of the second.
CPSC_2018_RATE = 500.0
CHALLENGE_2017_RATE = 300.0
CHALLENGE_2017_GAIN = 1000.0

_MATLAB4 = struct.Struct("<5i4s")  # type, rows, columns, imaginary part, length of the name, the name
PLAIN_MATLAB_BYTES = _MATLAB4.size


@dataclass(frozen=True)
class RecordInfo:
    """What is known of a recording without its signal: where it is, rate (Hz), length and diagnoses."""

    path: Path
    name: str
    sampling_rate: float
    samples: int
    codes: tuple[str, ...]


def find_records(folder: Path, skipped: Callable[[str], None] | None = None) -> list[Path]:
    """Return the records in a folder and the folders in it, sorted.

    A record is a header (``.hea``), a ``.mat`` file without one, as CPSC 2018 has them, or a file of another
    format, as `cnn_gap.io.registry.is_other_record` tells. Hidden files and folders are not looked at,
    and links to folders are not followed.

    Parameters
    ----------
    folder : Path
    skipped : callable, optional
        Receives a line for each folder that cannot be read, which is then left out.

    Raises
    ------
    InputError
        If there is no such folder, no record in it, or a folder that cannot be read and nobody to tell.
    """
    folder = require_folder(Path(folder))
    found: list[str] = []

    def unreadable(error: OSError) -> None:
        reason = f"{error.filename}: this folder cannot be read ({error.strerror}), nor the records in it"
        if skipped is None:
            raise InputError(reason) from error
        skipped(printable(reason))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        headers = {name[:-4] for name in files if name.endswith(".hea")}
        bare = {name[:-4] for name in files if name.endswith(".mat")} - headers
        names = [stem + ".hea" for stem in headers] + [stem + ".mat" for stem in bare]
        names += [name for name in files if is_other_record(place, name)]
        found += [os.path.join(place, name) for name in names if not name.startswith(".")]  # noqa: PTH118, for speed
    if not found:
        raise InputError(
            f"{folder}: there are no records (.hea, .mat or another format) in this folder or the folders in it"
        )
    return [Path(name) for name in sorted(found)]


def require_folder(folder: Path) -> Path:
    """Return the folder of records.

    Raises
    ------
    InputError
        If there is none.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder of the records")
    return folder


def paths_by_name(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the records by name, in their order.

    Raises
    ------
    InputError
        If two have the same name, so that they would have the same result file.
    """
    named: dict[str, Path] = {}
    for path in paths:
        name = record_name(path)
        if name in named:
            raise InputError(
                f"{path}: has the same record name as {named[name]}, so one {name}.csv would stand"
                " for both; rename one, or take their folders one at a time"
            )
        named[name] = path
    return named


def record_files(path: Path) -> list[Path]:
    """Return the files that a record consists of: its header and the signal files that it names, or its one.

    Where the signal files cannot be told, it is the header alone.
    """
    path = record_header(path)
    if _is_other(path):
        return files_of(path)
    if path.suffix != ".hea":
        return [path]
    try:
        return [path, *signal_files(path, read_header(path))]
    except InputError:
        return [path]


def read_info(path: Path) -> RecordInfo:
    """Return what is known of a record without its signal.

    The signal is read only where the header does not tell its length or there is no header.

    Raises
    ------
    InputError
        As `read_record`, for what is read.
    """
    path = record_header(path)
    if path.suffix == ".hea":
        header = read_header(path)
        samples = header.samples or len(_read_with_header(path, header).signal)
        return RecordInfo(path, header.name, header.sampling_rate, samples, header.codes)
    record = read_record(path)
    return RecordInfo(path, record.name, record.sampling_rate, len(record.signal), record.codes)


def read_record(path: Path) -> Record:
    """Read a record.

    Parameters
    ----------
    path : Path
        The header, the record without an extension, or a ``.mat`` file. A ``.mat`` without a header is CPSC
        2018's (a struct ``ECG``) or Challenge 2017's (one row ``val``, taken as 300 Hz and 1000 per mV). Or a
        file of another format, which its content tells: see `cnn_gap.io`.

    Raises
    ------
    InputError
        If a file of the record is missing, damaged, truncated or of an unknown format, or none of the twelve
        leads is there.
    """
    path = record_header(path)
    if _is_other(path):
        return read_other(path)
    return _read_with_header(path, read_header(path)) if path.suffix == ".hea" else _read_without_header(path)


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
        return _matrix(parse_matlab(content)[key])


def plain_matlab_shape(content: bytes) -> tuple[int, int] | None:
    """Return leads and samples of a file that begins as the Challenge's do, None for others."""
    if len(content) < _MATLAB4.size:
        return None
    kind, rows, columns, imaginary, _, name = _MATLAB4.unpack_from(content)
    plain = (kind, imaginary, name) == (30, 0, b"val\0") and rows > 0 and columns >= 0
    return (rows, columns) if plain else None


def _is_other(path: Path) -> bool:
    """Tell whether a path is a file that is neither WFDB's nor MATLAB's."""
    return path.suffix not in RECORD_SUFFIXES and os.path.isfile(path)  # noqa: PTH113 - as in record_header


def record_header(path: Path) -> Path:
    """Return the header of a record, its ``.mat`` file where it has none, or the file of another format."""
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in (".hea", ".mat") else path
    header, matlab = (stem.with_name(stem.name + suffix) for suffix in (".hea", ".mat"))
    exists = os.path.exists  # pathlib's fails for names that are too long
    if _is_other(path) and not exists(header) and not exists(matlab):
        return path
    return matlab if path.suffix != ".hea" and exists(matlab) and not exists(header) else header


def _read_with_header(path: Path, header: Header) -> Record:
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


def _read_without_header(path: Path) -> Record:
    with reading(path, "MATLAB file"):
        content = parse_matlab(read_bytes(path, LARGEST_SIGNAL_FILE))
        if "ECG" in content:
            header, signal = _parse_cpsc_2018(path, _struct(content["ECG"]))
        elif "val" in content and len(_matrix(content["val"])) == 1:
            lead = HeaderLead("ECG", path.name, gain=CHALLENGE_2017_GAIN)
            header, signal = Header(path.stem, CHALLENGE_2017_RATE, None, (lead,)), None
        else:
            raise ValueError(f"there is no header {path.stem}.hea, and no record of CPSC 2018 in the file")
    if signal is None:
        return from_digital(header, _matrix(content["val"]), str(path))
    return from_physical(header, signal, str(path))


def _parse_cpsc_2018(path: Path, ecg: dict[str, Value]) -> tuple[Header, np.ndarray]:
    """Return the header and the signal (samples, 12) in mV of the struct ``ECG``."""
    age, sex = (text_of(ecg.get(name)) for name in ("age", "sex"))
    leads = tuple(HeaderLead(lead, path.name) for lead in LEADS)
    about = Header(path.stem, CPSC_2018_RATE, None, leads, (), parse_age(age), parse_sex(sex))
    return about, _matrix(ecg["data"]).T


def _matrix(values: object) -> np.ndarray:
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind not in "iuf":
        raise ValueError("the signal is not a matrix of numbers")
    return values


def _struct(values: Value) -> dict[str, Value]:
    if not isinstance(values, dict):
        raise ValueError("the variable ECG is not a struct")
    return values
