"""Do a classifier's answers hang on what its maps point at?

Deletion and insertion (Petsiuk et al. 2018, "RISE: randomized input sampling for explanation"): a window's
pieces are removed, or put back, in the order of their scores, and the probability of the class is watched. A
deletion is the better the lower the area under its curve, an insertion the higher.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import BATCH, unique_name
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.continuation import continue_signal

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.explain.explanation import ExplainedClass

#: Length of the shortest pieces, s: about a map's stride.
PIECE_S = 0.1

#: Parts of equal size in which a window is removed.
STEPS = 10


@dataclass(frozen=True, eq=False)
class Case:
    """A record as long as a window, the class (its column) that is watched, and the length of pieces, s."""

    record: Record
    column: int
    piece_s: float = PIECE_S

    @property
    def pieces(self) -> np.ndarray:
        """The piece that each sample of the record is in."""
        return pieces_at(len(self.record.signal), self.record.sampling_rate, self.piece_s)


@dataclass(frozen=True, eq=False)
class Frame:
    """What the network sees of a record.

    Attributes
    ----------
    window : ndarray, shape (input_samples, leads)
        All of it, mV.
    signal : ndarray, shape (samples, leads)
        The window without its margins.
    places : ndarray, shape (input_samples,), int
        Which of these samples each sample of the window with margins repeats.
    pieces : ndarray, shape (samples,), int
        The piece that each sample is in.
    """

    window: np.ndarray
    signal: np.ndarray
    places: np.ndarray
    pieces: np.ndarray

    def without(self, absent: np.ndarray, fill: "Fill") -> np.ndarray:
        """Return the window after `fill` has replaced the pieces, (pieces, 1 or leads), that are `absent`."""
        samples = absent[self.pieces]
        # What a margin repeats goes with it.
        return np.where(samples[self.places], fill(self.signal, samples)[self.places], self.window)


#: Returns the signal (samples, leads) without what is absent, bool of shape (samples, 1 or leads).
Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: Returns for each case the scores of its pieces, (pieces, 1), or of pieces of leads, (pieces, leads).
Way = Callable[["Classifier", Sequence[Case]], list[np.ndarray]]


def answered_cases(classifier: "Classifier", records: Iterable[Record]) -> list[Case]:
    """Return a case for each class that a record's first window is answered with."""
    cases = []
    for batch in _batches(_first_windows(classifier, records)):
        for record, prediction in zip(batch, classifier.predict_batch(batch), strict=True):
            cases += [Case(record, int(column)) for column in np.flatnonzero(prediction.labels)]
    return cases


def labelled_cases(classifier: "Classifier", records: Iterable[Record], codes: Iterable[str]) -> list[Case]:
    """Return a case for each class with one of `codes` that a record is labelled with."""
    wanted = classifier.classes.encode(codes)
    return [
        Case(record, int(column))
        for record in _first_windows(classifier, records)
        for column in np.flatnonzero(classifier.classes.encode(record.codes) & wanted)
    ]


def explained(
    classifier: "Classifier", cases: Iterable[Case], leads: bool = False
) -> Iterator["ExplainedClass"]:
    """Yield what explains each case."""
    names_of_columns = [unique_name(about) for about in classifier.classes.diagnoses]
    for batch in _batches(cases):
        columns = sorted({case.column for case in batch})
        names = [names_of_columns[column] for column in columns]
        found = classifier.explain_batch([case.record for case in batch], classes=names, leads=leads)
        for case, explanation in zip(batch, found, strict=True):
            yield explanation.classes[columns.index(case.column)]


def areas(
    classifier: "Classifier", cases: Sequence[Case], ways: dict[str, Way], fill: Fill
) -> dict[str, np.ndarray]:
    """Return the areas under the curves of deletion and insertion of each case by way, shape (cases, 2)."""
    scores = [way(classifier, cases) for way in ways.values()]
    found = []
    for case, *case_scores in zip(cases, *scores, strict=True):
        frame = frame_of(classifier, case)
        curves = probability_curves(classifier, frame, case.column, case_scores, fill)
        found.append(np.trapezoid(curves, dx=1 / STEPS, axis=-1))
    return {name: np.array([each[way] for each in found]) for way, name in enumerate(ways)}


def probability_curves(
    classifier: "Classifier", frame: Frame, column: int, scores: Sequence[np.ndarray], fill: Fill
) -> np.ndarray:
    """Return the class's probability after each step of deletion and insertion, (scores, 2, STEPS + 1)."""
    absent = [mask for each in scores for mask in _absences(each)]
    windows = [frame.without(each, fill)[None] for each in absent]
    predictions = classifier.predict_windows([""] * len(windows), windows)
    found = np.array([prediction.probabilities[column] for prediction in predictions])
    return found.reshape(len(scores), 2, STEPS + 1)


def frame_of(classifier: "Classifier", case: Case) -> Frame:
    """Return what the network sees of a case."""
    preprocessing = classifier.description.preprocessing
    margin, rate = preprocessing.margin_samples, preprocessing.sampling_rate
    window = classifier.windows(case.record)[0]
    signal = window[margin:][: preprocessing.window_samples]
    pieces = pieces_at(len(signal), rate, case.piece_s)
    return Frame(window, signal, continue_signal(signal, margin, rate), pieces)


def pieces_at(samples: int, sampling_rate: float, piece_s: float) -> np.ndarray:
    """Return the piece that each sample is in, int of shape (samples,)."""
    return np.floor(np.arange(samples) / (sampling_rate * piece_s) + 1e-9).astype(int)


def piece_means(values: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Return the means over each piece of values, (samples, columns), as (pieces, columns)."""
    sums = np.stack([np.bincount(pieces, column) for column in values.T], axis=1)
    return sums / np.bincount(pieces)[:, None]


def by_map(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces by the class activation map."""
    found = zip(cases, explained(classifier, cases), strict=True)
    return [piece_means(each.activation[:, None], case.pieces) for case, each in found]


def by_chance(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces at random."""
    return _random(cases, 1)


def by_gradient(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces by gradient × input, summed over the leads."""
    return [
        piece_means(each.sum(axis=1, keepdims=True), pieces) for each, pieces in _products(classifier, cases)
    ]


def by_gradient_size(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces by the absolute value of gradient × input, summed over the leads."""
    found = _products(classifier, cases)
    return [piece_means(np.abs(each).sum(axis=1, keepdims=True), pieces) for each, pieces in found]


def by_lead_occlusion(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces of leads by how much the map falls without the lead."""
    from cnn_gap.network.map_times import record_maps

    found = []
    for case in cases:
        record, (window,) = case.record, classifier.windows(case.record)
        without = np.where(np.eye(len(LEADS), dtype=bool)[:, None], 0, window)
        maps = classifier.run_with_maps(np.concatenate([window[None], without]))[1][..., case.column]
        falls = (maps[:1] - maps[1:]).T[None]  # (1, steps, leads)
        preprocessing, rate = classifier.description.preprocessing, record.sampling_rate
        values = record_maps(falls, classifier.map_stride, len(record.signal), rate, preprocessing)
        found.append(piece_means(values, case.pieces))
    return found


def by_lead_gradient(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces of leads by gradient × input, smoothed."""
    found = zip(cases, explained(classifier, cases, leads=True), strict=True)
    return [piece_means(each.lead_activation, case.pieces) for case, each in found]


def by_lead_chance(classifier: "Classifier", cases: Sequence[Case]) -> list[np.ndarray]:
    """Score pieces of leads at random."""
    return _random(cases, 12)


def with_baseline(signal: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Put 0 mV, the baseline of every window, where the signal is absent."""
    return np.where(absent, np.float32(0), signal)


def with_lines(signal: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Put straight lines between what is left, 0 mV where nothing is: a removal without steps."""
    at, filled = np.arange(len(signal)), np.zeros_like(signal)
    for lead, missing in enumerate(np.broadcast_to(absent, signal.shape).T):
        if not missing.all():
            filled[:, lead] = np.interp(at, at[~missing], signal[~missing, lead])
    return filled


def _products(classifier: "Classifier", cases: Sequence[Case]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield gradient × input of each case, (samples, leads), and the pieces of its samples."""
    for case in cases:
        frame = frame_of(classifier, case)
        gradient = classifier.gradients(frame.window[None], [case.column])[0, 0]
        total = np.zeros_like(frame.signal)
        np.add.at(total, frame.places, gradient)  # what a margin repeats counts there too
        yield total * frame.signal, frame.pieces


def _absences(scores: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what is absent after each step of deletion and then of insertion, bool of the scores' shape."""
    ranks = np.empty(scores.size, int)
    ranks[np.argsort(-scores, axis=None, kind="stable")] = np.arange(scores.size)
    ranks = ranks.reshape(scores.shape)
    for step in range(STEPS + 1):
        yield ranks < round(scores.size * step / STEPS)
    for step in range(STEPS + 1):
        yield ranks >= round(scores.size * step / STEPS)


def _first_windows(classifier: "Classifier", records: Iterable[Record]) -> Iterator[Record]:
    """Yield the start, as long as a window, of each record that is long enough."""
    seconds = classifier.description.preprocessing.window_s
    for record in records:
        samples = round(seconds * record.sampling_rate)
        if len(record.signal) >= samples:
            yield replace(record, signal=record.signal[:samples])


def _random(cases: Sequence[Case], leads: int) -> list[np.ndarray]:
    found = []
    for case in cases:
        # By the name: every classifier gets the same order.
        rng = np.random.default_rng(list(case.record.name.encode()))
        found.append(rng.random((case.pieces[-1] + 1, leads)))
    return found


def _batches(items: Iterable) -> Iterator[list]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch
