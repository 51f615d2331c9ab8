"""Thresholds: one for each class, chosen on validation records, turns probabilities into labels."""

from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.evaluate.metrics import challenge_metric

#: The threshold of a class that no validation record has, and the first value in each search.
DEFAULT_THRESHOLD = 0.5

#: A threshold is never between two probabilities nearer than this: float32 may swap them in another batch.
RESOLUTION = 1e-6

#: Number of bootstrap resamples of the validation records over which thresholds are averaged: for a model, and
#: for the metric after each epoch.
RESAMPLES, FOLD_RESAMPLES = 30, 10

#: The weight of a model's own threshold in its adaptation, in records that have the class.
PRIOR_POSITIVES = 10.0

#: The lowest threshold of a finding. At a lower one, more than nine of ten answers would be wrong.
LOWEST_FINDING_THRESHOLD = 0.1

_MOST_SWEEPS = 20
_SMALLEST_GAIN = 1e-9  # smaller gains are rounding errors


@dataclass(frozen=True)
class DecisionRule:
    """How thresholds are applied.

    Attributes
    ----------
    at_least_one : bool
        If no class reaches its threshold, answer the class that is nearest to it instead of none.
    """

    at_least_one: bool = False


@dataclass(frozen=True, eq=False)
class _Ranking:
    """The records by falling probability of one class, and the thresholds between them.

    Attributes
    ----------
    order : np.ndarray
        Indices of the m records whose probability is not NaN, highest first, shape (m,).
    thresholds : np.ndarray
        The threshold that the first k records reach, for k from 0 to m, shape (m + 1,).
    separates : np.ndarray
        Whether the probabilities on both sides of it differ by more than `RESOLUTION`, bool, shape (m + 1,).
    """

    order: np.ndarray
    thresholds: np.ndarray
    separates: np.ndarray


def apply_thresholds(probabilities: np.ndarray, thresholds: np.ndarray | float) -> np.ndarray:
    """Return the labels, bool of shape (n, C), for probabilities (n, C) and thresholds (C,).

    A label is True where the probability is at least the threshold. A threshold of inf is never reached, nor is
    any by a probability that is NaN.
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
    """Choose thresholds that depend less on single records: means over bootstrap resamples of the records.

    The best threshold of a rare class depends on a few records. So thresholds are chosen on samples drawn with
    replacement, and the mean of their logits is taken (Breiman 1996, "Bagging predictors"); for each class only
    the samples that have the class count. Findings get at least `LOWEST_FINDING_THRESHOLD`.

    Parameters
    ----------
    classes, labels, probabilities, seen
        As in `choose_thresholds`.
    seed : int
        Of the samples.
    resamples : int
        Number of samples.

    Returns
    -------
    np.ndarray
        Float64 of shape (C,), in (0, 1) or inf for classes never seen.
    """
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(labels), len(labels)) for _ in range(resamples)]
    chosen = np.array([choose_thresholds(classes, labels[draw], probabilities[draw], seen) for draw in draws])
    held = np.array([labels[draw].any(axis=0) for draw in draws])
    thresholds = np.where(seen, DEFAULT_THRESHOLD, np.inf)
    for column in np.flatnonzero(seen & held.any(axis=0)):
        thresholds[column] = scipy.special.expit(scipy.special.logit(chosen[held[:, column], column]).mean())
    findings = slice(len(classes.classes), None)
    thresholds[findings] = np.maximum(thresholds[findings], LOWEST_FINDING_THRESHOLD)
    return thresholds


def adapted_thresholds(
    classes: ClassSet,
    labels: np.ndarray,
    probabilities: np.ndarray,
    own: np.ndarray,
    prior: float = PRIOR_POSITIVES,
) -> np.ndarray:
    """Return a model's thresholds, moved towards those that are chosen on other records.

    The logit of a class's threshold is a weighted mean: the threshold chosen on the records has the number of
    records with the class as its weight, the model's own threshold has the weight `prior`.

    Parameters
    ----------
    classes, labels, probabilities
        As in `choose_thresholds`.
    own : np.ndarray
        The model's thresholds, inf where a class is never answered, shape (C,).
    prior : float
        Above 0.

    Returns
    -------
    np.ndarray
        Float64 of shape (C,); inf where `own` is inf.
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
    """Return the Challenge metric of records, each labelled with thresholds that were chosen on others.

    The records are divided at random; each half is labelled with the thresholds that are chosen on the other
    half. Parameters are as in `stable_thresholds`. It is nan if the classes hold no normal class.
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

    With the outputs of the other classes fixed, what a record adds to the metric if class c is output does not
    depend on the other records. So the best threshold of class c is found exactly from the records in order of
    their probability. The search is repeated over all classes until no threshold changes; the result is never
    worse than 0.5 for all. Without a normal class the metric is not defined, and the F-measure of each class is
    maximised instead; for findings it always is.

    A threshold lies halfway between two neighbouring probabilities. A class that no record has keeps 0.5. A
    class that was not seen in training gets inf, so that it is never output: the network has not learned it.

    Parameters
    ----------
    classes : ClassSet
    labels : np.ndarray
        Bool of shape (n, C).
    probabilities : np.ndarray
        Shape (n, C); a record whose probability is NaN is never given the class.
    seen : np.ndarray
        Which classes the training records have, bool of shape (C,).

    Returns
    -------
    np.ndarray
        Float64 of shape (C,), in (0, 1) or inf.
    """
    labels = np.asarray(labels, dtype=bool)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    seen = np.asarray(seen, dtype=bool)
    start = np.where(seen, DEFAULT_THRESHOLD, np.inf)
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
        thresholds[column] = _choose_best(ranking, f_measures, probabilities[:, column], start[column])
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
            column_probabilities = probabilities[:, column]
            thresholds[column] = _choose_best(ranking, totals, column_probabilities, thresholds[column])
            outputs[:, column] = apply_thresholds(column_probabilities, thresholds[column])
        if np.array_equal(before, thresholds):
            break
    return thresholds


def _gains(column: int, labels: np.ndarray, rewards: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return how much each record adds to the metric's numerator if the class is output for it, shape (n,)."""
    others = outputs.copy()
    others[:, column] = False
    earned = (rewards * others).sum(axis=1)
    involved = np.count_nonzero(labels | others, axis=1)
    involved_with = involved + ~labels[:, column]
    return np.asarray((earned + rewards[:, column]) / involved_with - earned / np.maximum(involved, 1))


def _choose_best(ranking: _Ranking, values: np.ndarray, probabilities: np.ndarray, current: float) -> float:
    """Return the threshold with the highest of `values`, or `current` if none is better.

    `values[k]` is the metric if the class is output for the k records with the highest probability.
    """
    candidates = np.where(ranking.separates, values, -np.inf)
    best = np.argmax(candidates)
    present = values[np.count_nonzero(apply_thresholds(probabilities, current))]
    return float(ranking.thresholds[best]) if candidates[best] > present + _SMALLEST_GAIN else current
