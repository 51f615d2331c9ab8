"""Choose the parts of a recording of minutes to days that are measured."""

import numpy as np

from cnn_gap.holter.beat_shapes import MeasuredBeats
from cnn_gap.holter.qrs import BLOCK_S
from cnn_gap.io.long_records import LongRecord
from cnn_gap.reading.long_evidence import PART_S, part_starts

#: The largest number of parts that are measured, those of six hours: measuring them takes about a minute.
MOST_PARTS = 720

#: Of them, so many are spread evenly over the recording, so that one has the usual heart rate.
SPREAD = 90

_UNLIKE = 0.7  # likeness to the usual beat below which a beat asks for a measurement
_SHORT_S, _LONG_S = 0.4, 2.0  # RR intervals beyond these ask for one


def chosen_starts(record: LongRecord, beats: MeasuredBeats | None) -> np.ndarray:
    """Return when the parts begin that are measured, s: all, or `MOST_PARTS` of a longer recording.

    These are `SPREAD` evenly spread parts and those with the most unlike beats, short and long RR intervals,
    and blocks in which no beats can be judged or large waves are.
    """
    starts = part_starts(record)
    if len(starts) <= MOST_PARTS:
        return starts
    spread = np.linspace(0, len(starts) - 1, SPREAD).astype(int)
    if beats is None:
        return np.asarray(starts[spread])
    unusual = np.argsort(-_unusual(starts, beats), kind="stable")
    further = unusual[~np.isin(unusual, spread)][: MOST_PARTS - SPREAD]
    return np.asarray(starts[np.sort(np.concatenate([spread, further]))])


def _unusual(starts: np.ndarray, beats: MeasuredBeats) -> np.ndarray:
    """Return how many beats and blocks of each part ask for a measurement."""
    intervals = np.diff(beats.times_s, prepend=beats.times_s[:1])
    odd = (beats.likeness < _UNLIKE) | (intervals > _LONG_S) | ((intervals > 0) & (intervals < _SHORT_S))
    blocks = np.flatnonzero(~beats.usable | (beats.waves if len(beats.waves) else False)) * BLOCK_S
    edges = np.append(starts, starts[-1] + PART_S)
    counts = np.histogram(beats.times_s[odd], edges)[0] + np.histogram(blocks, edges)[0]
    return np.asarray(counts)
