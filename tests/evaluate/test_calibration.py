"""Calibration: probabilities agree with the share of records that have the diagnosis."""

import numpy as np
from scipy.special import expit, logit

from cnn_gap.evaluate.calibration import fit_calibration, scale_logits
from cnn_gap.network.activation_maps import with_maps
from cnn_gap.network.architecture import build_network
from cnn_gap.network.options import Network


def _drawn(records, scale, offset, seed=0):
    """Return labels of one class, and probabilities whose logits are off by a scale and an offset."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-1.0, 2.0, records)
    return rng.random(records) < expit(true), expit((true - offset) / scale)


def test_a_scale_and_an_offset_are_found():
    pairs = [(0.6, -0.7), (1.5, 0.4)]
    drawn = [_drawn(20_000, *pair) for pair in pairs]
    scales, offsets = fit_calibration(*(np.stack(each, axis=1) for each in zip(*drawn, strict=True)))
    np.testing.assert_allclose(scales, [0.6, 1.5], atol=0.05)
    np.testing.assert_allclose(offsets, [-0.7, 0.4], atol=0.05)


def test_few_records_move_little_and_a_class_without_positives_not_at_all():
    labels, probabilities = _drawn(30, 0.3, -1.5)
    labels, probabilities = np.stack([labels, np.zeros(30, bool)], 1), np.stack([probabilities] * 2, 1)
    scales, offsets = fit_calibration(labels, probabilities)
    assert 0.3 < scales[0] < 1
    assert -2 < offsets[0] < 0
    assert (scales[1], offsets[1]) == (1, 0)


def test_probabilities_of_zero_and_one_are_taken():
    scales, offsets = fit_calibration(np.array([[True], [False]] * 20), np.array([[1.0], [0.0]] * 20))
    assert np.isfinite([scales, offsets]).all()


def test_the_dense_layer_scales_logits_and_maps():
    network = build_network(Network((4, 6), (5, 3), (2, 2)), 12, 3)
    windows = np.random.default_rng(0).normal(size=(2, 40, 12)).astype(np.float32)
    before, maps = with_maps(network).predict_on_batch(windows)
    scales, offsets = np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 0.3])
    scale_logits(network, scales, offsets)
    after, scaled = with_maps(network).predict_on_batch(windows)
    np.testing.assert_allclose(logit(after), logit(before) * scales + offsets, atol=1e-4)
    np.testing.assert_allclose(scaled, maps * scales, atol=1e-5)
