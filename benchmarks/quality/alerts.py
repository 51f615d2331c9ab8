"""Say how often rates, atrial fibrillation and alerts are right on records with annotated beats and rhythms.

    python -m benchmarks.quality.alerts MODEL MITDB [--others LUDB CHALLENGE]

MITDB holds records of the MIT-BIH Arrhythmia Database with their annotations (`.atr`). They are cut into parts
of 10 s, each of which is read as a record of its own. Other folders hold records whose diagnoses tell whether
they have atrial fibrillation; a file `waves.json` there has the QRS complexes, and so the rate.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.common import Table, command_parser, start_classifier
from cnn_gap.io.long_records import read_whole
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import Reading, kind_of
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Length of a part, s.
PART_S = 10.0

#: Symbols of annotated beats and flutter waves, of those that come from a ventricle, of early ones that do not,
#: and of paced ones.
BEATS, VENTRICULAR = frozenset("NLRBAaJSVrFejnE/fQ!x"), frozenset("VE!")
SUPRAVENTRICULAR, PACED = frozenset("AaJS"), frozenset("/f")

#: Annotated rhythms: ventricular tachycardia and flutter, atrial fibrillation.
VENTRICULAR_RHYTHMS, FIBRILLATION = ("(VT", "(VFL"), "(AFIB"

#: Codes of atrial fibrillation.
FIBRILLATION_CODES = frozenset(("164889003", "AFIB"))

#: A rate is wrong if it differs from the annotated one by more than this share.
WRONG_RATE = 0.1

#: The kinds of the alerts of ventricular rhythms.
VENTRICULAR_ALERTS = frozenset(("large_waves", "wide_tachycardia", "ventricular_run"))


@dataclass(frozen=True, eq=False)
class Part:
    """A record, or a part of one, and its rhythm by the annotations.

    Attributes
    ----------
    record : Record
    beats_s : ndarray
        The times of annotated beats; NaN where none are annotated.
    fibrillation : bool or None
        None where a part has it for a part of its time.
    ventricular : bool
        Whether three or more ventricular beats follow each other at 100 a minute or more, or tachycardia or
        flutter is annotated.
    kinds : frozenset of str
        The symbols of the annotated beats.
    """

    record: Record
    beats_s: np.ndarray
    fibrillation: bool | None
    ventricular: bool = False
    kinds: frozenset[str] = frozenset()

    @property
    def rate(self) -> float | None:
        """The rate by the annotated beats, /min."""
        return 60 / float(np.diff(self.beats_s).mean()) if len(self.beats_s) > 2 else None

    @property
    def longest_rr_s(self) -> float:
        """The longest annotated RR interval, s."""
        return float(np.diff(self.beats_s).max(initial=0.0))


@dataclass(frozen=True, eq=False)
class Answered:
    """A part, its reading and its measurements."""

    part: Part
    reading: Reading
    evidence: Evidence

    @property
    def says_fibrillation(self) -> bool:
        """Whether the reading calls atrial fibrillation present or probable."""
        return any(
            each.key == "atrial_fibrillation" and each.degree != "possible" for each in self.reading.statements
        )

    def alerts(self, kinds: frozenset[str]) -> bool:
        """Tell whether an alert is of one of some kinds."""
        return not kinds.isdisjoint(map(kind_of, self.reading.alerts))


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = command_parser("benchmarks.quality.alerts", __doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("mitdb", type=Path)
    parser.add_argument("--others", type=Path, nargs="*", default=())
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)

    def answer(parts: Sequence[Part]) -> list[Answered]:
        read = read_all(classifier, [part.record for part in parts])
        return [Answered(part, *each) for part, each in zip(parts, read, strict=True)]

    annotated = [
        answered
        for path in tqdm(sorted(options.mitdb.glob("*.hea")), unit="record", disable=None)
        for answered in answer(annotated_parts(path))
    ]
    groups = {options.mitdb.name: annotated}
    groups |= {folder.name: answer(labelled_records(folder)) for folder in options.others}
    groups["simulated noise"] = answer(noise())
    print(Table("records", RATE_HEADINGS, tuple(rate_row(*group) for group in groups.items())))
    print()
    print(Table("alert", ALERT_HEADINGS, tuple(alert_rows(annotated))))
    print()
    print(Table("record", ("parts with it", "found", "false"), tuple(ventricular_rows(annotated))))


def read_all(classifier: "Classifier", records: Sequence[Record]) -> list[tuple[Reading, Evidence]]:
    """Return the reading and the measurements of each record."""
    prepared = [classifier.prepare(record) for record in records]
    predictions = classifier.predict_prepared(prepared)
    return [(each.reading, one.evidence) for each, one in zip(predictions, prepared, strict=True)]


def annotated_parts(path: Path) -> list[Part]:
    """Return the parts of a record of the MIT-BIH Arrhythmia Database."""
    import wfdb

    record = read_whole(path)
    about = wfdb.rdann(str(path.with_suffix("")), "atr")
    times, symbols = about.sample / record.sampling_rate, np.array(about.symbol)
    rhythms = [
        (time, note.strip("\x00"))
        for time, note, symbol in zip(times, about.aux_note, symbols, strict=True)
        if symbol == "+"
    ]
    count = int(record.duration_s / PART_S)
    return [_annotated_part(record, index * PART_S, times, symbols, rhythms) for index in range(count)]


def _annotated_part(
    record: Record, start_s: float, times: np.ndarray, symbols: np.ndarray, rhythms: list[tuple[float, str]]
) -> Part:
    end_s = start_s + PART_S
    first, last = (round(at * record.sampling_rate) for at in (start_s, end_s))
    part = replace(record, signal=record.signal[first:last], name=f"{record.name} {start_s:.0f} s")
    inside = (times >= start_s) & (times < end_s) & np.isin(symbols, list(BEATS))
    beats, kinds = times[inside] - start_s, symbols[inside]
    ends = [time for time, _ in rhythms[1:]] + [np.inf]
    lasts = {FIBRILLATION: 0.0} | dict.fromkeys(VENTRICULAR_RHYTHMS, 0.0)
    for (begin, rhythm), end in zip(rhythms, ends, strict=True):
        if rhythm in lasts:
            lasts[rhythm] += max(min(end, end_s) - max(begin, start_s), 0.0)
    share = lasts[FIBRILLATION] / PART_S
    fibrillation = None if 0.0 < share < 0.9 else share > 0
    flutter = any(lasts[rhythm] > 1.0 for rhythm in VENTRICULAR_RHYTHMS)
    return Part(part, beats, fibrillation, flutter or _has_run(beats, kinds), frozenset(kinds.tolist()))


def _has_run(beats: np.ndarray, kinds: np.ndarray) -> bool:
    """Return whether three ventricular beats follow each other at 100 a minute or more."""
    ventricular = np.isin(kinds, list(VENTRICULAR))
    runs = ventricular[2:] & ventricular[1:-1] & ventricular[:-2]
    return bool((runs & (beats[2:] - beats[:-2] <= 2 * 0.6)).any())


def labelled_records(folder: Path) -> list[Part]:
    """Return the records of a folder, with their beats where `waves.json` has them."""
    waves = folder / "waves.json"
    known = json.loads(waves.read_text(encoding="utf-8")) if waves.exists() else {}
    parts = []
    for path in find_records(folder):
        record = read_record(path)
        complexes = [
            peak / record.sampling_rate
            for kind, _, peak, _ in known.get(record.name, {}).get("ii", ())
            if kind == "N"
        ]
        parts.append(Part(record, np.array(complexes), bool(FIBRILLATION_CODES & set(record.codes))))
    return parts


def noise(count: int = 50) -> list[Part]:
    """Return records without a heart: flat lines, white noise, slow waves, and both."""
    generator = np.random.default_rng(0)
    white = generator.standard_normal((count, 1000, len(LEADS)))
    slow = np.cumsum(white, axis=1)
    slow -= slow.mean(axis=1, keepdims=True)
    kinds = {"flat": 0 * white, "white": 0.2 * white, "slow": 0.05 * slow, "mixed": 0.2 * white + 0.02 * slow}
    return [
        Part(Record(f"{kind} {index}", signal, LEADS, 100.0), np.empty(0), False)
        for kind, signals in kinds.items()
        for index, signal in enumerate(signals.astype(np.float32))
    ]


RATE_HEADINGS = (
    "number",
    "rate given",
    "median error, /min",
    "wrong by more than 10 %",
    "with AF",
    "AF found",
    "AF said, true",
)


def rate_row(name: str, answers: Sequence[Answered]) -> tuple[object, ...]:
    """Return how often a rate is given and right, and how often AF is found."""
    given = [
        each
        for each in answers
        if "rate" in each.evidence.values and each.reading.conclusion != "not interpretable"
    ]
    known = [(each.evidence.values["rate"], each.part.rate) for each in given if each.part.rate is not None]
    errors = np.array([abs(rate - true) for rate, true in known])
    wrong = sum(abs(rate - true) > WRONG_RATE * true for rate, true in known)
    judged = [each for each in answers if each.part.fibrillation is not None]
    truth = np.array([bool(each.part.fibrillation) for each in judged])
    said = np.array([each.says_fibrillation for each in judged])
    return (
        name,
        len(answers),
        f"{len(given) / len(answers):.3f}",
        f"{np.median(errors):.2f}" if len(errors) else "-",
        f"{wrong}/{len(known)}",
        int(truth.sum()),
        f"{(said & truth).sum() / max(truth.sum(), 1):.3f}",
        f"{(said & truth).sum()}/{said.sum()}",
    )


ALERT_HEADINGS = ("parts with it", "found", "said, true", "false an hour")

#: For each group of alerts: their kinds, and a function that tells from a part's annotations whether the part
#: should have the alert. The limits of rates and pauses are a little wider than the limits of the alerts, since
#: measured values have errors.
ALERTS: dict[str, tuple[frozenset[str], Callable[[Part], bool]]] = {
    "ventricular tachycardia or flutter": (VENTRICULAR_ALERTS, lambda part: part.ventricular),
    "rate below 40 or above 150": (
        frozenset(("slow", "fast")),
        lambda part: part.rate is not None and not 41 < part.rate < 148,
    ),
    "pause of 2.5 s": (frozenset(("pause",)), lambda part: part.longest_rr_s > 2.4),
}


def alert_rows(answers: Sequence[Answered]) -> Iterable[tuple[object, ...]]:
    """Yield for each kind of alert how often it is found, and how often it is false."""
    hours = len(answers) * PART_S / 3600
    for name, (kinds, is_true) in ALERTS.items():
        truth = np.array([is_true(each.part) for each in answers])
        said = np.array([each.alerts(kinds) for each in answers])
        false = int((said & ~truth).sum())
        yield (
            name,
            int(truth.sum()),
            int((said & truth).sum()),
            f"{(said & truth).sum()}/{said.sum()}",
            f"{false / hours:.2f}",
        )
    others = np.array([bool(each.reading.alerts) for each in answers])
    annotated = frozenset().union(*(kinds for kinds, _ in ALERTS.values()))
    rest = sum(not annotated.issuperset(map(kind_of, each.reading.alerts)) for each in answers)
    yield "other alerts, which are not annotated", "-", "-", str(rest), f"{rest / hours:.2f}"
    yield "any", "-", "-", str(int(others.sum())), f"{others.sum() / hours:.2f}"


def ventricular_rows(answers: Sequence[Answered]) -> Iterable[tuple[object, ...]]:
    """Yield for each record the parts with ventricular tachycardia, how many are found, and the false ones."""
    for name in dict.fromkeys(each.part.record.name.split()[0] for each in answers):
        parts = [each for each in answers if each.part.record.name.split()[0] == name]
        said = [each.alerts(VENTRICULAR_ALERTS) for each in parts]
        truth = [each.part.ventricular for each in parts]
        if any(said) or any(truth):
            found = sum(one and other for one, other in zip(said, truth, strict=True))
            yield name, sum(truth), found, sum(said) - found


if __name__ == "__main__":
    run(main)
