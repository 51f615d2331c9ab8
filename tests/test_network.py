"""The network: shapes, lengths, saving, and what it may be made of."""

import keras
import numpy as np
import pytest

from cnn_gap.augmentation import RandomAmplitude
from cnn_gap.config import CONFIGS, read_config
from cnn_gap.errors import InputError
from cnn_gap.network import Network, build_network

SMALL = Network(filters=(4, 6, 8), kernels=(5, 3, 3), pooling=(2, 1, 2))


@pytest.mark.parametrize("name", ["default", "paper"])
def test_the_configured_networks_have_twelve_blocks_a_pool_and_a_dense_layer(name):
    config = read_config(CONFIGS / f"{name}.toml")
    network = build_network(config.network, leads=12, classes=24)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("Conv1D") == kinds.count("BatchNormalization") == 12
    assert kinds[-2:] == ["GlobalAveragePooling1D", "Dense"]
    assert not any(layer.use_bias for layer in network.layers if isinstance(layer, keras.layers.Conv1D))


def test_the_paper_pools_in_blocks_1_5_and_10():
    pooling = read_config(CONFIGS / "paper.toml").network.pooling
    assert [number for number, factor in enumerate(pooling, start=1) if factor > 1] == [1, 5, 10]


@pytest.mark.parametrize("samples", [8, 100, 1000, 1001])
def test_any_length_works(samples):
    network = build_network(SMALL, leads=12, classes=3)
    probabilities = network.predict_on_batch(np.ones((2, samples, 12), np.float32))
    assert probabilities.shape == (2, 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_a_saved_network_predicts_the_same_to_the_bit(tmp_path):
    network = build_network(SMALL, leads=12, classes=3)
    network.compile("adam", "binary_crossentropy")
    windows = np.random.default_rng(0).normal(size=(8, 64, 12)).astype(np.float32)
    network.fit(windows, np.eye(3)[np.arange(8) % 3], verbose=0)  # so that no variable has its initial value
    network.save(tmp_path / "model.keras", include_optimizer=False)
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict_on_batch(windows), network.predict_on_batch(windows))


def test_the_same_seed_gives_the_same_network():
    networks = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        networks.append(build_network(SMALL, 12, 3).get_weights()[0])
    np.testing.assert_array_equal(networks[0], networks[1])
    assert not np.array_equal(networks[0], networks[2])


def test_random_amplitude_scales_each_window_in_training_only():
    layer = RandomAmplitude(0.5, 2.5, seed=1)
    windows = np.random.default_rng(1).normal(size=(200, 10, 12)).astype(np.float32)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(windows, training=False)), windows)
    factors = keras.ops.convert_to_numpy(layer(windows, training=True)) / windows
    assert np.ptp(factors, axis=(1, 2)).max() < 1e-5
    assert 0.5 <= factors.min() < 0.6
    assert 2.4 < factors.max() <= 2.5


def test_random_amplitude_rebuilds_from_its_config():
    layer = RandomAmplitude.from_config(RandomAmplitude(0.7, 1.3, seed=5).get_config())
    assert (layer.low, layer.high, layer.seed) == (0.7, 1.3, 5)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kernels": (5, 3)}, "kernels"),
        ({"filters": (0, 4, 4)}, "filters"),
        ({"dropout": 1.0}, "dropout"),
        ({"amplitude": (2.0, 1.0)}, "amplitude"),
    ],
)
def test_impossible_networks_are_named(change, named):
    settings = {"filters": (4, 6, 8), "kernels": (5, 3, 3), "pooling": (2, 1, 2)} | change
    with pytest.raises(InputError, match=named):
        Network(**settings)
