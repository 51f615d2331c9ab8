"""Arrays in files: NumPy, CSV and Parquet, with a sidecar that says what the file does not."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.headers import parse_sex
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json
from cnn_gap.system.settings import from_dict

#: The sidecar of all arrays in a folder that have none of their own.
FOLDER_SIDECAR = "signals.json"

#: Bytes that an unpacked array may take.
LARGEST_ARRAY = 512 << 20


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
    return next((choice for choice in choices if choice.is_file()), None)


def record_from_array(path: Path, names: list[str] | None, signal: Any) -> Record:
    """Return the record of a file's array and its sidecar.

    Parameters
    ----------
    path : Path
    names : list of str or None
        The leads that the file names itself.
    signal : array_like, shape (samples, leads)

    Raises
    ------
    InputError
        If the sidecar is missing or wrong, or does not fit the array.
    """
    sidecar = _read_sidecar(path)
    leads = list(sidecar.leads) or names
    if leads is None:
        raise InputError(f"{path}: has no names of leads; give them as leads in {sidecar_path(path)}")
    try:
        return record_from_signal(
            signal, sidecar.sampling_rate, leads, "", (), sidecar.age, parse_sex(sidecar.sex), sidecar.unit
        )
    except InputError as error:
        raise InputError(f"{path}: {str(error).removeprefix('signal: ')}") from error


def _read_sidecar(path: Path) -> Sidecar:
    found = sidecar_path(path)
    if found is None:
        raise InputError(
            f"{path}: has no sidecar; write {path.with_suffix('.json').name} beside it, such as"
            ' {"sampling_rate": 500, "unit": "uV", "leads": ["I", "II", "V1"]}'
        )
    try:
        return from_dict(Sidecar, read_json(found))
    except InputError as error:
        raise InputError(f"{found}: {str(error).removeprefix(f'{found}: ')}") from error
