"""Episodes, runs, pauses, premature beats and answers of simulated half hours with known truth."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.common import Table, start_classifier
from benchmarks.long.annotated import Counts, Span, episode_counts
from benchmarks.long.mitdb import answer_row
from cnn_gap.holter.episodes import stretches
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import PAUSE_S
from cnn_gap.io.annotations import Event
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing
from cnn_gap.system.exit_codes import run

SINUS, FIBRILLATION, FLUTTER = ("426783006",), ("164889003",), ("164890007",)
VENTRICULAR, ATRIAL = ("426783006", "427172004"), ("426783006", "284470004")

#: The parts of each kind of half hour.
PLANS = {
    "sinus rhythm": [Part(SINUS, 1800)],
    "fibrillation": [
        Part(SINUS, 600),
        Part(FIBRILLATION, 180),
        Part(SINUS, 300),
        Part(FIBRILLATION, 60),
        Part(SINUS, 660),
    ],
    "flutter": [Part(SINUS, 900), Part(FLUTTER, 120), Part(SINUS, 780)],
    "runs": [Part(SINUS, 300, run=beats) for beats in (3, 4, 5, 6, 8, 12)],
    "pauses": [Part(SINUS, 300, pause_s=seconds) for seconds in (2.6, 2.8, 3.0, 3.5, 4.0, 6.0)],
    "artefacts": [Part(SINUS, 400), Part(SINUS, 60, artefact=True), Part(SINUS, 940), Part(FIBRILLATION, 400)],
    "premature beats": [Part(codes, 100) for codes in (SINUS, VENTRICULAR, ATRIAL) * 6],
}

#: Sampling rate, Hz, and the largest distance, s, between a true beat or pause and the one that was found.
RATE, NEAR_S = 250.0, 0.15

#: The longest RR interval of the simulated rhythms, s.
RR_S = 1.5

#: The two-lead recordings are of these leads.
TWO_LEADS = ("II", "V1")


@dataclass(frozen=True)
class Case:
    """A simulated half hour: the kind of rhythm, its true events, and the model's prediction."""

    plan: str
    events: tuple[Event, ...]
    prediction: Prediction

    @property
    def monitoring(self) -> Monitoring:
        """The beats and episodes that were found."""
        assert self.prediction.monitoring is not None
        return self.prediction.monitoring

    @property
    def hours(self) -> float:
        """Its length, h."""
        return self.monitoring.timeline.duration_s / 3600

    @cached_property
    def beats(self) -> np.ndarray:
        """The middles of the true QRS complexes, s."""
        return np.array([(e.start_s + e.end_s) / 2 for e in self.events if e.kind == "QRS"])

    def premature(self, kind: str) -> np.ndarray:
        """Return which true beats are premature ones of a kind, "PVC" or "PAC"."""
        spans = self.spans(kind)
        return np.array([any(start <= at <= end for start, end in spans) for at in self.beats])

    def spans(self, *kinds: str) -> list[Span]:
        """Return the true spans of events."""
        return [(each.start_s, each.end_s) for each in self.events if each.kind in kinds]

    def episodes(self, *abbreviations: str) -> list[Span]:
        """Return the spans of the episodes found that count."""
        own = (each for each in self.monitoring.episodes if each.counts)
        return [(each.start_s, each.end_s) for each in own if each.diagnosis.abbreviation in abbreviations]


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long.simulated", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument(
        "--seeds", metavar="N", type=int, default=3, help="half hours of each kind (%(default)s)"
    )
    parser.add_argument("--two-leads", action="store_true", help=f"with {' and '.join(TWO_LEADS)} alone")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    present = np.isin(LEADS, TWO_LEADS) if options.two_leads else np.ones(len(LEADS), bool)
    cases = []
    for plan, parts in PLANS.items():
        for seed in range(1, options.seeds + 1):
            simulated = simulate_changing(plan, parts, RATE, seed)
            signal = np.where(present, simulated.signal, np.nan).astype(np.float32)
            cases.append(Case(plan, simulated.events, classifier.predict(Record(plan, signal, present, RATE))))
    for table in tables(cases, classifier.description.lowest_probabilities):
        print(f"{table}\n")
    return 0


def tables(cases: Sequence[Case], lowest: np.ndarray) -> Iterator[Table]:
    """Yield the tables of some half hours; `lowest` are the lowest probabilities that are answered."""
    yield _episodes(cases)
    yield _beats(cases)
    yield _artefacts(cases)
    found = [case.monitoring for case in cases]
    answers = [case.prediction.labels for case in cases]
    rows = [
        answer_row(name, (name,), np.array([bool(case.spans(name)) for case in cases]), found, answers, lowest)
        for name in ("AF", "AFL", "PVC", "PAC")
    ]
    headings = ("half hours with it", "found by mean", "false by mean", "found", "false")
    yield Table(f"answer of the half hour, of {len(cases)}", headings, tuple(rows))


def _episodes(cases: Sequence[Case]) -> Table:
    rows = []
    hours = sum(case.hours for case in cases)
    for name in ("AF", "AFL"):
        counts, errors, burdens = Counts(), [], []
        for case in cases:
            true, found = case.spans(name), case.episodes(name)
            counts += episode_counts(true, found)[0]
            errors += [error for span in true for error in _errors(span, found)]
            share = sum(end - start for start, end in true) / (3600 * case.hours)
            burdens.append(abs(case.monitoring.summary.burden_of(name) - share))
        ends = (float(np.mean(errors)), float(np.max(errors))) if errors else (np.nan, np.nan)
        total = counts.found + counts.missed
        rows.append((name, total, counts.found, counts.false / hours, *ends, np.mean(burdens), max(burdens)))
    headings = (
        "episodes",
        "found",
        "false an hour",
        "error of an end, s",
        "largest",
        "error of burden",
        "largest",
    )
    return Table("episodes of at least 30 s", headings, tuple(rows))


def _errors(true: Span, found: list[Span]) -> list[float]:
    """Return the errors of start and end, s, of the first episode found that overlaps with the true one."""
    own = [span for span in found if span[0] < true[1] and span[1] > true[0]]
    return [abs(own[0][0] - true[0]), abs(own[-1][1] - true[1])] if own else []


def _beats(cases: Sequence[Case]) -> Table:
    """Return how many beats, premature beats, runs and pauses were found."""
    counts = dict.fromkeys(("beats", "PVC", "PAC", "runs of PVC", "pauses"), Counts())
    for case in cases:
        beats = case.monitoring.beats
        hidden = case.spans("artefact")
        counts["beats"] += _matched(case.beats, _outside(beats.times_s, hidden))
        for kind, symbol in (("PVC", "V"), ("PAC", "A")):
            counts[kind] += _matched(case.beats[case.premature(kind)], beats.times_s[beats.symbols == symbol])
        runs = [
            (case.beats[first], case.beats[last - 1])
            for first, last in stretches(case.premature("PVC"))
            if last - first > 2
        ]
        counts["runs of PVC"] += episode_counts(runs, case.episodes("VTach", "AIVR", "IR"))[0]
        intervals = np.nan_to_num(beats.intervals_s)
        true = _outside(case.beats[1:][np.diff(case.beats) >= PAUSE_S], hidden, 2 * RR_S)
        counts["pauses"] += _matched(true, beats.times_s[intervals >= PAUSE_S])
    hours = sum(case.hours for case in cases)
    rows = [
        (name, count.found + count.missed, count.sensitivity, count.predictive_value, count.false / hours)
        for name, count in counts.items()
    ]
    return Table("what", ("true", "Se", "+P", "false an hour"), tuple(rows))


def _outside(times: np.ndarray, spans: list[Span], margin_s: float = 0.0) -> np.ndarray:
    """Return the times that are in none of the spans."""
    inside = [(times >= start - margin_s) & (times <= end + margin_s) for start, end in spans]
    return times[~np.any([np.zeros(len(times), bool), *inside], axis=0)]


def _matched(true: np.ndarray, found: np.ndarray) -> Counts:
    """Return the counts of times that are found within `NEAR_S`."""
    hit = sum(bool((np.abs(found - at) <= NEAR_S).any()) for at in true)
    right = sum(bool((np.abs(true - at) <= NEAR_S).any()) for at in found)
    return Counts(hit, len(true) - hit, len(found) - right)


def _artefacts(cases: Sequence[Case]) -> Table:
    """Return the share that was analysed of the time with artefacts, and of the time without."""
    rows = []
    for name, hidden in (("artefact", True), ("heartbeats", False)):
        analysed = total = 0.0
        for case in cases:
            at = np.arange(0.5, 3600 * case.hours)
            inside = np.isin(at, _outside(at, case.spans("artefact")), invert=True)
            timeline = case.monitoring.timeline
            usable = timeline.usable[np.searchsorted(timeline.bounds_s, at) - 1]
            total += (inside == hidden).sum()
            analysed += (usable & (inside == hidden)).sum()
        rows.append((name, total, analysed / total if total else np.nan))
    return Table("time", ("s", "share analysed"), tuple(rows))


if __name__ == "__main__":
    run(main)
