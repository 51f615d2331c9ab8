"""The probabilities of a recording by time: one row for each window that the network sees."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.holter.beat_shapes import MeasuredBeats
from cnn_gap.holter.qrs import BLOCK_S, blocks_at
from cnn_gap.system.errors import InputError
from cnn_gap.system.timed_text import clock


@dataclass(frozen=True, eq=False)
class Timeline:
    """The probabilities of a recording, window by window.

    Attributes
    ----------
    classes : ClassSet
        The C classes and findings, in the order of the columns.
    starts_s : ndarray, shape (windows,)
        When each window begins, s from the recording's start.
    window_s : float
        Length of each, s.
    duration_s : float
        Of the recording.
    probabilities : ndarray, shape (windows, C)
    usable : ndarray, shape (windows,), bool
        Whether complexes stand out in at least half of the window; the others count as time not analysed.
    """

    classes: ClassSet
    starts_s: np.ndarray
    window_s: float
    duration_s: float
    probabilities: np.ndarray
    usable: np.ndarray

    def __len__(self) -> int:
        return len(self.starts_s)

    def __repr__(self) -> str:
        windows = f"{len(self)} windows of {self.window_s:g} s"
        return f"<Timeline of {clock(self.duration_s)}: {windows}, {len(self.classes)} classes>"

    @property
    def ends_s(self) -> np.ndarray:
        """When each window ends, s."""
        return np.minimum(self.starts_s + self.window_s, self.duration_s)

    @property
    def overlap(self) -> float:
        """The share of a window that the next one repeats."""
        return 0.0 if len(self) < 2 else 1 - float(np.diff(self.starts_s).mean()) / self.window_s

    @cached_property
    def middles_s(self) -> np.ndarray:
        """The middle of each window, s."""
        return np.asarray((self.starts_s + self.ends_s) / 2)

    @cached_property
    def bounds_s(self) -> np.ndarray:
        """The bounds between windows, halfway between their middles, and both ends, s, (windows + 1,)."""
        inner = (self.middles_s[1:] + self.middles_s[:-1]) / 2
        return np.concatenate([[0.0], inner, [self.duration_s]])

    def of(self, *names: str) -> np.ndarray:
        """Return the highest probability of some outputs in each window, 0 where the model has none of them.

        Parameters
        ----------
        names : str
            Codes or abbreviations, as `ClassSet.find` takes them.
        """
        columns = self.columns(*names)
        return np.asarray(self.probabilities[:, columns].max(axis=1)) if columns else np.zeros(len(self))

    def at(self, times_s: np.ndarray, *names: str) -> np.ndarray:
        """Return the probability at times, s, interpolated between the middles of the windows."""
        return np.asarray(np.interp(times_s, self.middles_s, self.of(*names)))

    def columns(self, *names: str) -> list[int]:
        """Return the columns of those outputs, named as `of` takes them, that the model has."""
        found = []
        for name in names:
            with suppress(InputError):
                found.append(self.classes.find(name))
        return found

    def overlapping(self, start_s: float, end_s: float) -> np.ndarray:
        """Return which windows overlap with a span of time, bool of shape (windows,)."""
        return np.asarray((self.starts_s < end_s) & (self.ends_s > start_s))


def usable_windows(starts_s: np.ndarray, window_s: float, beats: MeasuredBeats) -> np.ndarray:
    """Return for each window whether beats can be judged in at least half of it, bool of shape (windows,)."""
    sums = np.concatenate([[0], np.cumsum(beats.usable)])
    first = blocks_at(starts_s, len(beats.usable))
    last = np.clip(np.ceil((starts_s + window_s) / BLOCK_S).astype(int), first + 1, len(beats.usable))
    return np.asarray((sums[last] - sums[first]) / (last - first) >= 0.5)
