"""Are a model's probabilities true, and is it as good for everyone?

The expected calibration error of a class is the mean distance between what is predicted and what occurs, over
ten equal steps of the probability, weighted by how many records are in each (Naeini et al. 2015); the Brier
score is the mean square of the errors. Groups are by the headers' age and sex.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import Classified, classify_labelled, model_parser, record_paths, start_classifier, table
from benchmarks.quality.databases import macro_auroc
from cnn_gap.evaluate.metrics import auroc_auprc
from cnn_gap.io.headers import read_header
from cnn_gap.system.exit_codes import run
from cnn_gap.system.files import replacing

#: Steps of the probability.
BINS = 10

#: Age groups, years: from, to before. PTB-XL writes 300 for more than 89.
AGES = ((0, 40), (40, 60), (60, 80), (80, 1000))


def main(arguments: list[str]) -> None:
    """Classify the records and print tables of classes, of steps of the probability and of groups."""
    parser = model_parser("quality.calibration", __doc__)
    parser.add_argument(
        "--positives",
        metavar="N",
        type=int,
        default=5,
        help="of a class that counts (default: %(default)s)",
    )
    parser.add_argument("--others", metavar="DATA", type=Path, help="labelled records of other hospitals")
    parser.add_argument("--figure", metavar="FILE.png", type=Path, help="draw the steps of the probability")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    classified = classify_labelled(classifier, options.data, options.limit)
    print(table(("class", "records", "AUROC", "calibration error", "Brier score"), class_rows(classified)))
    headings = ("probability, all classes", "answers", "mean predicted", "share true")
    curves = [(options.data.name, reliability(classified.labels, classified.probabilities))]
    if options.others is not None:
        others = classify_labelled(classifier, options.others, options.limit)
        curves.append((options.others.name, reliability(others.labels, others.probabilities)))
    for _, steps in curves:
        print(f"\n{table(headings, steps)}")
    if options.figure is not None:
        draw(curves, options.figure)
    headers = [read_header(path) for path in record_paths(options.data, options.limit)]
    groups = members([header.age for header in headers], [header.sex for header in headers])
    rows = [
        (
            name,
            int(rows.sum()),
            *macro_auroc(classified[rows], options.positives),
            classified[rows].challenge_metric,
        )
        for name, rows in groups.items()
        if rows.any()
    ]
    headings = (
        "group",
        "records",
        f"macro AUROC, {options.positives} positives",
        "classes",
        "Challenge metric",
    )
    print(f"\n{table(headings, rows)}")


def class_rows(classified: Classified) -> list[tuple]:
    """Return a row for each class that occurs, the most frequent first, and one of their means."""
    labels, probabilities = classified.labels, classified.probabilities
    occurring = np.flatnonzero(labels.any(axis=0))
    auroc, _ = auroc_auprc(labels, probabilities)
    errors = np.array([calibration_error(labels[:, each], probabilities[:, each]) for each in occurring])
    briers = ((probabilities - labels) ** 2).mean(axis=0)[occurring]
    rows = [
        (classified.classes.diagnoses[each].name, int(labels[:, each].sum()), float(auroc[each]), error, brier)
        for each, error, brier in zip(occurring, errors.tolist(), briers.tolist(), strict=True)
    ]
    largest = ("largest", "", math.nan, float(errors.max()), float(briers.max()))
    mean = ("mean", "", classified.auroc, float(errors.mean()), float(briers.mean()))
    return [*sorted(rows, key=lambda row: -row[1]), mean, largest]


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error of one class; labels bool and probabilities of shape (records,)."""
    steps = _steps(probabilities)
    gaps = np.bincount(steps, probabilities - labels, BINS)
    return float(np.abs(gaps).sum() / len(labels))


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple]:
    """Return for each step of the probability how many answers it has, their mean and the true share."""
    steps = _steps(probabilities.ravel())
    counts, means, shares = (
        np.bincount(steps, weights, BINS) for weights in (None, probabilities.ravel(), labels.ravel())
    )
    return [
        (f"{step / BINS:g} to {(step + 1) / BINS:g}", int(count), float(mean / count), float(share / count))
        for step, (count, mean, share) in enumerate(zip(counts, means, shares, strict=True))
        if count
    ]


def draw(curves: Iterable[tuple[str, list[tuple]]], path: Path) -> None:
    """Draw a reliability figure: names of records, each with what `reliability` returns."""
    figure = Figure(figsize=(4, 4), layout="constrained")
    panel = figure.subplots()
    panel.plot((0, 1), (0, 1), color="0.7", linewidth=1, label="true probabilities")
    for name, rows in curves:
        panel.plot([row[2] for row in rows], [row[3] for row in rows], marker="o", label=name)
    panel.set(xlabel="mean predicted probability", ylabel="share true", xlim=(0, 1), ylim=(0, 1), aspect=1)
    panel.legend(loc="upper left")
    with replacing(path) as aside:
        figure.savefig(aside, dpi=110)


def members(ages: Iterable[float], sexes: Iterable[str]) -> dict[str, np.ndarray]:
    """Return which records belong to each group, bool of shape (records,), by the group's name."""
    years, sex = np.array(list(ages)), np.array(list(sexes))
    groups = {
        f"{low} to {high - 1} years" if high < 200 else f"{low} years and more": (years >= low) & (years < high)
        for low, high in AGES
    }
    return {"all": np.ones(len(years), bool), "women": sex == "Female", "men": sex == "Male", **groups}


def _steps(probabilities: np.ndarray) -> np.ndarray:
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)


if __name__ == "__main__":
    run(main)
