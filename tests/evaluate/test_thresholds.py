"""The search for thresholds finds the best of all thresholds that are tried."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_gap.diagnoses.classes import NORMAL_CODE, ClassSet, Finding, read_weights
from cnn_gap.evaluate.metrics import challenge_metric, challenge_numerator, f_measure
from cnn_gap.evaluate.thresholds import (
    LOWEST_FINDING_THRESHOLD,
    adapted_thresholds,
    apply_thresholds,
    choose_thresholds,
    stable_thresholds,
)

WEIGHTS = ((1.0, 0.3, 0.5), (0.2, 1.0, 0.4), (0.5, 0.1, 1.0))
THREE = ClassSet((("a",), (NORMAL_CODE,), ("b",)), WEIGHTS)
NO_NORMAL = ClassSet((("a",), ("c",), ("b",)), WEIGHTS)
ALL_SEEN = np.ones(3, dtype=bool)
seeds = st.integers(0, 2**32 - 1)


def random_case(seed: int, records: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities that are correlated with them, some of them equal."""
    random = np.random.default_rng(seed)
    labels = random.random((records, 3)) < 0.4
    probabilities = np.clip((0.3 * labels + 0.7 * random.random((records, 3))).round(1), 0.05, 0.95)
    return labels, probabilities


def all_cuts(probabilities: np.ndarray) -> np.ndarray:
    values = np.concatenate(([0.0], np.unique(probabilities), [1.0]))
    return (values[1:] + values[:-1]) / 2


def numerator(labels: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray) -> float:
    return challenge_numerator(np.array(WEIGHTS), labels, apply_thresholds(probabilities, thresholds))


@given(seeds)
def test_no_single_threshold_can_be_improved(seed):
    labels, probabilities = random_case(seed)
    chosen = choose_thresholds(THREE, labels, probabilities, ALL_SEEN)
    reached = numerator(labels, probabilities, chosen)
    for column in np.flatnonzero(labels.any(axis=0)):
        for cut in all_cuts(probabilities[:, column]):
            other = chosen.copy()
            other[column] = cut
            assert numerator(labels, probabilities, other) <= reached + 1e-8


@given(seeds)
def test_the_start_is_never_worsened(seed):
    labels, probabilities = random_case(seed, records=5)
    chosen = choose_thresholds(THREE, labels, probabilities, ALL_SEEN)
    assert numerator(labels, probabilities, chosen) >= numerator(labels, probabilities, np.full(3, 0.5)) - 1e-12


@settings(max_examples=20)
@given(seeds)
def test_most_often_near_the_best_of_all_combinations(seed):
    labels, probabilities = random_case(seed, records=8)
    labels[0] = True
    chosen = choose_thresholds(THREE, labels, probabilities, ALL_SEEN)
    best = max(
        numerator(labels, probabilities, np.array(cuts)) for cuts in product(*map(all_cuts, probabilities.T))
    )
    assert 0.85 * best <= numerator(labels, probabilities, chosen) <= best + 1e-9


@given(seeds)
def test_without_a_normal_class_each_f_measure_is_the_best(seed):
    labels, probabilities = random_case(seed)
    labels[0] = True
    chosen = choose_thresholds(NO_NORMAL, labels, probabilities, ALL_SEEN)
    reached = f_measure(labels, apply_thresholds(probabilities, chosen))
    for column in range(3):
        for cut in all_cuts(probabilities[:, column]):
            other = f_measure(labels, apply_thresholds(probabilities, np.full(3, cut)))
            assert other[column] <= reached[column] + 1e-8


def test_separable_probabilities_are_separated():
    random = np.random.default_rng(0)
    labels = random.random((200, 3)) < 0.2
    probabilities = np.where(labels, 0.08, 0.01) + 0.01 * random.random((200, 3))
    chosen = choose_thresholds(THREE, labels, probabilities.astype(np.float32), ALL_SEEN)
    assert ((chosen > 0.02) & (chosen < 0.08)).all()
    assert challenge_metric(THREE, labels, apply_thresholds(probabilities, chosen)) == 1


@pytest.mark.parametrize("classes", [THREE, NO_NORMAL])
def test_classes_that_the_records_do_not_tell_about(classes):
    labels, probabilities = random_case(2)
    labels[:, 0] = False
    chosen = choose_thresholds(classes, labels, probabilities, np.array([True, True, False]))
    assert chosen[0] == 0.5
    assert np.isfinite(chosen[1])
    assert chosen[2] == np.inf
    assert not apply_thresholds(np.ones((4, 3)), chosen)[:, 2].any()


def test_values_that_rounding_could_swap_are_not_cut_apart():
    labels = np.array([[True, False, False], [False, True, False]])
    probabilities = np.array([[0.7 + 1e-8, 0.2, 0.1], [0.7, 0.8, 0.1]])
    chosen = choose_thresholds(THREE, labels, probabilities, ALL_SEEN)
    outputs = apply_thresholds(probabilities, chosen)
    assert outputs[0, 0] == outputs[1, 0]
    assert (np.abs(probabilities - chosen) > 1e-3).all()


@pytest.mark.parametrize("classes", [THREE, NO_NORMAL])
def test_a_probability_of_nan_is_no(classes):
    labels, probabilities = random_case(5)
    probabilities[3] = np.nan
    probabilities[:, 1] = np.nan
    chosen = choose_thresholds(classes, labels, probabilities, ALL_SEEN)
    assert np.isfinite(chosen).all()
    assert not apply_thresholds(probabilities, chosen)[3].any()


def test_saturated_probabilities_leave_thresholds_inside():
    labels = np.array([[True, False, False], [False, True, True]] * 5)
    chosen = choose_thresholds(THREE, labels, 1.0 - labels, ALL_SEEN)
    assert ((chosen > 0) & (chosen < 1)).all()


@pytest.mark.parametrize("classes", [THREE, NO_NORMAL])
def test_the_start_is_kept_where_no_cut_is_better(classes):
    labels = np.array([[True, False, False], [False, True, True]] * 3)
    probabilities = np.where(labels, 0.5 + 2e-7, 0.5 - 2e-7)  # too near to be cut apart, yet the start does
    np.testing.assert_array_equal(choose_thresholds(classes, labels, probabilities, ALL_SEEN), 0.5)


def test_stable_thresholds_hang_less_on_single_records():
    seen = np.array([True, True, False])
    cases = [random_case(seed, records=100) for seed in range(24)]
    exact, stable = (
        np.array([choose(THREE, *case, seen) for case in cases])
        for choose in (choose_thresholds, stable_thresholds)
    )
    assert np.all((stable[:, seen] > 0) & (stable[:, seen] < 1))
    assert np.all(np.isinf(stable[:, 2]))
    assert stable[:, seen].std(axis=0).mean() < 0.9 * exact[:, seen].std(axis=0).mean()
    np.testing.assert_array_equal(stable_thresholds(THREE, *cases[0], seen), stable[0])


def test_stable_thresholds_of_one_record_are_those_of_the_search():
    labels, probabilities = np.array([[True, False, False]]), np.array([[0.3, 0.4, 0.2]])
    expected = choose_thresholds(THREE, labels, probabilities, ALL_SEEN)
    np.testing.assert_allclose(stable_thresholds(THREE, labels, probabilities, ALL_SEEN), expected)


def test_adapted_thresholds_come_nearer_the_more_records_have_the_class():
    classes = read_weights()
    own = np.full(len(classes), 0.5)
    own[3] = np.inf
    for records, bounds in ((0, (0.4999, 0.5001)), (10, (0.2, 0.45)), (1000, (0.05, 0.2))):
        # Of class 0 the positives have 0.2 and the others 0.02: any cut between is best.
        labels = np.zeros((2 * records + 4, len(classes)), bool)
        labels[:records, 0] = True
        labels[:, classes.normal] = ~labels[:, 0]
        probabilities = np.full(labels.shape, 0.02)
        probabilities[:records, 0] = 0.2
        adapted = adapted_thresholds(classes, labels, probabilities, own)
        assert bounds[0] < adapted[0] < bounds[1]
        assert adapted[1] == pytest.approx(0.5)
        assert adapted[3] == np.inf


def test_a_rare_finding_is_not_answered_at_a_low_probability():
    classes = replace(read_weights(), findings=(Finding(("X",), "own", "X", "rare"),))
    rng = np.random.default_rng(0)
    labels = np.zeros((300, len(classes)), bool)
    labels[:2, -1] = labels[:, 0] = True
    probabilities = rng.uniform(0, 0.01, labels.shape)
    probabilities[:2, -1] = 0.02
    thresholds = stable_thresholds(classes, labels, probabilities, np.ones(len(classes), bool))
    assert thresholds[-1] == LOWEST_FINDING_THRESHOLD
    assert thresholds[0] < LOWEST_FINDING_THRESHOLD
