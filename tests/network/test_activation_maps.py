"""Activation maps are exact and computed in one pass, for all networks that average their last features."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from cnn_gap.network.activation_maps import with_maps
from cnn_gap.network.architecture import build_network
from cnn_gap.network.map_logits import highest_means, logits_of_maps
from cnn_gap.network.map_times import record_maps
from cnn_gap.network.options import Network
from cnn_gap.network.structure import structure_of
from cnn_gap.signal.windows import Preprocessing, prediction_windows
from cnn_gap.system.errors import InputError

SMALL = {"filters": (8, 8, 12), "kernels": (5, 3, 3), "pooling": (2, 1, 2)}
NETWORKS = {
    "plain": Network(**SMALL),
    "residual": Network(**SMALL, residual=True),
    "squeeze": Network(**SMALL, residual=True, squeeze=4),
    "sharpen": Network(**SMALL, residual=True, sharpen=True),
}
MARGIN = 20


def _network(kind, classes=3, margin=0, momentary=()):
    """Return a network whose variables all differ from their initial values."""
    keras.utils.set_random_seed(0)
    options = replace(NETWORKS[kind], moment_steps=7)
    network = build_network(options, 12, classes, margin=margin, momentary=momentary)
    random = np.random.default_rng(1)
    network.set_weights([w + random.uniform(0.05, 0.2, w.shape) for w in network.get_weights()])
    # float32 rounds probabilities near 0 or 1, so their logits would be lost.
    dense = network.get_layer("probabilities")
    features = keras.Model(network.input, dense.input).predict_on_batch(_windows(1, 100))
    kernel = random.uniform(-1, 1, (features.shape[-1], classes)) / np.abs(features).max()
    dense.set_weights([kernel, random.uniform(-1, 1, classes)])
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


@pytest.mark.parametrize("margin", [0, MARGIN])
@pytest.mark.parametrize("samples", [41, 100, 400])
def test_the_logit_of_a_momentary_class_is_the_highest_mean_of_its_map_plus_the_bias(samples, margin):
    network = _network("residual", margin=margin, momentary=(0, 2))
    probabilities, maps = with_maps(network).predict_on_batch(_windows(2, samples + 2 * margin))
    bias, head = network.get_layer("probabilities").get_weights()[1], structure_of(network).head
    np.testing.assert_array_equal(head.momentary, [True, False, True])
    logits = logits_of_maps(maps, head.momentary, head.moment_steps) + bias
    np.testing.assert_allclose(logits, logit(probabilities.astype(np.float64)), atol=1e-4)
    means = maps.mean(axis=1) + bias
    np.testing.assert_allclose(logits[:, 1], means[:, 1], atol=1e-6)
    assert (logits[:, [0, 2]] > means[:, [0, 2]] + 1e-3).all()


def test_a_moment_at_an_end_counts_no_more_than_one_in_the_middle():
    maps = np.zeros((2, 50, 1))
    maps[0, :3], maps[1, 20:23] = 1.0, 1.0
    at_the_end, in_the_middle = highest_means(maps, 11)[:, 0]
    assert in_the_middle == pytest.approx(3 / 11)
    assert 0.9 * in_the_middle < at_the_end < 1.1 * in_the_middle


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
def test_margins_are_seen_and_have_no_maps(kind):
    windows = _windows(2, 200)
    network = _network(kind, margin=MARGIN)
    probabilities, maps = with_maps(network).predict_on_batch(windows)
    assert maps.shape == (2, (200 - 2 * MARGIN) // 4, 3)
    bias = network.get_layer("probabilities").get_weights()[1]
    np.testing.assert_allclose(maps.mean(axis=1) + bias, logit(probabilities.astype(np.float64)), atol=1e-4)
    windows[:, :MARGIN] = 0
    changed = with_maps(network).predict_on_batch(windows)[1]
    assert not np.allclose(changed[:, 0], maps[:, 0], rtol=1e-2)
    assert structure_of(network).map_stride == 4


def test_a_margin_keeps_the_ends_of_a_periodic_signals_map_straight():
    times = np.arange(400 + 2 * MARGIN)[None, :, None] - MARGIN
    windows = np.sin(2 * np.pi * times / 40 + np.arange(12)).astype(np.float32)
    network = _network("residual", margin=MARGIN)
    assert structure_of(network).receptive_field <= 2 * MARGIN
    maps = with_maps(network).predict_on_batch(windows)[1][0]
    middle = maps[50:60]
    np.testing.assert_allclose(maps[:10], middle, atol=1e-4)
    np.testing.assert_allclose(maps[-10:], middle, atol=1e-4)
    bent = with_maps(_network("residual")).predict_on_batch(windows[:, MARGIN:-MARGIN])[1][0]
    assert np.abs(bent[:10] - middle).max() > 0.1 * np.abs(middle).max()


@pytest.mark.parametrize("kind", ["plain", "residual"])
def test_the_receptive_field_is_what_a_step_sees(kind):
    network = _network(kind)
    field = structure_of(network).receptive_field
    windows = np.zeros((1, 200, 12), np.float32)
    step = 25
    centre = 4 * step + 1.5
    mapped = with_maps(network)
    pulses = np.repeat(windows, 201, axis=0)
    random = np.random.default_rng(0)
    for sample in range(200):
        pulses[sample, sample] = 1e3 * random.normal(size=12)
    steps = mapped.predict_on_batch(pulses)[1][:, step]
    seen = np.abs(steps[:200] - steps[200]).max(axis=1) > 0
    inside = np.flatnonzero(seen)
    assert inside[-1] - inside[0] + 1 <= field
    assert inside[-1] - inside[0] + 1 >= 0.8 * field  # ReLU may hide the outermost
    assert abs((inside[0] + inside[-1]) / 2 - centre) <= 2


PREPROCESSING = Preprocessing(sampling_rate=100.0, window_s=10.0, overlap=0.5)


@pytest.mark.parametrize("rate", [100.0, 257.0, 500.0, 1000.0])
def test_a_maps_values_lie_at_the_middle_of_their_steps_at_any_rate(rate):
    maps = np.zeros((1, 125, 2))
    maps[0, 30, 0], maps[0, 0, 1] = 5, 7
    on_record = record_maps(maps, 8, round(10 * rate), rate, PREPROCESSING)
    assert on_record.shape == (round(10 * rate), 2)
    assert on_record.dtype == np.float32
    assert on_record[:, 0].argmax() / rate == pytest.approx((30 * 8 + 3.5) / 100, abs=0.6 / rate)
    assert on_record[:, 0].max() == pytest.approx(5, rel=0.15)
    np.testing.assert_allclose(on_record[: int(0.035 * rate) + 1, 1], 7)  # nothing lies before: held
    assert on_record[round(0.2 * rate) :, 1].max() == 0


def test_overlapping_windows_are_blended():
    # Windows of a record of 20 s start at 0, 5 and 10 s.
    maps = np.broadcast_to(np.array([1.0, 2.0, 3.0])[:, None, None], (3, 125, 1))
    on_record = record_maps(maps, 8, 2000, 100.0, PREPROCESSING)[:, 0]
    np.testing.assert_allclose(on_record[:500], 1)
    np.testing.assert_allclose(on_record[1500:], 3)
    assert on_record[750] == pytest.approx(1.5, abs=0.02)
    assert (np.diff(on_record) >= 0).all()


@pytest.mark.parametrize("samples", [1, 7, 400, 999])
def test_a_short_records_map_begins_with_it_and_ends_with_it(samples):
    steps = -(-samples // 8)
    maps = np.arange(steps)[None, :, None] * 8 + 3.5  # a map that tells its own place
    on_record = record_maps(maps, 8, samples, 100.0, PREPROCESSING)[:, 0]
    np.testing.assert_allclose(on_record, np.clip(np.arange(samples), 3.5, 8 * steps - 4.5), atol=1e-3)


@given(seconds=st.floats(0.01, 70), rate=st.floats(20, 2000), overlap=st.floats(0, 0.9))
@settings(max_examples=60, deadline=None)
def test_a_constant_map_stays_constant_for_any_length_and_rate(seconds, rate, overlap):
    preprocessing = Preprocessing(overlap=overlap)
    samples = max(1, round(seconds * rate))
    signal = np.zeros((samples, 1), np.float32)
    count = len(prediction_windows(signal, rate, preprocessing))
    on_record = record_maps(np.full((count, 125, 1), 4.0), 8, samples, rate, preprocessing)
    np.testing.assert_allclose(on_record, np.full((samples, 1), 4.0), rtol=1e-5)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_stride_is_the_product_of_all_pooling(kind):
    assert structure_of(build_network(NETWORKS[kind], 12, 3)).map_stride == 4


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
        (_without_average, r"received one that ends with average \(GlobalMaxPooling1D\), probabilities"),
        (_without_dense, r"received one that ends with .*, average \(GlobalAveragePooling1D\)"),
        (_with_more_between, r"received one that ends with .* \(Dense\), probabilities \(Dense\)"),
    ],
)
def test_a_network_that_pools_otherwise_is_refused(make, named):
    for function in (with_maps, lambda network: structure_of(network).map_stride):
        with pytest.raises(InputError, match=named):
            function(make())
