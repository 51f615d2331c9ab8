"""The coefficients by which ventricular beats are recognised, fitted to annotated half hours.

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
from cnn_gap.holter.beat_labels import mean_of_shape, ventricular_signs
from cnn_gap.io.long_records import open_record
from cnn_gap.system.exit_codes import run


@dataclass(frozen=True)
class _Record:
    """A record's beats: signs (beats, signs), shapes, AAMI classes, and how many ventricular beats are lost."""

    name: str
    signs: np.ndarray
    shapes: np.ndarray
    classes: np.ndarray
    lost: int

    @property
    def known(self) -> np.ndarray:
        """The beats that count, bool: all but fusion and unknown beats."""
        return np.isin(self.classes, list("NSVO"))

    def score(self, constant: float, coefficients: np.ndarray) -> Counts:
        """Return the counts of ventricular beats by coefficients of the signs."""
        logits = mean_of_shape(constant + self.signs @ coefficients, self.shapes)
        wide, true = (logits > 0)[self.known], self.classes[self.known] == "V"
        missed = int((~wide & true).sum()) + self.lost
        return Counts(int((wide & true).sum()), missed, int((wide & ~true).sum()))


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
        measured = monitoring.measured
        classes = record.matched(measured.times_s)
        lost = int((record.beats[1] == "V").sum() - (classes == "V").sum())
        signs = ventricular_signs(measured, monitoring.timeline)
        records.append(_Record(record.name, signs, measured.shapes, classes, lost))
    rows, gross = [], Counts()
    for record in records:
        counts = record.score(*_fit([other for other in records if other is not record]))
        gross += counts
        rows.append((record.name, counts.sensitivity, counts.predictive_value))
    rows.append(("gross", gross.sensitivity, gross.predictive_value))
    print(Table("record left out", ("V Se", "V +P"), tuple(rows)))
    constant, coefficients = _fit(records)
    print(f"\nconstant {constant:.2f}, coefficients {', '.join(f'{value:.2f}' for value in coefficients)}")
    return 0


def _fit(records: list[_Record]) -> tuple[float, np.ndarray]:
    """Return the constant and the coefficients of a logistic regression."""
    signs = np.concatenate([record.signs[record.known] for record in records])
    true = np.concatenate([record.classes[record.known] == "V" for record in records])
    return fit_logistic(signs, true)


if __name__ == "__main__":
    run(main)
