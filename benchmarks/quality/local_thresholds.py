"""What a few labelled records of one's own are worth for a model's answers, without training.

Thresholds and probabilities are adapted to some records, drawn at random, as `--thresholds-only` does, and
scored on all others. The calibration error is the mean of the classes that occur. 164884008 counts as PVC.
"""

import argparse

import numpy as np

from benchmarks.common import Classified, classify_labelled, model_parser, record_paths, start_classifier, table
from benchmarks.quality.calibration import calibration_error
from benchmarks.quality.premature_ventricular import with_pvc
from cnn_gap.evaluate.calibration import calibrate, fit_calibration
from cnn_gap.evaluate.metrics import challenge_metric
from cnn_gap.evaluate.thresholds import adapted_thresholds, apply_thresholds
from cnn_gap.system.exit_codes import run


def main(arguments: list[str]) -> None:
    """Classify the records once, adapt and score, and print a row for each number of records."""
    parser = model_parser("quality.local_thresholds", __doc__)
    parser.add_argument("--exclude", metavar="LETTERS", help="records whose names begin so are left out")
    parser.add_argument(
        "--counts", metavar="N", type=int, nargs="+", default=[25, 50, 100], help="records to adapt to"
    )
    parser.add_argument("--rounds", metavar="N", type=int, default=20, help="draws (default: %(default)s)")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    records = classify_labelled(classifier, options.data, options.limit)
    records = with_pvc(records, record_paths(options.data, options.limit))
    if options.exclude:
        records = records[np.array([not name.startswith(options.exclude) for name in records.names])]
    own = classifier.description.lowest_probabilities[: len(records.classes)]
    print(f"{len(records.names)} records, {options.rounds} draws\n")
    rows = [row(records, own, count, options) for count in options.counts if count < len(records.names)]
    headings = (
        "records adapted to",
        "own thresholds, metric of the others",
        "adapted",
        "gained",
        "draws that gain",
        "calibration error",
        "adapted",
        "Brier score",
        "adapted",
    )
    print(table(headings, rows))


def row(records: Classified, own: np.ndarray, count: int, options: argparse.Namespace) -> tuple:
    """Return a row of the table: means over the draws."""
    rng = np.random.default_rng(0)
    metrics, errors = [], []
    for _ in range(options.rounds):
        order = rng.permutation(len(records.names))
        known, others = records[order[:count]], records[order[count:]]
        adapted = adapted_thresholds(known.classes, known.labels, known.probabilities, own)
        metrics.append([_metric(others, thresholds) for thresholds in (own, adapted)])
        moved = calibrate(others.probabilities, *fit_calibration(known.labels, known.probabilities))
        pairs = zip(*(_errors(others.labels, each) for each in (others.probabilities, moved)), strict=True)
        errors.append([value for pair in pairs for value in pair])
    before, after = np.mean(metrics, axis=0).tolist()
    gains = f"{sum(two > one for one, two in metrics)} of {options.rounds}"
    return str(count), before, after, after - before, gains, *np.mean(errors, axis=0).tolist()


def _errors(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """Return the mean calibration error and the mean Brier score of the classes that occur."""
    occurring = np.flatnonzero(labels.any(axis=0))
    calibration = np.mean([calibration_error(labels[:, each], probabilities[:, each]) for each in occurring])
    return float(calibration), float(((probabilities - labels) ** 2).mean(axis=0)[occurring].mean())


def _metric(records: Classified, thresholds: np.ndarray) -> float:
    outputs = apply_thresholds(records.probabilities, thresholds)
    return challenge_metric(records.classes, records.labels, outputs)


if __name__ == "__main__":
    run(main)
