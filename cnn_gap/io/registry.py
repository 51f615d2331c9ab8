"""The door to all formats that are not WFDB's or MATLAB's."""

import os
from pathlib import Path

from cnn_gap.io.arrays import read_array, sidecar_path
from cnn_gap.io.guards import require_size
from cnn_gap.io.recognition import CSV, FORMATS, START, FileFormat, recognise, xml_root
from cnn_gap.io.vendor import read_vendor
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import file_size, read_bytes
from cnn_gap.system.outputs import is_output

#: Files with these suffixes are records whatever they hold, so that a damaged one is named.
SUFFIXES = (".dcm", ".dicom", ".xml", ".scp", ".edf")

#: Files with these are records where a sidecar says what they hold.
ARRAY_SUFFIXES = (".npy", ".npz", ".csv", ".parquet")

#: What lies beside records and is none; files with other suffixes, or none, are looked into.
_OTHERS = frozenset(
    (".hea", ".mat", ".dat", ".atr", ".cam", ".json", ".txt", ".md", ".html", ".log", ".png", ".svg", ".pdf")
)


def read_other(path: Path) -> Record:
    """Read a record that is neither WFDB's nor MATLAB's; its content tells the format.

    Raises
    ------
    InputError
        If the format is unknown, a package for it is missing, or the file is damaged or not supported.
    """
    size = file_size(path)
    start = read_bytes(path, START, count=START)
    if not start:
        raise InputError(f"{path}: is empty")
    form = recognise(start) or (CSV if _is_text(start) and sidecar_path(path) else None)
    if form is None:
        raise InputError(f"{path}: {_unknown(path, start)}")
    require_size(str(path), size, form)
    return read_vendor(path, form) if form.parser else read_array(path, form)


def files_of(path: Path) -> list[Path]:
    """Return the files of such a record: its own, and the sidecar of an array."""
    sidecar = sidecar_path(path) if path.suffix.lower() in ARRAY_SUFFIXES else None
    return [path] if sidecar is None else [path, sidecar]


def is_other_record(folder: str, name: str) -> bool:
    """Tell whether a file of a folder is a record in another format than WFDB's or MATLAB's."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122, for speed
    if suffix in SUFFIXES:
        return True
    if suffix in _OTHERS or name.startswith(".") or name == "DICOMDIR":
        return False
    path = Path(folder) / name
    if suffix in ARRAY_SUFFIXES:
        return sidecar_path(path) is not None and not is_output(path)
    return _looked_into(path) is not None


def _looked_into(path: Path) -> FileFormat | None:
    try:
        form = recognise(read_bytes(path, START, count=START))
    except InputError:  # nor is a pipe a record
        return None
    return form if form is not None and form.parser else None


def _is_text(start: bytes) -> bool:
    return b"\0" not in start and not start.lstrip().startswith(b"<")


def _unknown(path: Path, start: bytes) -> str:
    known = ", ".join(form.name for form in FORMATS)
    if root := xml_root(start):
        return f"is XML of an unknown kind (root {root[:40]}); read are GE MUSE, Philips Sierra and HL7 aECG"
    if path.suffix == ".csv" and _is_text(start):
        return f"is CSV; write {path.with_suffix('.json').name} beside it, with sampling_rate, unit and leads"
    return f"has a format that is not known; read are WFDB (.hea), MATLAB (.mat), {known}"
