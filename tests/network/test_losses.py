"""The losses equal plain loops over their definitions, and the Challenge metric where they should."""

import keras
import numpy as np
import pytest

from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.evaluate.metrics import challenge_numerator
from cnn_gap.network.losses import MacroObs, WeightedBinaryCrossentropy, WeightedSum


def _loop_macro_obs(labels, probabilities, weights):
    total = 0.0
    records, classes = labels.shape
    for i in range(records):
        count = sum((1 - labels[i, c]) * probabilities[i, c] + labels[i, c] for c in range(classes))
        for j in range(classes):
            for k in range(classes):
                total += labels[i, j] * probabilities[i, k] * weights[j, k] / count
    return -total / records


def _loop_crossentropy(labels, probabilities, positive_weights):
    total = 0.0
    for label_row, probability_row in zip(labels, probabilities, strict=True):
        for t, p, w in zip(label_row, probability_row, positive_weights, strict=True):
            total -= w * t * np.log(p) + (1 - t) * np.log(1 - p)
    return total / labels.size


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    return (rng.random((16, 7)) < 0.3).astype(np.float32), rng.random((16, 7)).astype(np.float32)


def test_macro_obs_is_the_paper_formula(batch):
    weights = np.random.default_rng(4).random((7, 7))
    assert float(MacroObs(weights)(*batch)) == pytest.approx(_loop_macro_obs(*batch, weights), rel=1e-5)


def test_macro_obs_of_hard_answers_is_the_challenge_numerator():
    classes = read_weights()
    rng = np.random.default_rng(5)
    labels, outputs = rng.random((2, 64, 24)) < 0.15
    loss = float(MacroObs(classes.weights)(labels.astype("f4"), outputs.astype("f4")))
    expected = challenge_numerator(classes.reward_matrix(), labels, outputs) / 64
    assert -loss == pytest.approx(expected, rel=1e-5)


def test_macro_obs_of_a_record_without_labels_and_answers_is_zero():
    nothing = np.zeros((1, 7), np.float32)
    assert float(MacroObs(np.eye(7))(nothing, nothing)) == 0


def test_weighted_crossentropy_is_its_formula(batch):
    positive_weights = np.random.default_rng(6).random(7) * 20
    expected = _loop_crossentropy(*batch, positive_weights)
    assert float(WeightedBinaryCrossentropy(positive_weights)(*batch)) == pytest.approx(expected, rel=1e-4)


def test_unweighted_crossentropy_is_that_of_keras(batch):
    expected = float(keras.losses.BinaryCrossentropy()(*batch))
    assert float(WeightedBinaryCrossentropy(np.ones(7))(*batch)) == pytest.approx(expected, rel=1e-5)


def _gradient(loss, labels, probabilities):
    """Return the loss's gradient by the backend that runs the tests."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda each: loss(labels, each))(probabilities))
    import tensorflow

    variable = tensorflow.Variable(probabilities)
    with tensorflow.GradientTape() as tape:
        value = loss(labels, variable)
    return tape.gradient(value, variable).numpy()


@pytest.mark.parametrize("loss", [MacroObs(np.eye(4)), WeightedBinaryCrossentropy(np.full(4, 50.0))])
@pytest.mark.parametrize("probability", [0.0, 1.0])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_gradients_are_finite_at_the_ends(loss, probability, label):
    shape = (2, 4)
    gradient = _gradient(loss, np.full(shape, label, np.float32), np.full(shape, probability, np.float32))
    assert gradient.shape == shape
    assert np.isfinite(gradient).all()


def test_macro_obs_gradient_points_from_the_wrong_answer_to_the_right_one():
    labels = np.array([[1, 0, 0]], np.float32)
    gradient = _gradient(MacroObs(np.eye(3)), labels, np.full((1, 3), 0.5, np.float32))
    assert gradient[0, 0] < 0
    assert (gradient[0, 1:] > 0).all()


def test_a_weighted_sum_adds_its_parts():
    rng = np.random.default_rng(0)
    labels = (rng.random((6, 4)) < 0.3).astype(np.float32)
    probabilities = rng.random((6, 4)).astype(np.float32)
    parts = WeightedBinaryCrossentropy(np.ones(4)), MacroObs(np.eye(4))
    expected = float(parts[0](labels, probabilities)) + 0.3 * float(parts[1](labels, probabilities))
    assert float(WeightedSum(*parts, 0.3)(labels, probabilities)) == pytest.approx(expected, rel=1e-5)
