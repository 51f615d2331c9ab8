"""Labels of beats: normal, premature and narrow, premature and wide (ventricular), paced, or unknown.

A beat's probability to be ventricular is a logistic function of five numbers: how early the beat comes, how
late the next beat comes, how much the beat differs from the usual beat, how large it is, and the network's
probability of premature ventricular contractions. Beats of one shape get the mean of their logits, so a noisy
beat gets the label of the beats that look like it. The coefficients were fitted to 20 half hours of the MIT-BIH
Arrhythmia Database: see docs/results/long.md.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from cnn_gap.holter.beat_shapes import MeasuredBeats
from cnn_gap.holter.early_beats import early_narrow
from cnn_gap.holter.qrs import blocks_at
from cnn_gap.holter.timeline import Timeline

#: Symbols of WFDB's annotations.
NORMAL, EARLY_NARROW, VENTRICULAR, PACED, UNKNOWN = "N", "A", "V", "/", "Q"

#: An RR interval of this length, s, or longer does not count: there is no beat in it that can be judged.
LONGEST_RR_S = 12.0

#: The logistic function: constant, and coefficients of `ventricular_signs`.
_CONSTANT = 5.14
_COEFFICIENTS = np.array([-2.98, 2.28, 4.28, 4.77, 0.93])

_NEIGHBOURS = 31  # RR intervals; their median is the usual one
_UNKNOWN = 0.5  # likeness below which a beat that is not ventricular is unknown
# No beat is early and narrow where the mean probability of fibrillation over this many windows is this high.
_LASTING, _FIBRILLATION = 7, 0.5
_PACING = 0.5  # probability of pacing from which on beats are paced


@dataclass(frozen=True, eq=False)
class LabelledBeats:
    """The beats of a recording in order of time.

    Attributes
    ----------
    times_s : ndarray, shape (n,)
        From the recording's start.
    symbols : ndarray, shape (n,), str
        `NORMAL`, `EARLY_NARROW`, `VENTRICULAR`, `PACED` or `UNKNOWN`.
    probabilities : ndarray, shape (n,)
        The probability that the label is right: that a ventricular beat is ventricular, and another one is not.
    known : ndarray, shape (n,), bool
        Whether all of the recording since the beat before can be judged, and no beat seems to be missed in it:
        then the RR interval counts. Large waves cannot be judged, and beats within them are `UNKNOWN`.
    """

    times_s: np.ndarray
    symbols: np.ndarray
    probabilities: np.ndarray
    known: np.ndarray

    def __len__(self) -> int:
        return len(self.times_s)

    def __repr__(self) -> str:
        counts = zip(*np.unique(self.symbols, return_counts=True), strict=True)
        return f"<{len(self)} beats: {', '.join(f'{symbol} {count}' for symbol, count in counts)}>"

    @cached_property
    def intervals_s(self) -> np.ndarray:
        """The RR interval before each beat, s, (n,); NaN where it is not known."""
        return np.where(self.known, np.diff(self.times_s, prepend=np.nan), np.nan)

    def within(self, start_s: float, end_s: float) -> "LabelledBeats":
        """Return the beats from `start_s` to before `end_s`."""
        inside = slice(*np.searchsorted(self.times_s, (start_s, end_s)))
        return LabelledBeats(
            self.times_s[inside], self.symbols[inside], self.probabilities[inside], self.known[inside]
        )


def label_beats(beats: MeasuredBeats, timeline: Timeline) -> LabelledBeats:
    """Label the beats of a recording; within large waves no measurement of a beat can be trusted."""
    times = beats.times_s
    if not len(times):
        return LabelledBeats(times, np.zeros(0, "<U1"), times, np.zeros(0, bool))
    logits = _CONSTANT + ventricular_signs(beats, timeline) @ _COEFFICIENTS
    ventricular = scipy.special.expit(mean_of_shape(logits, beats.shapes))
    blocks = blocks_at(times, len(beats.usable))
    wide, judged = ventricular >= 0.5, _judged(beats, blocks)
    fibrillation = timeline.of("AF", "AFIB", "AFL", "AFLT")
    now, lasting = (
        np.interp(times, timeline.middles_s, each)
        for each in (fibrillation, scipy.ndimage.uniform_filter1d(fibrillation, _LASTING))
    )
    early = early_narrow(times, judged, wide, beats.likeness, now) & (lasting < _FIBRILLATION)
    symbols = np.full(len(times), NORMAL)
    symbols[beats.likeness < _UNKNOWN] = UNKNOWN
    symbols[early] = EARLY_NARROW
    symbols[timeline.at(times, "PR", "PACE") >= _PACING] = PACED
    symbols[wide] = VENTRICULAR
    symbols[beats.large_waves[blocks]] = UNKNOWN
    probabilities = np.where(symbols == VENTRICULAR, ventricular, 1 - ventricular)
    return LabelledBeats(times, symbols, probabilities, judged & ~beats.doubtful)


def mean_of_shape(values: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Return for each beat the mean value of the beats of its shape, both (n,)."""
    return np.asarray((np.bincount(shapes, values) / np.maximum(np.bincount(shapes), 1))[shapes])


def ventricular_signs(beats: MeasuredBeats, timeline: Timeline) -> np.ndarray:
    """Return the five numbers by which ventricular beats are recognised, (n, 5)."""
    intervals, usual = _intervals(beats.times_s)
    following = np.append(intervals[1:], usual[-1]) / usual
    network = np.clip(timeline.at(beats.times_s, "PVC"), 0.05, 0.9)
    return np.stack(
        [
            np.clip(intervals / usual, 0.3, 1.6),
            np.clip(following, 0.3, 2.0),
            np.log(1.02 - np.minimum(beats.likeness, 1)),
            np.log(np.clip(beats.size, 0.1, 10)),
            scipy.special.logit(network),
        ],
        axis=1,
    )


def _intervals(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the RR interval before each of one or more beats, and the usual interval around it, s."""
    intervals = np.diff(times)
    first = np.median(intervals[:_NEIGHBOURS]) if len(intervals) else 1.0
    intervals = np.concatenate([[first], intervals])
    return intervals, np.asarray(scipy.ndimage.median_filter(intervals, _NEIGHBOURS, mode="nearest"))


def _judged(beats: MeasuredBeats, blocks: np.ndarray) -> np.ndarray:
    """Return for which beats all blocks since the beat before are usable and without large waves.

    `blocks` are those in which the beats are.
    """
    lost = np.concatenate([[0], np.cumsum(~beats.usable | beats.large_waves)])
    whole = lost[blocks[1:] + 1] == lost[blocks[:-1]]
    return np.concatenate([[False], whole & (np.diff(beats.times_s) < LONGEST_RR_S)])
