"""Tables of results: one Parquet or CSV file with a row a record, whole or not there.

While records are classified, parts of some thousand rows lie in the folder ``.NAME.parts`` beside the table, so
that a run that was killed goes on where it was. At its end the rows of an earlier table and of all parts become
the new table, each record once. What the columns mean is JSON: in the metadata of a Parquet file (key
``cnn_gap``), beside a CSV in ``NAME.json``.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json, replacing, write_json
from cnn_gap.system.locks import locked

if TYPE_CHECKING:
    import pyarrow

#: Raise it when the meaning of a table's columns or metadata changes.
TABLE_FORMAT = 1

#: Rows of a part, and of a Parquet file's row group.
PART_ROWS = 10_000
GROUP_ROWS = 100_000

#: The column that tells whether a record has changed since it was classified: a hash of its files.
CONTENT = "content"

_KEY = b"cnn_gap"
_SUFFIXES = (".parquet", ".csv")


class ResultTable:
    """A table that is being written; use it in a `with` block, in which rows are added.

    Parameters
    ----------
    path : Path
        ``.parquet`` or ``.csv``.
    about : dict
        What the columns mean: `format`, `model`, `classes` and more. Rows of an earlier table are kept only
        where it is the same.
    columns : mapping of str to type
        The type of each column: str, float or bool. `record`, `failure` and `content` are among them.

    Raises
    ------
    InputError
        If the suffix is another, pyarrow is missing, or another process writes the table.
    """

    def __init__(self, path: Path, about: dict[str, Any], columns: Mapping[str, type]):
        self._path = require_table_path(path)
        self._about = about
        self._schema = _schema(path, columns)
        self._parts = self._path.with_name(f".{self._path.name}.parts")
        self._buffer: dict[str, list[Any]] = {name: [] for name in columns}
        self._latest: dict[str, tuple[Path, str]] = {}
        self._held = ExitStack()

    def __enter__(self) -> "ResultTable":
        with ExitStack() as held:  # whatever is wrong with an earlier table, its folder must not stay locked
            held.enter_context(locked(self._parts))
            self._look_at_earlier()
            self._held = held.pop_all()
        return self

    def _look_at_earlier(self) -> None:
        """Note which rows there are, and remove parts of another source."""
        note = self._parts / "about.json"
        if note.exists() and read_json(note) != self._about:
            for part in self._part_paths():
                part.unlink()
        write_json(note, self._about)
        earlier = [self._path] if _about_of(self._path) == self._about else []
        for path in (*earlier, *self._part_paths()):
            for batch in self._batches(path):
                self._note(path, batch.to_pydict())
        self._has_earlier = bool(earlier)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write_part()  # what is done is kept, whatever has happened
        finally:
            self._held.close()
            with suppress(OSError):  # parts are left
                self._parts.rmdir()

    def is_current(self, name: str, content: Callable[[], str]) -> bool:
        """Tell whether there is a row of a record's files as they are now, and not of a failure.

        `content` returns the hash of the files, and is called only where there is a row.
        """
        held = self._latest.get(_storable(name))
        return held is not None and held[1] == content()

    def add(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add rows, given by columns."""
        for name, values in columns.items():
            self._buffer[name] += [_storable(each) if isinstance(each, str) else each for each in values]
        if len(self._buffer["record"]) >= PART_ROWS:
            self._write_part()

    def finish(self, names: Sequence[str]) -> None:
        """Write the table with the latest row of each of these records, and remove the parts."""
        self._write_part()
        wanted = set(map(_storable, names))
        with replacing(self._path) as aside, _writer(aside, self._path.suffix, self._described()) as writer:
            for batch in self._grouped(self._rows(wanted)):
                writer.write(batch)
        if self._path.suffix == ".csv":
            write_json(_note_path(self._path), self._about)
        for part in self._part_paths():
            part.unlink()
        (self._parts / "about.json").unlink()
        self._latest = {}

    def _rows(self, wanted: set[str]) -> Iterator["pyarrow.RecordBatch"]:
        for path in ([self._path] if self._has_earlier else []) + self._part_paths():
            for batch in self._batches(path):
                names = batch.column("record").to_pylist()
                kept = [name in wanted and self._latest[name][0] == path for name in names]
                yield batch.filter(_mask(kept))

    def _grouped(self, batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.Table"]:
        """Yield tables of `GROUP_ROWS` rows or a few more, and a last one that may be empty."""
        import pyarrow

        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(map(len, held)) >= GROUP_ROWS:
                yield pyarrow.Table.from_batches(held, self._schema)
                held = []
        yield pyarrow.Table.from_batches(held, self._schema)

    def _write_part(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if not self._buffer["record"]:
            return
        path = self._parts / f"part-{len(self._part_paths()):06d}.parquet"
        table = pyarrow.Table.from_pydict(self._buffer, self._schema)
        with replacing(path) as aside:
            pyarrow.parquet.write_table(table, aside)
        self._note(path, self._buffer)
        self._buffer = {name: [] for name in self._buffer}

    def _note(self, path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
        """Note where the latest row of each record is; what failed is never current."""
        for name, failure, content in zip(columns["record"], columns["failure"], columns[CONTENT], strict=True):
            self._latest[name] = (path, "" if failure else content)

    def _part_paths(self) -> list[Path]:
        return sorted(self._parts.glob("part-*.parquet"))

    def _batches(self, path: Path) -> Iterator["pyarrow.RecordBatch"]:
        return _read_batches(path, self._schema)

    def _described(self) -> "pyarrow.Schema":
        return self._schema.with_metadata({_KEY: json.dumps(self._about).encode()})


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
        If the file is no table that the driver has written.
    """
    about = _about_of(require_table_path(path))
    if about is None:
        raise InputError(f"{path}: is not a table of results; give one that driver.py --table has written")
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


def _storable(text: str) -> str:
    """Return a text without what is no Unicode: file names may hold any bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _schema(path: Path, columns: Mapping[str, type]) -> "pyarrow.Schema":
    try:
        import pyarrow
    except ImportError as error:
        raise InputError(f"{path}: tables need pyarrow; pip install cnn-gap[formats]") from error
    kinds = {str: pyarrow.string(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    return pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])


def _about_of(path: Path) -> Any:
    """Return what a table says of itself, None where there is none or it is another program's."""
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
                column_types=types, include_columns=schema.names, null_values=[], strings_can_be_null=False
            )
            with pyarrow.csv.open_csv(path, convert_options=options) as batches:
                yield from batches
        else:
            with pyarrow.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=PART_ROWS, columns=schema.names):
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


def _mask(kept: list[bool]) -> Any:
    import pyarrow

    return pyarrow.array(kept, pyarrow.bool_())
