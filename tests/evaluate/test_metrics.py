"""The metrics equal plain loops over their definitions."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_gap.diagnoses.classes import NORMAL_CODE, ClassSet
from cnn_gap.evaluate import metrics

THREE = ClassSet((("a",), (NORMAL_CODE,), ("b", "c")), ((1.0, 0.3, 0.5), (0.2, 1.0, 0.4), (0.5, 0.1, 1.0)))


def random_case(seed: int, records: int = 40, classes: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.random((records, classes)) < 0.3
    probabilities = random.integers(0, 8, (records, classes)) / 8  # many ties
    return labels, probabilities >= 0.5, probabilities


def loop_areas(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """Return the areas, counted again at each threshold."""
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives:
        return np.nan, np.nan
    auroc = auprc = recall = 0.0
    specificity = 1.0
    for threshold in sorted(set(probabilities), reverse=True):
        output = probabilities >= threshold
        hits, errors = int((output & labels).sum()), int((output & ~labels).sum())
        next_specificity = 1 - errors / negatives if negatives else np.nan
        auroc += (hits / positives - recall) * (specificity + next_specificity) / 2
        auprc += (hits / positives - recall) * hits / (hits + errors)
        recall, specificity = hits / positives, next_specificity
    return auroc, auprc


def loop_numerator(weights: np.ndarray, labels: np.ndarray, outputs: np.ndarray) -> float:
    total = 0.0
    for label, output in zip(labels, outputs, strict=True):
        involved = max(1, sum(t or o for t, o in zip(label, output, strict=True)))
        for j, true in enumerate(label):
            for k, answer in enumerate(output):
                total += weights[j][k] / involved if true and answer else 0
    return total


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_areas_equal_a_loop_over_thresholds(seed, records):
    labels, _, probabilities = random_case(seed, records)
    expected = np.array([loop_areas(*columns) for columns in zip(labels.T, probabilities.T, strict=True)])
    np.testing.assert_allclose(np.transpose(metrics.auroc_auprc(labels, probabilities)), expected, atol=1e-12)


def test_areas_of_one_sided_classes():
    labels = np.array([[False, True], [False, True]])
    auroc, auprc = metrics.auroc_auprc(labels, np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert np.isnan(auroc).all()
    assert np.isnan(auprc[0])
    assert auprc[1] == 1


def test_a_probability_of_nan_counts_as_zero():
    labels = np.array([[True], [False], [True]])
    with_nan = metrics.auroc_auprc(labels, np.array([[np.nan], [0.2], [0.9]]))
    with_zero = metrics.auroc_auprc(labels, np.array([[0.0], [0.2], [0.9]]))
    np.testing.assert_array_equal(with_nan, with_zero)
    assert with_nan[0] == 0.5


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_numerator_equals_a_triple_loop(seed, records):
    labels, outputs, _ = random_case(seed, records)
    expected = loop_numerator(THREE.reward_matrix(), labels, outputs)
    assert metrics.challenge_numerator(THREE.reward_matrix(), labels, outputs) == pytest.approx(expected)


def test_numerator_shares_the_reward_among_the_classes_involved():
    labels, outputs = np.array([[True, False, False]]), np.array([[False, True, True]])
    assert metrics.challenge_numerator(THREE.reward_matrix(), labels, outputs) == pytest.approx((0.3 + 0.5) / 3)


def test_challenge_metric_is_one_for_the_labels_and_zero_for_always_normal():
    labels, _, _ = random_case(1)
    normal = np.tile([False, True, False], (len(labels), 1))
    assert metrics.challenge_metric(THREE, labels, labels) == 1
    assert metrics.challenge_metric(THREE, labels, normal) == 0
    assert metrics.challenge_metric(THREE, normal, normal) == 0


def test_challenge_metric_needs_a_normal_class():
    classes = ClassSet((("a",), ("b",), ("c",)), THREE.weights)
    labels, outputs, _ = random_case(1)
    assert np.isnan(metrics.challenge_metric(classes, labels, outputs))


def test_accuracy_wants_the_whole_record_right():
    labels = np.array([[True, False], [True, True], [False, False], [False, True]])
    outputs = np.array([[True, False], [True, False], [False, False], [True, True]])
    assert metrics.accuracy(labels, outputs) == 0.5


def test_f_measure_of_each_class():
    labels = np.array([[True, False], [True, False], [False, False]])
    outputs = np.array([[True, False], [False, False], [True, False]])
    first, second = metrics.f_measure(labels, outputs)
    assert first == 0.5
    assert np.isnan(second)


def test_beta_measures_divide_a_record_among_its_labels():
    labels = np.array([[True, True], [True, False], [False, False]])
    outputs = np.array([[True, False], [False, False], [True, True]])
    fbeta, gbeta = metrics.beta_measures(labels, outputs)
    # First class: 0.5 true positives, 1 false positive, 1 false negative; second: 0, 1 and 0.5.
    np.testing.assert_allclose(fbeta, [2.5 / (2.5 + 1 + 4), 0])
    np.testing.assert_allclose(gbeta, [0.5 / (0.5 + 1 + 2), 0])


def test_every_figure_is_in_the_text():
    labels, outputs, probabilities = random_case(3)
    result = metrics.score(THREE, labels, outputs, probabilities)
    head, figures = metrics.scores_csv(result).split("\n")
    assert head == "AUROC,AUPRC,Accuracy,F-measure,Fbeta-measure,Gbeta-measure,Challenge metric"
    assert figures.split(",")[0] == f"{result.class_auroc.mean():.3f}"
    assert figures.split(",")[-1] == f"{result.challenge_metric:.3f}"
    rows = metrics.class_scores_csv(THREE, result).split("\n")
    assert rows[0] == f"Classes,a,{NORMAL_CODE},b"
    assert [row.split(",")[0] for row in rows[1:]] == ["AUROC", "AUPRC", "F-measure"]


def test_scoring_nothing_gives_nan_without_warnings():
    nothing = np.zeros((0, 3), dtype=bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = metrics.score(THREE, nothing, nothing, nothing.astype(float))
    assert np.isnan([result.auroc, result.auprc, result.accuracy, result.f_measure, result.fbeta_measure]).all()
