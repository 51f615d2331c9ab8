"""Half hours of the MIT-BIH Arrhythmia Database with their annotations of beats and rhythms."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import wfdb
from wfdb.processing import compare_annotations

#: The classes of the ANSI/AAMI EC57 standard by WFDB's symbols of beats.
CLASSES = (
    dict.fromkeys("NLRBejn", "N")
    | dict.fromkeys("AaJS", "S")
    | dict.fromkeys("VEr", "V")
    | {"F": "F"}
    | dict.fromkeys("/fQ?", "Q")
)

#: Records of pacemakers, which EC57 leaves out of figures of ectopic beats; the one with ventricular flutter.
PACED, FLUTTER = ("102", "104", "107", "217"), "207"

#: EC57 starts after a time to learn, s; a beat is found if it is at most this far away, s.
LEARNING_S, NEAR_S = 300.0, 0.15

Span = tuple[float, float]


@dataclass(frozen=True)
class Counts:
    """True positives, false negatives and false positives.

    `surplus` is how many more findings are right than annotations were found. An episode may be found in
    pieces; one finding may span several episodes, which makes a negative surplus.
    """

    found: int = 0
    missed: int = 0
    false: int = 0
    surplus: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.found + other.found,
            self.missed + other.missed,
            self.false + other.false,
            self.surplus + other.surplus,
        )

    @property
    def sensitivity(self) -> float:
        """The share of the true ones that was found."""
        return self.found / (self.found + self.missed) if self.found + self.missed else np.nan

    @property
    def predictive_value(self) -> float:
        """The share of the findings that is right."""
        right = self.found + self.surplus
        return right / (right + self.false) if right + self.false else np.nan


@dataclass(frozen=True)
class Annotated:
    """A record and its annotations."""

    path: Path

    @property
    def name(self) -> str:
        """Such as ``100``."""
        return self.path.name

    @cached_property
    def header(self) -> wfdb.Record:
        """The record's header."""
        return wfdb.rdheader(str(self.path))

    @property
    def duration_s(self) -> float:
        """Of the record, s."""
        return self.header.sig_len / self.header.fs

    @cached_property
    def beats(self) -> tuple[np.ndarray, np.ndarray]:
        """Times, s, and AAMI classes of all beats."""
        read = self._annotations
        which = [index for index, symbol in enumerate(read.symbol) if symbol in CLASSES]
        return read.sample[which] / read.fs, np.array([CLASSES[read.symbol[index]] for index in which])

    def symbols(self, start_s: float, end_s: float) -> str:
        """Return WFDB's symbols of the beats from one time to another, s."""
        read = self._annotations
        first, last = np.searchsorted(read.sample, (start_s * read.fs, end_s * read.fs))
        return "".join(symbol for symbol in read.symbol[first:last] if symbol in CLASSES)

    @cached_property
    def flutter(self) -> list[Span]:
        """The spans of ventricular flutter, which have no beats, s."""
        marks = [(at / self._annotations.fs, symbol) for at, symbol in self._marks("[]")]
        starts = [at for at, symbol in marks if symbol == "["]
        return list(zip(starts, [at for at, symbol in marks if symbol == "]"], strict=False))

    def rhythm(self, *names: str) -> list[Span]:
        """Return the spans of rhythms, such as ``(AFIB``, s; neighbours are joined."""
        read = self._annotations
        changes = [
            (at / read.fs, note.rstrip("\0"))
            for at, note in zip(read.sample, read.aux_note, strict=True)
            if note.startswith("(")
        ]
        ends = [at for at, _ in changes[1:]] + [self.duration_s]
        spans = [(at, end) for (at, name), end in zip(changes, ends, strict=True) if name in names]
        return joined(spans)

    def counted(self, times_s: np.ndarray, first_s: float) -> np.ndarray:
        """Return which times count: after `first_s` and outside of flutter."""
        outside = [(times_s < start) | (times_s > end) for start, end in self.flutter]
        return np.asarray((times_s >= first_s) & np.all([times_s >= 0, *outside], axis=0))

    def matched(self, times_s: np.ndarray) -> np.ndarray:
        """Return the AAMI class of the annotated beat at each found one; ``O`` where there is none."""
        true, classes = self.beats
        rate = self.header.fs
        pairs = compare_annotations(
            np.round(true * rate).astype(int), np.round(times_s * rate).astype(int), round(NEAR_S * rate)
        ).matching_sample_nums
        labels = np.full(len(times_s), "O")
        for index, found in enumerate(pairs):
            if found >= 0:
                labels[found] = classes[index]
        return labels

    def score(self, times_s: np.ndarray, first_s: float = LEARNING_S) -> Counts:
        """Return the counts of QRS complexes."""
        true = self.beats[0]
        rate = self.header.fs
        pair = (np.round(each[self.counted(each, first_s)] * rate).astype(int) for each in (true, times_s))
        compared = compare_annotations(*pair, round(NEAR_S * rate))
        return Counts(compared.tp, compared.fn, compared.fp)

    def score_class(self, times_s: np.ndarray, which: np.ndarray, name: str, first_s: float) -> Counts:
        """Return the counts of one AAMI class of beats.

        By EC57, fusion and unknown beats (F, Q) that are called V are not counted, nor Q that are called S.
        """
        true, classes = self.beats
        labels = self.matched(times_s)
        found = which & self.counted(times_s, first_s)
        hits = int((found & (labels == name)).sum())
        there = int(((classes == name) & self.counted(true, first_s)).sum())
        wrong = set("NSVO" if name == "V" else "NVFO") - {name}
        return Counts(hits, there - hits, int((found & np.isin(labels, list(wrong))).sum()))

    def runs(self) -> list[Span]:
        """Return the spans of three and more annotated ventricular beats in a row, s."""
        times, classes = self.beats
        changes = np.flatnonzero(np.diff((classes == "V").astype(int), prepend=0, append=0))
        pairs = zip(changes[::2], changes[1::2], strict=True)
        return [(times[first], times[last - 1]) for first, last in pairs if last - first > 2]

    @cached_property
    def _annotations(self) -> wfdb.Annotation:
        read = wfdb.rdann(str(self.path), "atr")
        read.fs = read.fs or self.header.fs
        return read

    def _marks(self, symbols: str) -> Iterator[tuple[int, str]]:
        pairs = zip(self._annotations.sample, self._annotations.symbol, strict=True)
        return ((at, symbol) for at, symbol in pairs if symbol in symbols)


def joined(spans: list[Span]) -> list[Span]:
    """Return the spans in order, with spans that touch or overlap joined into one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def overlap_s(one: list[Span], other: list[Span]) -> float:
    """Return how long both are present, s."""
    return sum(max(0.0, min(end, last) - max(start, first)) for start, end in one for first, last in other)


def episode_counts(true: list[Span], found: list[Span]) -> tuple[Counts, Counts]:
    """Return EC57's counts of episodes and of their time in ms: an episode is found where any part overlaps."""
    hit = sum(overlap_s([span], found) > 0 for span in true)
    right = sum(overlap_s([span], true) > 0 for span in found)
    both = overlap_s(true, found)
    lengths = (sum(end - start for start, end in spans) for spans in (true, found))
    time = [round(1000 * (length - both)) for length in lengths]
    return Counts(hit, len(true) - hit, len(found) - right, right - hit), Counts(round(1000 * both), *time)


def annotated_records(folder: Path) -> list[Annotated]:
    """Return the records of a folder that have annotations."""
    return [Annotated(path.with_suffix("")) for path in sorted(folder.glob("*.atr"))]
