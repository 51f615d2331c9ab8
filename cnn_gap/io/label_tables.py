"""Read diagnoses from a table instead of the records' headers, and other tables of records."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from cnn_gap.io.records import RECORD_SUFFIXES
from cnn_gap.io.registry import record_name
from cnn_gap.io.sources import ListedRecord
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_TABLE, read_text

#: CPSC 2018's numbers and Challenge 2017's letters in SNOMED CT. Codes without a counterpart are not listed.
CPSC_2018_CODES = {
    "1": "426783006",  # normal
    "2": "164889003",  # atrial fibrillation
    "3": "270492004",  # first-degree AV block
    "4": "164909002",  # left bundle branch block
    "5": "59118001",  # right bundle branch block
    "6": "284470004",  # premature atrial contraction
    "7": "427172004",  # premature ventricular contraction
    "8": "429622005",  # ST depression
    "9": "164931005",  # ST elevation
}
CHALLENGE_2017_CODES = {"N": "426783006", "A": "164889003"}

_CODE_TABLES = (  # all codes of a table, and the codes that replace them
    (frozenset(CPSC_2018_CODES), CPSC_2018_CODES),
    (frozenset("NAO~"), CHALLENGE_2017_CODES),
)
_TABLE_HEADINGS = re.compile(r"(?:record|recording|file|ecg)s?(?:[_ ]?(?:name|id))?|name|id|", re.IGNORECASE)


class RecordTable(Mapping[str, tuple[str, ...]]):
    """The values of records, which are found by the record's name or its path.

    A record may be written with its suffix, which is left out of comparison with a name that has none, and with
    folders, which choose among records of one name. The suffixes .hea, .mat and .dat mean the same.

    Examples
    --------
    >>> table = RecordTable({"a.dcm": ("1",), "ward/b": ("2",)})
    >>> table["a"], table["data/a.dcm"], table["b"], table.get("a.xml")
    (('1',), ('1',), ('2',), None)
    """

    def __init__(self, values: Mapping[str, tuple[str, ...]]):
        self._values = values
        self._written: dict[str, list[str]] = {}
        for written in values:
            self._written.setdefault(record_name(Path(written)), []).append(written)

    def __getitem__(self, record: str | Path) -> tuple[str, ...]:
        written = self._find(Path(record))
        if written is None:
            raise KeyError(str(record))
        return self._values[written]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def of(self, record: ListedRecord) -> tuple[str, ...] | None:
        """Return the values of a record, by its id if it has one, or by its path; None if there are none."""
        written = self._listed(record)
        return None if written is None else self._values[written]

    def unmatched(self, records: Iterable[ListedRecord]) -> tuple[str, ...]:
        """Return the records of the table that are not among these, as the table writes them."""
        found = set(map(self._listed, records))
        return tuple(written for written in self._values if written not in found)

    def _listed(self, record: ListedRecord) -> str | None:
        path = Path(record.source)
        own = None if record.name == record_name(path) else self._find(Path(record.name))
        return self._find(path) if own is None else own

    def _find(self, record: Path) -> str | None:
        """Return the record's name as the table writes it; None if the table does not list it."""
        choices = [
            written
            for written in self._written.get(record_name(record), ())
            if _suffix(Path(written)) in ("", _suffix(record)) or record.name == record_name(record)
        ]
        in_folder = [
            each for each in choices if record.parts[-len(Path(each).parts) : -1] == Path(each).parts[:-1]
        ]
        return next(iter((*in_folder, *choices)), None)


def _suffix(record: Path) -> str:
    """Return the suffix of a record's format, nothing for WFDB's and MATLAB's."""
    suffix = record.name.removeprefix(record_name(record)).lower()
    return "" if suffix in RECORD_SUFFIXES else suffix


def read_label_table(path: Path, own_codes: Collection[str] = ()) -> RecordTable:
    """Read a table of labels, ``record,code[,code...]``, in the form of `read_record_table`.

    Codes are kept as they are, except where every code of the table is one of CPSC 2018's numbers 1 to 9, or
    every one is a letter of Challenge 2017 (N, A, O, ~): these become SNOMED CT codes (`CPSC_2018_CODES`,
    `CHALLENGE_2017_CODES`; O and ~, "other" and "noisy", have none and stay).

    Parameters
    ----------
    path : Path
        The table.
    own_codes : collection of str
        Codes in use; a table that has any of them is never translated.

    Raises
    ------
    InputError
        If the file is missing or is not such a table.
    """
    labels = read_record_table(path)
    # The first line may be a heading of other words, so it does not decide what kind the codes are.
    rows = list(labels.values())
    used = {code for codes in rows[1:] or rows for code in codes}
    foreign = used.isdisjoint(own_codes)
    translation = next((codes for known, codes in _CODE_TABLES if foreign and used <= known), {})
    return RecordTable(
        {name: tuple(translation.get(code, code) for code in codes) for name, codes in labels.items()}
    )


def read_record_table(path: Path) -> RecordTable:
    """Read a table with a line ``record,value[,value...]`` for each record.

    The first line is a heading when its first cell is a word such as ``record``, ``recording``, ``name``,
    ``id``, ``ecg_id``, ``file`` or ``filename``, in any case, or empty. A record on several lines has the
    values of all of them.

    Raises
    ------
    InputError
        If the file is missing or is not such a table.
    """
    path = Path(path)
    rows = _read_table(path)
    if rows and _TABLE_HEADINGS.fullmatch(rows[0][0]):
        rows = rows[1:]
    if not rows or all(len(row) < 2 for row in rows):
        raise InputError(f"{path}: holds no labels; expected lines such as record,code,code")
    if not all(row[0] for row in rows):
        raise InputError(f"{path}: a line has no record in its first cell; expected record,code,code")
    table: dict[str, tuple[str, ...]] = {}
    for name, *values in rows:
        for suffix in RECORD_SUFFIXES:
            name = name.removesuffix(suffix)
        table[name] = tuple(dict.fromkeys((*table.get(name, ()), *filter(None, values))))
    return RecordTable(table)


def _read_table(path: Path) -> list[list[str]]:
    try:
        text = read_text(path, LARGEST_TABLE, "give a table of labels")
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file of labels ({error})") from error
    return [row for row in rows if any(row)]
