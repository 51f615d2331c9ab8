"""The coefficients by which ventricular beats are told, fitted to annotated half hours.

Records of pacemakers and ventricular flutter are left out. The table has each record's figures, from its first
sample on, by coefficients that were fitted to the others.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import Table, start_classifier
from benchmarks.estimates import fit_logistic
from benchmarks.long.annotated import FLUTTER, PACED, Counts, annotated_records
from cnn_gap.holter.beat_labels import ventricular_signs
from cnn_gap.io.long_records import open_record
from cnn_gap.system.exit_codes import run


@dataclass(frozen=True)
class _Record:
    """A record's signs (beats, signs), which of its beats are ventricular, and how many were not found."""

    name: str
    signs: np.ndarray
    ventricular: np.ndarray
    lost: int


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the coefficients of all records."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long.coefficients", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("data", metavar="MITDB", type=Path, help="records with .atr files of cardiologists")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    records = []
    for record in annotated_records(options.data):
        if record.name in (*PACED, FLUTTER):
            continue
        monitoring = classifier.predict(open_record(record.path.with_suffix(".hea"))).monitoring
        assert monitoring is not None
        classes = record.matched(monitoring.measured.times_s)
        known = np.isin(classes, list("NSVO"))
        signs = ventricular_signs(monitoring.measured, monitoring.timeline)[known]
        lost = int((record.beats[1] == "V").sum() - (classes == "V").sum())
        records.append(_Record(record.name, signs, classes[known] == "V", lost))
    rows, gross = [], Counts()
    for record in records:
        constant, coefficients = _fit([other for other in records if other is not record])
        wide, true = constant + record.signs @ coefficients > 0, record.ventricular
        counts = Counts(
            int((wide & true).sum()), int((~wide & true).sum()) + record.lost, int((wide & ~true).sum())
        )
        gross += counts
        rows.append((record.name, counts.sensitivity, counts.predictive_value))
    rows.append(("gross", gross.sensitivity, gross.predictive_value))
    print(Table("record left out", ("V Se", "V +P"), tuple(rows)))
    constant, coefficients = _fit(records)
    print(f"\nconstant {constant:.2f}, coefficients {', '.join(f'{value:.2f}' for value in coefficients)}")
    return 0


def _fit(records: list[_Record]) -> tuple[float, np.ndarray]:
    """Return the constant and the coefficients of a logistic regression."""
    signs = np.concatenate([record.signs for record in records])
    return fit_logistic(signs, np.concatenate([record.ventricular for record in records]))


if __name__ == "__main__":
    run(main)
