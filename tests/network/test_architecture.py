"""The network: shapes of its output, lengths of windows, saving, and options."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.special import expit

from cnn_gap.network.architecture import build_network, copy_weights, sharpen
from cnn_gap.network.options import Augmentation, FeaturePath, Network
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_CONFIGS
from cnn_gap.training.config import read_config

SMALL = Network(filters=(4, 6, 8), kernels=(5, 3, 3), pooling=(2, 1, 2))
PATHS = (FeaturePath("near", (4,), (1,)), FeaturePath("far", (6,), (5,)))


@pytest.mark.parametrize("name", ["default", "paper"])
def test_the_configured_networks_have_twelve_blocks_a_pool_and_a_dense_layer(name):
    config = read_config(SHIPPED_CONFIGS / f"{name}.toml")
    network = build_network(config.network, 12, 24)
    kinds = [type(layer).__name__ for layer in network.layers if not layer.name.endswith("_gate")]
    blocks = [layer for layer in network.layers if layer.name.endswith("_convolution")]
    assert [type(layer) for layer in blocks] == [keras.layers.Conv1D] * 12
    assert kinds.count("Conv1D") == kinds.count("BatchNormalization")
    assert kinds[-2:] == ["GlobalAveragePooling1D", "Dense"]
    assert not any(layer.use_bias for layer in network.layers if isinstance(layer, keras.layers.Conv1D))


def test_the_paper_pools_in_blocks_1_5_and_10():
    pooling = read_config(SHIPPED_CONFIGS / "paper.toml").network.pooling
    assert [number for number, factor in enumerate(pooling, start=1) if factor > 1] == [1, 5, 10]


@pytest.mark.parametrize("samples", [8, 100, 1000, 1001])
def test_any_length_works(samples):
    network = build_network(SMALL, 12, 3)
    probabilities = network.predict_on_batch(np.ones((2, samples, 12), np.float32))
    assert probabilities.shape == (2, 3)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_a_saved_network_predicts_the_same_to_the_bit(tmp_path):
    network = build_network(SMALL, 12, 3)
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


@pytest.mark.parametrize(
    "change",
    [
        {"residual": True},
        {"squeeze": 2},
        {"dilation": (1, 2, 4)},
        {"last_dropout": 0.5},
        {"sharpen": True},
        {"sharpen": True, "sharpen_steps": 5},
        {"sharpen": True, "sharpen_steps": 5, "gated": True, "paths": PATHS},
    ],
)
def test_every_kind_of_block_takes_any_length_and_reload(change, tmp_path):
    network = build_network(replace(SMALL, **change), 12, 3, Augmentation(lead_dropout=0.5, wander_mv=1.0))
    windows = np.random.default_rng(0).normal(size=(8, 64, 12)).astype(np.float32)
    network.compile("adam", "binary_crossentropy")
    network.fit(windows, np.eye(3)[np.arange(8) % 3], verbose=0)
    network.save(tmp_path / "model.keras", include_optimizer=False)
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for samples in (64, 36):
        expected = network.predict_on_batch(windows[:, :samples])
        np.testing.assert_array_equal(loaded.predict_on_batch(windows[:, :samples]), expected)


def test_the_last_dropout_drops_a_feature_over_all_of_a_window():
    network = build_network(replace(SMALL, dropout=0.0, last_dropout=0.5), 12, 3)
    features = keras.Model(network.input, network.get_layer("average").input)
    windows = np.random.default_rng(0).normal(size=(8, 64, 12)).astype(np.float32)
    present = features.predict_on_batch(windows).any(axis=1)
    kept = keras.ops.convert_to_numpy(features(windows, training=True)).any(axis=1)[present]
    assert 0.2 < kept.mean() < 0.8


def test_margins_are_left_out_of_the_mean(tmp_path):
    network, bare = (build_network(SMALL, 12, 3, margin=margin) for margin in (8, 0))
    copy_weights(network, bare)
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    windows = np.random.default_rng(0).normal(size=(2, 64, 12)).astype(np.float32)
    features = keras.Model(bare.input, bare.get_layer("average").input).predict_on_batch(windows)
    kernel, bias = bare.get_layer("probabilities").get_weights()
    expected = expit(features[:, 2:-2].mean(axis=1) @ kernel + bias)
    np.testing.assert_allclose(loaded.predict_on_batch(windows), expected, atol=1e-6)
    with pytest.raises(InputError, match=r"multiple of 4 samples, .*; received 6"):
        build_network(SMALL, 12, 3, margin=6)


def test_momentary_classes_are_pooled_by_keras_own_layers(tmp_path):
    options = replace(SMALL, momentary=("a",), moment_steps=5)
    network = build_network(options, 12, 3, margin=8, momentary=(1,))
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for samples in (64, 20):  # of the second one, 4 samples have a map: fewer steps than a moment
        windows = np.random.default_rng(0).normal(size=(2, samples, 12)).astype(np.float32)
        found = loaded.predict_on_batch(windows)
        np.testing.assert_array_equal(found, network.predict_on_batch(windows))
        assert found.shape == (2, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentary": ("PVC",)}, r"needs moment_steps, an odd number; received \['PVC'\] and 0"),
        ({"moment_steps": 4}, "moment_steps must be 0 or an odd number"),
    ],
)
def test_moments_need_an_odd_number_of_steps(settings, message):
    with pytest.raises(InputError, match=message):
        replace(SMALL, **settings)


@pytest.mark.parametrize(("scale", "expected"), [(1e-3, 1.0), (100.0, 3.0)])
def test_sharpened_features_lie_between_mean_and_maximum(scale, expected):
    features = np.array([0.0, 0.5, 3.0, 0.5], np.float32)[None, :, None]
    sharpened = keras.ops.convert_to_numpy(sharpen(keras.ops.convert_to_tensor(scale * features))) / scale
    assert sharpened.shape == features.shape
    assert sharpened.mean() == pytest.approx(expected, rel=2e-3)


def test_features_that_are_sharpened_around_do_not_mind_what_is_farther_away():
    features = np.random.default_rng(0).gamma(1.0, size=(2, 40, 3)).astype(np.float32)
    other = features.copy()
    other[:, 30:] *= 10
    before, after = (
        keras.ops.convert_to_numpy(sharpen(keras.ops.convert_to_tensor(each), 5)) for each in (features, other)
    )
    np.testing.assert_array_equal(before[:, :26], after[:, :26])
    assert not np.allclose(before[:, 26:30], after[:, 26:30])
    weights, triangle = np.exp(features[:, 11:20]), np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]) / 25
    expected = features[:, 15] * weights[:, 4] / (weights * triangle[:, None]).sum(axis=1)
    np.testing.assert_allclose(before[:, 15], expected, rtol=1e-5)


def test_steps_of_sharpening_alone_do_not_sharpen():
    plain, steps = (build_network(replace(SMALL, sharpen_steps=each), 12, 3) for each in (0, 5))
    copy_weights(plain, steps)
    windows = np.random.default_rng(0).normal(size=(2, 64, 12)).astype(np.float32)
    np.testing.assert_array_equal(plain.predict_on_batch(windows), steps.predict_on_batch(windows))


def test_features_too_large_for_an_exponent_are_sharpened_to_numbers():
    features = keras.ops.convert_to_tensor(np.full((1, 9, 1), 1e4, np.float32))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(sharpen(features, 3)), 1e4, rtol=1e-5)


def test_a_gate_decides_at_which_steps_features_count():
    features = np.random.default_rng(0).gamma(1.0, size=(1, 40, 3)).astype(np.float32)
    gate = np.zeros_like(features)
    gate[:, 15] = 5.0

    def shared(gate):
        given = (keras.ops.convert_to_tensor(features), 21, keras.ops.convert_to_tensor(gate))
        sharpened = keras.ops.convert_to_numpy(sharpen(*given))
        return sharpened[:, 15] / sharpened[:, 5:26].sum(axis=1)

    np.testing.assert_allclose(
        shared(0 * gate), shared(0 * gate + 3), rtol=1e-5
    )  # a gate is compared with its values at steps nearby
    assert (shared(gate) > 5 * shared(0 * gate)).all()


def test_the_gate_comes_from_the_first_path():
    gated = replace(SMALL, dropout=0.0, sharpen=True, sharpen_steps=5, gated=True, paths=PATHS)
    network = build_network(gated, 12, 3)
    gates = {layer.name: layer for layer in network.layers if layer.name.endswith("_gate")}
    assert list(gates) == ["far_gate"]
    assert gates["far_gate"].input is network.get_layer("near1_relu").output


def test_paths_are_dropped_in_training_alone():
    network = replace(SMALL, paths=PATHS)
    training = build_network(network, 12, 3, Augmentation(amplitude=(1, 1), path_dropout=1.0))
    plain = build_network(network, 12, 3)
    copy_weights(training, plain)
    windows = np.random.default_rng(0).normal(size=(8, 64, 12)).astype(np.float32)
    np.testing.assert_array_equal(training.predict_on_batch(windows), plain.predict_on_batch(windows))
    seen = keras.Model(training.input, training.get_layer("average").output)(windows, training=True)
    assert not keras.ops.convert_to_numpy(seen)[:, 4:].any()
    assert keras.ops.convert_to_numpy(seen)[:, :4].any()
    assert not any(layer.name.startswith("random") for layer in plain.layers)


def test_a_residual_block_adds_its_input():
    network = build_network(Network((4, 4), (3, 3), (1, 1), dropout=0.0, residual=True), 12, 3)
    network.get_layer("block2_normalization").set_weights([np.zeros(4), np.zeros(4), np.zeros(4), np.ones(4)])
    outputs = [network.get_layer(name).output for name in ("block1_relu", "block2_relu")]
    first, second = keras.Model(network.input, outputs).predict_on_batch(np.ones((1, 20, 12), np.float32))
    assert first.any()
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kernels": (5, 3)}, "kernels"),
        ({"filters": (0, 4, 4)}, "filters"),
        ({"dropout": 1.0}, "dropout"),
        ({"last_dropout": -0.1}, "last_dropout"),
        ({"squeeze": 5}, "squeeze"),
        ({"dilation": (1, 2)}, "dilation"),
        ({"sharpen_steps": 4}, "sharpen_steps must be 0 or an odd number"),
        ({"gated": True}, "gated needs .*; received sharpen False, sharpen_steps 0 and 0 paths"),
        ({"gated": True, "sharpen": True, "paths": PATHS}, "received sharpen True, sharpen_steps 0 and 2"),
    ],
)
def test_impossible_networks_are_named(change, named):
    settings = {"filters": (4, 6, 8), "kernels": (5, 3, 3), "pooling": (2, 1, 2)} | change
    with pytest.raises(InputError, match=named):
        Network(**settings)
