"""Parquet with a sidecar, read by pyarrow."""

from pathlib import Path

import numpy as np

from cnn_gap.io.arrays import LARGEST_ARRAY, record_from_array
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return start.startswith(b"PAR1")


def guard(path: Path) -> None:
    """Refuse a table that announces more than `LARGEST_ARRAY` bytes of numbers."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        if file.metadata.num_rows * len(file.schema_arrow.names) * 8 > LARGEST_ARRAY:
            raise InputError(f"{path}: is too large; at most {LARGEST_ARRAY // 8} numbers are read")


def read(path: Path) -> Record:
    """Read a column for each lead; the index of a data frame is no lead."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
        index = (schema.pandas_metadata or {}).get("index_columns", ())
        columns = [name for name in schema.names if name not in index]
        batches, held = [], 0
        for batch in file.iter_batches(batch_size=65536):
            batches.append(batch.to_pandas().to_numpy())
            held += len(batch)
            if held > rows:
                raise InputError(f"{path}: holds more than the {rows} rows that it announces")
    return record_from_array(path, columns, np.concatenate(batches) if batches else np.zeros((0, len(columns))))
