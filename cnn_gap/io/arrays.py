"""Arrays in files: NumPy, CSV and Parquet, with a sidecar that says what the file does not."""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.headers import parse_sex
from cnn_gap.io.recognition import CSV, MIB, NPY, NPZ, FileFormat
from cnn_gap.record import Record, record_name
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json
from cnn_gap.system.outputs import is_output
from cnn_gap.system.settings import from_dict

#: The sidecar of all arrays in a folder that have none of their own.
FOLDER_SIDECAR = "signals.json"

#: Bytes that an unpacked array may take.
LARGEST_ARRAY = 512 * MIB


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar says of an array.

    Attributes
    ----------
    sampling_rate : float
        In Hz.
    unit : str
        Of the amplitudes: nV, uV, mV or V.
    leads : tuple of str
        The names of the columns; not needed where the file names them.
    age : float
        In years, NaN where unknown.
    sex : str
        ``"Female"``, ``"Male"`` or ``"Unknown"``.
    """

    sampling_rate: float
    unit: str = "mV"
    leads: tuple[str, ...] = ()
    age: float = math.nan
    sex: str = "Unknown"


def sidecar_path(path: Path) -> Path | None:
    """Return an array's sidecar: ``NAME.json`` beside it, or the folder's `FOLDER_SIDECAR`; None if absent."""
    choices = (path.with_suffix(".json"), path.with_name(FOLDER_SIDECAR))
    return next((choice for choice in choices if choice.is_file() and not is_output(choice)), None)


def read_array(path: Path, form: FileFormat) -> Record:
    """Read an array of shape (samples, leads) with its sidecar.

    A NumPy archive has it as `signal`. The columns of CSV and Parquet name their leads; the sidecar does for
    NumPy's arrays and for a CSV without a heading line.

    Raises
    ------
    InputError
        If the sidecar is missing or wrong, or the array is damaged, too large, or fits no leads.
    """
    sidecar = _read_sidecar(path, form)
    try:
        names, signal = _read(path, form)
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{path}: is {form.name}; pip install cnn-gap[formats] to read it") from error
    except Exception as error:  # the libraries promise no kind of exception
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: is {form.name} that cannot be read ({type(error).__name__}: {reason})"
        ) from error
    leads = list(sidecar.leads) or names
    if leads is None:
        raise InputError(f"{path}: has no names of leads; give them as leads in {sidecar_path(path)}")
    name = record_name(path)
    try:
        return record_from_signal(
            signal, sidecar.sampling_rate, leads, name, (), sidecar.age, parse_sex(sidecar.sex), sidecar.unit
        )
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix(f'{name}: ')}") from error


def _read_sidecar(path: Path, form: FileFormat) -> Sidecar:
    found = sidecar_path(path)
    if found is None:
        raise InputError(
            f"{path}: is {form.name}; write {path.with_suffix('.json').name} beside it, such as"
            ' {"sampling_rate": 500, "unit": "uV", "leads": ["I", "II", "V1"]}'
        )
    try:
        return from_dict(Sidecar, read_json(found))
    except InputError as error:
        raise InputError(f"{found}: {str(error).removeprefix(f'{found}: ')}") from error


def _read(path: Path, form: FileFormat) -> tuple[list[str] | None, Any]:
    """Return the names of the columns, None if the file has none, and the array."""
    if form is NPY:
        return None, _read_npy(path)
    if form is NPZ:
        return None, _read_npz(path)
    return _read_csv(path) if form is CSV else _read_parquet(path)


def _read_npy(path: Path) -> np.ndarray:
    # Mapped, a file that announces more than it holds is an error before memory is taken.
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False))


def _read_npz(path: Path) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        if "signal.npy" not in archive.namelist():
            held = ", ".join(archive.namelist())[:80]
            raise InputError(f"{path}: holds no array named signal; it holds {held}")
        with archive.open("signal.npy") as member:
            shape, _, kind = _npy_header(member)
        size = archive.getinfo("signal.npy").file_size
    needed = math.prod(shape) * kind.itemsize
    if needed > min(size, LARGEST_ARRAY):
        raise InputError(f"{path}: announces {needed} bytes and holds {size}; at most {LARGEST_ARRAY} are read")
    with np.load(path, allow_pickle=False) as arrays:
        signal: np.ndarray = arrays["signal"]
    return signal


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


def _read_csv(path: Path) -> tuple[list[str] | None, Any]:
    import pandas

    with path.open(encoding="utf-8-sig") as file:
        first = file.readline()
    separator = max(",;\t", key=first.count)
    named = not all(map(_is_number, first.strip().split(separator)))
    table = pandas.read_csv(path, sep=separator, header=0 if named else None, encoding="utf-8-sig")
    return [str(name).strip() for name in table.columns] if named else None, table.to_numpy()


def _read_parquet(path: Path) -> tuple[list[str], Any]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        columns, rows = file.schema_arrow.names, file.metadata.num_rows
        if rows * len(columns) * 8 > LARGEST_ARRAY:
            raise InputError(f"{path}: is too large; at most {LARGEST_ARRAY // 8} numbers are read")
        batches, held = [], 0
        for batch in file.iter_batches(batch_size=65536):
            batches.append(batch.to_pandas().to_numpy())
            held += len(batch)
            if held > rows:
                raise InputError(f"{path}: holds more than the {rows} rows that it announces")
    return columns, np.concatenate(batches) if batches else np.zeros((0, len(columns)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text.strip()
    return True
