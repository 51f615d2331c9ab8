"""Lead maps: gradients and gradient × input of networks for which they are known."""

import keras
import numpy as np
import pytest

from cnn_gap.network.gradients import logit_gradients
from cnn_gap.network.lead_maps import lead_maps
from cnn_gap.system.errors import InputError


@pytest.fixture
def linear():
    """A network whose logits are weighted means of the leads."""
    inputs = keras.Input((None, 12))
    average = keras.layers.GlobalAveragePooling1D(name="average")(inputs)
    return keras.Model(inputs, keras.layers.Dense(4, activation="sigmoid", name="probabilities")(average))


@pytest.fixture
def kernel(linear):
    return keras.ops.convert_to_numpy(linear.get_layer("probabilities").kernel)  # (leads, classes)


def test_gradients_of_a_linear_network_are_its_weights(linear, kernel):
    gradients = logit_gradients(linear)(np.ones((2, 50, 12), np.float32), [3, 0, 3])
    expected = kernel.T[[3, 0, 3]][:, None, None] / 50  # (classes, 1, 1, leads)
    np.testing.assert_allclose(gradients, np.broadcast_to(expected, (3, 2, 50, 12)), rtol=1e-5)


def test_what_a_network_crops_has_no_gradient():
    inputs = keras.Input((None, 12))
    ends = [keras.layers.Cropping1D(edges)(inputs) for edges in ((3, 7), (5, 5))]
    average = keras.layers.GlobalAveragePooling1D(name="average")(keras.layers.Concatenate()(ends))
    network = keras.Model(inputs, keras.layers.Dense(4, activation="sigmoid", name="probabilities")(average))
    kernel = keras.ops.convert_to_numpy(network.get_layer("probabilities").kernel)
    gradients = logit_gradients(network)(np.ones((2, 50, 12), np.float32), [1])
    expected = np.zeros((50, 12))
    expected[3:43] += kernel[:12, 1] / 40
    expected[5:45] += kernel[12:, 1] / 40
    np.testing.assert_allclose(gradients, np.broadcast_to(expected, (1, 2, 50, 12)), rtol=1e-5, atol=1e-8)


def test_many_windows_and_classes_get_what_each_gets_alone(linear):
    windows = np.random.default_rng(1).normal(size=(20, 40, 12)).astype(np.float32)
    columns = [0, 1, 2, 3] * 9
    gradients = logit_gradients(linear)
    found = lead_maps(gradients, windows, columns, 0, stride=8, sampling_rate=100.0)
    for window, column in ((0, 0), (19, 35), (7, 33)):
        alone = lead_maps(gradients, windows[window : window + 1], [columns[column]], 0, 8, 100.0)
        np.testing.assert_allclose(found[window, :, column], alone[0, :, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("margin", [0, 10])
def test_the_maps_of_a_linear_network_add_up_to_its_logits(linear, kernel, margin):
    """The logit is a mean over all samples; the maps leave out the samples of the margins."""
    levels = np.random.default_rng(0).normal(size=(2, 1, 12)).astype(np.float32)
    windows = np.repeat(levels, 80 + 2 * margin, axis=1)
    found = lead_maps(logit_gradients(linear), windows, [1, 2], margin, stride=8, sampling_rate=100.0)
    assert found.shape == (2, 10, 2, 12)
    expected = (levels * kernel.T[[1, 2]]) * 80 / (80 + 2 * margin)  # (windows, classes, leads)
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 10, axis=1), rtol=1e-4, atol=1e-6)


def test_a_lead_adds_only_to_steps_near_its_signal(linear):
    windows = np.zeros((1, 1000, 12), np.float32)
    windows[0, 480:490, 5] = 1.0
    found = lead_maps(logit_gradients(linear), windows, [0], 0, stride=16, sampling_rate=100.0)
    assert found.shape == (1, 63, 1, 12)  # the last step has half a stride
    far = np.abs(np.arange(63) * 16 + 8 - 485) > 25
    assert not found[0, far].any()
    assert found[0, ~far, 0, 5].any()
    assert not np.delete(found, 5, axis=3).any()


def test_a_backend_without_gradients_is_named(linear, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(InputError, match="needs Keras on tensorflow or jax; received openvino"):
        logit_gradients(linear)
