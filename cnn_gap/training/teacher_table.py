"""Tables of a model's probabilities: with one, a model of any framework is a teacher."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import replacing

if TYPE_CHECKING:
    import pyarrow

#: The columns of a table: each line has one probability.
COLUMNS = ("record", "class", "probability")


@dataclass(frozen=True, eq=False)
class TableTeacher:
    """A model's probabilities of records, from a table.

    Attributes
    ----------
    path : Path
        The table's file.
    records, codes : tuple of str
        Names of the rows and codes of the columns.
    probabilities : ndarray, shape (records, codes), float32
    """

    path: Path
    records: tuple[str, ...]
    codes: tuple[str, ...]
    probabilities: np.ndarray

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the table."""
        digest = hashlib.sha256(self.probabilities.tobytes())
        digest.update("\n".join((*self.records, *self.codes)).encode())
        return digest.hexdigest()[:16]

    @property
    def summary(self) -> dict[str, str]:
        """The entry of the teacher in the description of the model that it has taught."""
        return {"table": self.path.name, "probabilities": self.fingerprint}

    def knows(self, classes: ClassSet) -> np.ndarray:
        """Return which outputs of `classes` have a column, bool of shape (outputs,)."""
        return np.array([column is not None for column in self._columns(classes)])

    def require_match(self, classes: ClassSet, preprocessing: Preprocessing) -> None:
        """Raise an `InputError` unless the table has a class of `classes`; it depends on no preprocessing."""
        if not self.knows(classes).any():
            raise InputError(
                f"{self.path}: cannot teach: none of its classes is to be answered; received"
                f" {', '.join(self.codes[:5])}"
            )

    def probabilities_of(self, names: tuple[str, ...], classes: ClassSet) -> np.ndarray:
        """Return the probabilities of records, (len(names), outputs) float32; 0 for outputs without a column.

        Raises
        ------
        InputError
            If a record is not in the table.
        """
        rows = {name: row for row, name in enumerate(self.records)}
        missing = [name for name in names if name not in rows]
        if missing:
            raise InputError(
                f"{self.path}: cannot teach: it lacks {len(missing)} of {len(names)} training records, such as"
                f" {missing[0]}"
            )
        found = self.probabilities[[rows[name] for name in names]]
        known = self.knows(classes)
        result = np.zeros((len(names), len(known)), np.float32)
        result[:, known] = found[:, [column for column in self._columns(classes) if column is not None]]
        return result

    def _columns(self, classes: ClassSet) -> list[int | None]:
        """Return the column of each output, None where there is none."""
        columns = {code: column for column, code in enumerate(self.codes)}
        return [next((columns[code] for code in codes if code in columns), None) for codes in classes.outputs]


def read_teacher_table(path: Path) -> TableTeacher:
    """Read a Parquet table of the columns `COLUMNS`: a line for each record and class.

    Raises
    ------
    InputError
        If pyarrow is missing, the file is no such table, or it lacks a probability of a record and a class.
    """
    table = _read_columns(path)
    records, rows = _numbered(table.column("record"))
    codes, columns = _numbered(table.column("class"))
    probabilities = np.full((len(records), len(codes)), np.nan, np.float32)
    try:
        probabilities[rows, columns] = table.column("probability").to_numpy()
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: its column probability must hold numbers ({error})") from error
    inside = (probabilities >= 0) & (probabilities <= 1)
    if not inside.all():
        row, column = np.argwhere(~inside)[0]
        raise InputError(
            f"{path}: must hold a probability from 0 to 1 for every record and class; received"
            f" {probabilities[row, column]} for {records[row]} and {codes[column]}"
        )
    return TableTeacher(path, records, codes, probabilities)


def write_teacher_table(
    path: Path, records: Sequence[str], codes: Sequence[str], probabilities: np.ndarray
) -> None:
    """Write a table that `read_teacher_table` reads, whole or not at all.

    Parameters
    ----------
    path : Path
        Of the table; a file that is there is replaced.
    records, codes : sequence of str
        Names of the rows and codes of the columns.
    probabilities : ndarray, shape (records, codes)
        Kept to the three digits of a half float, which makes the file a third of its size.
    """
    import pyarrow
    from pyarrow import parquet

    columns = {
        "record": np.repeat(np.asarray(records), len(codes)),
        "class": np.tile(np.asarray(codes), len(records)),
        "probability": probabilities.astype(np.float16).astype(np.float32).ravel(),
    }
    with replacing(path) as partial:
        parquet.write_table(pyarrow.table(columns), partial, compression="zstd")


def _read_columns(path: Path) -> "pyarrow.Table":
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path}: tables need pyarrow; pip install cnn-gap[formats]") from error
    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: is not a Parquet table that can be read ({error})") from error
    if not set(COLUMNS) <= set(table.column_names) or not len(table):
        raise InputError(f"{path}: must have the columns {', '.join(COLUMNS)} and a line or more")
    return table


def _numbered(column: "pyarrow.ChunkedArray") -> tuple[tuple[str, ...], np.ndarray]:
    """Return the different values of a column as text, and the number of each line's value."""
    encoded = column.cast("string").combine_chunks().dictionary_encode()
    return tuple(map(str, encoded.dictionary.to_pylist())), encoded.indices.to_numpy()
