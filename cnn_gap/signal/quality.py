"""The quality of a record, assessed before the network: can it be answered, and what should a reader know?

A network gives an answer for any input. So records without a heartbeat are found by rules: at beats, the
band-passed signal of 3,000 records of PTB-XL was at least 2.1 times as high as between beats, that of twelve
leads of noise at most 1.8 times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.windows import FilteredSignal, remove_baseline

#: Records shorter than this are not answered, s: they hold too few beats.
SHORTEST_S = 2.0

#: A lead is flat if its range is at most `FLAT_MV`, this share of its level, or this share of the median range
#: of the other leads.
FLAT_MV, FLAT_SHARE_OF_LEVEL, FLAT_SHARE_OF_OTHERS = 1e-4, 1e-5, 0.01

#: A lead is noisy if its noise is above this, mV, and above this share of the lead's range without its
#: extremes. Of 1,749 records of PTB-XL, two had a lead with more than 0.06 mV.
NOISY_MV, NOISY_SHARE = 0.08, 0.1

#: A note names a lead that stays at one value for longer than this, s, or has a larger share of invalid
#: samples.
OFF_S, INVALID_SHARE = 1.0, 0.1

#: A lead that is off or not valid in at least this share of a record does not count.
UNUSABLE_SHARE = 0.2

#: Shares of samples at a lead's highest or lowest value: above the first a note names the lead, and if all
#: leads are above the second, the record is not answered.
SATURATED_SHARE, LOST_SHARE = 0.02, 0.5

#: Beats are searched for in this band, Hz, as the root of its energy averaged over `BEAT_S`, s.
BEAT_HZ, BEAT_S = (5.0, 20.0), 0.12

#: At beats, this root is at least `BEAT_SHARE` of the standard deviation of the signal without its linear trend
#: plus `RANGE_SHARE` of the signal's range; slow waves and ramps do not reach this height.
BEAT_SHARE, RANGE_SHARE = 0.1, 1e-3

#: A record has no beat if this root is less than `NO_BEAT` times as high at beats as between them. Below
#: `NOISY` times, a note says that beats hardly stand out.
NO_BEAT, NOISY = 1.9, 3.0

#: Length at both ends that is left out because of the filter's transients, s.
ENDS_S = 0.2

_MEDIAN_OF_NORMAL = 0.6745  # median size of a normal variable with the standard deviation 1

#: Beats have at least this share of the height of the highest ones and are at least `BEAT_APART_S`, s, apart.
#: A record has at least one beat in each `BEAT_EVERY_S`, s.
BEAT_HEIGHT, BEAT_APART_S, BEAT_EVERY_S = 0.4, 0.25, 5.0


@dataclass(frozen=True)
class Quality:
    """Whether a record can be answered, and notes for the reader of its answers.

    Attributes
    ----------
    answerable : bool
        Whether a heartbeat was found; if not, the record gets no answer.
    notes : tuple of str
        In plain English. If the record is not answerable, the first note gives the reason.
    """

    answerable: bool = True
    notes: tuple[str, ...] = ()


#: The quality of an answerable record without notes.
GOOD = Quality()


def unusable_leads(record: Record) -> np.ndarray:
    """Return which of the leads that are present are flat, noisy, or long off or not valid, bool (12,)."""
    present = np.asarray(record.leads, bool)
    values = _LeadValues(record.signal)
    lost = values.invalid + values.constant_share(OFF_S * record.sampling_rate) >= UNUSABLE_SHARE
    return np.asarray(_find_flat_leads(record, values) | (present & (lost | noisy_leads(record))))


def noisy_leads(record: Record) -> np.ndarray:
    """Return which leads are noisy, bool of shape (12,).

    The noise is the standard deviation of white noise with a lead's second differences. The median of their
    size counts, to which waves add little: most of the time no QRS complex is near.
    """
    signal = np.nan_to_num(record.signal)
    if len(signal) < 3:
        return np.zeros(len(LEADS), bool)
    noise = np.median(np.abs(np.diff(signal, 2, axis=0)), axis=0) / (_MEDIAN_OF_NORMAL * np.sqrt(6))
    low, high = np.percentile(signal, (2, 98), axis=0)
    return np.asarray(noise > np.maximum(NOISY_MV, NOISY_SHARE * (high - low)))


def assess_quality(record: Record, prepared: FilteredSignal, sampling_rate: float) -> Quality:
    """Return the quality of a record.

    Parameters
    ----------
    record : Record
        As it was read.
    prepared : FilteredSignal
        The same record, filtered for windows.
    sampling_rate : float
        Of `prepared`, Hz.
    """
    values = _LeadValues(record.signal)
    flat = _find_flat_leads(record, values)
    signal_mask = record.leads & ~flat
    saturated = np.where(signal_mask, values.saturated, 0.0)
    signal = prepared.signal if signal_mask.all() else prepared.signal[:, signal_mask]
    contrast = _beat_contrast(signal, sampling_rate) if signal_mask.any() else 0.0
    reason = _refusal(record, signal_mask, saturated, contrast)
    notes = [*record.notes, *_lead_notes(record, values, flat, saturated)]
    if prepared.gain != 1 and signal_mask.any():
        notes.append(f"implausible amplitudes were multiplied by {prepared.gain:.3g}")
    if NO_BEAT <= contrast < NOISY:
        notes.append("beats hardly stand out from noise")
    return Quality(not reason, tuple([reason, *notes] if reason else notes))


def assess_parts(parts: Sequence[Quality]) -> Quality:
    """Return the quality of a long record from that of its parts: the notes that all answerable parts have."""
    answerable = [part for part in parts if part.answerable]
    if not answerable:
        return parts[0]
    notes = [note for note in answerable[0].notes if all(note in part.notes for part in answerable)]
    if refused := len(parts) - len(answerable):
        notes.append(f"{refused} of {len(parts)} parts of the record hold no heartbeat that can be judged")
    return Quality(True, tuple(notes))


def _refusal(record: Record, signal_mask: np.ndarray, saturated: np.ndarray, contrast: float) -> str:
    """Return the reason why a record is not answered; empty if it is."""
    if record.duration_s < SHORTEST_S:
        return f"nothing is answered: the record lasts {record.duration_s:.2g} s, less than {SHORTEST_S:g} s"
    if not signal_mask.any():
        return "nothing is answered: no lead has a signal"
    if saturated[signal_mask].min() > LOST_SHARE:
        return "nothing is answered: every lead is at its limit most of the time"
    if contrast < NO_BEAT:
        return "nothing is answered: no heartbeat was found"
    return ""


def _lead_notes(record: Record, values: "_LeadValues", flat: np.ndarray, saturated: np.ndarray) -> list[str]:
    notes = []
    if not record.leads.all():
        notes.append(f"missing: {_name_leads(~record.leads)}")
    if flat.any():
        notes.append(f"flat: {_name_leads(flat)}")
    off_s = np.where(record.leads & ~flat, values.longest_constant / record.sampling_rate, 0)
    notes += [f"lead {LEADS[lead]} was off for {off_s[lead]:.1f} s" for lead in np.flatnonzero(off_s > OFF_S)]
    notes += [
        f"lead {LEADS[lead]} is at its limit in {saturated[lead]:.0%} of its samples"
        for lead in np.flatnonzero(saturated > SATURATED_SHARE)
    ]
    noisy = record.leads & ~flat & noisy_leads(record)
    if noisy.any():
        notes.append(f"noisy: {_name_leads(noisy)}")
    invalid = np.where(record.leads, values.invalid, 0)
    notes += [
        f"lead {LEADS[lead]} is not valid in {invalid[lead]:.0%} of its samples"
        for lead in np.flatnonzero(invalid > INVALID_SHARE)
    ]
    return notes


def _name_leads(lead_mask: np.ndarray) -> str:
    names = [LEADS[lead] for lead in np.flatnonzero(lead_mask)]
    return f"lead{'s' if len(names) > 1 else ''} {', '.join(names)}"


class _LeadValues:
    """The values of a recording, lead by lead; each property has one number for each lead."""

    def __init__(self, signal: np.ndarray) -> None:
        self._values = np.ascontiguousarray(signal.T)
        self._stays = self._values[:, 1:] == self._values[:, :-1]
        self.low, self.high = (limit(self._values, axis=1) for limit in (np.fmin.reduce, np.fmax.reduce))

    @property
    def saturated(self) -> np.ndarray:
        """The share of samples at which a lead stays at its highest or lowest value."""
        if not self._stays.shape[1]:
            return np.ones(len(self.low))
        later = self._values[:, 1:]
        at_limit = (later == self.low[:, None]) | (later == self.high[:, None])
        return np.asarray((at_limit & self._stays).sum(axis=1) / self._stays.shape[1])

    @property
    def longest_constant(self) -> np.ndarray:
        """The number of samples of the longest part in which a lead stays at one value."""
        lengths, leads = self._constant_parts
        return np.asarray(np.maximum.reduceat(lengths, np.searchsorted(leads, np.arange(len(self._values)))))

    def constant_share(self, shortest: float) -> np.ndarray:
        """Return the share of samples in parts at one value that are longer than `shortest` samples."""
        lengths, leads = self._constant_parts
        counted = np.where(lengths > shortest, lengths, 0)
        return np.asarray(np.bincount(leads, counted, len(self._values)) / self._values.shape[1])

    @property
    def _constant_parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The number of samples of each part at one value, and the lead that it is of, lead after lead."""
        count, samples = self._values.shape
        changes = np.ones((count, samples + 1), bool)  # True before the first and after the last sample, too
        np.logical_not(self._stays, out=changes[:, 1:-1])
        at = np.flatnonzero(changes)
        return np.diff(at), at[:-1] // (samples + 1)

    @property
    def invalid(self) -> np.ndarray:
        """The share of samples that are not valid."""
        return np.asarray(np.isnan(self._values).sum(axis=1) / self._values.shape[1])


def _find_flat_leads(record: Record, values: _LeadValues) -> np.ndarray:
    """Return which of the leads that are present have no signal, bool of shape (12,)."""
    present = np.flatnonzero(record.leads)
    flat = np.zeros(len(LEADS), bool)
    low, high = values.low[present], values.high[present]
    spread, level = high - low, np.maximum(np.abs(low), np.abs(high))
    flat[present] = spread <= np.maximum(FLAT_MV, FLAT_SHARE_OF_LEVEL * level)
    if not flat[present].all():
        flat[present] |= spread <= FLAT_SHARE_OF_OTHERS * np.median(spread[~flat[present]])
    return flat


def _beat_contrast(signal: np.ndarray, sampling_rate: float) -> float:
    """Return the height of a signal at its beats divided by that between them; 0 with too few beats."""
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
    spread = np.hypot.reduce(level.std(axis=0)) + RANGE_SHARE * np.ptp(signal, axis=0).max()
    return float(top / max(between, 1e-12)) if enough and top > BEAT_SHARE * spread else 0.0
