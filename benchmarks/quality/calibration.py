"""Whether a model's probabilities are true, and whether it is as good for all groups of patients.

The expected calibration error of a class is the mean distance between predicted probability and share of true
labels over ten equal steps of the probability, weighted by their records (Naeini et al. 2015); the Brier score
is the mean squared error. Groups are by the headers' age and sex.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.common import Classified, Study, Table
from benchmarks.quality.databases import POSITIVES, macro_auroc
from cnn_gap.evaluate.metrics import auroc_auprc
from cnn_gap.io.headers import read_header
from cnn_gap.system.files import replacing

#: Number of steps of the probability.
BINS = 10

#: Age groups, years: from, to before. PTB-XL writes 300 for more than 89.
AGES = ((0, 40), (40, 60), (60, 80), (80, 1000))

#: Tables of the steps of the probability, by the folder of records.
CURVES = {"data": "reliability", "others": "reliability of other databases"}


def calibration(study: Study) -> Iterator[Table]:
    """Yield a table of the classes of `data` and one of the steps of the probability."""
    headings = ("records", "AUROC", "calibration error", "Brier score")
    yield Table("calibration", headings, tuple(class_rows(study.classified().scored)))
    yield reliability(study, "data")


def calibration_of_others(study: Study) -> Iterator[Table]:
    """Yield the steps of the probability of `others`."""
    yield reliability(study, "others")


def groups(study: Study) -> Iterator[Table]:
    """Yield a table of groups of patients of `data`."""
    classified = study.classified().scored
    headers = [read_header(path) for path in study.paths()]
    members = group_members([header.age for header in headers], [header.sex for header in headers])
    rows = [
        (name, int(kept.sum()), *macro_auroc(classified[kept], POSITIVES), classified[kept].challenge_metric)
        for name, kept in members.items()
        if kept.any()
    ]
    headings = ("records", f"macro AUROC of classes with {POSITIVES} positives", "classes")
    yield Table("groups", (*headings, "Challenge metric"), tuple(rows))


def class_rows(classified: Classified) -> list[tuple[object, ...]]:
    """Return a row for each class that occurs, the most frequent first, their means and largest errors."""
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
    gaps = np.bincount(_steps(probabilities), probabilities - labels, BINS)
    return float(np.abs(gaps).sum() / len(labels))


def reliability(study: Study, folder: str) -> Table:
    """Return for each step of the probability the number of answers, their mean and the share of true ones."""
    classified = study.classified(folder).scored
    headings = ("answers", "mean predicted", "share true")
    rows = reliability_rows(classified.labels.ravel(), classified.probabilities.ravel())
    return Table(CURVES[folder], headings, tuple(rows))


def reliability_rows(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[object, ...]]:
    """Return a row for each step of the probability that occurs."""
    steps = _steps(probabilities)
    counts, means, shares = (np.bincount(steps, weights, BINS) for weights in (None, probabilities, labels))
    return [
        (f"{step / BINS:g} to {(step + 1) / BINS:g}", int(count), float(mean / count), float(share / count))
        for step, (count, mean, share) in enumerate(zip(counts, means, shares, strict=True))
        if count
    ]


def draw(tables: Iterable[Table], path: Path) -> None:
    """Draw the tables that are reliability curves, and skip the others."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="constrained")
    panel = figure.subplots()
    panel.plot((0, 1), (0, 1), color="0.7", linewidth=1, label="true probabilities")
    for table in tables:
        if table.name in CURVES.values():
            points = [row[2:4] for row in table.rows]
            panel.plot(*zip(*points, strict=True), marker="o", label=table.name)
    panel.set(xlabel="mean predicted probability", ylabel="share true", xlim=(0, 1), ylim=(0, 1), aspect=1)
    panel.legend(loc="upper left")
    with replacing(path) as aside:
        figure.savefig(aside, dpi=110)


def group_members(ages: Iterable[float], sexes: Iterable[str]) -> dict[str, np.ndarray]:
    """Return which records belong to each group, bool of shape (records,), by the group's name."""
    years, sex = np.array(list(ages)), np.array(list(sexes))
    by_age = {
        f"{low} to {high - 1} years" if high < 200 else f"{low} years and more": (years >= low) & (years < high)
        for low, high in AGES
    }
    return {"all": np.ones(len(years), bool), "women": sex == "Female", "men": sex == "Male", **by_age}


def _steps(probabilities: np.ndarray) -> np.ndarray:
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)
