"""The record: a recording as twelve leads in mV, with what its file says of it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.leads import LEADS, LIMB_LEADS, canonical_lead, lead_columns, lead_notes
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Suffixes that are not part of a record's name.
_FORMAT_SUFFIX = re.compile(r"\.(hea|mat|dat|dcm|dicom|xml|scp|edf|npy|npz|csv|parquet)", re.IGNORECASE)


class NoValidSampleError(InputError):
    """A recording in which every sample of every lead is invalid."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Record:
    """A recording, checked when it is made.

    Attributes
    ----------
    name : str
    signal : ndarray, shape (samples, 12), float32
        In mV, leads in the order of `LEADS`. NaN where a sample is not valid; leads that are absent are zero.
    leads : ndarray, shape (12,), bool
        The leads that are present: stored with a valid sample, or derived from I and II.
    sampling_rate : float
        In Hz.
    codes : tuple of str
        The diagnoses.
    age : float
        In years, NaN where unknown.
    sex : str
        ``"Female"``, ``"Male"`` or ``"Unknown"``.
    notes : tuple of str
        What its reader has to know, such as leads that were left out.
    device : str
        Maker and model of the device; empty where unknown.
    time : datetime or None
        When the recording began, where it is known.
    """

    name: str
    signal: np.ndarray
    leads: np.ndarray
    sampling_rate: float
    codes: tuple[str, ...]
    age: float
    sex: str
    notes: tuple[str, ...]
    device: str
    time: datetime | None

    def __init__(
        self,
        name: str,
        signal: "ArrayLike",
        leads: "Sequence[str] | np.ndarray",
        sampling_rate: float,
        codes: Sequence[str] = (),
        age: float = math.nan,
        sex: str = "Unknown",
        notes: Sequence[str] = (),
        device: str = "",
        time: datetime | None = None,
    ) -> None:
        """Check the values and make a record of them.

        Parameters
        ----------
        signal : array_like, shape (samples, leads)
            In mV; NaN where not valid.
        leads : sequence of str, or array of bool, shape (12,)
            The names of the signal's columns, in any order and case: they are brought into the order of
            `LEADS`, and limb leads that are missing are derived from I and II. Or, of twelve columns
            in that order, which are present.

        Raises
        ------
        InputError
            If the signal is not numbers of shape (samples, leads) or has no valid sample, no lead is one
            of the twelve, or the sampling rate is not positive.

        Examples
        --------
        >>> record = Record("A1", [[0.1, 0.3], [0.2, 0.4]], ["II", "I"], 500)
        >>> record.lead_names, record.signal.shape
        (('I', 'II', 'III', 'aVR', 'aVL', 'aVF'), (2, 12))
        """
        source = name or "record"
        if not (math.isfinite(sampling_rate) and sampling_rate > 0):
            raise InputError(f"{source}: the sampling rate must be above 0 Hz; received {sampling_rate!r}")
        values, mask, more_notes = _checked_leads(_amplitudes(signal, source), leads, source)
        vars(self).update(  # the attributes themselves cannot be set: the class is frozen
            name=name,
            signal=values,
            leads=mask,
            sampling_rate=float(sampling_rate),
            codes=tuple(codes),
            age=age,
            sex=sex,
            notes=(*notes, *more_notes),
            device=device,
            time=time,
        )

    def __repr__(self) -> str:
        leads = ", ".join(self.lead_names)
        return f"<Record {self.name!r}: {self.duration_s:g} s at {self.sampling_rate:g} Hz, leads {leads}>"

    @property
    def lead_names(self) -> tuple[str, ...]:
        """The names of the leads that are present."""
        return tuple(lead for lead, present in zip(LEADS, self.leads, strict=True) if present)

    @property
    def duration_s(self) -> float:
        """How long the recording is, s."""
        return len(self.signal) / self.sampling_rate


def record_name(path: Path) -> str:
    """Return the name of the record at a path: the file's without the suffix of its format.

    Examples
    --------
    >>> record_name(Path("data/A0001.hea")), record_name(Path("export/1.2.840.99"))
    ('A0001', '1.2.840.99')
    """
    return path.stem if _FORMAT_SUFFIX.fullmatch(path.suffix) else path.name


def twelve_leads(stored: np.ndarray, columns: Mapping[int, int], source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the signal of twelve leads (samples, 12), float32, and which of them are present, bool (12,).

    Leads that are missing are derived from I and II where that is possible, and zero otherwise.

    Parameters
    ----------
    stored : ndarray, shape (samples, len(columns))
        In mV.
    columns : mapping of int to int
        Its keys are the leads of `stored`, as indices of `LEADS`: of `cnn_gap.leads.lead_columns`.
    source : str
        What to call the record in errors.

    Raises
    ------
    InputError
        If there is no sample.
    NoValidSampleError
        If none is valid.
    """
    targets = list(columns)
    if not len(stored):
        raise InputError(f"{source}: has no samples")
    present = np.zeros(len(LEADS), bool)
    present[targets] = True
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32 becomes infinite, so not valid
        signal = np.ascontiguousarray(stored, np.float32)
    if not present.all():
        recorded, signal = signal, np.zeros((len(stored), len(LEADS)), np.float32)
        signal[:, targets] = recorded
    valid = np.isfinite(signal)
    if not valid.all():
        signal[~valid] = np.nan
        present &= valid.any(axis=0)
    _derive_limb_leads(signal, present)
    if not present.any():
        raise NoValidSampleError(f"{source}: has no valid sample in any of the twelve leads")
    signal[:, ~present] = 0
    return signal, present


def _checked_leads(
    values: np.ndarray, leads: "Sequence[str] | np.ndarray", source: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the signal of twelve leads, which of them are present, and notes on their names."""
    mask = np.asarray(leads)
    if mask.dtype != bool:
        names = _column_names(leads, values, source)
        columns = lead_columns([canonical_lead(lead) for lead in names], source)
        return *twelve_leads(values[:, list(columns.values())], columns, source), lead_notes(names)
    if mask.shape != (len(LEADS),) or values.shape[1] != len(LEADS):
        raise InputError(
            f"{source}: a mask of leads must have shape (12,) and its signal (samples, 12);"
            f" received {mask.shape} and {values.shape}"
        )
    return values, mask, ()


def _amplitudes(signal: "ArrayLike", source: str) -> np.ndarray:
    """Return a signal as float32 of shape (samples, columns), without a copy where it is that already."""
    try:
        values = np.asarray(signal)
    except ValueError as error:  # rows of different lengths
        raise InputError(f"{source}: the signal must be an array (samples, leads) ({error})") from error
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: the signal must be numbers of shape (samples, leads);"
            f" received {values.dtype} {values.shape}"
        )
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _column_names(leads: "Sequence[str] | np.ndarray", values: np.ndarray, source: str) -> list[str]:
    """Return the names of a signal's columns, one for each."""
    names = [] if isinstance(leads, str) else list(leads)
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"{source}: leads must be a list of names such as ['I', 'II']; received {leads!r}")
    if len(names) != values.shape[1]:
        raise InputError(f"{source}: {len(names)} leads are named; the signal has shape {values.shape}")
    return [str(name) for name in names]


def _derive_limb_leads(signal: np.ndarray, present: np.ndarray) -> None:
    """Fill in the limb leads that are missing where I and II are there."""
    for lead, (of_first, of_second) in LIMB_LEADS.items():
        index = LEADS.index(lead)
        if not present[index] and present[0] and present[1]:
            signal[:, index] = of_first * signal[:, 0] + of_second * signal[:, 1]
            present[index] = np.isfinite(signal[:, index]).any()
