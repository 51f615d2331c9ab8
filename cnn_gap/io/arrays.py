"""Records of arrays in files (NumPy, HDF5, CSV, Parquet); a JSON sidecar has their rate, unit and leads."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnn_gap.io.amplitudes import millivolts, rate_of
from cnn_gap.io.headers import parse_sex
from cnn_gap.io.waveforms import record_of_waveform, waveform_from
from cnn_gap.leads import choose_leads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json
from cnn_gap.system.outputs import is_output
from cnn_gap.system.settings import from_dict

#: Name of the sidecar of all arrays of a folder that have no sidecar of their own.
FOLDER_SIDECAR = "signals.json"

#: Size of the largest unpacked array, bytes.
LARGEST_ARRAY = 512 << 20


@dataclass(frozen=True)
class Sidecar:
    """The content of an array's sidecar.

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


def sidecar_names(name: str) -> tuple[str, ...]:
    """Return the names that an array's sidecar may have: its own, and the folder's.

    ``.txt`` files do not use the folder's, since most of them are no arrays.
    """
    stem, suffix = os.path.splitext(name)  # noqa: PTH122, for speed
    return (f"{stem}.json",) if suffix.lower() == ".txt" else (f"{stem}.json", FOLDER_SIDECAR)


def sidecar_path(path: Path) -> Path | None:
    """Return an array's sidecar, the first of its `sidecar_names` that is there; None if none is.

    JSON files of explanations and of tables of results are no sidecars.
    """
    choices = map(path.with_name, sidecar_names(path.name))
    return next((choice for choice in choices if choice.is_file() and not is_output(choice)), None)


def record_from_array(
    path: Path,
    names: Sequence[str] | None,
    signal: Any,
    units: Sequence[str] | None = None,
    notes: tuple[str, ...] = (),
) -> Record:
    """Return the record of a file's array and its sidecar.

    If the file and its sidecar disagree on leads or units, those of the file are taken.

    Parameters
    ----------
    path : Path
    names : sequence of str or None
        The leads that the file names itself. Columns that are no leads may hold anything.
    signal : array_like, shape (samples, leads)
    units : sequence of str, optional
        Of the columns, if the file says them itself.
    notes : tuple of str
        What was left out or changed, as in `Record.notes`.

    Raises
    ------
    InputError
        If the sidecar is missing or wrong, or does not fit the array.
    """
    source, sidecar = str(path), _read_sidecar(path)
    rate = rate_of(sidecar.sampling_rate, source)
    leads, differing = _lead_names(path, sidecar, names)
    values = np.asarray(signal)
    if values.ndim != 2 or values.shape[1] != len(leads):
        millivolts(values, len(leads), sidecar.unit, source)  # it raises the error
    choice = choose_leads(leads, source)
    columns = list(choice.columns.values())
    chosen = [units[column] if units else sidecar.unit for column in columns]
    parts = [
        millivolts(values[:, column : column + 1], 1, unit, source)
        for column, unit in zip(columns, chosen, strict=True)
    ]
    named = [leads[column] for column in columns]
    notes = choice.notes + differing + notes
    waveform = waveform_from(np.concatenate(parts, axis=1), named, rate, source, notes)
    return record_of_waveform(waveform, source, sidecar.age, parse_sex(sidecar.sex))


def _lead_names(
    path: Path, sidecar: Sidecar, names: Sequence[str] | None
) -> tuple[Sequence[str], tuple[str, ...]]:
    """Return the names of the columns, and a note if the file and its sidecar disagree about them."""
    own, told = _columns(names or ()), _columns(sidecar.leads)
    if names is not None and own:
        note = "the file's own names of leads count, which its sidecar contradicts"
        return names, (note,) if told and told != own else ()
    if not sidecar.leads and names is None:
        raise InputError(f"{path}: has no names of leads; give them as leads in {sidecar_path(path)}")
    return sidecar.leads or names or (), ()


def _columns(names: Sequence[str]) -> dict[int, int]:
    """Return where each of the twelve leads is, as `LeadChoice.columns`; nothing where there is none."""
    try:
        return choose_leads(names, "").columns
    except InputError:
        return {}


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
