"""The fast layers compute the same as Keras's own, and a network keeps its weights."""

import keras
import numpy as np
import pytest

from cnn_gap.network.architecture import build_network, copy_weights
from cnn_gap.network.fast_layers import FastDropout, FastNormalization, with_fast_layers
from cnn_gap.network.options import FeaturePath, Network

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow needs them")

PATHS = (FeaturePath("wave", (8,), (3,)), FeaturePath("rhythm", (8,), (5,), pool=2))


def networks(dropout=0.0, precision="float32"):
    """Return the same network as Keras's layers compute it, and faster."""
    keras.utils.set_random_seed(0)
    layout = Network((8,), (5,), (2,), dropout=dropout, sharpen=True, sharpen_steps=5, paths=PATHS)
    network = build_network(layout, 12, 3, margin=8, precision=precision)
    return network, with_fast_layers(network)


def losses(network):
    """Return the losses of a short training."""
    rng = np.random.default_rng(1)
    windows = rng.normal(1, 2, (8, 96, 12)).astype(np.float32)
    labels = (rng.random((8, 3)) < 0.5).astype(np.float32)
    network.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    return [float(network.train_on_batch(windows, labels)) for _ in range(8)]


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("mixed_bfloat16", 2e-2)])
def test_a_training_has_the_losses_and_weights_that_it_has_with_keras_layers(precision, tolerance):
    plain, fast = networks(precision=precision)
    assert sum(isinstance(layer, FastNormalization) for layer in fast.layers) == 3
    usual = losses(plain)
    assert usual[-1] < 0.9 * usual[0]
    np.testing.assert_allclose(losses(fast), usual, rtol=tolerance)
    for one, other in zip(plain.weights, fast.weights, strict=True):
        assert one.path == other.path
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=10 * tolerance)


def test_what_was_learned_goes_into_keras_own_layers():
    plain, fast = networks(dropout=0.2)
    losses(fast)
    copy_weights(fast, plain)
    windows = np.random.default_rng(2).normal(size=(2, 96, 12)).astype(np.float32)
    np.testing.assert_allclose(fast.predict_on_batch(windows), plain.predict_on_batch(windows), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dropout_leaves_out_its_rate_and_keeps_the_mean(dtype):
    dropout, ones = FastDropout(0.2, seed=3, dtype=dtype), keras.ops.ones((3, 501, 67), dtype)
    first, second = (np.asarray(keras.ops.cast(dropout(ones, training=True), "float32")) for _ in range(2))
    assert np.mean(first == 0) == pytest.approx(0.2, abs=0.01)
    assert first.mean() == pytest.approx(1, abs=0.01)
    assert np.mean((first == 0) & (second == 0)) == pytest.approx(0.04, abs=0.01)
    assert np.all(np.asarray(keras.ops.cast(dropout(ones), "float32")) == 1)
