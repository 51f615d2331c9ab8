"""Activation maps: exact, in one pass, for every network that pools its last features over time."""

import keras
import numpy as np
import pytest
from scipy.special import expit, logit

from cnn_gap.activation_maps import map_stride, with_maps
from cnn_gap.errors import InputError
from cnn_gap.network import Network, build_network

SMALL = {"filters": (8, 8, 12), "kernels": (5, 3, 3), "pooling": (2, 1, 2)}
NETWORKS = {
    "plain": Network(**SMALL),
    "residual": Network(**SMALL, residual=True),
    "squeeze": Network(**SMALL, residual=True, squeeze=4),
}


def _network(kind, classes=3):
    """Return a network whose variables all differ from their first values."""
    keras.utils.set_random_seed(0)
    network = build_network(NETWORKS[kind], leads=12, classes=classes)
    random = np.random.default_rng(1)
    network.set_weights([w + random.uniform(0.05, 0.2, w.shape) for w in network.get_weights()])
    # Probabilities near 0 or 1 would hide the logit from float32.
    pooled = keras.Model(network.input, network.get_layer("average").output).predict_on_batch(_windows(1, 100))
    kernel = random.uniform(-1, 1, (pooled.shape[1], classes)) / np.abs(pooled).max()
    network.get_layer("probabilities").set_weights([kernel, random.uniform(-1, 1, classes)])
    return network


def _windows(count, samples):
    return np.random.default_rng(samples).normal(size=(count, samples, 12)).astype(np.float32)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("samples", [1, 7, 200, 1001])
def test_a_maps_mean_over_time_plus_the_bias_is_the_logit(kind, samples):
    network = _network(kind)
    probabilities, maps = with_maps(network).predict_on_batch(_windows(2, samples))
    bias = network.get_layer("probabilities").get_weights()[1]
    assert probabilities.shape == (2, 3)
    assert maps.shape == (2, -(-samples // 4), 3)
    logits = logit(probabilities.astype(np.float64))
    assert np.abs(logits).max() < 6
    np.testing.assert_allclose(maps.mean(axis=1) + bias, logits, atol=1e-4)
    np.testing.assert_allclose(expit(maps.mean(axis=1) + bias), probabilities, atol=1e-6)


def test_a_map_is_the_features_weighted_as_by_the_dense_layer():
    network = _network("plain")
    windows = _windows(2, 64)
    features = keras.Model(network.input, network.get_layer("average").input).predict_on_batch(windows)
    kernel = network.get_layer("probabilities").get_weights()[0]
    expected = np.einsum("nti,ij->ntj", features.astype(np.float64), kernel)
    np.testing.assert_allclose(with_maps(network).predict_on_batch(windows)[1], expected, atol=1e-5)


def test_the_probabilities_are_the_networks_and_the_network_is_left_as_it_was():
    network = _network("squeeze")
    windows = _windows(3, 128)
    before = network.predict_on_batch(windows)
    np.testing.assert_allclose(with_maps(network).predict_on_batch(windows)[0], before, atol=1e-6)
    np.testing.assert_array_equal(network.predict_on_batch(windows), before)


def test_maps_can_be_made_again_after_the_weights_have_changed():
    network = _network("plain")
    windows = _windows(1, 40)
    first = with_maps(network).predict_on_batch(windows)[1]
    dense = network.get_layer("probabilities")
    dense.set_weights([2 * dense.get_weights()[0], dense.get_weights()[1]])
    np.testing.assert_allclose(with_maps(network).predict_on_batch(windows)[1], 2 * first, rtol=1e-5)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_stride_is_the_product_of_all_pooling(kind):
    assert map_stride(build_network(NETWORKS[kind], leads=12, classes=3)) == 4


def _without_average():
    windows = keras.Input((None, 12))
    pooled = keras.layers.GlobalMaxPooling1D(name="average")(windows)
    return keras.Model(windows, keras.layers.Dense(3, name="probabilities")(pooled))


def _without_dense():
    windows = keras.Input((None, 12))
    return keras.Model(windows, keras.layers.GlobalAveragePooling1D(name="average")(windows))


def _with_more_between():
    windows = keras.Input((None, 12))
    pooled = keras.layers.GlobalAveragePooling1D(name="average")(windows)
    hidden = keras.layers.Dense(4)(pooled)
    return keras.Model(windows, keras.layers.Dense(3, name="probabilities")(hidden))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (_without_average, "layer average of type GlobalAveragePooling1D"),
        (_without_dense, "layer probabilities of type Dense"),
        (_with_more_between, "ends with the layers average and probabilities"),
    ],
)
def test_a_network_that_pools_otherwise_is_refused(make, named):
    for function in (with_maps, map_stride):
        with pytest.raises(InputError, match=named):
            function(make())
