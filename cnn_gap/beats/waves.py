"""Onsets and ends of the waves of a median beat, over all leads together.

A wave is searched for in all leads at once, as recommended for standardised ECGs (Kligfield et al. 2007,
doi:10.1161/CIRCULATIONAHA.106.180200). In the QRS complex the spatial velocity is high. In the P wave the
signal leaves the straight line from the wave's onset to its end. The T wave ends where the tangent at its
steepest fall meets the baseline. Filters and thresholds shift these marks by about the same time in each
record, which `SHIFTS_MS` corrects. `docs/results/intervals.md` has the errors.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view

from cnn_gap.beats.detection import MEASURED_HZ, spatial_velocity
from cnn_gap.signal.filters import zero_phase

#: Added to the marks, ms: chosen on half of the records that `benchmarks.quality.intervals` reads.
SHIFTS_MS = {"p_onset": -13, "p_end": 4, "qrs_onset": -6, "qrs_end": 3, "t_end": 23}

_QRS_ONSET, _QRS_END = 0.03, 0.05  # share of the highest velocity that the QRS complex has at its limits
_NOISE_FACTOR = 2.0  # the velocity in the complex is this many times as high as the lowest one near it
_P_SHARE = 0.2  # share of its height that the P wave has at its limits
_SMALLEST_P_MV, _SMALLEST_T_MV = 0.05, 0.07
_WAVES_HZ = 20.0  # corner frequency of the low-pass filter for P and T waves
_SETTLED = 100  # samples after which this filter has settled
_FARTHEST_P_S, _FARTHEST_P_RR = 0.4, 0.55  # earliest onset of P before QRS, s and share of the RR interval
_T_SHARE = 0.75  # the T wave has ended when leads with this share of its height over all leads have


@dataclass(frozen=True)
class Waves:
    """Onsets and ends of the waves of a beat, s from its fiducial point; None where a wave was not found."""

    p_onset: float | None
    p_end: float | None
    qrs_onset: float
    qrs_end: float
    t_end: float | None


def find_waves(median: np.ndarray, fiducial: int, shortest_s: float) -> Waves:
    """Return onsets and ends of the waves of a beat.

    Parameters
    ----------
    median : ndarray, shape (samples, 12)
        In mV at `MEASURED_HZ`.
    fiducial : int
        A sample inside the QRS complex.
    shortest_s : float
        The shortest usual RR interval, s: the T wave ends before the P wave of the next beat.
    """
    velocity = spatial_velocity(median)
    onset, end = find_complex(velocity, fiducial)
    level = median[max(onset - _samples(12), 0) : max(onset - _samples(2), 1)].mean(axis=0)
    farthest = fiducial - round(min(_FARTHEST_P_S, _FARTHEST_P_RR * shortest_s) * MEASURED_HZ)
    smooth = zero_phase(median, _WAVES_HZ, "lowpass", MEASURED_HZ, min(_SETTLED, len(median) - 1))
    p_wave = _find_p_wave(smooth - level, max(farthest, 0), onset)
    to_next = shortest_s * MEASURED_HZ if p_wave is None else shortest_s * MEASURED_HZ + p_wave[0] - fiducial
    t_end = _find_t_end(smooth, end, fiducial + round(0.92 * to_next))

    def mark(name: str, sample: float) -> float:
        return (sample - fiducial) / MEASURED_HZ + SHIFTS_MS[name] / 1000

    return Waves(
        None if p_wave is None else mark("p_onset", p_wave[0]),
        None if p_wave is None else mark("p_end", p_wave[1]),
        mark("qrs_onset", onset),
        mark("qrs_end", end),
        None if t_end is None else mark("t_end", t_end),
    )


def _samples(milliseconds: float) -> int:
    return round(milliseconds * MEASURED_HZ / 1000)


def find_complex(velocity: np.ndarray, fiducial: int) -> tuple[int, int]:
    """Return the first and last sample of the QRS complex: before and after it, the velocity stays low."""
    highest = velocity[fiducial - _samples(80) : fiducial + _samples(80)].max()
    before = velocity[fiducial - _samples(160) : fiducial - _samples(20)]
    after = velocity[fiducial + _samples(20) : fiducial + _samples(200)]
    slow = velocity < max(_QRS_ONSET * highest, _NOISE_FACTOR * _lowest_mean(before))
    first, last = fiducial - _samples(140) + 1, fiducial - _samples(10)
    ended = np.flatnonzero(_stays(slow, _samples(10))[first - _samples(10) : last - _samples(10) + 1])
    onset = first + int(ended[-1]) if len(ended) else first
    slow = velocity < max(_QRS_END * highest, _NOISE_FACTOR * _lowest_mean(after))
    first, last = fiducial + _samples(10), fiducial + _samples(180) - 1
    begun = np.flatnonzero(_stays(slow, _samples(12))[first : last + 1])
    return onset, first + int(begun[0]) if len(begun) else last


def _stays(slow: np.ndarray, samples: int) -> np.ndarray:
    """Return for each sample whether it and all until `samples` later are slow, (len(slow) - samples + 1,)."""
    return np.asarray(sliding_window_view(slow, samples).all(axis=1))


def _lowest_mean(velocity: np.ndarray) -> float:
    """Return the lowest mean velocity over 16 ms."""
    window = _samples(16)
    return float(np.convolve(velocity, np.ones(window) / window, "valid").min())


def _find_p_wave(smooth: np.ndarray, start: int, onset: int) -> tuple[int, int] | None:
    """Return the first and last sample of the P wave; None if there is no wave from start to onset."""
    part = smooth[start : onset - _samples(6)]
    size = np.linalg.norm(part, axis=1)
    peaks, about = scipy.signal.find_peaks(size, prominence=0.03, wlen=_samples(300))
    if not len(peaks):
        return None
    peak = int(peaks[about["prominences"].argmax()])
    first = max(peak - _samples(90), 0)
    first += int(size[first : peak + 1].argmin())
    last = peak + int(size[peak : peak + _samples(90) + 1].argmin())
    ramp = np.linspace(0, 1, last - first + 1)[:, None]
    away = np.linalg.norm(part[first : last + 1] - part[first] * (1 - ramp) - part[last] * ramp, axis=1)
    if away.max() < _SMALLEST_P_MV:
        return None
    inside = np.flatnonzero(away > _P_SHARE * away.max())
    return start + first + int(inside[0]), start + first + int(inside[-1])


def _find_t_end(smooth: np.ndarray, end: int, next_wave: int) -> float | None:
    """Return the sample at which the T wave has ended in `_T_SHARE` of its leads; None if there is none."""
    first, last = end + _samples(60), min(next_wave, len(smooth) - _samples(10))
    if last - first < _samples(100):
        return None
    ends, heights = _draw_tangents(smooth[first:last])
    if not len(ends):
        return None
    order = np.lexsort((heights, ends))
    reached = np.cumsum(heights[order]) / heights.sum()
    return first + float(ends[order][np.searchsorted(reached, _T_SHARE)])


def _draw_tangents(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each lead with a T wave the sample at which its tangent meets the baseline, and its height.

    Heights are in mV. The tangent is drawn at the steepest fall after the T wave's peak.
    """
    leads = np.arange(part.shape[1])
    away = part - part[-_samples(30) :].mean(axis=0)
    peaks = np.abs(away[: len(away) - _samples(60)]).argmax(axis=0)
    away = away * np.sign(away[peaks, leads])
    samples = np.arange(len(away))[:, None]
    falls = (samples >= peaks) & (samples < peaks + _samples(200))
    slopes = np.where(falls, np.gradient(away, axis=0), np.inf)
    steepest = slopes.argmin(axis=0)
    lowest = np.where(falls & (samples >= steepest), away, np.inf).min(axis=0)
    heights, fastest = away[peaks, leads], slopes[steepest, leads]
    with_wave = (heights >= _SMALLEST_T_MV) & (fastest < 0)
    at, drops = steepest[with_wave], (away[steepest, leads] - lowest)[with_wave]
    return at - drops / fastest[with_wave], heights[with_wave]
