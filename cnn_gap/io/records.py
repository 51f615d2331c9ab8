"""Find and read recordings, whatever they are stored in, as twelve leads in mV."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.io.formats.wfdb import read_with_header
from cnn_gap.io.headers import read_header
from cnn_gap.io.registry import files_of, is_other_record, read_file, record_name
from cnn_gap.io.signal_files import signal_files
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError, printable

#: How the names of a record's files end.
RECORD_SUFFIXES = (".hea", ".mat", ".dat")


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
    if path.suffix != ".hea":
        return files_of(path)
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
        samples = header.samples or len(read_with_header(path, header).signal)
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
    return read_file(record_header(path))


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
