"""Read recordings of any format as twelve leads in mV."""

import os
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.io.formats.wfdb import open_signal, read_with_header
from cnn_gap.io.headers import read_header
from cnn_gap.io.registry import files_of, read_file, record_name
from cnn_gap.io.segments import GAP, segment_headers
from cnn_gap.io.signal_files import file_beside, signal_files
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Suffixes of the files of a WFDB record.
RECORD_SUFFIXES = (".hea", ".mat", ".dat")


@dataclass(frozen=True)
class RecordInfo:
    """The properties of a recording without its signal: path, sampling rate (Hz), length and diagnoses."""

    path: Path
    name: str
    sampling_rate: float
    samples: int
    codes: tuple[str, ...]


def record_files(path: Path) -> list[Path]:
    """Return the files that a record consists of: its header and the signal files that it names, or its one.

    If the header does not name its signal files, it is the header alone.
    """
    path = record_header(path)
    if path.suffix.lower() != ".hea":
        return files_of(path)
    try:
        header = read_header(path)
        segments = [file for segment in segment_headers(path, header) for file in _header_files(segment)]
        return [path, *segments, *signal_files(path, header)]
    except InputError:
        return [path]


def _header_files(path: Path) -> list[Path]:
    """Return a segment's header and signal files; a layout has none."""
    header = read_header(path)
    return (
        [path] if all(lead.file_name == GAP for lead in header.leads) else [path, *signal_files(path, header)]
    )


def read_info(path: Path) -> RecordInfo:
    """Return the properties of a record without its signal.

    The signal is read only where the header does not tell its length or there is no header.

    Raises
    ------
    InputError
        As `read_record`, for the files that are read.
    """
    path = record_header(path)
    if path.suffix.lower() == ".hea":
        header = read_header(path)
        rate, samples = header.sampling_rate, header.samples
        if not samples or header.segments or any(lead.samples_per_frame > 1 for lead in header.leads):
            reader = open_signal(path, header)
            rate, samples = reader.sampling_rate, reader.samples or len(read_with_header(path, header).signal)
        return RecordInfo(path, header.name, rate, samples, header.codes)
    record = read_record(path)
    return RecordInfo(path, record.name, record.sampling_rate, len(record.signal), record.codes)


def read_record(path: Path) -> Record:
    """Read a record.

    Parameters
    ----------
    path : Path
        The header, the record without an extension, or a ``.mat`` file. A ``.mat`` without a header is CPSC
        2018's (a struct ``ECG``) or Challenge 2017's (one row ``val``, taken as 300 Hz and 1000 per mV). Or a
        file of another format, which is recognised by its content: see `cnn_gap.io.registry`.

    Raises
    ------
    InputError
        If a file of the record is missing, damaged, truncated or of an unknown format, or none of the twelve
        leads is there.
    """
    return read_file(record_header(path))


def is_record(path: Path) -> bool:
    """Tell whether a path names a record, as `record_header` takes it; nothing is read."""
    try:
        return record_header(path).exists()
    except InputError:
        return False


def record_header(path: Path) -> Path:
    """Return the file that names a record: its header, its ``.mat`` file without one, or another format's file.

    Parameters
    ----------
    path : Path
        That file, a signal file beside its header, or either without its suffix.

    Raises
    ------
    InputError
        If it is a folder.
    """
    path = Path(path)
    folder = InputError(
        f"{path}: is a folder; give a record in it, or classify all of them by the command drive"
    )
    if not path.name:  # "." or the root; any other folder may lie beside a record of its name
        raise folder
    suffix = path.suffix.lower()
    stem = path.stem if suffix in RECORD_SUFFIXES else path.name
    header, matlab = (file_beside(path, stem + each) for each in (".hea", ".mat"))
    exists = os.path.exists  # pathlib's fails for names that are too long
    if suffix == ".hea" or exists(header):
        return header
    if os.path.isdir(path):  # noqa: PTH112 - as above
        raise folder
    if suffix == ".mat" or (exists(matlab) and not exists(path)):
        return matlab
    # A path with the suffix of another format is taken for that file, whether it is there or not.
    named = suffix != ".dat" and record_name(path) != path.name
    return path if named or exists(path) else header
