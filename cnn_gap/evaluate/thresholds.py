"""From probabilities to labels: a threshold for each class, chosen on validation records."""

from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.evaluate.metrics import challenge_metric

#: The threshold of a class about which the validation records say nothing, and where each search starts.
START = 0.5

#: Probabilities nearer than this count as one: float32 arithmetic may order them otherwise in another batch.
RESOLUTION = 1e-6

#: So many resamples of the validation records vote on a threshold.
RESAMPLES = 30

#: And so many where a metric is wanted after each epoch.
FOLD_RESAMPLES = 10

#: So many records with a class count as much as a model's own threshold does, where it is adapted to others.
PRIOR_POSITIVES = 10.0

#: The lowest threshold of a finding: answers that are wrong nine times of ten help no reader.
LEAST_FOR_FINDINGS = 0.1

_MOST_SWEEPS = 20
_LEAST_GAIN = 1e-9  # below it, an improvement is rounding


@dataclass(frozen=True)
class DecisionRule:
    """How probabilities become labels.

    Attributes
    ----------
    at_least_one : bool
        Answer the class nearest to its threshold where none passes it; otherwise no label is given.
    """

    at_least_one: bool = False


@dataclass(frozen=True, eq=False)
class _Ranking:
    """The records by falling probability of one class, and the thresholds between them.

    Attributes
    ----------
    order : np.ndarray
        Indices of the m records that have a probability, highest first, shape (m,).
    thresholds : np.ndarray
        The threshold that outputs the class for the first k records, for k from 0 to m, shape (m + 1,).
    separates : np.ndarray
        Whether that threshold has room on both sides, bool of shape (m + 1,).
    """

    order: np.ndarray
    thresholds: np.ndarray
    separates: np.ndarray


def apply_thresholds(probabilities: np.ndarray, thresholds: np.ndarray | float) -> np.ndarray:
    """Return the labels, bool of shape (n, C), for probabilities (n, C) and thresholds (C,).

    A class is output where its probability reaches its threshold; a threshold of inf means never, and a
    probability that is NaN is no.
    """
    return np.asarray(probabilities) >= thresholds


def stable_thresholds(
    classes: ClassSet,
    labels: np.ndarray,
    probabilities: np.ndarray,
    seen: np.ndarray,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> np.ndarray:
    """Choose thresholds that hang less on single records: means over bootstrap resamples of them.

    The best cut of a rare class lies wherever a few records put it. Thresholds are chosen on draws with
    replacement and their logits averaged (Breiman 1996, "Bagging predictors"), each class's over the draws that
    hold the class: the others know nothing of it. Findings have no threshold below `LEAST_FOR_FINDINGS`.

    Parameters
    ----------
    classes, labels, probabilities, seen
        As `choose_thresholds` takes them.
    seed : int
        Of the resamples.
    resamples : int
        How many draws.

    Returns
    -------
    np.ndarray
        Float64 of shape (C,), in (0, 1) or inf for classes never seen.
    """
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(resamples)]
    chosen = np.array([choose_thresholds(classes, labels[draw], probabilities[draw], seen) for draw in draws])
    held = np.array([labels[draw].any(axis=0) for draw in draws])
    thresholds = np.where(seen, START, np.inf)
    for column in np.flatnonzero(seen & held.any(axis=0)):
        thresholds[column] = scipy.special.expit(scipy.special.logit(chosen[held[:, column], column]).mean())
    findings = slice(len(classes.classes), None)
    thresholds[findings] = np.maximum(thresholds[findings], LEAST_FOR_FINDINGS)
    return thresholds


def adapted_thresholds(
    classes: ClassSet,
    labels: np.ndarray,
    probabilities: np.ndarray,
    own: np.ndarray,
    prior: float = PRIOR_POSITIVES,
) -> np.ndarray:
    """Return a model's thresholds moved towards those that are best for a few other records.

    The more of the records have a class, the nearer its threshold comes to the one that is chosen on them: the
    mean of both logits, where the model's own counts as much as `prior` records with the class.

    Parameters
    ----------
    classes, labels, probabilities
        As `choose_thresholds` takes them.
    own : np.ndarray
        The model's thresholds, inf for never, shape (C,).
    prior : float
        Above 0.

    Returns
    -------
    np.ndarray
        Float64 of shape (C,); inf where `own` is.
    """
    seen = np.isfinite(own)
    chosen = stable_thresholds(classes, labels, probabilities, seen)[seen]
    positives = np.count_nonzero(labels, axis=0)[seen]
    weights = positives / (positives + prior)
    adapted = np.full(len(own), np.inf)
    inside = np.clip(own[seen], RESOLUTION, 1 - RESOLUTION)
    adapted[seen] = scipy.special.expit(
        weights * scipy.special.logit(chosen) + (1 - weights) * scipy.special.logit(inside)
    )
    return adapted


def out_of_fold_metric(
    classes: ClassSet, labels: np.ndarray, probabilities: np.ndarray, seen: np.ndarray, seed: int = 0
) -> float:
    """Return the Challenge metric of records whose thresholds were chosen on others.

    Thresholds are chosen on a random half of the records and answer the other half, both ways; the metric is of
    all answers. Parameters as of `stable_thresholds`; nan where the classes hold no normal class.
    """
    if classes.normal is None or len(labels) < 2:
        return np.nan
    order = np.random.default_rng(seed).permutation(len(labels))
    halves = np.array_split(order, 2)
    outputs = np.zeros(labels.shape, bool)
    for chosen_on, answered in (halves, halves[::-1]):
        thresholds = stable_thresholds(
            classes, labels[chosen_on], probabilities[chosen_on], seen, seed, FOLD_RESAMPLES
        )
        outputs[answered] = apply_thresholds(probabilities[answered], thresholds)
    return challenge_metric(classes, labels, outputs)


def choose_thresholds(
    classes: ClassSet, labels: np.ndarray, probabilities: np.ndarray, seen: np.ndarray
) -> np.ndarray:
    """Choose the thresholds that maximise the Challenge metric, by exact search of one class after the other.

    With the other classes fixed, what each record adds to the metric if class c is output does not depend on
    the other records, so the best cut through the records in order of probability is found exactly. Sweeps over
    the classes go on until none improves; the result is never worse than 0.5 for all. Without a normal class,
    the metric is not defined and each class's F-measure is maximised instead, as each finding's always is.

    A threshold lies halfway between two neighbouring probabilities. A class without positives keeps 0.5. One
    never seen in training gets inf, so that it is never output: the network has not learned it.

    Parameters
    ----------
    classes : ClassSet
    labels : np.ndarray
        Bool of shape (n, C).
    probabilities : np.ndarray
        Shape (n, C); a record whose probability is NaN is never given the class.
    seen : np.ndarray
        Which classes have positives in the training records, bool of shape (C,).

    Returns
    -------
    np.ndarray
        Float64 of shape (C,), in (0, 1) or inf.
    """
    labels = np.asarray(labels, dtype=bool)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    seen = np.asarray(seen, dtype=bool)
    start = np.where(seen, START, np.inf)
    rankings = {
        column: _rank(probabilities[:, column]) for column in np.flatnonzero(seen & labels.any(axis=0)).tolist()
    }
    count = len(classes.classes)
    scored = {column: ranking for column, ranking in rankings.items() if column < count}
    unscored = {column: ranking for column, ranking in rankings.items() if column >= count}
    if classes.normal is None:
        return _maximise_f_measures(labels, probabilities, rankings, start)
    thresholds = _maximise_f_measures(labels, probabilities, unscored, start)
    thresholds[:count] = _maximise_reward(
        classes.reward_matrix(), labels[:, :count], probabilities[:, :count], scored, start[:count]
    )
    return thresholds


def _rank(probabilities: np.ndarray) -> _Ranking:
    order = np.argsort(-probabilities, kind="stable")  # NaN last
    order = order[: np.count_nonzero(~np.isnan(probabilities))]
    bounded = np.concatenate(([1.0], probabilities[order], [0.0]))
    return _Ranking(order, (bounded[:-1] + bounded[1:]) / 2, bounded[:-1] - bounded[1:] > RESOLUTION)


def _maximise_f_measures(
    labels: np.ndarray, probabilities: np.ndarray, rankings: dict[int, _Ranking], start: np.ndarray
) -> np.ndarray:
    thresholds = start.copy()
    for column, ranking in rankings.items():
        truth = labels[:, column]
        hits = np.concatenate(([0], np.cumsum(truth[ranking.order])))
        f_measures = 2 * hits / (np.arange(len(hits)) + np.count_nonzero(truth))
        thresholds[column] = _best(ranking, f_measures, probabilities[:, column], start[column])
    return thresholds


def _maximise_reward(
    weights: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    rankings: dict[int, _Ranking],
    start: np.ndarray,
) -> np.ndarray:
    thresholds = start.copy()
    rewards = labels @ weights
    outputs = apply_thresholds(probabilities, thresholds)
    for _ in range(_MOST_SWEEPS):
        before = thresholds.copy()
        for column, ranking in rankings.items():
            gains = _gains(column, labels, rewards, outputs)[ranking.order]
            totals = np.concatenate(([0.0], np.cumsum(gains)))
            thresholds[column] = _best(ranking, totals, probabilities[:, column], thresholds[column])
            outputs[:, column] = apply_thresholds(probabilities[:, column], thresholds[column])
        if np.array_equal(before, thresholds):
            break
    return thresholds


def _gains(column: int, labels: np.ndarray, rewards: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return what each record adds to the metric's numerator if the class is output for it, shape (n,)."""
    others = outputs.copy()
    others[:, column] = False
    earned = (rewards * others).sum(axis=1)
    involved = np.count_nonzero(labels | others, axis=1)
    involved_with = involved + ~labels[:, column]
    return (earned + rewards[:, column]) / involved_with - earned / np.maximum(involved, 1)


def _best(ranking: _Ranking, values: np.ndarray, probabilities: np.ndarray, current: float) -> float:
    """Return the threshold that gives the highest of `values`, or `current` if none is better.

    `values[k]` is what is reached if the k most probable records are answered.
    """
    candidates = np.where(ranking.separates, values, -np.inf)
    best = np.argmax(candidates)
    present = values[np.count_nonzero(apply_thresholds(probabilities, current))]
    return ranking.thresholds[best] if candidates[best] > present + _LEAST_GAIN else current
