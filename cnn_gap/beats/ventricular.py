"""Signs of ventricular tachycardia, flutter and fibrillation: runs of wide beats, and waves without complexes.

No training record has these rhythms, so the network cannot recognise them. Three or more wide complexes of
another shape in a row at 100 a minute or more are a ventricular run (Mason et al. 2007). If no complexes stand
out, the signal resembles a sine wave: it nearly cancels itself when it is shifted by half a period. What
remains is the leakage of Kuo and Dillman's filter (1978, "Computer detection of ventricular fibrillation",
Computers in Cardiology 347-349).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnn_gap.beats.detection import (
    BAND_HZ,
    MEASURED_HZ,
    Beats,
    cut_beats,
    median_of_beats,
    slow_down,
    spatial_velocity,
)
from cnn_gap.beats.waves import find_complex
from cnn_gap.record import Record
from cnn_gap.signal.filters import zero_phase

#: Least number of beats of a run, its lowest rate, /min, and the least width of its complexes, s.
RUN_BEATS, RUN_RATE, RUN_WIDTH_S = 3, 100.0, 0.12

#: Leakage below which a signal has no QRS complexes.
LARGEST_LEAKAGE = 0.45

#: Length and distance of the parts of a record in which the leakage is measured, s.
PART_S, STEP_S = 4.0, 2.0

_LONGEST_RR_S = 0.66  # between two beats of a run
_OTHER_SHAPE = 0.7  # largest correlation of a run's complex with the usual one
_ONE_SHAPE = 0.7  # least mean correlation of a run's beats with their median
_SMALLEST_HEIGHT = 0.7  # of a run's complex, as a share of the usual one
_CORE_S = 0.12  # length, before and after the fiducial point, over which complexes are compared
_BAND_HZ = (1.0, 30.0)
_WAVE_HZ = (2.2, 7.0)  # frequencies of ventricular waves; slower ones are movements of the electrodes
_SURE_LEAKAGE = 0.6  # a lower leakage, which is measured at a low rate, is measured again
_LEADS = 3  # number of leads, the highest of a part, over which the median leakage is taken
_SMALLEST_MV = 0.1  # standard deviation of the highest lead


@dataclass(frozen=True)
class Run:
    """Successive wide beats of another shape.

    Attributes
    ----------
    beats : int
    rate : float
        Beats per minute.
    width_s : float
        Of the complex, s.
    start_s : float
        Time of the first beat, s.
    """

    beats: int
    rate: float
    width_s: float
    start_s: float = 0.0


def find_run(record: Record, signal: np.ndarray, beats: Beats) -> Run | None:
    """Return the longest run of wide beats of another shape than the usual one, None if there is none.

    Parameters
    ----------
    record : Record
    signal : ndarray, shape (samples, 12)
        The record as `cnn_gap.beats.detection.prepare_for_beats` returns it.
    beats : Beats
    """
    if beats.median is None:
        return None
    runs = (_describe_run(record, signal, beats, *part) for part in _unusual_parts(beats))
    return max((run for run in runs if run is not None), key=lambda run: run.beats, default=None)


def _unusual_parts(beats: Beats) -> Iterator[tuple[int, int]]:
    """Yield the first beat of each fast series of unusual beats, and the first beat after it."""
    fast = np.append(False, beats.intervals_s <= _LONGEST_RR_S)
    numbers = np.cumsum(beats.usual | ~fast)  # of the series: a usual beat or a slow one begins another
    for number in np.unique(numbers[~beats.usual]):
        series = np.flatnonzero((numbers == number) & ~beats.usual)
        if len(series) >= RUN_BEATS:
            yield int(series[0]), int(series[-1]) + 1


def _describe_run(record: Record, signal: np.ndarray, beats: Beats, first: int, last: int) -> Run | None:
    """Return the run of the beats from `first` to before `last`, None if they are slow, narrow or as usual."""
    assert beats.median is not None
    before, length = beats.fiducial, len(beats.median)
    padded = np.pad(signal, ((before, length), (0, 0)), mode="edge") * record.leads
    starts = (beats.times_s[first:last] * MEASURED_HZ).round().astype(int)
    single = cut_beats(padded, starts, length)
    median = median_of_beats(single)
    onset, end = find_complex(spatial_velocity(median), before)
    rate, width_s = 60 / float(beats.intervals_s[first : last - 1].mean()), (end - onset) / MEASURED_HZ
    run = Run(last - first, rate, width_s, float(beats.times_s[first]))
    half = round(_CORE_S * MEASURED_HZ)
    core, usual, *others = (beat[before - half : before + half] for beat in (median, beats.median, *single))
    is_run = (
        run.rate >= RUN_RATE
        and run.width_s >= RUN_WIDTH_S
        and _correlation(core, usual) <= _OTHER_SHAPE
        and np.mean([_correlation(core, other) for other in others]) >= _ONE_SHAPE
        and np.ptp(core, axis=0).max() >= _SMALLEST_HEIGHT * np.ptp(usual, axis=0).max()
    )
    return run if is_run else None


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / size) if size else 0.0


def wave_leakage(record: Record, signal: np.ndarray) -> float:
    """Return the lowest leakage of the record's parts: near 0 for a sine wave, about 0.6 to 0.9 with complexes.

    Parts whose waves are small, or too slow or fast for ventricular ones, count as 1.

    Parameters
    ----------
    record : Record
    signal : ndarray, shape (samples, 12)
        The record as `cnn_gap.beats.detection.prepare_for_beats` returns it.
    """
    leads = signal[:, np.asarray(record.leads, bool)]
    rough = _lowest_leakage(slow_down(leads, round(MEASURED_HZ / BAND_HZ)), BAND_HZ)
    return _lowest_leakage(leads, MEASURED_HZ) if rough < _SURE_LEAKAGE else rough


def wave_leakages(signal: np.ndarray, rate: float) -> np.ndarray:
    """Return the leakage of each part of `PART_S`, one every `STEP_S`, (parts,); see `wave_leakage`.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        In mV, without baseline.
    rate : float
        Of its samples, Hz.
    """
    part, step = round(PART_S * rate), round(STEP_S * rate)
    if len(signal) < part:
        return np.ones(0)
    padding = min(round(2 * rate), len(signal) - 1)
    waves = zero_phase(signal, _BAND_HZ, "bandpass", rate, padding)
    starts = range(0, len(waves) - part + 1, step)
    return np.array([_part_leakage(waves[at : at + part], rate) for at in starts])


def _lowest_leakage(signal: np.ndarray, rate: float) -> float:
    return float(wave_leakages(signal, rate).min(initial=1.0))


def _part_leakage(part: np.ndarray, rate: float) -> float:
    heights = part.std(axis=0)
    highest = np.argsort(-heights)[:_LEADS]
    if heights[highest[0]] < _SMALLEST_MV:
        return 1.0
    half_periods = [_half_period(part[:, lead]) for lead in highest]
    usual = float(np.median(half_periods))
    if not _WAVE_HZ[0] <= rate / 2 / usual <= _WAVE_HZ[1]:
        return 1.0
    return float(
        np.median([_leakage(part[:, lead], half) for lead, half in zip(highest, half_periods, strict=True)])
    )


def _half_period(lead: np.ndarray) -> int:
    """Return half of the mean period in samples: that of a sine wave with the same mean height and slope."""
    slopes = float(np.abs(np.diff(lead)).sum())
    return max(round(math.pi * float(np.abs(lead).sum()) / max(slopes, 1e-12)), 1)


def _leakage(lead: np.ndarray, half_period: int) -> float:
    later, earlier = lead[half_period:], lead[:-half_period]
    return float(np.abs(later + earlier).sum() / (np.abs(later) + np.abs(earlier)).sum())
