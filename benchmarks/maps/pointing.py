"""Do activation maps point at the beats and waves that show a diagnosis?"""

import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import BATCH, resampled
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.annotations import Event
from cnn_gap.io.records import read_info, read_record
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.continuation import continue_signal
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.heart_conditions import code_of, compatible, conditions_of

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: From `start` to `end`, s from the record's start.
Interval = tuple[float, float]

#: How far beside a wave of known extent a map may still point, s.
TOLERANCE_S = 0.1

#: What the simulator makes, Hz and s: as most recorders do.
SIMULATED_HZ, SIMULATED_S = 500.0, 10.0

#: The codes of premature atrial beats.
PREMATURE_CODES = ("284470004", "63593006")

#: A premature beat comes after less than this share of the median of so many RR intervals around.
PREMATURE_SHARE, PREMATURE_AROUND = 0.8, 9

#: What a premature beat takes before and after its R peak, s: its P wave and its T wave.
PREMATURE_S = (0.3, 0.45)

#: The leads that do not follow from others.
INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

#: A beat is one if so many independent leads have it, each within so many seconds of the next.
AGREEING_LEADS, AGREEMENT_S = 5, 0.08

#: They are looked for at this sampling rate, Hz, in the record and so many seconds of its continuation.
BEATS_HZ, BEATS_MARGIN_S = 400.0, 1.0


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
    """Records with a diagnosis (one of its codes) and the intervals that show it, one tuple a record."""

    code: str
    records: tuple[Record, ...]
    intervals: tuple[tuple[Interval, ...], ...]


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
    """Return how a map, (samples,) at `sampling_rate` (Hz), lies to the intervals.

    Whether the maximum is inside is the pointing game of Zhang et al. 2018, "Top-down neural attention by
    excitation backprop".
    """
    inside = covered(len(activation), sampling_rate, intervals)
    share = share_inside(activation, inside)
    return Pointing(bool(inside[activation.argmax()]), share, float(inside.mean()), answered)


def pointings(classifier: "Classifier", truth: Truth) -> list[Pointing]:
    """Return how the maps of a diagnosis lie in each of its records."""
    results = []
    for start in range(0, len(truth.records), BATCH):
        part = slice(start, start + BATCH)
        explanations = classifier.explain_batch(truth.records[part], classes=[truth.code])
        for explanation, intervals in zip(explanations, truth.intervals[part], strict=True):
            found, rate = explanation[truth.code], explanation.record.sampling_rate
            results.append(point(found.activation, rate, intervals, found.label))
    return results


def simulated_truth(abbreviation: str, count: int, seed: int) -> Truth:
    """Return simulated records with one of `SIGNS`, in sinus rhythm where that is possible."""
    code = code_of(abbreviation)
    codes = (code, code_of("NSR")) if compatible([*conditions_of([code]), "NSR"]) else (code,)
    records, intervals = [], []
    for index in range(count):
        seeds = [seed, int(code), index]
        simulated = simulate_record(f"{abbreviation}{index}", codes, SIMULATED_HZ, SIMULATED_S, seeds)
        record = record_from_signal(simulated.signal, SIMULATED_HZ, LEADS, simulated.name, codes)
        records.append(record)
        intervals.append(_widened(SIGNS[abbreviation](simulated.events)))
    return Truth(code, tuple(records), tuple(intervals))


def premature_truth(
    records: Sequence[Record],
    find_beats: Callable[[Record], np.ndarray],
    with_pause: bool = True,
    tolerance_s: float = 0.0,
) -> Truth:
    """Return those of the records in which a premature beat is found, with what such beats take."""
    before, after = (length + tolerance_s for length in PREMATURE_S)
    kept, intervals = [], []
    for record in records:
        if len(beats := premature_beats(find_beats(record), with_pause)):
            kept.append(record)
            intervals.append(tuple((float(beat - before), float(beat + after)) for beat in beats))
    return Truth(PREMATURE_CODES[0], tuple(kept), tuple(intervals))


def records_with(paths: Iterable[Path], codes: Collection[str], limit: int | None = None) -> list[Record]:
    """Return the first `limit` records labelled with one of the codes, all of them where it is None."""
    labelled = [path for path in paths if not set(codes).isdisjoint(read_info(path).codes)]
    return [read_record(path) for path in labelled[:limit]]


def premature_beats(beats: np.ndarray, with_pause: bool = True) -> np.ndarray:
    """Return those of the beats (R peaks, s) that come early and, `with_pause`, are followed by a pause.

    No pause follows the record's last beat, nor an early beat before another: these are found without it.
    """
    gaps = np.diff(beats)
    around = PREMATURE_AROUND // 2
    medians = np.array([np.median(gaps[max(0, at - around) : at + around + 1]) for at in range(len(gaps))])
    early = gaps < PREMATURE_SHARE * medians
    paused = np.zeros(len(gaps), bool)
    paused[:-1] = gaps[1:] > medians[:-1]
    return beats[1:][early & paused if with_pause else early]


def beats_of_lead_two(record: Record) -> np.ndarray:
    """Return the R peaks, s, that wfdb's XQRS finds on lead II."""
    return _beats_of_lead(record, "II")


def agreed_beats(record: Record) -> np.ndarray:
    """Return the R peaks, s, that XQRS finds on most of the independent leads, whatever the record's rate.

    On one lead, and at low rates, it takes tall T waves for beats now and then, which then look premature; what
    is near the record's ends it misses, so that the record goes on there for a while.
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
        warnings.simplefilter("ignore")  # of means over no beats, where it finds none
        detector.detect(verbose=False)
    return np.asarray(detector.qrs_inds, np.float64) / record.sampling_rate


def _widened(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    return tuple((start - TOLERANCE_S, end + TOLERANCE_S) for start, end in intervals)


def _events_of(kind: str) -> Callable[[Sequence[Event]], list[Interval]]:
    return lambda events: [(event.start_s, event.end_s) for event in events if event.kind == kind]


def _conduction(events: Sequence[Event]) -> list[Interval]:
    """Return the times from each P wave's start to the end of the QRS complex that follows."""
    complexes = _events_of("QRS")(events)
    starts = (start for start, _ in _events_of("P")(events))
    following = ((start, next((end for begin, end in complexes if begin >= start), None)) for start in starts)
    return [(start, end) for start, end in following if end is not None]


#: Where each diagnosis with a local sign shows, by its abbreviation.
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

#: The codes of these diagnoses.
LOCAL_CODES = tuple(code_of(name) for name in SIGNS)
