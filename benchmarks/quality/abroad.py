"""Say why a sure answer is not in another hospital's labels, and whether smaller probabilities are better.

    python -m benchmarks.quality.abroad MODEL OTHERS LUDB

Records of the database that models are trained on are left out. A class is used by a database that labels one
of the given records with it. Sinus rhythm, bradycardia and tachycardia are one answer in the first table's last
row: it is contradicted where another rhythm is labelled. Leave-one-out: each class's logit is scaled and moved
as `cnn_gap.evaluate.calibration` does, fitted to the records of all other databases.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common import Classified, Table, classify, command_parser, start_classifier
from benchmarks.quality.calibration import calibration_error, reliability_rows
from benchmarks.quality.databases import TRAINED_ON, database_letters
from benchmarks.quality.scores import with_pvc
from cnn_gap.evaluate.calibration import calibrate, fit_calibration
from cnn_gap.io.sources import find_records
from cnn_gap.system.exit_codes import run

#: Codes of sinus rhythms, which the rate distinguishes, and of the rhythms that exclude them.
SINUS = frozenset(("426783006", "426177001", "427084000", "426627000"))
OTHER_RHYTHMS = frozenset(("164889003", "164890007", "10370003"))

#: From this probability on an answer is sure.
SURE = 0.9


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = command_parser("benchmarks.quality.abroad", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("data", metavar="DATA", type=Path, nargs="+", help="folders of labelled records")
    options = parser.parse_args(arguments)
    paths = [path for folder in options.data for path in find_records(folder)]
    paths = [path for path in paths if database_letters(path.stem) != TRAINED_ON]
    classified = with_pvc(classify(start_classifier(options.model), paths).scored, paths)
    used = used_classes(classified)
    columns = ("answers", "in the labels", "share")
    print(Table(f"answers of {SURE} or more", columns, tuple(sure_rows(classified, used))), end="\n\n")
    rest = used & ~class_columns(classified, SINUS)
    rows = reliability_rows(classified.labels[rest], classified.probabilities[rest])
    name = "classes that the database uses, without sinus rhythms"
    print(Table(name, ("answers", "mean predicted", "share true"), tuple(rows)))
    print()
    print(
        Table("mean calibration error", ("as they are", "leave-one-out"), tuple(error_rows(classified, rest)))
    )


def class_columns(classified: Classified, codes: frozenset[str]) -> np.ndarray:
    """Return which classes have one of the codes, bool of shape (classes,)."""
    return np.array([not codes.isdisjoint(each) for each in classified.classes.outputs])


def used_classes(classified: Classified) -> np.ndarray:
    """Return for each record the classes that its database uses, bool of shape (records, classes)."""
    databases = np.array([database_letters(name) for name in classified.names])
    used = np.zeros(classified.labels.shape, bool)
    for database in np.unique(databases):
        used[databases == database] = classified.labels[databases == database].any(axis=0)
    return used


def sure_rows(classified: Classified, used: np.ndarray) -> Iterator[tuple[object, ...]]:
    """Yield the numbers of sure answers, and of those in the labels."""
    sure, labels = classified.probabilities >= SURE, classified.labels
    sinus = class_columns(classified, SINUS)
    kinds = {
        "all": np.ones(labels.shape, bool),
        "sinus rhythms": np.broadcast_to(sinus, labels.shape),
        "others, of classes that the database uses": used & ~sinus,
        "others, of classes that it does not use": ~used & ~sinus,
    }
    for name, kind in kinds.items():
        yield name, *_shares(sure & kind, labels)
    contradicted = labels[:, class_columns(classified, OTHER_RHYTHMS)].any(axis=1)
    joined = sure[:, sinus].any(axis=1)
    yield "records with a sure sinus rhythm, not contradicted", *_shares(joined, ~contradicted)


def _shares(said: np.ndarray, true: np.ndarray) -> tuple[int, int, float]:
    count, right = int(said.sum()), int((said & true).sum())
    return count, right, right / max(count, 1)


def error_rows(classified: Classified, counted: np.ndarray) -> Iterator[tuple[object, ...]]:
    """Yield the mean calibration error over the classes of each database, and of all together.

    Parameters
    ----------
    classified : Classified
    counted : ndarray, shape (records, classes), bool
        The answers that count.
    """
    databases = np.array([database_letters(name) for name in classified.names])
    scaled = left_out(classified, databases, counted)
    for name in (*np.unique(databases), "all"):
        rows = databases == name if name != "all" else np.ones(len(databases), bool)
        found = (mean_error(each[rows], counted[rows]) for each in (classified, scaled))
        yield name, *found


def left_out(classified: Classified, databases: np.ndarray, counted: np.ndarray) -> Classified:
    """Return the probabilities of each database, calibrated on the counted answers of all others."""
    probabilities = classified.probabilities.astype(np.float64)
    for database in np.unique(databases):
        here = databases == database
        for column in range(probabilities.shape[1]):
            fitted = ~here & counted[:, column]
            if fitted.any():
                labels = classified.labels[fitted, column : column + 1]
                scale, offset = fit_calibration(labels, classified.probabilities[fitted, column : column + 1])
                probabilities[here, column] = calibrate(classified.probabilities[here, column], scale, offset)
    return replace(classified, probabilities=probabilities)


def mean_error(classified: Classified, counted: np.ndarray) -> float:
    """Return the mean over the classes of their calibration error, each over the counted answers."""
    errors = [
        calibration_error(classified.labels[rows, column], classified.probabilities[rows, column])
        for column, rows in enumerate(counted.T)
        if classified.labels[rows, column].any()
    ]
    return float(np.mean(errors)) if errors else float("nan")


if __name__ == "__main__":
    run(main)
