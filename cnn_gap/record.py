"""A record: twelve named leads in mV."""

import math
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from cnn_gap.leads import LEADS, LIMB_LEADS, LeadChoice
from cnn_gap.system.errors import InputError


class NoValidSampleError(InputError):
    """A recording in which every sample of every lead is invalid."""


#: Samples farther (mV) from their lead's median than this are no ECG's if there is a gap: they are a minority,
#: and all others are nearer than a quarter of their distance. That tells a filler such as -32768 from an
#: artefact, which has values between, and from a wrong gain, which makes all samples large.
IMPOSSIBLE_MV = 20.0
_GAP = 4


@dataclass(frozen=True, eq=False)
class Record:
    """A recording.

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
        Who made the device and what it is called; empty where unknown.
    time : datetime or None
        When the recording began, where it is known.
    derived : tuple of str
        Leads that are not stored and follow from I and II.
    """

    name: str
    signal: np.ndarray
    leads: np.ndarray
    sampling_rate: float
    codes: tuple[str, ...] = ()
    age: float = math.nan
    sex: str = "Unknown"
    notes: tuple[str, ...] = ()
    device: str = ""
    time: datetime | None = None
    derived: tuple[str, ...] = ()

    def __repr__(self) -> str:
        leads = ", ".join(lead for lead, present in zip(LEADS, self.leads, strict=True) if present)
        return f"<Record {self.name!r}: {self.duration_s:g} s at {self.sampling_rate:g} Hz, leads {leads}>"

    @property
    def duration_s(self) -> float:
        """How long the recording is, s."""
        return len(self.signal) / self.sampling_rate


def assemble_record(record: Record, choice: LeadChoice, source: str) -> Record:
    """Return a record of the twelve leads, made of one whose signal holds those that are stored.

    Leads that are missing are derived from I and II where that is possible, and zero otherwise.

    Parameters
    ----------
    record : Record
        Its signal has shape (samples, leads of `choice`), in mV, and no lead is noted as present yet.
    choice : LeadChoice
        Which of the twelve leads the signal's columns are, in this order.
    source : str
        What to call the record in errors.

    Raises
    ------
    InputError
        If there is no sample.
    NoValidSampleError
        If none is valid.
    """
    physical, targets = record.signal, list(choice.columns)
    if not len(physical):
        raise InputError(f"{source}: has no samples")
    present = np.zeros(len(LEADS), bool)
    present[targets] = True
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32 becomes infinite, so not valid
        signal = np.ascontiguousarray(physical, np.float32)
    if not present.all():
        stored, signal = signal, np.zeros((len(physical), len(LEADS)), np.float32)
        signal[:, targets] = stored
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
    notes = record.notes + choice.notes + impossible
    return replace(record, signal=signal, leads=present, notes=notes, derived=derived)


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
