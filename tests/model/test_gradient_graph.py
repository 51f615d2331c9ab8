"""The graph of gradients gives the gradients of Keras, for every network that a configuration can describe."""

import keras
import numpy as np
import onnx
import pytest
from drawn_networks import NETWORKS, drawn_network, drawn_windows

from cnn_gap.model.gradient_graph import gradient_graph
from cnn_gap.model.runtimes import Runtime, start_gradients
from cnn_gap.model.trained_network import in_memory

COLUMNS = [3, 0, 3]

needs_gradients = pytest.mark.skipif(
    keras.backend.backend() not in ("jax", "tensorflow"), reason="this backend of Keras has no gradients"
)


@needs_gradients
@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_are_those_of_keras(kind):
    network, windows = in_memory(drawn_network(kind)), drawn_windows(2, 152 if NETWORKS[kind].paths else 149)
    onnx.checker.check_model(gradient_graph(network.structure), full_check=True)
    found, expected = (start_gradients(network, Runtime(name))(windows, COLUMNS) for name in ("onnx", "keras"))
    assert found.shape == (3, 2, windows.shape[1], 12)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def _slope(network, windows, direction):
    """Return how fast the logit of a class changes along a direction, by a difference."""
    features = keras.Model(network.input, network.get_layer("average").output)
    kernel = network.get_layer("probabilities").get_weights()[0].astype(np.float64)
    before, behind = (
        keras.ops.convert_to_numpy(features(windows + step * direction, training=False)) @ kernel[:, 2]
        for step in (-1e-3, 1e-3)
    )
    return (behind - before).item() / 2e-3


@pytest.mark.parametrize("kind", ["plain", "odd pooling"])
def test_one_of_equal_largest_values_has_the_gradient(kind):
    network, flat = drawn_network(kind), np.ones((1, 120, 12), np.float32)
    gradients = start_gradients(in_memory(network), Runtime())(flat, [2])[0, 0]
    assert gradients.sum() == pytest.approx(_slope(network, flat, flat[0]), rel=0.02)
