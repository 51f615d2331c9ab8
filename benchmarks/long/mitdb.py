"""Beats, episodes and burden of annotated half hours by the rules of ANSI/AAMI EC57."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Table, start_classifier
from benchmarks.long.annotated import (
    FLUTTER,
    LEARNING_S,
    PACED,
    Annotated,
    Counts,
    Span,
    annotated_records,
    episode_counts,
    joined,
)
from cnn_gap.holter.beat_labels import NORMAL, LabelledBeats
from cnn_gap.holter.episodes import rates_of
from cnn_gap.io.long_records import open_record
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.holter.monitoring import Monitoring

_RATES = ("Se", "+P")

#: Diagnoses of whole records: name, the outputs that answer it, and whether a record is annotated with it.
_DIAGNOSES: tuple[tuple[str, tuple[str, ...], Callable[[Annotated], bool]], ...] = (
    (
        "AF or flutter for 30 s",
        ("AF", "AFL"),
        lambda record: bool(_lasting(record.rhythm("(AFIB", "(AFL"), 30.0)),
    ),
    ("pacing", ("PR",), lambda record: bool(record.rhythm("(P"))),
    ("a ventricular premature beat", ("PVC",), lambda record: "V" in record.beats[1]),
    ("a supraventricular premature beat", ("PAC",), lambda record: "S" in record.beats[1]),
)


def main(arguments: list[str] | None = None) -> int:
    """Print a table of each kind of figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long.mitdb", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("data", metavar="MITDB", type=Path, help="records with .atr files of cardiologists")
    parser.add_argument(
        "--whole", action="store_true", help="count from the first sample on (EC57: from 5 minutes on)"
    )
    parser.add_argument(
        "--shortest", type=float, default=0.0, metavar="S", help="leave out fibrillation and flutter of less, s"
    )
    options = parser.parse_args(arguments)
    records = annotated_records(options.data)
    classifier = start_classifier(options.model)
    found, answers = {}, {}
    for record in records:
        prediction = classifier.predict(open_record(record.path.with_suffix(".hea")))
        assert prediction.monitoring is not None
        found[record.name], answers[record.name] = prediction.monitoring, prediction.labels
    first_s = 0.0 if options.whole else LEARNING_S
    for table in tables(records, found, first_s, options.shortest):
        print(f"{table}\n")
    print(_answers(records, found, answers, classifier.description.lowest_probabilities))
    return 0


def tables(
    records: list[Annotated], found: "dict[str, Monitoring]", first_s: float, shortest_s: float
) -> Iterator[Table]:
    """Yield the tables of figures."""
    yield _beats(records, found, first_s)
    yield _episodes(records, found, shortest_s)
    yield _burden(records, found)
    yield _heart_rates(records, found)


def _beats(records: list[Annotated], found: "dict[str, Monitoring]", first_s: float) -> Table:
    rows, gross = [], {name: Counts() for name in ("QRS", "V", "S")}
    for record in records:
        beats = found[record.name].beats
        counts = {"QRS": record.score(beats.times_s, first_s)}
        for name, symbol in (("V", "V"), ("S", "A")):
            which = beats.symbols == symbol
            counts[name] = record.score_class(beats.times_s, which, name, first_s)
        for name, count in counts.items():
            left_out = record.name in PACED or (record.name == FLUTTER and name == "V")
            if name == "QRS" or not left_out:
                gross[name] += count
        rows.append((record.name, *_cells(counts)))
    about = f"gross (V, S without {', '.join(PACED)}; V without {FLUTTER})"
    rows.append((about, *_cells(gross)))
    headings = [f"{name} {rate}" for name in gross for rate in _RATES]
    return Table("record", tuple(headings), tuple(rows))


def _cells(counts: dict[str, Counts]) -> Iterator[float]:
    for count in counts.values():
        yield from (count.sensitivity, count.predictive_value)


def _spans(monitoring: "Monitoring", *names: str) -> list[Span]:
    spans = [(e.start_s, e.end_s) for e in monitoring.episodes if e.diagnosis.abbreviation in names]
    return joined(spans)


def _lasting(spans: list[Span], shortest_s: float) -> list[Span]:
    return [(start, end) for start, end in spans if end - start >= shortest_s]


def _episodes(records: list[Annotated], found: "dict[str, Monitoring]", shortest_s: float) -> Table:
    """Return how many episodes of fibrillation or flutter, and of ventricular runs, were found."""
    rows = []
    for name, true, abbreviations in (
        ("AF or flutter", lambda record: record.rhythm("(AFIB", "(AFL"), ("AF", "AFL")),
        ("runs of three and more V", lambda record: record.runs(), ("VTach", "AIVR", "IR")),
    ):
        episodes, time = Counts(), Counts()
        for record in records:
            if name != "AF or flutter" and record.name in (*PACED, FLUTTER):
                continue
            spans = true(record), _spans(found[record.name], *abbreviations)
            if name == "AF or flutter":
                spans = _lasting(spans[0], shortest_s), _lasting(spans[1], shortest_s)
            one, other = episode_counts(*spans)
            episodes, time = episodes + one, time + other
        rates = [rate for each in (episodes, time) for rate in (each.sensitivity, each.predictive_value)]
        rows.append((name, episodes.found + episodes.missed, *rates))
    headings = ("episodes", "episode Se", "episode +P", "duration Se", "duration +P")
    return Table("kind", headings, tuple(rows))


def _answers(
    records: list[Annotated],
    found: "dict[str, Monitoring]",
    answers: dict[str, np.ndarray],
    lowest: np.ndarray,
) -> Table:
    """Return how often an answer of the whole record is true: the model's, and by the mean over its windows."""
    kinds = [found[each.name] for each in records]
    labels = [answers[each.name] for each in records]
    rows = [
        answer_row(name, outputs, np.array([there(each) for each in records]), kinds, labels, lowest)
        for name, outputs, there in _DIAGNOSES
    ]
    headings = ("records with it", "found by mean", "false by mean", "found", "false")
    return Table("answer of the record", headings, tuple(rows))


def answer_row(
    name: str,
    outputs: tuple[str, ...],
    true: np.ndarray,
    found: "Sequence[Monitoring]",
    answers: Sequence[np.ndarray],
    lowest: np.ndarray,
) -> tuple[object, ...]:
    """Return how many records have a diagnosis, and how many answers of it are true and false.

    Parameters
    ----------
    name : str
    outputs : tuple of str
        Of which one answers it.
    true : ndarray, shape (records,), bool
        Whether the records have it.
    found, answers : sequence
        Of each record what was found, and which classes are answered.
    lowest : ndarray, shape (classes,)
        The lowest probabilities that are answered, for the answers by the mean over windows.
    """
    columns = found[0].timeline.columns(*outputs)
    by_mean = np.array([(each.timeline.probabilities.mean(axis=0) >= lowest)[columns].any() for each in found])
    own = np.array([each[columns].any() for each in answers])
    counts = [
        int(count) for labels in (by_mean, own) for count in ((labels & true).sum(), (labels & ~true).sum())
    ]
    return name, int(true.sum()), *counts


def _burden(records: list[Annotated], found: "dict[str, Monitoring]") -> Table:
    rows, errors = [], []
    for record in records:
        true = sum(end - start for start, end in record.rhythm("(AFIB", "(AFL")) / record.duration_s
        summary = found[record.name].summary
        measured = summary.burden_of("AF") + summary.burden_of("AFL")
        errors.append(abs(measured - true))
        if true or measured:
            rows.append((record.name, true, measured))
    rows += [("mean error of all records", np.nan, float(np.mean(errors)))]
    rows += [("largest error", np.nan, float(np.max(errors)))]
    return Table("share of time in AF or flutter", ("annotated", "measured"), tuple(rows))


def _heart_rates(records: list[Annotated], found: "dict[str, Monitoring]") -> Table:
    """Return the heart rates of each record, by its annotated beats and by the beats that were found."""
    rows = []
    for record in records:
        summary = found[record.name].summary
        measured = summary.rate_lowest, summary.rate_mean, summary.rate_highest
        pairs = zip(rates_of(annotated_beats(record)), measured, strict=True)
        rows.append((record.name, *(rate for pair in pairs for rate in pair)))
    values = np.array([row[1:] for row in rows], float)
    errors = np.abs(values[:, 1::2] - values[:, ::2]).mean(axis=0)
    rows.append(("mean error", *(each for error in errors for each in (np.nan, float(error)))))
    headings = [f"{name}, {by}" for name in ("lowest", "mean", "highest") for by in ("annotated", "found")]
    return Table("heart rate, /min", tuple(headings), tuple(rows))


def annotated_beats(record: Annotated) -> LabelledBeats:
    """Return the annotated beats; RR intervals that overlap with ventricular flutter do not count."""
    times_s, _ = record.beats
    before = np.append(-np.inf, times_s[:-1])
    flutter = [(start <= times_s) & (before <= end) for start, end in record.flutter]
    known = ~np.any([np.arange(len(times_s)) == 0, *flutter], axis=0)
    return LabelledBeats(times_s, np.full(len(times_s), NORMAL), np.ones(len(times_s)), known)


if __name__ == "__main__":
    run(main)
