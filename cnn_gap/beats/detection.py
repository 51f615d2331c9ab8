"""The beats of a record, and the median beat of those with the usual shape.

QRS complexes are found by XQRS (`complexes`) in one signal: the linear combination of the leads with the most
energy in the QRS band.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from cnn_gap.beats.complexes import find_complexes
from cnn_gap.record import Record
from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.resampling import bridge, resample_by

#: Beats are measured at this rate, Hz.
MEASURED_HZ = 500.0

#: Rate of the signal in the band of the QRS complex, Hz.
BAND_HZ = 100.0

#: Length of a median beat before and after its fiducial point, s.
BEFORE_S, AFTER_S = 0.4, 0.7

#: Smallest and largest number of beats from which a median beat is made.
FEWEST_BEATS, MOST_BEATS = 3, 200

_SHORTEST_RECORD_S = 2.0
_QRS_BAND_HZ = (5.0, 25.0)
_BASELINE_HZ = 0.5
_SEARCH_S = 0.08  # largest distance of a complex, as XQRS finds it, from its steepest part
_CORE_S = 0.12  # length, before and after the fiducial point, that is compared with the usual beat
_SHIFT_S = 0.02  # largest shift that aligns a beat with the usual one
_USUAL_CORRELATION = 0.9  # lowest correlation of a usual beat with the median of them
_EARLY_SHARE = 0.85  # a beat is early after a smaller share of the median RR interval
_ROUNDS = 3  # of aligning the beats with their median, at most
_BASELINE_STEP, _BAND_STEP = 10, round(MEASURED_HZ / BAND_HZ)  # samples of a mean, for slower signals
_FEW_BEATS = 16  # up to this number, exchanging neighbours sorts faster than NumPy
_SLOPE_REACH = 4  # number of samples before and after, from which a slope is computed


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
    likeness : ndarray, shape (beats,)
        Correlation of each QRS complex with that of the usual beat, at most 1.
    """

    times_s: np.ndarray
    usual: np.ndarray
    median: np.ndarray | None
    likeness: np.ndarray

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


def find_beats(record: Record, signal: np.ndarray, band: np.ndarray | None = None) -> Beats:
    """Find the beats of a record and their median.

    Parameters
    ----------
    record : Record
        The record whose beats are found.
    signal : ndarray, shape (samples, 12)
        The record as `prepare_for_beats` returns it.
    band : ndarray, optional
        Its `qrs_band`, if it is known.
    """
    usable = len(signal) >= _SHORTEST_RECORD_S * MEASURED_HZ and signal.any()
    found = _find_fiducial_points(signal, _find_complexes(signal, band)) if usable else np.zeros(0, int)
    places, alike, likeness = _align(signal, found)
    intervals = np.diff(places, prepend=places[:1])
    typical = np.median(intervals[1:]) if len(places) > 1 else 0
    usual = alike & ~((intervals > 0) & (intervals < _EARLY_SHARE * typical))
    before, after = round(BEFORE_S * MEASURED_HZ), round(AFTER_S * MEASURED_HZ)
    whole = places[usual & (places >= before) & (places + after <= len(signal))]
    median = None
    if len(whole) >= FEWEST_BEATS:
        cut = cut_beats(signal, _spread(whole) - before, before + after)
        median = median_of_beats(cut).astype(np.float64) * record.leads
    return Beats(places / MEASURED_HZ, usual, median, likeness)


def prepare_for_beats(record: Record) -> np.ndarray:
    """Return a record's signal (samples, 12), float32 mV at `MEASURED_HZ`, without its slow baseline.

    Samples that are not valid are interpolated linearly.
    """
    valid = np.isfinite(record.signal) & record.leads
    bridged = record.signal if valid.all() else bridge(record.signal, valid)
    ratio = Fraction(MEASURED_HZ / record.sampling_rate).limit_denominator(1000)
    signal = resample_by(bridged, ratio)
    return np.asarray(signal - _find_baseline(signal))


def _find_baseline(signal: np.ndarray) -> np.ndarray:
    """Return the slow baseline of a signal: a low-pass filter of first order, forwards and backwards.

    Subtracting it is the high-pass filter of the same corner. It is computed of the means of steps, and
    interpolated linearly between their middles.
    """
    slow, rate = slow_down(signal, _BASELINE_STEP), MEASURED_HZ / _BASELINE_STEP
    padding = min(round(2 * rate), len(slow))
    ends = 2 * signal[:1] - slow[:padding][::-1], slow, 2 * signal[-1:] - slow[-padding:][::-1]
    slow = zero_phase(np.concatenate(ends), _BASELINE_HZ, "lowpass", rate, padding=0, order=1)
    slow = slow[padding - 1 : len(slow) - padding + 1].astype(np.float32)
    share = (np.arange(_BASELINE_STEP, dtype=np.float32)[:, None] + 0.5) / _BASELINE_STEP
    between = slow[:-1, None] + share * np.diff(slow, axis=0)[:, None]
    first = _BASELINE_STEP // 2
    return np.asarray(between.reshape(-1, signal.shape[1])[first : first + len(signal)])


def slow_down(signal: np.ndarray, step: int) -> np.ndarray:
    """Return the means of each `step` samples, (steps, leads); the last sample fills the last step."""
    whole = -(-len(signal) // step) * step
    padded = np.pad(signal, ((0, whole - len(signal)), (0, 0)), mode="edge") if whole > len(signal) else signal
    return np.asarray(np.einsum("tsl->tl", padded.reshape(-1, step, signal.shape[1])) / step)


def filter_beats(
    signal: np.ndarray, edges_hz: float | tuple[float, float], kind: str, order: int = 2
) -> np.ndarray:
    """Return a signal (samples, leads) at `MEASURED_HZ`, filtered forwards and backwards, without a delay."""
    return zero_phase(signal, edges_hz, kind, MEASURED_HZ, min(round(2 * MEASURED_HZ), len(signal) - 1), order)


def qrs_band(signal: np.ndarray) -> np.ndarray:
    """Return the part of a signal (samples, 12) in the band of the QRS complex, at `BAND_HZ`."""
    slower = slow_down(signal, _BAND_STEP)
    padding = min(round(2 * BAND_HZ), len(slower) - 1)
    return zero_phase(slower, _QRS_BAND_HZ, "bandpass", BAND_HZ, padding)


def spatial_velocity(signal: np.ndarray) -> np.ndarray:
    """Return the root of the summed squared slopes of a signal's leads, mV/s, at `MEASURED_HZ`.

    The slope at a sample is that of the parabola that fits it and four samples on both sides best (Savitzky and
    Golay 1964).

    Parameters
    ----------
    signal : ndarray, shape (..., samples, leads)

    Returns
    -------
    ndarray, shape (..., samples)
    """
    count, reach = signal.shape[-2], _SLOPE_REACH
    edges = [(0, 0)] * (signal.ndim - 2) + [(reach, reach), (0, 0)]
    padded = np.pad(signal, edges, mode="edge")

    def shifted(by: int) -> np.ndarray:
        return padded[..., reach + by : reach + by + count, :]

    slopes = sum(by * (shifted(by) - shifted(-by)) for by in range(1, reach + 1))
    scale = MEASURED_HZ / (2 * sum(by**2 for by in range(1, reach + 1)))
    return np.asarray(np.sqrt((slopes**2).sum(axis=-1)) * scale)


def cut_beats(signal: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Return the pieces of a signal (samples, leads) from `starts` on, (pieces, length, leads)."""
    return np.asarray(signal[starts[:, None] + np.arange(length)])


def _find_complexes(signal: np.ndarray, band: np.ndarray | None) -> np.ndarray:
    """Return the approximate places of the QRS complexes, in samples."""
    fast = qrs_band(signal) if band is None else band
    strongest = signal @ np.linalg.eigh(fast.T @ fast)[1][:, -1:]
    return find_complexes(filter_beats(strongest, _QRS_BAND_HZ, "bandpass")[:, 0], MEASURED_HZ)


def _find_fiducial_points(signal: np.ndarray, complexes: np.ndarray) -> np.ndarray:
    """Return the sample of each complex before which half of its squared velocity lies."""
    reach = round(_SEARCH_S * MEASURED_HZ)
    edge = reach + _SLOPE_REACH
    padded = np.pad(signal, ((edge, edge), (0, 0)), mode="edge")
    velocity = spatial_velocity(cut_beats(padded, complexes, 2 * edge))[:, _SLOPE_REACH:-_SLOPE_REACH]
    total = np.cumsum(velocity**2, axis=1)
    places = complexes - reach + (total < total[:, -1:] / 2).sum(axis=1)
    return np.unique(places.clip(0, len(signal) - 1))


def _align(signal: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of the beats, aligned with their median, which have its shape, and the correlations."""
    if not len(places):
        return places, np.zeros(0, bool), np.zeros(0)
    half, most = round(_CORE_S * MEASURED_HZ), round(_SHIFT_S * MEASURED_HZ)
    edge = half + most
    padded = np.pad(signal, ((edge, edge), (0, 0)), mode="edge")
    alike = np.ones(len(places), bool)
    for _ in range(_ROUNDS):
        earlier = places, alike
        usual = median_of_beats(cut_beats(padded, _spread(places[alike]) + most, 2 * half))
        usual -= usual.mean(axis=0)
        shifts, correlations = _best_shifts(usual, padded, places, most)
        places = (places + shifts).clip(0, len(signal) - 1)
        alike = correlations >= min(_USUAL_CORRELATION, float(np.median(correlations)))
        if np.array_equal(earlier[0], places) and np.array_equal(earlier[1], alike):
            break  # another round would change nothing
    return places, alike, correlations


def _best_shifts(
    usual: np.ndarray, padded: np.ndarray, places: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shifts, at most `most` samples, that align beats with the usual one, and the correlations.

    Parameters
    ----------
    usual : ndarray, shape (samples, leads)
        With a mean of 0 in each lead.
    padded : ndarray, shape (samples of the record, leads)
        Begins half a beat and `most` samples before the record.
    places : ndarray, shape (beats,)
        Samples of the record in the middle of each beat.
    """
    shifts, correlations = np.zeros(len(places), int), np.zeros(len(places))
    length, size = len(usual), np.linalg.norm(usual)
    # Row n is the usual beat n samples later: a product with it is the correlation at that shift.
    shifted = np.zeros((2 * most + 1, length + 2 * most, usual.shape[1]), np.float32)
    for row in range(2 * most + 1):
        shifted[row, row : row + length] = usual
    columns = shifted.reshape(len(shifted), -1).T
    for first in range(0, len(places), MOST_BEATS):
        part = slice(first, first + MOST_BEATS)
        around = cut_beats(padded, places[part], length + 2 * most)
        scores = around.reshape(len(around), -1) @ columns
        best = scores.argmax(axis=1)
        beats = cut_beats(padded, places[part] + best, length)
        sizes = np.linalg.norm(beats - beats.mean(axis=1, keepdims=True), axis=(1, 2)) * size
        highest = scores[np.arange(len(best)), best]
        shifts[part] = best - most
        correlations[part] = np.divide(highest, sizes, out=np.zeros(len(best)), where=sizes > 0)
    return shifts, correlations


def median_of_beats(beats: np.ndarray) -> np.ndarray:
    """Return the median over the first axis: faster than NumPy, which searches for it sample by sample."""
    order = list(beats) if len(beats) <= _FEW_BEATS else np.sort(beats, axis=0)
    if isinstance(order, list):  # exchange neighbours that are in the wrong order, for all samples at once
        for turn in range(len(order)):
            for at in range(turn % 2, len(order) - 1, 2):
                lower, upper = order[at], order[at + 1]
                order[at], order[at + 1] = np.minimum(lower, upper), np.maximum(lower, upper)
    middle = len(order) // 2
    return np.asarray(order[middle] if len(order) % 2 else (order[middle - 1] + order[middle]) / 2)


def _spread(places: np.ndarray) -> np.ndarray:
    """Return at most `MOST_BEATS` of the places, spread evenly."""
    count = min(len(places), MOST_BEATS)
    return np.asarray(places[np.linspace(0, len(places) - 1, count).round().astype(int)])
