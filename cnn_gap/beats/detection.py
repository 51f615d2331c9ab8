"""Beats of a record, and the median of those of the usual shape.

QRS complexes are found by wfdb's XQRS in the one combination of the leads that holds most of them.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy

from cnn_gap.beats.complexes import find_complexes
from cnn_gap.record import Record
from cnn_gap.signal.resampling import bridge, resample_by

#: Beats are measured at this rate, Hz.
RATE = 500.0

#: What a median beat holds before and after its fiducial point, s.
BEFORE_S, AFTER_S = 0.4, 0.7

#: Fewer beats than this make no median, and more are not needed for one.
FEWEST_BEATS, MOST_BEATS = 3, 200

_SHORTEST_S = 2.0
_QRS_BAND_HZ = (5.0, 25.0)
_BASELINE_HZ = 0.5
_SEARCH_S = 0.08  # how far a found complex is from its steepest part at most
_CORE_S = 0.12  # what is compared with the usual beat, before and after the fiducial point
_SHIFT_S = 0.02  # how far a beat is moved at most to lie upon the usual one
_ALIKE = 0.9  # correlation with the usual beat
_EARLY = 0.85  # of the median RR interval
_ROUNDS = 3  # of aligning beats with their median


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a record.

    Attributes
    ----------
    times_s : ndarray, shape (beats,)
        Their fiducial points, in the middle of the QRS complex's way, s from the record's start, in order.
    usual : ndarray, shape (beats,), bool
        Which have the shape of most and do not come early.
    median : ndarray, shape (samples, 12), float64, or None
        The median of usual beats in mV at `RATE`; None where there are fewer than `FEWEST_BEATS`.
    """

    times_s: np.ndarray
    usual: np.ndarray
    median: np.ndarray | None

    @property
    def fiducial(self) -> int:
        """The sample of `median` at the fiducial point."""
        return round(BEFORE_S * RATE)

    @property
    def intervals_s(self) -> np.ndarray:
        """The RR intervals, s, (beats - 1,)."""
        return np.diff(self.times_s)


def find_beats(record: Record, signal: np.ndarray) -> Beats:
    """Find the beats of a record and their median.

    Parameters
    ----------
    record : Record
        Whose beats.
    signal : ndarray, shape (samples, 12)
        The record as `prepared` returns it.
    """
    usable = len(signal) >= _SHORTEST_S * RATE and signal.any()
    found = _fiducial_points(signal, _complexes(signal)) if usable else np.zeros(0, int)
    places, alike = _aligned(signal, found)
    intervals = np.diff(places, prepend=places[:1])
    typical = np.median(intervals[1:]) if len(places) > 1 else 0
    usual = alike & ~((intervals > 0) & (intervals < _EARLY * typical))
    before, after = round(BEFORE_S * RATE), round(AFTER_S * RATE)
    whole = places[usual & (places >= before) & (places + after <= len(signal))]
    median = None
    if len(whole) >= FEWEST_BEATS:
        cut = np.stack([signal[at - before : at + after] for at in _spread(whole)])
        median = np.median(cut, axis=0) * record.leads
    return Beats(places / RATE, usual, median)


def prepared(record: Record) -> np.ndarray:
    """Return a record's signal (samples, 12) in mV at `RATE`, without its slow baseline.

    Samples that are not valid are bridged by straight lines.
    """
    valid = np.isfinite(record.signal) & record.leads
    ratio = Fraction(RATE / record.sampling_rate).limit_denominator(1000)
    signal = resample_by(bridge(record.signal, valid).astype(np.float64), ratio)
    return filtered(signal, _BASELINE_HZ, "highpass", order=1)


def filtered(
    signal: np.ndarray, edges_hz: float | tuple[float, float], kind: str, order: int = 2
) -> np.ndarray:
    """Return a signal (samples, leads) at `RATE`, filtered forth and back, so that nothing moves in time."""
    sections = scipy.signal.butter(order, edges_hz, kind, fs=RATE, output="sos")
    padding = min(round(2 * RATE), len(signal) - 1)
    return scipy.signal.sosfiltfilt(sections, signal, axis=0, padlen=padding)


def spatial_velocity(signal: np.ndarray) -> np.ndarray:
    """Return how fast a signal (samples, leads) at `RATE` changes over all leads, mV/s, (samples,)."""
    slopes = scipy.signal.savgol_filter(signal, 9, 2, deriv=1, delta=1 / RATE, axis=0)
    return np.sqrt((slopes**2).sum(axis=1))


def _complexes(signal: np.ndarray) -> np.ndarray:
    """Return about where the QRS complexes are, samples."""
    fast = filtered(signal, _QRS_BAND_HZ, "bandpass")
    strongest = fast @ np.linalg.eigh(fast.T @ fast)[1][:, -1]
    return find_complexes(strongest, RATE)


def _fiducial_points(signal: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return where each complex has gone half of its way."""
    speed = spatial_velocity(signal)
    reach = round(_SEARCH_S * RATE)
    places = []
    for place in found:
        first = max(place - reach, 0)
        way = np.cumsum(speed[first : place + reach] ** 2)
        places.append(first + int(np.searchsorted(way, way[-1] / 2)))
    return np.unique(np.array(places, int))


def _aligned(signal: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the beats are when they lie upon their median, and which of them are like it."""
    if not len(places):
        return places, np.zeros(0, bool)
    half, most = round(_CORE_S * RATE), round(_SHIFT_S * RATE)
    edge = half + most
    padded = np.pad(signal, ((edge, edge), (0, 0)), mode="edge")
    alike = np.ones(len(places), bool)
    for _ in range(_ROUNDS):
        chosen = _spread(places[alike])
        usual = np.median([padded[at + most : at + most + 2 * half] for at in chosen], axis=0)
        usual -= usual.mean(axis=0)
        placed = [_laid_upon(usual, padded[at : at + 2 * edge], most) for at in places]
        places = np.maximum(places + [shift for shift, _ in placed], 0)
        places = np.minimum(places, len(signal) - 1)
        likeness = np.array([likeness for _, likeness in placed])
        alike = likeness >= min(_ALIKE, np.median(likeness))
    return places, alike


def _laid_upon(usual: np.ndarray, around: np.ndarray, most: int) -> tuple[int, float]:
    """Return by how many samples a beat is to move, at most `most`, and its correlation with the usual one."""
    scores = np.sum([np.correlate(*pair, "valid") for pair in zip(around.T, usual.T, strict=True)], axis=0)
    best = int(np.argmax(scores))
    beat = around[best : best + len(usual)]
    size = np.linalg.norm(beat - beat.mean(axis=0)) * np.linalg.norm(usual)
    return best - most, float(scores[best] / size) if size else 0.0


def _spread(places: np.ndarray) -> np.ndarray:
    """Return at most `MOST_BEATS` of the places, spread evenly."""
    count = min(len(places), MOST_BEATS)
    return places[np.linspace(0, len(places) - 1, count).round().astype(int)]
