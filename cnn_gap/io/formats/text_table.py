"""CSV and text tables with a sidecar, read by pandas."""

from pathlib import Path

from cnn_gap.io.arrays import record_from_array
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file may be one: it is text and no XML. Whether it is a record tells its sidecar."""
    return b"\0" not in start and not start.lstrip().startswith(b"<")


def guard(path: Path) -> None:
    """Refuse nothing: the numbers take as much memory as the file's size tells."""


def read(path: Path) -> Record:
    """Read a column a lead; a heading line names them, or else the sidecar."""
    import pandas

    with path.open(encoding="utf-8-sig") as file:
        first = file.readline()
    separator = max(",;\t", key=first.count)
    named = not all(map(_is_number, first.strip().split(separator)))
    table = pandas.read_csv(path, sep=separator, header=0 if named else None, encoding="utf-8-sig")
    names = [str(name).strip() for name in table.columns] if named else None
    return record_from_array(path, names, table.to_numpy())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text.strip()
    return True
