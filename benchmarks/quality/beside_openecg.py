"""Compare readings with OpenECG's structured reports (`pip install openecg onnxruntime`) on the same records.

    python -m benchmarks.quality.beside_openecg MODEL RECORDS MITDB --records 300

OpenECG (https://github.com/vitaldb/openecg, Apache-2.0) reports on one lead: it gets lead II, or the first one
of MITDB's records, at 500 Hz. The reading has all leads of the record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Table, command_parser, start_classifier
from benchmarks.quality.alerts import FIBRILLATION_CODES, WRONG_RATE, Part, annotated_parts, read_all
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import Reading
from cnn_gap.record import Record
from cnn_gap.signal.resampling import resample_by
from cnn_gap.system.exit_codes import run

#: The sampling rate of OpenECG's model, Hz.
OPENECG_HZ = 500

#: Codes of premature ventricular complexes, and of pacing.
PREMATURE_CODES, PACING_CODES = frozenset(("427172004", "PVC")), frozenset(("10370003", "PACE"))

HEADINGS = ("number", "reading: found", "reading: true", "OpenECG: found", "OpenECG: true")


@dataclass(frozen=True, eq=False)
class Both:
    """A record with its reading and OpenECG's report."""

    part: Part
    reading: Reading
    evidence: Evidence
    report: Any

    def says(self, key: str) -> bool:
        """Tell whether the reading calls a statement present or probable."""
        return any(each.key == key and each.degree != "possible" for each in self.reading.statements)


#: For each diagnosis: how the reading and how the report says it.
DIAGNOSES: dict[str, tuple[frozenset[str], str, Callable[[Any], bool]]] = {
    "atrial fibrillation": (
        FIBRILLATION_CODES,
        "atrial_fibrillation",
        lambda report: report.rhythm["label"] == "afib",
    ),
    "atrial fibrillation, by OpenECG's rule": (
        FIBRILLATION_CODES,
        "atrial_fibrillation",
        lambda report: report.afib_check["is_afib"],
    ),
    "premature ventricular complexes": (
        PREMATURE_CODES,
        "ventricular_premature",
        lambda report: report.beats["vpc_count"] > 0,
    ),
    "pacing": (PACING_CODES, "pacing", lambda report: report.pacing_check.get("is_paced", False)),
}


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = command_parser("benchmarks.quality.beside_openecg", __doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("mitdb", type=Path)
    parser.add_argument("--records", type=int, default=300, help="of each folder, spread evenly")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)

    def both(parts: Sequence[Part]) -> list[Both]:
        read = read_all(classifier, [part.record for part in parts])
        return [Both(part, *each, openecg_report(part.record)) for part, each in zip(parts, read, strict=True)]

    paths = spread(find_records(options.data), options.records)
    labelled = both([Part(read_record(path), np.empty(0), None) for path in paths])
    rows = [diagnosis_row(name, labelled) for name in DIAGNOSES]
    print(Table(f"{len(labelled)} records of {options.data.name}", HEADINGS, tuple(rows)))
    print()
    parts = [part for path in sorted(options.mitdb.glob("*.hea")) for part in annotated_parts(path)]
    annotated = both(spread(parts, options.records))
    print(
        Table(
            f"{len(annotated)} parts of {options.mitdb.name}",
            ("reading", "OpenECG"),
            tuple(rate_rows(annotated)),
        )
    )


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """Return at most `count` of the items, spread evenly."""
    return [items[at] for at in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]


def openecg_report(record: Record) -> Any:
    """Return OpenECG's report on lead II, or on the first lead that there is."""
    import openecg

    lead = 1 if record.leads[1] else int(np.flatnonzero(record.leads)[0])
    ratio = Fraction(OPENECG_HZ) / Fraction(record.sampling_rate).limit_denominator(1000)
    signal = resample_by(np.nan_to_num(record.signal[:, lead : lead + 1]).astype(np.float64), ratio)
    return openecg.report(signal[:, 0], fs=OPENECG_HZ)


def diagnosis_row(name: str, cases: Sequence[Both]) -> tuple[object, ...]:
    """Return how often both find a diagnosis, and how many of their answers are true."""
    codes, key, reported = DIAGNOSES[name]
    truth = np.array([bool(codes & set(case.part.record.codes)) for case in cases])
    shares: list[str] = []
    for said in ([case.says(key) for case in cases], [reported(case.report) for case in cases]):
        true = int((np.array(said) & truth).sum())
        shares += [f"{true}/{truth.sum()}", f"{true}/{sum(said)}"]
    return name, int(truth.sum()), *shares


def rate_rows(cases: Sequence[Both]) -> list[tuple[object, ...]]:
    """Return how often both give a rate, and how often it is wrong, by the annotated beats."""
    known = [case for case in cases if case.part.rate is not None]
    columns: list[tuple[str, str, str]] = []
    for rates in (
        [case.evidence.values.get("rate") for case in known],
        [
            case.report.heart_rate["rr_mean_ms"] and 60000 / case.report.heart_rate["rr_mean_ms"]
            for case in known
        ],
    ):
        errors = [
            abs(rate - case.part.rate) / case.part.rate
            for rate, case in zip(rates, known, strict=True)
            if rate and case.part.rate
        ]
        wrong = sum(error > WRONG_RATE for error in errors)
        columns.append(
            (f"{len(errors)}/{len(known)}", f"{wrong}/{len(errors)}", f"{100 * np.median(errors):.2f} %")
        )
    names = ("rate given", f"wrong by more than {WRONG_RATE:.0%}", "median error")
    return [(name, *values) for name, values in zip(names, zip(*columns, strict=True), strict=True)]


if __name__ == "__main__":
    run(main)
