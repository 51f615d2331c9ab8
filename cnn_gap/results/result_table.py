"""Tables of results: one Parquet or CSV file with a row for each record, written whole at the end of a run.

The columns are described in JSON: in the metadata of a Parquet file (key ``cnn_gap``), or in ``NAME.json``
beside a CSV.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json, replacing, write_json
from cnn_gap.system.outputs import CSV_TABLE, CSV_TABLE_NOTE, PARQUET_TABLE, require_replaceable

if TYPE_CHECKING:
    import pyarrow

#: Version of the columns and the metadata. Raise it when their meaning changes.
TABLE_FORMAT = 2

#: Number of rows that are written at once, as a row group of a Parquet file, and that are read at once.
GROUP_ROWS = 10_000

#: The column of the place of the record's file, as it was found.
PATH = "path"

#: The column by which a changed record is recognised: a hash of the files that were classified.
CONTENT = "content"

_KEY = b"cnn_gap"
_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class ResultTable:
    """A table that a run writes.

    Attributes
    ----------
    path : Path
        ``.parquet`` or ``.csv``.
    about : dict
        The description of the columns: `format`, `model`, `classes` and more.
    columns : dict of str to type
        The type of each column: str, int, float or bool. `record`, `failure` and `content` are among them.
    """

    path: Path
    about: dict[str, Any]
    columns: dict[str, type]

    def require_replaceable(self) -> None:
        """Require that the table can be written, and replaces nothing but an earlier one.

        Raises
        ------
        InputError
            If the suffix is another, pyarrow is missing, or another file is there.
        """
        require_table_path(self.path)
        _schema(self.path, self.columns)
        is_csv = self.path.suffix == ".csv"
        require_replaceable(self.path, CSV_TABLE if is_csv else PARQUET_TABLE)
        if is_csv:
            require_replaceable(_note_path(self.path), CSV_TABLE_NOTE)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write the table, whole or not at all.

        A row has a value for each column, in their order. None and NaN are missing values.
        """
        import pyarrow

        schema = _schema(self.path, self.columns).with_metadata({_KEY: json.dumps(self.about).encode()})
        remaining = iter(rows)
        with replacing(self.path) as aside, _writer(aside, self.path.suffix, schema) as writer:
            writer.write(pyarrow.Table.from_pylist([], schema))  # a table without rows has a heading, too
            while several := list(islice(remaining, GROUP_ROWS)):
                columns = [list(map(_storable, column)) for column in zip(*several, strict=True)]
                writer.write(pyarrow.Table.from_pydict(dict(zip(self.columns, columns, strict=True)), schema))
        if self.path.suffix == ".csv":
            write_json(_note_path(self.path), self.about)


def require_table_path(path: Path) -> Path:
    """Return the path of a table.

    Raises
    ------
    InputError
        If its suffix is no table's.
    """
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path}: cannot tell the format; give a name that ends with {' or '.join(_SUFFIXES)}")
    return path


def read_result_table(path: Path) -> tuple[tuple[str, ...], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Return the codes of a table, and each record's labels (bool) and probabilities (float64) in their order.

    Raises
    ------
    InputError
        If the file is no table that the driver has written with all outputs of the network.
    """
    about = _about_of(require_table_path(path))
    if about is None:
        raise InputError(f"{path}: is not a table of results; give one that drive --table has written")
    if not about.get("raw", True):
        raise InputError(f"{path}: does not have the network's outputs; write it with drive --table --raw")
    classes = about["classes"]
    probabilities = [f"{each['column']}_probability" for each in classes]
    labels = [f"{each['column']}_label" for each in classes]
    counts = [len(each["codes"]) for each in classes]
    columns = {"record": str} | dict.fromkeys(probabilities, float) | dict.fromkeys(labels, bool)
    rows = {}
    for batch in _read_batches(path, _schema(path, columns)):
        held = np.stack([batch.column(name).to_numpy(zero_copy_only=False) for name in labels], axis=1)
        values = np.stack([batch.column(name).to_numpy(zero_copy_only=False) for name in probabilities], axis=1)
        held, values = np.repeat(held, counts, axis=1), np.repeat(values, counts, axis=1)
        for row, name in enumerate(batch.column("record").to_pylist()):
            rows[name] = (held[row].astype(bool), values[row].astype(np.float64))
    return tuple(code for each in classes for code in each["codes"]), rows


def rounded(probability: float) -> float:
    """Return a probability with the six digits that result files have too."""
    return float(f"{probability:.6g}") if math.isfinite(probability) else math.nan


def _storable(value: Any) -> Any:
    """Return a value, None for NaN; in a text, bytes that are no Unicode are replaced, as of a file's name."""
    if not isinstance(value, str):
        return None if isinstance(value, float) and math.isnan(value) else value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _schema(path: Path, columns: Mapping[str, type]) -> "pyarrow.Schema":
    try:
        import pyarrow
    except ImportError as error:
        raise InputError(f"{path}: tables need pyarrow; pip install cnn-gap[formats]") from error
    kinds = {
        str: pyarrow.string(),
        int: pyarrow.int32(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }
    return pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _about_of(path: Path) -> Any:
    """Return the description of a table's columns; None if there is no table or it is another program's."""
    try:
        if path.suffix == ".csv":
            return read_json(_note_path(path)) if path.is_file() and _note_path(path).is_file() else None
        if not path.is_file():
            return None
        import pyarrow.parquet

        held = pyarrow.parquet.read_schema(path).metadata or {}
        return json.loads(held[_KEY]) if _KEY in held else None
    except (InputError, ValueError, OSError):
        return None


def _note_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _read_batches(path: Path, schema: "pyarrow.Schema") -> Iterator["pyarrow.RecordBatch"]:
    """Yield the rows of a table with the columns of a schema.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    try:
        if path.suffix == ".csv":
            types = {field.name: field.type for field in schema}
            options = pyarrow.csv.ConvertOptions(
                column_types=types, include_columns=schema.names, null_values=[""], strings_can_be_null=False
            )
            with pyarrow.csv.open_csv(path, convert_options=options) as batches:
                yield from batches
        else:
            with pyarrow.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=GROUP_ROWS, columns=schema.names):
                    yield batch.select(schema.names)
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: is a damaged table ({reason}); remove it, and classify again") from error


def _writer(path: Path, suffix: str, schema: "pyarrow.Schema") -> Any:
    import pyarrow.csv
    import pyarrow.parquet

    if suffix == ".csv":
        return pyarrow.csv.CSVWriter(path, schema)
    return pyarrow.parquet.ParquetWriter(path, schema)
