"""Where the waves of a median beat begin and end, over all leads together.

A wave is looked for in all leads at once, as recommended for standardised ECGs (Kligfield et al. 2007,
doi:10.1161/CIRCULATIONAHA.106.180200). The QRS complex is where the heart's vector moves fast, the P wave is
where it leaves the line between the wave's feet, and the T wave ends where its steepest fall would meet the
baseline. Filters and thresholds miss the feet of waves by about the same time in every record, which the
allowances make up for. `docs/measurements.md` has the errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.beats.detection import RATE, filtered, spatial_velocity

#: By how much the marks are moved, ms: chosen on half of the records that `benchmarks.quality.intervals` reads.
ALLOWANCES_MS = {"p_onset": -13, "p_end": 4, "qrs_onset": -6, "qrs_end": 3, "t_end": 23}

_QRS_ONSET, _QRS_END = 0.03, 0.05  # of the highest speed
_NOISE = 2.0  # times the lowest speed beside the complex
_P_FOOT = 0.2  # of the wave's height
_LEAST_P_MV, _LEAST_T_MV = 0.05, 0.07
_P_HZ, _T_HZ = 20.0, 20.0  # above which P and T are not looked at
_FARTHEST_P_S, _FARTHEST_P_RR = 0.4, 0.55  # before the complex, s and of the RR interval: before that is T
_T_SHARE = 0.75  # of the T wave's height over all leads that has ended


@dataclass(frozen=True)
class Waves:
    """Where the waves of a beat begin and end, s from its fiducial point; None where it cannot be told."""

    p_onset: float | None
    p_end: float | None
    qrs_onset: float
    qrs_end: float
    t_end: float | None


def find_waves(median: np.ndarray, fiducial: int, shortest_s: float) -> Waves:
    """Return where the waves of a beat begin and end.

    Parameters
    ----------
    median : ndarray, shape (samples, 12)
        In mV at `RATE`.
    fiducial : int
        A sample inside the QRS complex.
    shortest_s : float
        The shortest usual RR interval, s: before its end comes the next beat's P wave.
    """
    speed = spatial_velocity(median)
    onset, end = _complex(speed, fiducial)
    level = median[max(onset - _samples(12), 0) : max(onset - _samples(2), 1)].mean(axis=0)
    farthest = fiducial - round(min(_FARTHEST_P_S, _FARTHEST_P_RR * shortest_s) * RATE)
    p_wave = _p_wave(median - level, max(farthest, 0), onset)
    to_next = shortest_s * RATE if p_wave is None else shortest_s * RATE + p_wave[0] - fiducial
    t_end = _t_end(filtered(median, _T_HZ, "lowpass"), end, fiducial + round(0.92 * to_next))

    def mark(name: str, sample: float) -> float:
        return (sample - fiducial) / RATE + ALLOWANCES_MS[name] / 1000

    return Waves(
        None if p_wave is None else mark("p_onset", p_wave[0]),
        None if p_wave is None else mark("p_end", p_wave[1]),
        mark("qrs_onset", onset),
        mark("qrs_end", end),
        None if t_end is None else mark("t_end", t_end),
    )


def _samples(milliseconds: float) -> int:
    return round(milliseconds * RATE / 1000)


def _complex(speed: np.ndarray, fiducial: int) -> tuple[int, int]:
    """Return the first and last sample of the QRS complex: beside it, the speed stays low."""
    highest = speed[fiducial - _samples(80) : fiducial + _samples(80)].max()
    before = speed[fiducial - _samples(160) : fiducial - _samples(20)]
    after = speed[fiducial + _samples(20) : fiducial + _samples(200)]
    slow = speed < max(_QRS_ONSET * highest, _NOISE * _quiet(before))
    onsets = range(fiducial - _samples(10), fiducial - _samples(140), -1)
    onset = next((at for at in onsets if slow[at - _samples(10) : at].all()), onsets[-1])
    slow = speed < max(_QRS_END * highest, _NOISE * _quiet(after))
    ends = range(fiducial + _samples(10), fiducial + _samples(180))
    return onset, next((at for at in ends if slow[at : at + _samples(12)].all()), ends[-1])


def _quiet(speed: np.ndarray) -> float:
    """Return the lowest mean speed of 16 ms."""
    window = _samples(16)
    return float(np.convolve(speed, np.ones(window) / window, "valid").min())


def _p_wave(beat: np.ndarray, start: int, onset: int) -> tuple[int, int] | None:
    """Return the first and last sample of the P wave, None if nothing stands out from start to onset."""
    part = filtered(beat, _P_HZ, "lowpass")[start : onset - _samples(6)]
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
    if away.max() < _LEAST_P_MV:
        return None
    inside = np.flatnonzero(away > _P_FOOT * away.max())
    return start + first + int(inside[0]), start + first + int(inside[-1])


def _t_end(smooth: np.ndarray, end: int, next_wave: int) -> float | None:
    """Return the sample where the T wave has ended in most of its leads, None if there is no T wave."""
    first, last = end + _samples(60), min(next_wave, len(smooth) - _samples(10))
    if last - first < _samples(100):
        return None
    found = sorted(_tangents(smooth[first:last]))
    if not found:
        return None
    ends, heights = np.array(found).T
    reached = np.cumsum(heights) / heights.sum()
    return first + float(ends[np.searchsorted(reached, _T_SHARE)])


def _tangents(part: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield for each lead where the steepest line down from the T wave's peak meets its end, and its height."""
    for lead in part.T:
        away = lead - lead[-_samples(30) :].mean()
        peak = int(np.abs(away[: len(away) - _samples(60)]).argmax())
        away = away * np.sign(away[peak])
        fall = away[peak : peak + _samples(200)]
        slopes = np.gradient(fall)
        steepest = int(slopes.argmin())
        if away[peak] >= _LEAST_T_MV and slopes[steepest] < 0:
            drop = fall[steepest] - fall[steepest:].min()
            yield peak + steepest - drop / slopes[steepest], float(away[peak])
