"""A look at a record before the network: can it be answered at all, and what should a reader know of it?

A network answers whatever it is given. So what holds no heartbeat is found by rules that no heart breaks: on
3,000 records of PTB-XL beats stood out at least 2.1 times, in twelve leads of noise at most 1.8 times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.windows import FilteredSignal, remove_baseline

#: Shorter records hold too few beats, s.
SHORTEST_S = 2.0

#: A lead is flat within so many mV, or within this share of its level or of the other leads' range.
FLAT_MV = 1e-4
FLAT_OF_LEVEL = 1e-5
FLAT_OF_OTHERS = 0.01

#: A lead that stays at one value for so long was off, s.
OFF_S = 1.0

#: Shares of samples at a lead's own limit that are told, and that leave nothing to see.
SATURATED, LOST = 0.02, 0.5

#: Share of samples that are not valid that is told.
INVALID = 0.1

#: What of a signal beats stand out in, Hz, and over which time its energy is averaged, s.
BEAT_HZ = (5.0, 20.0)
BEAT_S = 0.12

#: Beats are at least this share of what is left of a signal without its line: slow waves and ramps have none.
BEAT_OF_ALL = 0.1
ROUGHNESS = 1e-3

#: How many times as high as between beats this signal is at beats: without a beat, and with noise.
NO_BEAT, NOISY = 1.9, 3.0

#: What filters leave at a record's ends says nothing, s.
ENDS_S = 0.2

#: Beats are this share of the highest ones, and at least so far apart, s; one comes at least in so many s.
BEAT_HEIGHT = 0.4
BEAT_APART_S = 0.25
BEAT_EVERY_S = 5.0


@dataclass(frozen=True)
class Quality:
    """Whether a record can be answered, and what a reader of its answers should know.

    Attributes
    ----------
    answerable : bool
        Whether there is a heart to be seen; if not, nothing is answered.
    notes : tuple of str
        In plain English. Where nothing is answered, the first says why.
    """

    answerable: bool = True
    notes: tuple[str, ...] = ()


#: Of a record about which nothing is to be said.
GOOD = Quality()


def assess_quality(record: Record, prepared: FilteredSignal, sampling_rate: float) -> Quality:
    """Return what a record is worth.

    Parameters
    ----------
    record : Record
        As it was read.
    prepared : FilteredSignal
        The same as windows are cut from it.
    sampling_rate : float
        Of `prepared`, Hz.
    """
    values = _Values(record.signal)
    flat = _flat(record, values)
    signals = record.leads & ~flat
    saturated = np.where(signals, values.saturated, 0.0)
    seen = prepared.signal if signals.all() else prepared.signal[:, signals]
    beats = _stand_out(seen, sampling_rate) if signals.any() else 0.0
    obstacle = _obstacle(record, signals, saturated, beats)
    notes = [*record.notes, *_notes_on_leads(record, values, flat, saturated)]
    if prepared.gain != 1 and signals.any():
        notes.append(f"implausible amplitudes were multiplied by {prepared.gain:.3g}")
    if NO_BEAT <= beats < NOISY:
        notes.append("beats hardly stand out from noise")
    return Quality(not obstacle, tuple([obstacle, *notes] if obstacle else notes))


def assess_parts(parts: Sequence[Quality]) -> Quality:
    """Return what a long record is worth by the looks at its parts."""
    seen = [part for part in parts if part.answerable]
    if not seen:
        return parts[0]
    notes = [note for note in seen[0].notes if all(note in part.notes for part in seen)]
    if lost := len(parts) - len(seen):
        notes.append(f"{lost} of {len(parts)} parts of the record hold no heartbeat that can be judged")
    return Quality(True, tuple(notes))


def _obstacle(record: Record, signals: np.ndarray, saturated: np.ndarray, beats: float) -> str:
    """Return why nothing can be answered, empty if something can."""
    if record.duration_s < SHORTEST_S:
        return f"nothing is answered: the record lasts {record.duration_s:.2g} s, less than {SHORTEST_S:g} s"
    if not signals.any():
        return "nothing is answered: no lead has a signal"
    if saturated[signals].min() > LOST:
        return "nothing is answered: every lead is at its limit most of the time"
    if beats < NO_BEAT:
        return "nothing is answered: no heartbeat was found"
    return ""


def _notes_on_leads(record: Record, values: "_Values", flat: np.ndarray, saturated: np.ndarray) -> list[str]:
    notes = []
    if not record.leads.all():
        notes.append(f"missing: {_named(~record.leads)}")
    if flat.any():
        notes.append(f"flat: {_named(flat)}")
    off_s = np.where(record.leads & ~flat, values.longest_constant / record.sampling_rate, 0)
    notes += [f"lead {LEADS[lead]} was off for {off_s[lead]:.1f} s" for lead in np.flatnonzero(off_s > OFF_S)]
    notes += [
        f"lead {LEADS[lead]} is at its limit in {saturated[lead]:.0%} of its samples"
        for lead in np.flatnonzero(saturated > SATURATED)
    ]
    invalid = np.where(record.leads, values.invalid, 0)
    notes += [
        f"lead {LEADS[lead]} is not valid in {invalid[lead]:.0%} of its samples"
        for lead in np.flatnonzero(invalid > INVALID)
    ]
    return notes


def _named(leads: np.ndarray) -> str:
    names = [LEADS[lead] for lead in np.flatnonzero(leads)]
    return f"lead{'s' if len(names) > 1 else ''} {', '.join(names)}"


class _Values:
    """The stored values of a recording, lead after lead; properties have a number for each lead."""

    def __init__(self, signal: np.ndarray) -> None:
        self._leads = np.ascontiguousarray(signal.T)
        self._stays = self._leads[:, 1:] == self._leads[:, :-1]
        self.low, self.high = (edge(self._leads, axis=1) for edge in (np.fmin.reduce, np.fmax.reduce))

    @property
    def saturated(self) -> np.ndarray:
        """The share of samples at which a lead stays at its highest or lowest value."""
        if not self._stays.shape[1]:
            return np.ones(len(self.low))
        later = self._leads[:, 1:]
        at_limit = (later == self.low[:, None]) | (later == self.high[:, None])
        return (at_limit & self._stays).sum(axis=1) / self._stays.shape[1]

    @property
    def longest_constant(self) -> np.ndarray:
        """For how many samples on end a lead stays at one value."""
        count, samples = self._leads.shape
        changes = np.ones((count, samples + 1), bool)  # also before the first and after the last sample
        np.logical_not(self._stays, out=changes[:, 1:-1])
        at = np.flatnonzero(changes)
        return np.maximum.reduceat(np.diff(at), np.searchsorted(at, np.arange(count) * (samples + 1)))

    @property
    def invalid(self) -> np.ndarray:
        """The share of samples that are not valid."""
        return np.isnan(self._leads).sum(axis=1) / self._leads.shape[1]


def _flat(record: Record, values: _Values) -> np.ndarray:
    """Return which of the leads that are present have no signal, bool of shape (12,)."""
    present = np.flatnonzero(record.leads)
    flat = np.zeros(len(LEADS), bool)
    low, high = values.low[present], values.high[present]
    spread, level = high - low, np.maximum(np.abs(low), np.abs(high))
    flat[present] = spread <= np.maximum(FLAT_MV, FLAT_OF_LEVEL * level)
    if not flat[present].all():
        flat[present] |= spread <= FLAT_OF_OTHERS * np.median(spread[~flat[present]])
    return flat


def _stand_out(signal: np.ndarray, sampling_rate: float) -> float:
    """Return how many times as high as between beats a signal is at beats; 0 if there are too few or none."""
    ends = round(ENDS_S * sampling_rate)
    if len(signal) <= 2 * ends:
        return 0.0
    high = min(BEAT_HZ[1], 0.45 * sampling_rate)
    padding = min(len(signal) - 1, round(sampling_rate))
    fast = zero_phase(signal, (BEAT_HZ[0], high), "bandpass", sampling_rate, padding)
    energy = scipy.ndimage.uniform_filter1d(
        (fast**2).sum(axis=1), max(1, round(BEAT_S * sampling_rate)), mode="nearest"
    )
    height = np.sqrt(np.maximum(energy, 0))[ends : len(signal) - ends]
    top, between = np.percentile(height, (98, 30))
    peaks, _ = scipy.signal.find_peaks(
        height, height=BEAT_HEIGHT * top, distance=max(1, round(BEAT_APART_S * sampling_rate))
    )
    enough = len(peaks) >= max(1, int(len(signal) / sampling_rate / BEAT_EVERY_S))
    level = remove_baseline(signal)
    spread = np.hypot.reduce(level.std(axis=0)) + ROUGHNESS * np.ptp(signal, axis=0).max()
    return float(top / max(between, 1e-12)) if enough and top > BEAT_OF_ALL * spread else 0.0
