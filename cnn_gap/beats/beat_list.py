"""The beats of a record one by one: their times, RR intervals and widths, and whether they are unusual."""

from dataclasses import dataclass

import numpy as np

from cnn_gap.beats.detection import MEASURED_HZ, prepare_for_beats, spatial_velocity
from cnn_gap.beats.intervals import Measurements
from cnn_gap.beats.waves import SHIFTS_MS, find_complex
from cnn_gap.record import Record

#: A beat is early if its RR interval is a smaller share than this of the median of the intervals around it.
EARLY_SHARE = 0.8

#: Number of RR intervals before an interval, and after it, that its running median takes in.
AROUND = 5

#: A QRS complex is wide from this duration on, s (Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095).
WIDE_S = 0.12

#: RR intervals of at least this length are pauses, s, as the reading's alert counts them.
PAUSE_S = 2.5

_EDGE_S = 0.4  # a beat of unusual shape nearer to the record's edges is cut: its width is not measured
_REACH_S = 0.25  # signal before and after a beat in which its complex is measured


@dataclass(frozen=True)
class Beat:
    """One beat.

    Attributes
    ----------
    time_s : float
        Of its fiducial point, s from the record's start.
    rr_s : float or None
        Time since the beat before, s; None of the first one.
    qrs_s : float or None
        Duration of its QRS complex, s: of a beat with the usual shape that of the median beat. None where it
        cannot be measured, as of one that the record's edges cut.
    early, wide, pause : bool
        Whether it comes early, its complex is wide, and a pause precedes it.
    """

    time_s: float
    rr_s: float | None
    qrs_s: float | None
    early: bool
    wide: bool
    pause: bool


def list_beats(record: Record, measured: Measurements) -> tuple[Beat, ...]:
    """Return the beats of a record; none where the heart rate cannot be trusted.

    Parameters
    ----------
    record : Record
    measured : Measurements
        Of this record, from `cnn_gap.beats.intervals.measure`.
    """
    if measured.rate is None:
        return ()
    beats = measured.beats
    rr = beats.intervals_s
    early = rr < EARLY_SHARE * _running_median(rr)
    widths = _widths(record, measured)
    return tuple(
        Beat(
            float(time),
            None if index == 0 else float(rr[index - 1]),
            width,
            index > 0 and bool(early[index - 1]),
            width is not None and width > WIDE_S,
            index > 0 and bool(rr[index - 1] >= PAUSE_S),
        )
        for index, (time, width) in enumerate(zip(beats.times_s, widths, strict=True))
    )


def _running_median(intervals_s: np.ndarray) -> np.ndarray:
    places = range(len(intervals_s))
    return np.array([np.median(intervals_s[max(at - AROUND, 0) : at + AROUND + 1]) for at in places])


def _widths(record: Record, measured: Measurements) -> list[float | None]:
    """Return the duration of each beat's QRS complex, s."""
    if measured.beats.usual.all():
        return [measured.qrs_s] * len(measured.beats.usual)
    velocity = spatial_velocity(prepare_for_beats(record))
    reach, edge = round(_REACH_S * MEASURED_HZ), round(_EDGE_S * MEASURED_HZ)
    widths: list[float | None] = []
    for time, usual in zip(measured.beats.times_s, measured.beats.usual, strict=True):
        at = round(float(time) * MEASURED_HZ)
        whole = edge <= at <= len(velocity) - edge
        other = _width(velocity[at - reach : at + reach], reach) if whole and not usual else None
        widths.append(measured.qrs_s if usual else other)
    return widths


def _width(velocity: np.ndarray, fiducial: int) -> float:
    """Return the duration of the complex around a sample, s, given the spatial velocity."""
    onset, end = find_complex(velocity, fiducial)
    return (end - onset) / MEASURED_HZ + (SHIFTS_MS["qrs_end"] - SHIFTS_MS["qrs_onset"]) / 1000
