"""How the Challenge metric depends on the records that thresholds are chosen on.

`thresholds`: on random halves of the records, chosen on one half and scored on the other, both ways; the rule
`answers.at_least_one` is not applied. `local_thresholds`: thresholds and probabilities are adapted to some
records of `others`, drawn at random, as `--thresholds-only` does, and scored on all others of them; records of
the database that models are trained on are left out, and 164884008 counts as PVC.
"""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.common import Classified, Study, Table
from benchmarks.quality.calibration import calibration_error
from benchmarks.quality.databases import TRAINED_ON
from benchmarks.quality.scores import with_pvc
from cnn_gap.evaluate.calibration import calibrate, fit_calibration
from cnn_gap.evaluate.metrics import challenge_metric
from cnn_gap.evaluate.thresholds import (
    DEFAULT_THRESHOLD,
    adapted_thresholds,
    apply_thresholds,
    choose_thresholds,
    stable_thresholds,
)

#: Ways to choose thresholds, by the name of the row.
CHOICES = {"as in training": stable_thresholds, "by one exact search": choose_thresholds}

#: Number of random divisions into halves, and of random draws of records to adapt to.
DIVISIONS, DRAWS = 10, 20

#: Numbers of records that are adapted to.
COUNTS = (25, 50, 100)

LOCAL_HEADINGS = (
    "Challenge metric of the others, own thresholds",
    "Challenge metric of the others, adapted",
    "difference",
    f"draws that gain, of {DRAWS}",
    "calibration error, own",
    "calibration error, adapted",
    "Brier score, own",
    "Brier score, adapted",
)

#: Indices of the records that thresholds are chosen on, and of those that are scored.
Halves = list[tuple[np.ndarray, np.ndarray]]


def thresholds(study: Study) -> Iterator[Table]:
    """Yield a table of ways to choose thresholds on `data`."""
    records = study.classified().scored
    description, count = study.classifier.description, len(records.classes)
    own, seen = description.lowest_probabilities[:count], np.array(description.seen)[:count]
    halves = list(random_halves(len(records.names), DIVISIONS, np.random.default_rng(0)))
    headings = ("Challenge metric", "standard deviation over halves")
    yield Table("thresholds", headings, tuple(threshold_rows(records, own, seen, halves)))


def local_thresholds(study: Study) -> Iterator[Table]:
    """Yield a table of numbers of records of `others` that thresholds are adapted to."""
    records = with_pvc(study.classified("others").scored, study.paths("others"))
    records = records[np.array([not name.startswith(TRAINED_ON) for name in records.names])]
    own = study.classifier.description.lowest_probabilities[: len(records.classes)]
    rows = [local_row(records, own, count) for count in COUNTS if count < len(records.names)]
    yield Table("local thresholds", LOCAL_HEADINGS, tuple(rows))


def random_halves(count: int, rounds: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield random halves of the indices, each pair in both orders."""
    for _ in range(rounds):
        one, other = np.array_split(rng.permutation(count), 2)
        yield one, other
        yield other, one


def threshold_rows(
    records: Classified, own: np.ndarray, seen: np.ndarray, halves: Halves
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table; `own` are the model's thresholds, `seen` its classes that training had."""
    nan = float("nan")
    yield "the model's own", _metric(records, own), nan
    on_halves = [_metric(records[scored], own) for _, scored in halves]
    yield "the model's own, mean over the halves", float(np.mean(on_halves)), float(np.std(on_halves))
    for name, choose in CHOICES.items():
        crossed = [
            _metric(records[scored], _chosen(choose, records[chosen_on], seen)) for chosen_on, scored in halves
        ]
        row = f"chosen on one half, scored on the other, {name}"
        yield row, float(np.mean(crossed)), float(np.std(crossed))
    best = _metric(records, _chosen(choose_thresholds, records, seen))
    yield "chosen on the records scored: an upper bound", best, nan
    yield f"{DEFAULT_THRESHOLD:g} for all", _metric(records, np.where(seen, DEFAULT_THRESHOLD, np.inf)), nan


def local_row(records: Classified, own: np.ndarray, count: int) -> tuple[object, ...]:
    """Return a row of the table: means over the draws."""
    rng = np.random.default_rng(0)
    metrics, errors = [], []
    for _ in range(DRAWS):
        order = rng.permutation(len(records.names))
        known, others = records[order[:count]], records[order[count:]]
        adapted = adapted_thresholds(known.classes, known.labels, known.probabilities, own)
        metrics.append([_metric(others, each) for each in (own, adapted)])
        moved = calibrate(others.probabilities, *fit_calibration(known.labels, known.probabilities))
        pairs = zip(*(_errors(others.labels, each) for each in (others.probabilities, moved)), strict=True)
        errors.append([value for pair in pairs for value in pair])
    before, after = np.mean(metrics, axis=0).tolist()
    gains = sum(two > one for one, two in metrics)
    return str(count), before, after, after - before, gains, *np.mean(errors, axis=0).tolist()


def _errors(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """Return the mean calibration error and the mean Brier score of the classes that occur."""
    occurring = np.flatnonzero(labels.any(axis=0))
    calibration = np.mean([calibration_error(labels[:, each], probabilities[:, each]) for each in occurring])
    return float(calibration), float(((probabilities - labels) ** 2).mean(axis=0)[occurring].mean())


def _chosen(choose: Callable[..., np.ndarray], records: Classified, seen: np.ndarray) -> np.ndarray:
    return choose(records.classes, records.labels, records.probabilities, seen)


def _metric(records: Classified, lowest: np.ndarray) -> float:
    outputs = apply_thresholds(records.probabilities, lowest)
    return challenge_metric(records.classes, records.labels, outputs)
