"""The beats of a record, and the median beat of those with the usual shape.

QRS complexes are found by wfdb's XQRS in one signal: the linear combination of the leads with the most energy
in the QRS band.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy

from cnn_gap.beats.complexes import find_complexes
from cnn_gap.record import Record
from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.resampling import bridge, resample_by

#: Beats are measured at this rate, Hz.
MEASURED_HZ = 500.0

#: Length of a median beat before and after its fiducial point, s.
BEFORE_S, AFTER_S = 0.4, 0.7

#: Smallest and largest number of beats of which a median is taken.
FEWEST_BEATS, MOST_BEATS = 3, 200

_SHORTEST_RECORD_S = 2.0
_QRS_BAND_HZ = (5.0, 25.0)
_BASELINE_HZ = 0.5
_SEARCH_S = 0.08  # largest distance of a complex, as XQRS finds it, from its steepest part
_CORE_S = 0.12  # length, before and after the fiducial point, that is compared with the usual beat
_SHIFT_S = 0.02  # largest shift that aligns a beat with the usual one
_USUAL_CORRELATION = 0.9  # lowest correlation of a usual beat with the median of them
_EARLY_SHARE = 0.85  # a beat is early after a smaller share of the median RR interval
_ROUNDS = 3  # of aligning the beats with their median


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a record.

    Attributes
    ----------
    times_s : ndarray, shape (beats,)
        Their fiducial points in order, s from the record's start: half of a complex's squared velocity lies
        before its fiducial point.
    usual : ndarray, shape (beats,), bool
        Which have the shape of most beats and are not early.
    median : ndarray, shape (samples, 12), float64, or None
        The median of usual beats in mV at `MEASURED_HZ`; None if there are fewer than `FEWEST_BEATS`.
    """

    times_s: np.ndarray
    usual: np.ndarray
    median: np.ndarray | None

    @property
    def fiducial(self) -> int:
        """The sample of `median` at the fiducial point."""
        return round(BEFORE_S * MEASURED_HZ)

    @property
    def intervals_s(self) -> np.ndarray:
        """The RR intervals, s, (beats - 1,)."""
        return np.diff(self.times_s)


def median_sample(at_s: float) -> int:
    """Return the sample of a median beat at a time, s, from its fiducial point."""
    return round((BEFORE_S + at_s) * MEASURED_HZ)


def find_beats(record: Record, signal: np.ndarray) -> Beats:
    """Find the beats of a record and their median.

    Parameters
    ----------
    record : Record
        The record whose beats are found.
    signal : ndarray, shape (samples, 12)
        The record as `prepare_for_beats` returns it.
    """
    usable = len(signal) >= _SHORTEST_RECORD_S * MEASURED_HZ and signal.any()
    found = _find_fiducial_points(signal, _find_complexes(signal)) if usable else np.zeros(0, int)
    places, alike = _align(signal, found)
    intervals = np.diff(places, prepend=places[:1])
    typical = np.median(intervals[1:]) if len(places) > 1 else 0
    usual = alike & ~((intervals > 0) & (intervals < _EARLY_SHARE * typical))
    before, after = round(BEFORE_S * MEASURED_HZ), round(AFTER_S * MEASURED_HZ)
    whole = places[usual & (places >= before) & (places + after <= len(signal))]
    median = None
    if len(whole) >= FEWEST_BEATS:
        cut = np.stack([signal[at - before : at + after] for at in _spread(whole)])
        median = np.median(cut, axis=0) * record.leads
    return Beats(places / MEASURED_HZ, usual, median)


def prepare_for_beats(record: Record) -> np.ndarray:
    """Return a record's signal (samples, 12) in mV at `MEASURED_HZ`, without its slow baseline.

    Samples that are not valid are interpolated linearly.
    """
    valid = np.isfinite(record.signal) & record.leads
    ratio = Fraction(MEASURED_HZ / record.sampling_rate).limit_denominator(1000)
    signal = resample_by(bridge(record.signal, valid).astype(np.float64), ratio)
    return filter_beats(signal, _BASELINE_HZ, "highpass", order=1)


def filter_beats(
    signal: np.ndarray, edges_hz: float | tuple[float, float], kind: str, order: int = 2
) -> np.ndarray:
    """Return a signal (samples, leads) at `MEASURED_HZ`, filtered forwards and backwards, without a delay."""
    return zero_phase(signal, edges_hz, kind, MEASURED_HZ, min(round(2 * MEASURED_HZ), len(signal) - 1), order)


def spatial_velocity(signal: np.ndarray) -> np.ndarray:
    """Return the root of the summed squared slopes of a signal's leads, mV/s, (samples,), at `MEASURED_HZ`."""
    slopes = scipy.signal.savgol_filter(signal, 9, 2, deriv=1, delta=1 / MEASURED_HZ, axis=0)
    return np.asarray(np.sqrt((slopes**2).sum(axis=1)))


def _find_complexes(signal: np.ndarray) -> np.ndarray:
    """Return the approximate places of the QRS complexes, in samples."""
    fast = filter_beats(signal, _QRS_BAND_HZ, "bandpass")
    strongest = fast @ np.linalg.eigh(fast.T @ fast)[1][:, -1]
    return find_complexes(strongest, MEASURED_HZ)


def _find_fiducial_points(signal: np.ndarray, complexes: np.ndarray) -> np.ndarray:
    """Return the sample of each complex before which half of its squared velocity lies."""
    velocity = spatial_velocity(signal)
    reach = round(_SEARCH_S * MEASURED_HZ)
    places = []
    for place in complexes:
        first = max(place - reach, 0)
        total = np.cumsum(velocity[first : place + reach] ** 2)
        places.append(first + int(np.searchsorted(total, total[-1] / 2)))
    return np.unique(np.array(places, int))


def _align(signal: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the beats, aligned with their median, and which of them have its shape."""
    if not len(places):
        return places, np.zeros(0, bool)
    half, most = round(_CORE_S * MEASURED_HZ), round(_SHIFT_S * MEASURED_HZ)
    edge = half + most
    padded = np.pad(signal, ((edge, edge), (0, 0)), mode="edge")
    alike = np.ones(len(places), bool)
    for _ in range(_ROUNDS):
        chosen = _spread(places[alike])
        usual = np.median([padded[at + most : at + most + 2 * half] for at in chosen], axis=0)
        usual -= usual.mean(axis=0)
        shifts = [_best_shift(usual, padded[at : at + 2 * edge], most) for at in places]
        places = np.maximum(places + [shift for shift, _ in shifts], 0)
        places = np.minimum(places, len(signal) - 1)
        correlations = np.array([correlation for _, correlation in shifts])
        alike = correlations >= min(_USUAL_CORRELATION, np.median(correlations))
    return places, alike


def _best_shift(usual: np.ndarray, around: np.ndarray, most: int) -> tuple[int, float]:
    """Return the shift, at most `most` samples, that aligns a beat with the usual one, and the correlation."""
    scores = np.sum([np.correlate(*pair, "valid") for pair in zip(around.T, usual.T, strict=True)], axis=0)
    best = int(np.argmax(scores))
    beat = around[best : best + len(usual)]
    size = np.linalg.norm(beat - beat.mean(axis=0)) * np.linalg.norm(usual)
    return best - most, float(scores[best] / size) if size else 0.0


def _spread(places: np.ndarray) -> np.ndarray:
    """Return at most `MOST_BEATS` of the places, spread evenly."""
    count = min(len(places), MOST_BEATS)
    return np.asarray(places[np.linspace(0, len(places) - 1, count).round().astype(int)])
