"""Beats that come early with a usual shape: single ones, and the runs that begin with one.

The usual RR interval comes from the last intervals that are not early. So it stays as it was while a run lasts,
however long the run is, and it follows a rate that changes beat by beat.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

#: An early beat has an RR interval below this share of the usual one. For the first beat of a run, the interval
#: must also be below this share of the interval before it: in sinus arrhythmia, intervals shorten step by step.
EARLY = 0.85

#: Likeness to the usual beat from which on an early beat is narrow.
NARROW = 0.8

_USUAL = 21  # RR intervals; their median is the usual one
_IRREGULAR = 0.1  # no beat is early where half of the intervals differ from the one before by more
_FIBRILLATION = 0.5  # no beat is early at this probability of fibrillation or flutter, or a higher one
_PAUSE = 1.15  # after an early beat, an interval above this share of the usual one is left out
_LONGEST_RUN_S = 60.0  # a fast rhythm that lasts longer is the usual one


def early_narrow(
    times_s: np.ndarray, known: np.ndarray, wide: np.ndarray, likeness: np.ndarray, fibrillation: np.ndarray
) -> np.ndarray:
    """Return which beats are early and narrow, bool of shape (n,).

    Parameters
    ----------
    times_s : ndarray, shape (n,)
    known : ndarray, shape (n,), bool
        Whether the RR interval before each beat is known.
    wide : ndarray, shape (n,), bool
        Whether each beat is ventricular.
    likeness : ndarray, shape (n,)
        Correlation with the usual beat.
    fibrillation : ndarray, shape (n,)
        The network's probability of fibrillation or flutter at each beat.
    """
    early = np.zeros(len(times_s), bool)
    intervals = np.diff(times_s, prepend=np.nan)
    # An interpolated ventricular beat makes no beat early.
    counts = known & ~wide & ~np.concatenate([[False], wide[:-1]])
    may_begin = (likeness > NARROW) & (fibrillation < _FIBRILLATION)
    usual: deque[float] = deque(maxlen=_USUAL)
    began: int | None = None  # the first beat of the run
    for at, interval in enumerate(intervals.tolist()):
        if not counts[at]:
            began = None
            continue
        if len(usual) < _USUAL:
            usual.append(interval)
            continue
        median = sorted(usual)[_USUAL // 2]
        if began is not None and interval < EARLY * median:
            early[at] = True
            if times_s[at] - times_s[began] > _LONGEST_RUN_S:
                early[began : at + 1] = False
                usual.clear()
                began = None
        elif began is not None and interval > _PAUSE * median:
            began = None
        elif interval < EARLY * min(median, intervals[at - 1]) and may_begin[at] and _regular(usual, median):
            early[at], began = True, at
        else:
            usual.append(interval)
            began = None
    return early & (likeness > NARROW)


def _regular(intervals: Sequence[float], median: float) -> bool:
    return float(np.median(np.abs(np.diff(intervals)))) < _IRREGULAR * median
