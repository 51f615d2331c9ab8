"""All formats of recordings, and which of them a file has.

To add a format is to write a module in `cnn_gap.io.formats` and to add a line to `FORMATS`.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cnn_gap.io.arrays import sidecar_path
from cnn_gap.io.formats import (
    aecg,
    cardiosoft,
    dicom,
    edf,
    hdf5,
    ishne,
    matlab,
    mfer,
    mortara,
    muse,
    npy,
    npz,
    parquet,
    schiller,
    scp,
    sierra,
    text_table,
    wfdb,
)
from cnn_gap.io.vendor import UnreadableError
from cnn_gap.io.xml_files import xml_root
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import file_size, read_bytes

#: Number of bytes at the start of a file that its format is recognised by.
START_BYTES = 65536

MIB = 2**20

#: Number of bytes that are read where a comment before the first XML tag may be longer than `START_BYTES`.
_LONG_START_BYTES = 4 * MIB


class FormatModule(Protocol):
    """The functions of a module in `cnn_gap.io.formats`, which are explained in that package's docstring."""

    def recognise(self, start: bytes) -> bool: ...  # noqa: D102
    def guard(self, path: Path) -> None: ...  # noqa: D102
    def read(self, path: Path) -> Record: ...  # noqa: D102


@dataclass(frozen=True)
class Format:
    """A format of recordings.

    Attributes
    ----------
    name : str
        For people.
    suffixes : tuple of str
        How the names of its files end, in lower case; a record's name is the file's without it.
    module : FormatModule
    largest : int
        Size of the largest file that is read, MiB.
    read_by : str
        The library that reads it, for people.
    checked_against : str
        The second reader that found the same values, for people.
    needs : str
        When a file in a folder counts as a record: ``"name"`` if it has one of the suffixes, ``"content"`` if
        it has one or `recognise` returns True, ``"sidecar"`` if a sidecar lies beside it.
    """

    name: str
    suffixes: tuple[str, ...]
    module: FormatModule
    largest: int
    read_by: str
    checked_against: str
    needs: str = "content"


WFDB = Format("WFDB", (".hea",), wfdb, 1024, "cnn-gap, wfdb 4.3", "wfdb", "name")
MATLAB = Format("MATLAB", (".mat",), matlab, 1024, "cnn-gap", "SciPy", "name")

#: All formats, in the order in which they are named and looked for. A text table has no mark: it comes last.
FORMATS = (
    WFDB,
    MATLAB,
    Format("DICOM", (".dcm", ".dicom"), dicom, 32, "ecgdatakit 2.0.3, pydicom 3.0", "pydicom"),
    Format("GE MUSE XML", (".xml",), muse, 32, "ecgdatakit 2.0.3", "a template"),
    Format("Philips Sierra XML", (".xml",), sierra, 32, "ecgdatakit 2.0.3", "sierraecg 0.4 (XLI)"),
    Format("HL7 aECG", (".xml",), aecg, 32, "ecgdatakit 2.0.3", "a template of the standard"),
    Format("SCP-ECG", (".scp",), scp, 4, "ecgdatakit 2.0.3", "a template of EN 1064"),
    Format("EDF", (".edf", ".bdf"), edf, 256, "cnn-gap", "pyEDFlib 0.1.42"),
    Format("GE CardioSoft XML", (".xml",), cardiosoft, 32, "cnn-gap", "a template"),
    Format("Schiller XML", (".xml",), schiller, 32, "cnn-gap", "a template"),
    Format("Mortara ELI XML", (".xml",), mortara, 32, "ecgdatakit 2.0.3", "a template"),
    Format("ISHNE", (".ecg",), ishne, 64, "ecgdatakit 2.0.3", "a writer of the standard"),
    Format("MFER", (".mwf", ".mfer"), mfer, 16, "ecgdatakit 2.0.3", "a writer of ISO 22077"),
    Format("NumPy array", (".npy",), npy, 256, "numpy", "the values written", "sidecar"),
    Format("NumPy archive", (".npz",), npz, 256, "numpy", "the values written", "sidecar"),
    Format("Parquet", (".parquet",), parquet, 256, "pyarrow", "the values written", "sidecar"),
    Format("HDF5", (".h5", ".hdf5"), hdf5, 512, "h5py", "the values written", "sidecar"),
    Format("CSV", (".csv", ".tsv", ".txt"), text_table, 64, "pandas", "the values written", "sidecar"),
)


def _suffixes(*needs: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(suffix for form in FORMATS if form.needs in needs for suffix in form.suffixes))


#: Files with these suffixes count as records even if they are damaged: then the damage is reported.
CONTENT_SUFFIXES = _suffixes("content")

#: Files with these suffixes are records if they have a sidecar.
SIDECAR_SUFFIXES = _suffixes("sidecar")

#: Suffixes that are no part of a record's name: the formats' suffixes, and the suffix of WFDB's signal files.
_NAME_SUFFIXES = frozenset((*_suffixes("name", "content", "sidecar"), ".dat"))

#: Files with these suffixes are no records of their own. Of files with other suffixes, or without one, the
#: content decides.
BESIDE = frozenset(
    (".hea", ".mat", ".dat", ".atr", ".cam", ".json", ".md", ".html", ".log", ".png", ".svg", ".pdf")
)


def record_name(path: Path) -> str:
    """Return the name of the record at a path: the file's without the suffix of its format.

    Examples
    --------
    >>> record_name(Path("data/A0001.hea")), record_name(Path("export/1.2.840.99"))
    ('A0001', '1.2.840.99')
    """
    return path.stem if path.suffix.lower() in _NAME_SUFFIXES else path.name


def recognise(start: bytes) -> Format | None:
    """Return the format of a file by its first `START_BYTES` bytes, None if it is another."""
    return next((form for form in FORMATS if form.module.recognise(start)), None)


def format_of(path: Path) -> Format:
    """Return the format of a file.

    Raises
    ------
    InputError
        If the file is missing, empty or of an unknown format.
    """
    named = next((form for form in (WFDB, MATLAB) if path.suffix.lower() in form.suffixes), None)
    if named is not None:
        return named
    start = read_bytes(path, START_BYTES, count=START_BYTES)
    if not start:
        raise InputError(f"{path}: is empty")
    form = recognise(start)
    if form is None and b"<!--" in start and xml_root(start) is None:
        start = read_bytes(path, _LONG_START_BYTES, count=_LONG_START_BYTES)
        form = recognise(start)
    if form is None or (form.module is text_table and sidecar_path(path) is None):
        raise InputError(f"{path}: {_unknown(path, start, form)}")
    return form


def read_file(path: Path) -> Record:
    """Read a record of any format, which is recognised by its content or, for WFDB and MATLAB, by its name.

    Raises
    ------
    InputError
        If the format is unknown, a package for it is missing, or the file is damaged or not supported.
    """
    form = format_of(path)
    _require_size(path, form)
    try:
        form.module.guard(path)
        record = form.module.read(path)
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{path}: is {form.name}; pip install cnn-gap[formats] to read it") from error
    except Exception as error:  # libraries promise no kind of exception
        reason = str(error) if isinstance(error, UnreadableError) else type(error).__name__
        raise InputError(f"{path}: is {form.name} that cannot be read ({reason})") from error
    return record if record.name else replace(record, name=record_name(path))


def files_of(path: Path) -> list[Path]:
    """Return the files of a record without a header: its own, and the sidecar of an array."""
    sidecar = sidecar_path(path) if path.suffix.lower() in SIDECAR_SUFFIXES else None
    return [path] if sidecar is None else [path, sidecar]


def _require_size(path: Path, form: Format) -> None:
    size = file_size(path)
    if size > form.largest * MIB:
        raise InputError(
            f"{path}: is too large for {form.name}; at most {form.largest} MiB are read,"
            f" received {math.ceil(size / MIB)} MiB; cut the recording into shorter ones"
        )


def _unknown(path: Path, start: bytes, form: Format | None) -> str:
    """Return why a file of no known format, or a text table without a sidecar, is not read."""
    if root := xml_root(start):
        xml = ", ".join(each.name for each in FORMATS if ".xml" in each.suffixes)
        return f"is XML of an unknown kind (root {root[:40]}); the known kinds are {xml}"
    if form is not None and path.suffix.lower() in form.suffixes:
        return f"is CSV; write {path.with_suffix('.json').name} beside it, with sampling_rate, unit and leads"
    if path.suffix.lower() == ".dat":
        return f"is a signal file without its header {path.with_suffix('.hea').name}, which describes it"
    known = ", ".join(each.name for each in FORMATS)
    return f"has a format that is not known; the known formats are {known}"
