"""Choose the limits of the reading's degrees on validation records, and say how often a reading is true.

    python -m benchmarks.quality.reading MODEL VALIDATION_RECORDS --choose     # writes MODEL/reading.json
    python -m benchmarks.quality.reading MODEL RECORDS --likelihoods CSV

Records have PTB-XL's SCP-ECG statements as diagnoses beside the Challenge's codes. A statement counts as true
where one of its codes is among them. `--likelihoods` is a table of records and their statements with
likelihoods in percent, such as `NORM:100;SR:0`: it tells which infarctions are certain.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.common import Table, command_parser, start_classifier
from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.model.folder import fingerprint
from cnn_gap.predict.prediction import Prediction
from cnn_gap.reading.degrees import (
    DegreeLimits,
    choose_limits,
    choose_normal_limit,
    read_degree_limits,
    write_degree_limits,
)
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret, joint_probabilities
from cnn_gap.reading.reading import DEGREES, Reading
from cnn_gap.reading.rhythm import group_probability
from cnn_gap.reading.statements import StatementRule, statement_rules
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

#: Diagnoses that no record called normal should have.
NEVER_NORMAL = ("atrial_fibrillation", "pacing", "av_block_3", "lbbb", "rbbb")

#: Categories of PTB-XL's reports, and the categories of `statements.csv` that belong to them.
CATEGORIES = {
    "rhythm": ("rhythm", "rhythm_variation", "ectopy"),
    "conduction": ("av_conduction", "ventricular_conduction", "axis"),
    "hypertrophy": ("voltage",),
    "infarction": ("infarction",),
    "ST-T": ("repolarisation", "qt"),
    "normal": ("normal",),
}

#: Records that are classified at a time.
BATCH = 256


@dataclass(frozen=True, eq=False)
class Case:
    """A record with all that its reading needs."""

    record: Record
    prediction: Prediction
    evidence: Evidence

    def read(self, limits: DegreeLimits) -> Reading:
        """Return the reading with these limits."""
        if not self.prediction.answerable:
            return self.prediction.reading
        return interpret(self.prediction.classes, self.prediction.probabilities, self.evidence, limits)


def main(arguments: list[str]) -> None:
    """Choose limits, or print the tables."""
    parser = command_parser("benchmarks.quality.reading", __doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--choose", action="store_true", help="write MODEL/reading.json from these records")
    parser.add_argument("--likelihoods", type=Path, help="CSV with the columns record and statements")
    options = parser.parse_args(arguments)
    certain = frozenset() if options.likelihoods is None else certain_infarctions(options.likelihoods)
    cases = read_cases(options.model, options.data)
    if options.choose:
        write_degree_limits(options.model, fingerprint(options.model), choose_all_limits(cases))
    limits = read_degree_limits(options.model, fingerprint(options.model))
    readings = [case.read(limits) for case in cases]
    columns = ("in reports", *(f"{degree}, true" for degree in DEGREES), "found")
    print(Table("statement", columns, tuple(statement_rows(cases, readings))))
    print()
    print(Table("category", CATEGORY_HEADINGS, tuple(category_rows(cases, readings))))
    print()
    print(Table("figure", ("value",), tuple(summary_rows(cases, readings, certain))))


def certain_infarctions(path: Path) -> frozenset[str]:
    """Return the names of records in which the reports call an infarction certain."""
    with path.open(newline="", encoding="utf-8") as file:
        return frozenset(
            row["record"]
            for row in csv.DictReader(file)
            if any(each.endswith("MI:100") for each in row["statements"].split(";"))
        )


def read_cases(model: Path, data: Path) -> list[Case]:
    """Classify and measure every record of a folder."""
    classifier = start_classifier(model)
    paths = find_records(data)
    cases = []
    for first in tqdm(range(0, len(paths), BATCH), unit="batch", disable=None):
        records = [read_record(path) for path in paths[first : first + BATCH]]
        prepared = [classifier.prepare(record) for record in records]
        predictions = classifier.predict_prepared(prepared)
        evidence = [each.evidence for each in prepared]
        cases += list(map(Case, records, predictions, evidence))
    return cases


def choose_all_limits(cases: Sequence[Case]) -> DegreeLimits:
    """Return the limits of every statement that the network can say."""
    joint = [joint_probabilities(case.prediction.classes, case.prediction.probabilities) for case in cases]
    chosen: dict[str, tuple[float, float, float]] = {}
    for rule in statement_rules():
        if rule.key not in joint[0] or rule.key != rule.limit_key:
            continue
        alike = [each for each in statement_rules() if each.limit_key == rule.limit_key]
        counted = np.array([not _is_overruled(rule, case.evidence) for case in cases])
        probabilities = np.array([group_probability(rule, statement_rules(), each) for each in joint])
        truth = np.any([truth_of(each, cases) for each in alike], axis=0)
        chosen[rule.limit_key] = choose_limits(truth[counted], probabilities[counted])
    readings = [case.read(DegreeLimits(chosen)) for case in cases]
    clean = np.array([not _has_finding(reading) for reading in readings])
    normal = next(rule for rule in statement_rules() if rule.key == "normal")
    probabilities = np.array([each["normal"] for each in joint])
    limit = choose_normal_limit(truth_of(normal, cases)[clean], probabilities[clean])
    present, probable, _ = chosen["normal"]
    return DegreeLimits(chosen | {"normal": (present, probable, min(limit, probable))})


def truth_of(rule: StatementRule, cases: Sequence[Case]) -> np.ndarray:
    """Return whether the reports say a statement, bool of shape (records,)."""
    classes: ClassSet = cases[0].prediction.classes
    columns = [index for index, codes in enumerate(classes.outputs) if set(codes) & set(rule.outputs)]
    return np.array([classes.encode_taught(case.record.codes)[columns].any() for case in cases])


def statement_rows(cases: Sequence[Case], readings: Sequence[Reading]) -> Iterable[tuple[object, ...]]:
    """Yield for each statement how many of each degree are true, and the share of true ones that is found."""
    for rule in statement_rules():
        if not rule.outputs:
            continue
        truth = truth_of(rule, cases)
        given = {degree: _given(rule.key, readings, (degree,)) for degree in DEGREES}
        counts = [f"{(given[each] & truth).sum()}/{given[each].sum()}" for each in DEGREES]
        found = (_given(rule.key, readings, DEGREES) & truth).sum() / max(truth.sum(), 1)
        yield rule.name, int(truth.sum()), *counts, f"{found:.2f}"


CATEGORY_HEADINGS = (
    "in reports",
    *(
        f"{figure}, {by}"
        for by in ("reading", "network")
        for figure in ("precision", "recall", "F", "net benefit")
    ),
)


def category_rows(cases: Sequence[Case], readings: Sequence[Reading]) -> Iterable[tuple[object, ...]]:
    """Yield for each category how well the reading agrees with the reports, the network's labels beside it.

    The reading says what it calls present or probable. Statements are summed over a category. The net benefit
    is the number of true statements minus the number of false ones, in 100 records: it is positive if more
    statements are true than false (Vickers and Elkin 2006, doi:10.1177/0272989X06295361).
    """
    labels = np.array([case.prediction.labels for case in cases])
    outputs = cases[0].prediction.classes.outputs
    for name, categories in CATEGORIES.items():
        rules = [rule for rule in statement_rules() if rule.category in categories and rule.outputs]
        truth = np.array([truth_of(rule, cases) for rule in rules])
        read = np.array([_given(rule.key, readings, DEGREES[:2]) for rule in rules])
        if name == "normal":
            read = np.array([[each.conclusion == "normal" for each in readings]])
        columns = [[at for at, codes in enumerate(outputs) if set(codes) & set(rule.outputs)] for rule in rules]
        network = np.array([labels[:, each].any(axis=1) for each in columns])
        yield name, int(truth.sum()), *_agreement(truth, read), *_agreement(truth, network)


def _agreement(truth: np.ndarray, said: np.ndarray) -> tuple[str, ...]:
    true, all_said, all_true = (truth & said).sum(), said.sum(), truth.sum()
    benefit = 100 * (2 * true - all_said) / truth.shape[1]
    shares = true / max(all_said, 1), true / max(all_true, 1), 2 * true / max(all_said + all_true, 1)
    return (*(f"{share:.3f}" for share in shares), f"{benefit:.1f}")


def summary_rows(
    cases: Sequence[Case], readings: Sequence[Reading], certain: frozenset[str] = frozenset()
) -> Iterable[tuple[str, object]]:
    """Yield the figures of all statements together, and the figures of the conclusions."""
    for degree in DEGREES:
        true = total = 0
        for rule in statement_rules():
            if rule.outputs and not rule.key.startswith("sinus_bradycardia"):  # the rate alone decides these
                given = _given(rule.key, readings, (degree,))
                true, total = true + (given & truth_of(rule, cases)).sum(), total + given.sum()
        yield f"{degree}: true by the reports", f"{true}/{total} ({true / max(total, 1):.3f})"
    normal = next(rule for rule in statement_rules() if rule.key == "normal")
    truth, said = truth_of(normal, cases), np.array([each.conclusion == "normal" for each in readings])
    yield "called normal, normal by the reports", f"{(said & truth).sum() / max(said.sum(), 1):.3f}"
    yield "normal by the reports, called normal", f"{(said & truth).sum() / max(truth.sum(), 1):.3f}"
    for rule in statement_rules():
        if rule.key in NEVER_NORMAL:
            missed = int((said & truth_of(rule, cases)).sum())
            yield f"called normal with {rule.name.lower()} by the reports", missed
    if certain:
        missed = sum(case.record.name in certain and each for case, each in zip(cases, said, strict=True))
        yield "called normal with an infarction that the reports call certain", int(missed)
    yield from _premature_rows(cases, readings)
    yield from _elevation_rows(cases, readings)
    yield "contradictions", sum(contradictions(each) for each in readings)
    yield "records with an alert", sum(bool(each.alerts) for each in readings)


def _premature_rows(cases: Sequence[Case], readings: Sequence[Reading]) -> Iterable[tuple[str, object]]:
    """Yield how well premature beats, found by the network or by measurement, agree with the reports."""
    atrial, measured = "atrial_premature", "supraventricular_premature"
    truth = truth_of(next(rule for rule in statement_rules() if rule.key == atrial), cases)
    said = _given(atrial, readings, DEGREES) | _given(measured, readings, DEGREES)
    true, name = (said & truth).sum(), "premature atrial or supraventricular complexes"
    yield f"{name}: true by the reports", f"{true}/{said.sum()}"
    yield f"premature atrial complexes by the reports: {name} found", f"{true / max(truth.sum(), 1):.2f}"


def _elevation_rows(cases: Sequence[Case], readings: Sequence[Reading]) -> Iterable[tuple[str, object]]:
    """Yield the rows of measured ST elevation: the records with it, and the reports of those with its alert."""
    alerting = [
        case.record.codes
        for case, reading in zip(cases, readings, strict=True)
        if any(each.key == "st_elevation" and each.degree != "possible" for each in reading.statements)
    ]
    yield "with ST elevation", int(_given("st_elevation", readings, DEGREES).sum())
    yield "with ST elevation that nothing else may imitate", len(alerting)
    yield (
        "of these, infarction by the reports",
        sum(any(code.endswith("MI") for code in each) for each in alerting),
    )
    yield "of these, normal by the reports", sum("NORM" in each for each in alerting)


def contradictions(reading: Reading) -> int:
    """Return the number of contradictions: statements that exclude each other, "normal" beside a finding."""
    rules = {rule.key: rule for rule in statement_rules()}
    keys = [statement.key for statement in reading.statements]
    pairs = sum(other in rules[key].excluded_by for key in keys for other in keys)
    rhythms = sum(statement.category == "rhythm" for statement in reading.statements)
    return pairs + (rhythms > 1) + (reading.conclusion == "normal" and _has_finding(reading))


def _has_finding(reading: Reading) -> bool:
    return bool(reading.alerts) or any(statement.severity > 0 for statement in reading.statements)


def _is_overruled(rule: StatementRule, evidence: Evidence) -> bool:
    value = evidence.values.get(rule.measure)
    return value is not None and rule.role != "selects" and rule.outside_by(value) > rule.margin


def _given(key: str, readings: Sequence[Reading], degrees: Sequence[str]) -> np.ndarray:
    return np.array(
        [any(each.key == key and each.degree in degrees for each in reading.statements) for reading in readings]
    )


if __name__ == "__main__":
    run(main)
