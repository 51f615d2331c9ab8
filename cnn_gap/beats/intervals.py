"""Heart rate, intervals and frontal axis of a record; each is None where it cannot be trusted."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnn_gap.beats.agreement import detectors_agree, hides_beat
from cnn_gap.beats.detection import (
    MEASURED_HZ,
    Beats,
    cut_beats,
    find_beats,
    median_sample,
    prepare_for_beats,
    qrs_band,
)
from cnn_gap.beats.ventricular import LARGEST_LEAKAGE, Run, find_run, wave_leakage
from cnn_gap.beats.waves import Waves, find_waves
from cnn_gap.io.long_records import read_whole
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.quality import noisy_leads
from cnn_gap.system.html import html_table

#: A lead with a larger amplitude, mV, is not measured: it is no ECG in any unit, and its squares overflow.
LARGEST_MV = 1e9

#: A rhythm is irregular if the standard deviation of its RR intervals, divided by their mean, is above this.
IRREGULAR = 0.12

#: In a tachycardia of at least this rate, /min, with QRS complexes of at least this width, s, the wave before a
#: complex may be the T wave of the beat before it: no PR interval is given.
TACHYCARDIA, WIDE_QRS_S = 110.0, 0.12

# An interval outside of these, s, comes from a wave that was found at a wrong place.
_PR_RANGE_S, _QRS_RANGE_S, _QT_RANGE_S = (0.08, 0.4), (0.05, 0.3), (0.2, 0.7)
# If only one detector is used, smallest number of intervals, and smallest share of usual beats.
_STEADY_INTERVALS, _STEADY_SHARE = 6, 0.9
_USUAL_SHARE = 0.5  # smallest share of usual beats
_P_CORRELATION = 0.8  # lowest median correlation of the beats' P waves with that of the median beat
_P_CORRELATION_IF_IRREGULAR = 0.9
_SHORTEST_P_S = 0.075
_SMALLEST_AREA_MVS = 0.002  # of the complex in the frontal plane: below it the axis is not measured


@dataclass(frozen=True, eq=False)
class Measurements:
    """The measurements of a record; each is None where it cannot be trusted.

    Attributes
    ----------
    beats : Beats
        All beats, and the median of the usual ones.
    waves : Waves or None
        Of the median beat.
    rate : float or None
        Mean heart rate, beats per minute.
    rr_range_s : tuple of float, or None
        Shortest and longest RR interval, s.
    pr_s, qrs_s, qt_s : float or None
        Intervals of the median beat, over all leads, s.
    axis_deg : float or None
        Of the QRS complex in the frontal plane, from its areas in I and aVF, above -180 to 180 degrees.
    run : Run or None
        The longest run of wide beats of another shape.
    large_waves : bool
        Whether a part of the record consists of large waves without QRS complexes that stand out.
    """

    beats: Beats
    waves: Waves | None = None
    rate: float | None = None
    rr_range_s: tuple[float, float] | None = None
    pr_s: float | None = None
    qrs_s: float | None = None
    qt_s: float | None = None
    axis_deg: float | None = None
    run: Run | None = None
    large_waves: bool = False

    @property
    def qtc_bazett_s(self) -> float | None:
        """QT divided by the square root of the mean RR interval in seconds, s."""
        return self._corrected(2)

    @property
    def qtc_fridericia_s(self) -> float | None:
        """QT divided by the cube root of the mean RR interval in seconds, s."""
        return self._corrected(3)

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """Each measurement that can be trusted as its name and its value with unit: ("PR", "160 ms")."""
        found: list[tuple[str, str]] = []
        if self.rate is not None and self.rr_range_s is not None:
            shortest, longest = (round(1000 * value) for value in self.rr_range_s)
            found += [("Rate", f"{self.rate:.0f}/min"), ("RR", f"{shortest}–{longest} ms")]
        intervals = (
            ("PR", self.pr_s),
            ("QRS", self.qrs_s),
            ("QT", self.qt_s),
            ("QTc Bazett", self.qtc_bazett_s),
            ("QTc Fridericia", self.qtc_fridericia_s),
        )
        found += [(name, f"{1000 * value:.0f} ms") for name, value in intervals if value is not None]
        if self.axis_deg is not None:
            found.append(("QRS axis", f"{self.axis_deg:.0f}°".replace("-", "−")))
        return tuple(found)

    def _repr_html_(self) -> str:
        """Return a small table, which notebooks show."""
        return html_table(("", "Measured"), self.values, f"{len(self.beats.times_s)} beats")

    def _corrected(self, root: int) -> float | None:
        return None if self.qt_s is None or self.rate is None else self.qt_s / (60 / self.rate) ** (1 / root)


def measure(record: Record | str | Path) -> Measurements:
    """Measure a record, or the record file at a path, of any sampling rate, length and set of leads.

    Raises
    ------
    InputError
        If the path cannot be read as a record.

    Examples
    --------
    >>> measured = measure("test_data/SIM0008")
    >>> measured.beats.median.shape
    (550, 12)
    """
    record = read_whole(Path(record)) if isinstance(record, str | Path) else record
    measurable = np.abs(np.nan_to_num(record.signal)).max(axis=0, initial=0.0) < LARGEST_MV
    record = replace(record, leads=record.leads & measurable)
    usable = record.leads & ~noisy_leads(record) if measurable.any() else measurable
    if not usable.any():
        return Measurements(Beats(np.empty(0), np.zeros(0, bool), None, np.empty(0)))
    record = replace(record, leads=usable)
    signal = prepare_for_beats(record)
    band = qrs_band(signal)
    beats = find_beats(record, signal, band)
    unmeasured = Measurements(beats, large_waves=wave_leakage(record, signal) < LARGEST_LEAKAGE)
    if len(beats.intervals_s) < 2:
        return unmeasured
    agree = detectors_agree(beats, signal, band)
    if agree:
        unmeasured = replace(unmeasured, run=find_run(record, signal, beats))
    if not ((agree and not hides_beat(beats, band)) or _is_steady_tachycardia(beats)):
        return unmeasured
    found = _measure_median(record, signal, _with_rate(unmeasured))
    believed = not found.large_waves or (found.qrs_s is not None and found.qrs_s >= WIDE_QRS_S)
    return found if believed else unmeasured


def _is_steady_tachycardia(beats: Beats) -> bool:
    """Tell whether fast beats have one shape and one interval: then the detectors need not agree.

    The second detector marks wide complexes twice.
    """
    rr = beats.intervals_s
    regular = len(rr) >= _STEADY_INTERVALS and rr.std() < IRREGULAR * rr.mean()
    return bool(regular and beats.usual.mean() >= _STEADY_SHARE and 60 / rr.mean() >= TACHYCARDIA)


def _with_rate(measured: Measurements) -> Measurements:
    rr = measured.beats.intervals_s
    return replace(measured, rate=60 / float(rr.mean()), rr_range_s=(float(rr.min()), float(rr.max())))


def _measure_median(record: Record, signal: np.ndarray, measured: Measurements) -> Measurements:
    """Return the measurements; if most beats are usual, add the measurements of the median beat."""
    beats, rate = measured.beats, measured.rate
    if beats.median is None or beats.usual.mean() < _USUAL_SHARE or rate is None:
        return measured
    waves = find_waves(beats.median, beats.fiducial, float(np.percentile(beats.intervals_s, 10)))
    qrs = _interval(_QRS_RANGE_S, waves.qrs_onset, waves.qrs_end)
    wide_tachycardia = rate >= TACHYCARDIA and qrs is not None and qrs >= WIDE_QRS_S
    has_p = not wide_tachycardia and _has_p_wave(signal, beats, waves)
    return replace(
        measured,
        waves=waves,
        pr_s=_interval(_PR_RANGE_S, waves.p_onset, waves.qrs_onset) if has_p else None,
        qrs_s=qrs,
        qt_s=_interval(_QT_RANGE_S, waves.qrs_onset, waves.t_end),
        axis_deg=_axis(record, beats, waves),
    )


def _interval(limits: tuple[float, float], start: float | None, end: float | None) -> float | None:
    """Return the time from start to end, None if it is outside of the limits or one of them is unknown."""
    if start is None or end is None:
        return None
    return end - start if limits[0] <= end - start <= limits[1] else None


def _has_p_wave(signal: np.ndarray, beats: Beats, waves: Waves) -> bool:
    """Return whether the single beats have the P wave that was found in the median beat."""
    if waves.p_onset is None or waves.p_end is None or waves.p_end - waves.p_onset < _SHORTEST_P_S:
        return False
    first, last = map(median_sample, (waves.p_onset, waves.p_end))
    assert beats.median is not None
    first = max(first, 0)
    pattern = beats.median[first:last]
    starts = (beats.times_s[beats.usual] * MEASURED_HZ).round().astype(int) - beats.fiducial + first
    whole = starts[(starts >= 0) & (starts <= len(signal) - len(pattern))]
    if not len(whole):
        return False
    correlations = (_normalise(cut_beats(signal, whole, len(pattern))) * _normalise(pattern)).sum(axis=(1, 2))
    irregular = beats.intervals_s.std() > IRREGULAR * beats.intervals_s.mean()
    return bool(np.median(correlations) >= (_P_CORRELATION_IF_IRREGULAR if irregular else _P_CORRELATION))


def _normalise(pieces: np.ndarray) -> np.ndarray:
    """Return pieces (..., samples, leads) with a mean of 0 in each lead and a norm of 1 over all leads."""
    centred = pieces - pieces.mean(axis=-2, keepdims=True)
    sizes = np.linalg.norm(centred, axis=(-2, -1), keepdims=True)
    return np.asarray(np.divide(centred, sizes, out=np.zeros_like(centred), where=sizes > 0))


def _axis(record: Record, beats: Beats, waves: Waves) -> float | None:
    """Return the direction of the QRS complex's area in the frontal plane, degrees."""
    one, foot = LEADS.index("I"), LEADS.index("aVF")
    if not (record.leads[one] and record.leads[foot]) or beats.median is None:
        return None
    first, last = map(median_sample, (waves.qrs_onset, waves.qrs_end))
    part = beats.median[max(first, 0) : last]
    areas = (part - np.linspace(part[0], part[-1], len(part))).sum(axis=0) / MEASURED_HZ
    left, down = areas[one], areas[foot] * 2 / math.sqrt(3)  # an augmented lead is smaller by this factor
    if math.hypot(left, down) < _SMALLEST_AREA_MVS:
        return None
    return math.degrees(math.atan2(down, left))
