"""Choose the parts of a recording of minutes to days that are measured, and judge gain and quality by parts."""

from dataclasses import replace

import numpy as np

from cnn_gap.holter.beat_shapes import MeasuredBeats
from cnn_gap.holter.qrs import BLOCK_S
from cnn_gap.io.long_records import LongRecord
from cnn_gap.reading.long_evidence import PART_S, part_starts
from cnn_gap.record import Record
from cnn_gap.signal.quality import Quality, assess_parts, assess_quality
from cnn_gap.signal.windows import NO_SLOPES, FilteredSignal, Preprocessing, prepare_signal

#: The largest number of parts that are measured; together they last three hours.
MOST_PARTS = 360

#: Number of these parts that are spread evenly over the recording, so that one has the usual heart rate.
SPREAD = 90

#: Number of parts, evenly spread, by which the gain of a recording is judged.
GAIN_PARTS = 9

_UNLIKE = 0.7  # likeness to the usual beat below which a beat is unusual
_SHORT_S, _LONG_S = 0.4, 2.0  # a beat is unusual, too, if its RR interval is shorter or longer


def chosen_starts(record: LongRecord, beats: MeasuredBeats | None) -> np.ndarray:
    """Return when the measured parts begin, s: all parts, or `MOST_PARTS` of a longer recording.

    These are `SPREAD` evenly spread parts, and the parts with the most unusual beats and blocks. A beat is
    unusual if it has another shape or a short or long RR interval. A block is unusual if no beats can be judged
    in it, or if it has large waves. A pause across the border of two parts is in the middle of one more part.
    """
    starts = part_starts(record)
    spread = np.linspace(0, len(starts) - 1, SPREAD).astype(int)
    if beats is None or len(starts) == 1:
        return np.asarray(starts if len(starts) <= MOST_PARTS else starts[spread])
    evenly, starts = starts[spread], np.union1d(starts, _across_borders(starts, beats))
    if len(starts) <= MOST_PARTS:
        return np.asarray(starts)
    unusual = starts[np.argsort(-_unusual(starts, beats), kind="stable")]
    further = unusual[~np.isin(unusual, evenly)][: MOST_PARTS - SPREAD]
    return np.union1d(evenly, further)


def _across_borders(starts: np.ndarray, beats: MeasuredBeats) -> np.ndarray:
    """Return when the parts begin that have in their middle a pause across the border of two others, s."""
    borders = starts[1:]
    after = np.searchsorted(beats.times_s, borders)
    inside = (after > 0) & (after < len(beats))
    first, last = (beats.times_s[after[inside] - shift] for shift in (1, 0))
    return np.asarray((first + last)[last - first > _LONG_S] / 2 - PART_S / 2)


def _unusual(starts: np.ndarray, beats: MeasuredBeats) -> np.ndarray:
    """Return the number of unusual beats and blocks of each part."""
    intervals = np.diff(beats.times_s, prepend=beats.times_s[:1])
    odd = (beats.likeness < _UNLIKE) | (intervals > _LONG_S) | ((intervals > 0) & (intervals < _SHORT_S))
    blocks = np.flatnonzero(~beats.usable | beats.waves) * BLOCK_S
    asking = np.sort(np.concatenate([beats.times_s[odd], blocks]))
    return np.asarray(np.searchsorted(asking, starts + PART_S) - np.searchsorted(asking, starts))


def usual_gain(record: LongRecord, preprocessing: Preprocessing) -> float:
    """Return the factor that corrects the gain of most parts of a recording; 1 if it is plausible."""
    starts = part_starts(record)
    spread = starts[np.unique(np.linspace(0, len(starts) - 1, GAIN_PARTS).astype(int))]
    ungained = replace(preprocessing, slope_mv_s=(0.0, 0.0))
    gains = []
    for start in spread:
        _, prepared = _prepared(record, start, ungained)
        slopes = NO_SLOPES.with_more(prepared.signal, prepared.valid)
        gains.append(float(slopes.gain(preprocessing)))
    return float(np.median(gains))


def assess_closely(record: LongRecord, quality: Quality, preprocessing: Preprocessing) -> Quality:
    """Return the quality of a recording; where it holds no heartbeat as a whole, that of its parts.

    Parameters
    ----------
    record : LongRecord
    quality : Quality
        As a whole, or by parts of minutes.
    preprocessing : Preprocessing
        How windows are filtered.
    """
    starts = part_starts(record)
    if quality.answerable or len(starts) == 1:
        return quality
    parts = (_prepared(record, start, preprocessing) for start in starts)
    closely = assess_parts([assess_quality(*part, preprocessing.sampling_rate) for part in parts])
    return closely if closely.answerable else quality


def _prepared(
    record: LongRecord, start_s: float, preprocessing: Preprocessing
) -> tuple[Record, FilteredSignal]:
    """Return the part of a recording that begins at `start_s`, as recorded and as filtered."""
    first = round(start_s * record.sampling_rate)
    part = record.part(first, min(record.samples, first + round(PART_S * record.sampling_rate)))
    return part, prepare_signal(part.signal, record.sampling_rate, preprocessing)
