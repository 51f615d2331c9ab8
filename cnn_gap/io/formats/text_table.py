"""CSV and text tables with a sidecar, read by pandas: among them `rdsamp`'s and MUSE's text exports.

A heading line names the leads; ``rdsamp -c -H -v`` writes a line of units below it. MUSE's text begins with
empty lines and a line such as ``Rhythm signal: 5000 X 12``.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.io.arrays import record_from_array
from cnn_gap.io.units import millivolts_of
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

_LARGEST_FILE = 64 << 20

#: MUSE's line before the samples of the rhythm: how many samples and leads follow.
_RHYTHM = re.compile(r"^[^\S\n]*Rhythm signal:\s*(\d+)\s*X\s*(\d+)[^\S\n]*$", re.IGNORECASE | re.MULTILINE)

#: A name of a column with its unit, such as ``I (mV)``.
_WITH_UNIT = re.compile(r"(.*\S)\s*[(\[]([^()\[\]]+)[)\]]")

#: Texts that mean a missing sample.
_MISSING = frozenset(("", "-", "na", "n/a", "null", "none"))

#: The largest number of columns of a table: with more, pandas takes minutes.
_MOST_COLUMNS = 1000

#: Number of characters at the start by which the layout is recognised.
_LAYOUT_CHARACTERS = 65536


@dataclass(frozen=True)
class TableLayout:
    """The layout of a table: separator, decimal sign, names, units, columns, lines before the numbers."""

    separator: str
    decimal: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    columns: int
    above: int


def recognise(start: bytes) -> bool:
    """Tell whether a file may be a table: it is text and no XML. It is a record only if it has a sidecar."""
    text = start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" not in start
    return text and not start.lstrip().startswith(b"<")


def guard(path: Path) -> None:
    """Refuse nothing: the numbers take no more memory than a multiple of the file's size."""


def read(path: Path) -> Record:
    """Read a column for each lead; a heading line names the leads, or else the sidecar."""
    import pandas

    text = _decode(read_bytes(path, _LARGEST_FILE))
    rhythm, rows = _RHYTHM.search(text[:_LAYOUT_CHARACTERS]), None
    if rhythm:
        text, rows = text[rhythm.end() :].lstrip(), int(rhythm[1])
    layout = _layout(text)
    if layout.columns > _MOST_COLUMNS:
        raise InputError(f"{path}: has {layout.columns} columns; at most {_MOST_COLUMNS} are read")
    table = pandas.read_csv(
        io.StringIO(text),
        sep=layout.separator,
        decimal=layout.decimal,
        skiprows=layout.above,
        nrows=rows,
        header=None,
        skip_blank_lines=True,
        index_col=False,
        na_values=["-"],  # which rdsamp writes
    )
    if rhythm:
        table = table.iloc[:, : int(rhythm[2])]
        if len(table) < int(rhythm[1]):
            raise InputError(
                f"{path}: is truncated; holds {len(table)} of {rhythm[1]} samples; export it again"
            )
    return record_from_array(path, layout.names or None, table.to_numpy(), layout.units or None)


def _decode(content: bytes) -> str:
    """Return the text, of UTF-8, of UTF-16 with its mark, or else of Latin-1."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _layout(text: str) -> TableLayout:
    lines = text[:_LAYOUT_CHARACTERS].splitlines()
    written = [(number, line) for number, line in enumerate(lines) if line.strip()][:3]
    first = written[0][1] if written else ""
    separator = max("\t;,", key=first.count)
    if separator not in first:
        separator = r"\s+"
    rows = [_cells(line, separator) for _, line in written]
    named = bool(rows) and not all(map(_is_number, rows[0]))
    below = [cell.strip("()[]") for cell in rows[1]] if named and len(rows) > 1 else []
    # The line is taken for units, which need not be volts, if there is no number in it.
    samples = not below or any(cell.lower() in _MISSING or _is_number(cell) for cell in below)
    with_units = not samples or any(millivolts_of(cell) is not None for cell in below)
    above = written[with_units][0] + 1 if named else 0
    data = "\n".join(line for number, line in enumerate(lines[:100]) if number >= above)
    comma = separator != "," and re.search(r"\d,\d", data) and not re.search(r"\d\.\d", data)
    names, units = tuple(rows[0]) if named else (), tuple(below) if with_units else ()
    if named and not units:
        names, units = _without_units(names)
    return TableLayout(separator, "," if comma else ".", names, units, max(map(len, rows), default=0), above)


def _without_units(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of columns without units in brackets, and these where each lead has one."""
    found = [_WITH_UNIT.fullmatch(name) for name in names]
    if not any(match and millivolts_of(match[2]) is not None for match in found):
        return names, ()
    plain = tuple(match[1] if match else name for match, name in zip(found, names, strict=True))
    return plain, tuple(match[2] if match else "" for match in found)


def _cells(line: str, separator: str) -> list[str]:
    cells = line.split() if separator == r"\s+" else line.split(separator)
    return [cell.strip().strip("'\"").strip() for cell in cells]


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return not text.strip()
    return True
