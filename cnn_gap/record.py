"""The record: a recording as twelve leads in mV, with the facts that its file states."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.leads import LEADS, LIMB_LEADS, LeadChoice, choose_leads
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class NoValidSampleError(InputError):
    """A recording in which every sample of every lead is invalid."""


#: Samples farther (mV) from their lead's median than this are not valid if they are a minority and lie at least
#: four times as far from the median as all other samples. A filler such as -32768 does so. An artefact also has
#: values between, and a wrong gain makes all samples large, so neither is taken for a filler.
IMPOSSIBLE_MV = 20.0
_GAP = 4


@dataclass(frozen=True)
class RecordFacts:
    """The facts that the file of a recording states, without the signal.

    Attributes
    ----------
    age : float
        In years, NaN where unknown.
    sex : str
        ``"Female"``, ``"Male"`` or ``"Unknown"``.
    time : datetime or None
        When the recording began, where it is known.
    """

    age: float = math.nan
    sex: str = "Unknown"
    time: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON can hold them; None for an unknown value. The time is in ISO 8601."""
        return {
            "age": None if math.isnan(self.age) else self.age,
            "sex": None if self.sex == "Unknown" else self.sex,
            "recorded": None if self.time is None else self.time.isoformat(),
        }


#: The facts of a recording whose file states none.
NO_FACTS = RecordFacts()


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
    derived : tuple of str
        Leads that are not stored and follow from I and II.
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
    derived: tuple[str, ...]

    def __init__(
        self,
        name: str,
        signal: "ArrayLike",
        leads: "Sequence[str] | np.ndarray | LeadChoice",
        sampling_rate: float,
        codes: Sequence[str] = (),
        age: float = math.nan,
        sex: str = "Unknown",
        notes: Sequence[str] = (),
        device: str = "",
        time: datetime | None = None,
        derived: Sequence[str] = (),
        *,
        source: str = "",
    ) -> None:
        """Check the values and make a record of them.

        Parameters
        ----------
        signal : array_like, shape (samples, leads)
            In mV; NaN where not valid.
        leads : sequence of str, LeadChoice, or array of bool, shape (12,)
            The names of the signal's columns, in any order and spelling, or the leads that they are: they are
            brought into the order of `LEADS`, and limb leads that are missing are derived from I and II. Or, of
            twelve columns in that order, which are present.
        source : str
            What to call the record in errors; its name if not given.

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
        source = source or name or "record"
        if not (math.isfinite(sampling_rate) and sampling_rate > 0):
            raise InputError(f"{source}: the sampling rate must be above 0 Hz; received {sampling_rate!r}")
        twelve = _checked_leads(_amplitudes(signal, source), leads, source)
        vars(self).update(  # the attributes themselves cannot be set: the class is frozen
            name=name,
            signal=twelve.signal,
            leads=twelve.present,
            sampling_rate=float(sampling_rate),
            codes=tuple(codes),
            age=age,
            sex=sex,
            notes=(*notes, *twelve.notes),
            device=device,
            time=time,
            derived=(*derived, *twelve.derived),
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

    @property
    def facts(self) -> RecordFacts:
        """Age, sex and time of the recording."""
        return RecordFacts(self.age, self.sex, self.time)


@dataclass(frozen=True, eq=False)
class _TwelveLeads:
    """The signal of the twelve leads, and the attributes of `Record` that follow from its making.

    Attributes
    ----------
    signal : ndarray, shape (samples, 12), float32
    present : ndarray, shape (12,), bool
    notes, derived : tuple of str
    """

    signal: np.ndarray
    present: np.ndarray
    notes: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


def _twelve_leads(stored: np.ndarray, choice: LeadChoice, source: str) -> _TwelveLeads:
    """Return the twelve leads of stored ones.

    Leads that are missing are derived from I and II where that is possible, and zero otherwise.

    Parameters
    ----------
    stored : ndarray, shape (samples, leads of `choice`)
        In mV.
    choice : LeadChoice
        Which of the twelve leads the columns of `stored` are, in this order.
    source : str
        What to call the record in errors.

    Raises
    ------
    InputError
        If there is no sample.
    NoValidSampleError
        If none is valid.
    """
    targets = list(choice.columns)
    if not len(stored):
        raise InputError(f"{source}: has no samples")
    present = np.zeros(len(LEADS), bool)
    present[targets] = True
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32 becomes infinite, so not valid
        signal = np.ascontiguousarray(stored, np.float32)
    if not present.all():
        recorded, signal = signal, np.zeros((len(stored), len(LEADS)), np.float32)
        signal[:, targets] = recorded
    if choice.inverted:
        signal[:, list(choice.inverted)] *= -1
    impossible = _invalidate_impossible(signal)
    valid = np.isfinite(signal)
    if not valid.all():
        signal[~valid] = np.nan
        present &= valid.any(axis=0)
    derived = _derive_limb_leads(signal, present)
    if not present.any():
        raise NoValidSampleError(f"{source}: has no valid sample in any of the twelve leads")
    signal[:, ~present] = 0
    return _TwelveLeads(signal, present, choice.notes + impossible, derived)


def _invalidate_impossible(signal: np.ndarray) -> tuple[str, ...]:
    """Make samples NaN that no ECG has (see `IMPOSSIBLE_MV`); return notes of them."""
    notes = []
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.fmax.reduce(signal) - np.fmin.reduce(signal)
        for lead in np.flatnonzero(np.isfinite(spread) & (spread > IMPOSSIBLE_MV)):
            distances = np.abs(signal[:, lead] - np.nanmedian(signal[:, lead]))
            far = distances > IMPOSSIBLE_MV
            near = distances[distances <= IMPOSSIBLE_MV].max(initial=0)
            if 0 < far.sum() < len(far) / 2 and distances[far].min() >= _GAP * near:
                value = signal[np.flatnonzero(far)[0], lead]
                signal[far, lead] = np.nan
                notes.append(f"{int(far.sum())} samples of lead {LEADS[lead]} are not valid: {value:.1f} mV")
    return tuple(notes)


def _checked_leads(
    values: np.ndarray, leads: "Sequence[str] | np.ndarray | LeadChoice", source: str
) -> _TwelveLeads:
    """Return the twelve leads of a signal whose leads are given by their names, a choice or a mask."""
    if isinstance(leads, LeadChoice):
        return _twelve_leads(values, leads, source)
    mask = np.asarray(leads)
    if mask.dtype != bool:
        choice = choose_leads(_column_names(leads, values, source), source)
        return _twelve_leads(values[:, list(choice.columns.values())], choice, source)
    if mask.shape != (len(LEADS),) or values.shape[1] != len(LEADS):
        raise InputError(
            f"{source}: a mask of leads must have shape (12,) and its signal (samples, 12);"
            f" received {mask.shape} and {values.shape}"
        )
    return _TwelveLeads(values, mask)


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


def _derive_limb_leads(signal: np.ndarray, present: np.ndarray) -> tuple[str, ...]:
    """Fill in the limb leads that are missing where I and II are there, and return their names."""
    derived = []
    for lead, (of_first, of_second) in LIMB_LEADS.items():
        index = LEADS.index(lead)
        if not present[index] and present[0] and present[1]:
            signal[:, index] = of_first * signal[:, 0] + of_second * signal[:, 1]
            present[index] = np.isfinite(signal[:, index]).any()
            derived.append(lead)
    return tuple(derived)
