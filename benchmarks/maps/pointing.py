"""Share of the maps whose maximum lies on the beat or wave that shows a diagnosis.

`simulated`: simulated records, whose waves are known to the sample. `premature`: real records labelled with
premature atrial beats, found by the R peaks of eight leads. This is the pointing game of Zhang et al. 2018,
"Top-down neural attention by excitation backprop". Chance is the share of time that lies inside.
"""

import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Study, Table, batches, resampled
from benchmarks.estimates import mean, proportion
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.annotations import Event
from cnn_gap.io.records import read_info, read_record
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.continuation import continue_signal
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.heart_conditions import code_of, compatible, conditions_of
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.explain.explanation import ExplainedClass

#: Start and end, s from the record's start.
Interval = tuple[float, float]

#: Number of simulated records of each diagnosis, their rate, Hz, and length, s.
SIMULATED, SIMULATED_HZ, SIMULATED_S = 40, 500.0, 10.0

#: A map may point this far beside a simulated wave, s.
TOLERANCE_S = 0.1

#: The codes of premature atrial beats.
PREMATURE_CODES = ("284470004", "63593006")

#: A premature beat ends an RR interval below this share of the median of this number of intervals around it.
PREMATURE_SHARE, PREMATURE_AROUND = 0.8, 9

#: Extent of a premature beat before and after its R peak, s: its P wave and its T wave.
PREMATURE_S = (0.3, 0.45)

#: The leads that do not follow from others.
INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

#: A beat is found in this number of independent leads, within this time, s.
AGREEING_LEADS, AGREEMENT_S = 5, 0.08

#: Beats are searched at this rate, Hz, in the record and its continuation by this time at both ends, s.
BEATS_HZ, BEATS_MARGIN_S = 400.0, 1.0

HEADINGS = (
    "records",
    "chance",
    "maximum inside",
    "maximum inside, answered records",
    "answered records",
    "share of the map inside",
)


@dataclass(frozen=True)
class Pointing:
    """How a map lies to the intervals that it should point at.

    Attributes
    ----------
    hit : bool
        Whether its maximum is inside one.
    inside : float
        Share of its positive part that is inside; nan where no part is positive.
    chance : float
        Share of the record's time that is inside.
    answered : bool
        Whether the classifier answers the class.
    """

    hit: bool
    inside: float
    chance: float
    answered: bool


@dataclass(frozen=True, eq=False)
class Truth:
    """Records with a diagnosis (one of its codes) and, for each record, the intervals that show it."""

    code: str
    records: tuple[Record, ...]
    intervals: tuple[tuple[Interval, ...], ...]


def simulated(study: Study) -> Iterator[Table]:
    """Yield a table of diagnoses; one that the model has never seen is left out."""
    rows = []
    for abbreviation in SIGNS:
        truth = simulated_truth(abbreviation, min(SIMULATED, study.limit or SIMULATED), seed=0)
        if _knows(study.classifier, truth.code):
            rows.append(pointing_row(abbreviation, pointings(study.classifier, truth)))
    yield Table("simulated", HEADINGS, tuple(rows))


def premature(study: Study) -> Iterator[Table]:
    """Yield a table of the premature beats that a pause follows, and of all that come early.

    Raises
    ------
    InputError
        If no record has premature atrial beats.
    """
    records = records_with(study.paths(), PREMATURE_CODES)
    if not records:
        raise InputError(
            f"{study.folders['data']}: no record is labelled with premature atrial beats; give other records"
        )
    rows = []
    for name, with_pause in (("premature atrial beats before a pause", True), ("all premature beats", False)):
        truth = premature_truth(records, with_pause)
        rows.append(pointing_row(name, pointings(study.classifier, truth)))
    yield Table("premature", HEADINGS, tuple(rows))


def pointing_row(name: str, found: Sequence[Pointing]) -> tuple[object, ...]:
    """Return a row of the table."""
    answered = [each.hit for each in found if each.answered]
    return (
        name,
        len(found),
        mean([each.chance for each in found]).value,
        proportion([each.hit for each in found]),
        proportion(answered),
        len(answered),
        mean([each.inside for each in found]),
    )


def covered(samples: int, sampling_rate: float, intervals: Iterable[Interval]) -> np.ndarray:
    """Return which samples lie in the intervals, bool of shape (samples,)."""
    times = np.arange(samples) / sampling_rate
    inside = np.zeros(samples, bool)
    for start, end in intervals:
        inside |= (times >= start) & (times <= end)
    return inside


def share_inside(activation: np.ndarray, inside: np.ndarray) -> float:
    """Return the share of a map's positive part that lies `inside`, nan where no part is positive."""
    positive = np.maximum(activation.astype(np.float64), 0)
    total = positive.sum()
    return float(positive[inside].sum() / total) if total > 0 else float("nan")


def point(
    activation: np.ndarray, sampling_rate: float, intervals: Iterable[Interval], answered: bool = True
) -> Pointing:
    """Return how a map, (samples,) at `sampling_rate` (Hz), lies to the intervals."""
    inside = covered(len(activation), sampling_rate, intervals)
    share = share_inside(activation, inside)
    return Pointing(bool(inside[activation.argmax()]), share, float(inside.mean()), answered)


def pointings(classifier: "Classifier", truth: Truth) -> list[Pointing]:
    """Return how the maps of a diagnosis lie in each of its records."""
    return [
        point(found.activation, rate, intervals, found.label)
        for found, rate, intervals in explained_signs(classifier, truth)
    ]


def explained_signs(
    classifier: "Classifier", truth: Truth
) -> Iterator[tuple["ExplainedClass", float, tuple[Interval, ...]]]:
    """Yield for each record the diagnosis with its map, the map's rate, Hz, and the intervals that show it."""
    for part in batches(zip(truth.records, truth.intervals, strict=True)):
        explanations = classifier.explain_batch([record for record, _ in part], classes=[truth.code])
        for explanation, (_, intervals) in zip(explanations, part, strict=True):
            yield explanation[truth.code], explanation.record.sampling_rate, intervals


def simulated_truth(abbreviation: str, count: int, seed: int) -> Truth:
    """Return simulated records with one of `SIGNS`, in sinus rhythm where that is possible."""
    code = code_of(abbreviation)
    codes = (code, code_of("NSR")) if compatible([*conditions_of([code]), "NSR"]) else (code,)
    records, intervals = [], []
    for index in range(count):
        made = simulate_record(
            f"{abbreviation}{index}", codes, SIMULATED_HZ, SIMULATED_S, [seed, int(code), index]
        )
        records.append(record_from_signal(made.signal, SIMULATED_HZ, LEADS, made.name, codes))
        signs = SIGNS[abbreviation](made.events)
        intervals.append(tuple((start - TOLERANCE_S, end + TOLERANCE_S) for start, end in signs))
    return Truth(code, tuple(records), tuple(intervals))


def premature_truth(records: Sequence[Record], with_pause: bool = True) -> Truth:
    """Return the records that have a premature beat, and where each such beat begins and ends."""
    before, after = PREMATURE_S
    kept, intervals = [], []
    for record in records:
        if len(beats := premature_beats(agreed_beats(record), with_pause)):
            kept.append(record)
            intervals.append(tuple((float(beat - before), float(beat + after)) for beat in beats))
    return Truth(PREMATURE_CODES[0], tuple(kept), tuple(intervals))


def records_with(paths: Iterable[Path], codes: Collection[str]) -> list[Record]:
    """Read the records that are labelled with one of the codes."""
    return [read_record(path) for path in paths if not set(codes).isdisjoint(read_info(path).codes)]


def premature_beats(beats: np.ndarray, with_pause: bool = True) -> np.ndarray:
    """Return the early beats (R peaks, s); `with_pause`, only those that a pause follows.

    The record's last beat, and an early beat before another one, are found only without a pause.
    """
    gaps = np.diff(beats)
    around = PREMATURE_AROUND // 2
    medians = np.array([np.median(gaps[max(0, at - around) : at + around + 1]) for at in range(len(gaps))])
    early = gaps < PREMATURE_SHARE * medians
    paused = np.zeros(len(gaps), bool)
    paused[:-1] = gaps[1:] > medians[:-1]
    return beats[1:][early & paused if with_pause else early]


def agreed_beats(record: Record) -> np.ndarray:
    """Return the R peaks, s, that wfdb's XQRS finds on most of the independent leads.

    On one lead, and at low rates, XQRS takes tall T waves for beats, which then look premature. It misses beats
    near the record's ends, so the record is continued there.
    """
    fine = resampled(record, BEATS_HZ)
    margin = round(BEATS_MARGIN_S * BEATS_HZ)
    longer = replace(fine, signal=fine.signal[continue_signal(fine.signal, margin, BEATS_HZ)])
    found = np.concatenate([_beats_of_lead(longer, lead) for lead in INDEPENDENT]) - BEATS_MARGIN_S
    found = np.sort(found[(found >= 0) & (found < len(fine.signal) / BEATS_HZ)])
    groups = np.split(found, np.flatnonzero(np.diff(found) > AGREEMENT_S) + 1)
    return np.array([np.median(group) for group in groups if len(group) >= AGREEING_LEADS])


def _beats_of_lead(record: Record, lead: str) -> np.ndarray:
    from wfdb.processing import XQRS

    signal = np.nan_to_num(record.signal[:, LEADS.index(lead)].astype(np.float64))
    detector = XQRS(signal, record.sampling_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XQRS takes means over no beats where it finds none
        detector.detect(verbose=False)
    return np.asarray(detector.qrs_inds, np.float64) / record.sampling_rate


def _knows(classifier: "Classifier", code: str) -> bool:
    """Return whether the class of a code was among the classifier's training records."""
    pairs = zip(classifier.classes.outputs, classifier.description.seen, strict=True)
    return any(seen for codes, seen in pairs if code in codes)


def _events_of(kind: str) -> Callable[[Sequence[Event]], list[Interval]]:
    return lambda events: [(event.start_s, event.end_s) for event in events if event.kind == kind]


def _conduction(events: Sequence[Event]) -> list[Interval]:
    """Return the times from each P wave's start to the end of the QRS complex that follows."""
    complexes = _events_of("QRS")(events)
    starts = (start for start, _ in _events_of("P")(events))
    following = ((start, next((end for begin, end in complexes if begin >= start), None)) for start in starts)
    return [(start, end) for start, end in following if end is not None]


#: For each diagnosis with a local sign, by abbreviation: a function that returns the intervals that show it.
SIGNS: dict[str, Callable[[Sequence[Event]], list[Interval]]] = {
    "PAC": _events_of("PAC"),
    "PVC": _events_of("PVC"),
    "CRBBB": _events_of("QRS"),
    "LBBB": _events_of("QRS"),
    "QAb": _events_of("QRS"),
    "IAVB": _conduction,
    "LPR": _conduction,
    "TInv": _events_of("T"),
    "PR": _events_of("spike"),
}
