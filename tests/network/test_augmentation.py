"""The random layers change windows in training as documented, and change nothing in prediction."""

import keras
import numpy as np
import pytest

from cnn_gap.leads import LEADS
from cnn_gap.network.augmentation import (
    FEW_LEADS,
    RandomAmplitude,
    RandomDisturbance,
    RandomLeads,
    RandomPaths,
    augmentation_layers,
)
from cnn_gap.network.options import Augmentation
from cnn_gap.system.errors import InputError

LAYERS = (
    RandomAmplitude(0.5, 2.5, seed=1),
    RandomDisturbance(1.0, 0.1, 5.0, 100.0, seed=1),
    RandomLeads(0.5, seed=1),
    RandomLeads(0.5, 0.2, seed=1),
    RandomPaths((2, 4, 6), 0.2, seed=1),
)


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(1).normal(size=(400, 200, 12)).astype(np.float32)


def _changed(layer, windows):
    return keras.ops.convert_to_numpy(layer(windows, training=True))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_nothing_changes_in_prediction_and_the_layer_rebuilds_from_its_config(layer, windows):
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(windows, training=False)), windows)
    assert _changed(layer, windows).dtype == np.float32
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    first = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(_changed(again, windows), _changed(first, windows))


def test_random_amplitude_scales_each_window(windows):
    factors = _changed(RandomAmplitude(0.5, 2.5, seed=1), windows) / windows
    assert np.ptp(factors, axis=(1, 2)).max() < 1e-4
    assert 0.5 <= factors.min() < 0.6
    assert 2.4 < factors.max() <= 2.501


def test_wander_is_slow_bounded_and_meets_half_of_the_windows(windows):
    added = _changed(RandomDisturbance(wander_mv=1.5, seed=1), windows) - windows
    met = np.abs(added).max(axis=(1, 2)) > 1e-5
    assert 0.4 < met.mean() < 0.6
    assert 1.2 < np.abs(added).max() <= 1.501
    # A sine of at most 0.5 Hz and 1.5 mV rises by at most 2 pi 0.5 1.5 mV/s.
    assert np.abs(np.diff(added, axis=1)).max() <= 2 * np.pi * 0.5 * 1.5 / 100 + 1e-4


def test_noise_has_the_asked_strength(windows):
    added = _changed(RandomDisturbance(noise_mv=0.2, seed=1), windows) - windows
    strength = added.std(axis=(1, 2))
    assert 0.15 < strength.max() < 0.21
    assert 0.4 < (strength > 1e-3).mean() < 0.6


def test_a_spike_is_narrow_and_on_one_lead(windows):
    added = np.abs(_changed(RandomDisturbance(spike_mv=5.0, seed=1), windows) - windows)
    met = added[added.max(axis=(1, 2)) > 0.5]
    assert 4 < met.max() <= 5.001
    assert ((met > 0.1).any(axis=1).sum(axis=1) == 1).all()
    assert (met > 0.1).sum(axis=(1, 2)).max() <= 7


def test_each_path_is_dropped_with_those_after_it():
    features = np.ones((2000, 3, 9), np.float32)
    seen = _changed(RandomPaths((2, 3, 4), 0.2, seed=1), features)
    assert (seen == seen[:, :1]).all()
    first, second, third = (seen[:, 0, part] for part in (slice(0, 2), slice(2, 5), slice(5, 9)))
    assert first.all()
    assert second.mean() == pytest.approx(0.8, abs=0.03)
    assert third.mean() == pytest.approx(0.6, abs=0.03)
    assert (second.min(axis=1) >= third.max(axis=1)).all()


def test_missing_leads_stay_zero():
    windows = np.ones((50, 100, 12), np.float32)
    windows[:, :, 3] = 0
    changed = _changed(RandomDisturbance(1.0, 0.1, 5.0, seed=1), windows)
    assert not changed[:, :, 3].any()
    assert (changed != windows).any()


def test_the_lead_sets_of_the_challenge_are_drawn(windows):
    kept = _changed(RandomLeads(1.0, seed=1), windows).any(axis=1)
    patterns = {tuple(lead for lead, there in zip(LEADS, row, strict=True) if there) for row in kept}
    assert LEADS[:6] in patterns
    assert (*LEADS[:6], "V2") in patterns
    assert any(len(pattern) == 11 for pattern in patterns)
    assert 0.2 < (kept.sum(axis=1) == 11).mean() < 0.3
    left_alone = (_changed(RandomLeads(0.3, seed=1), windows) == windows).all(axis=(1, 2))
    assert 0.6 < left_alone.mean() < 0.8


def test_some_other_windows_keep_few_leads(windows):
    kept = _changed(RandomLeads(0.3, 0.5, seed=1), windows).any(axis=1)
    patterns = [tuple(lead for lead, there in zip(LEADS, row, strict=True) if there) for row in kept]
    assert set(FEW_LEADS) <= set(patterns)
    assert 0.4 < np.mean([pattern in FEW_LEADS for pattern in patterns]) < 0.6
    assert 0.1 < kept.all(axis=1).mean() < 0.3


def test_an_augmentation_has_the_layers_that_it_names():
    assert augmentation_layers(Augmentation(amplitude=(1, 1)), 100.0) == []
    full = augmentation_layers(Augmentation(wander_mv=1.0, lead_dropout=0.5), 250.0)
    assert [type(layer) for layer in full] == [RandomAmplitude, RandomDisturbance, RandomLeads]
    assert full[1].sampling_rate == 250.0


@pytest.mark.parametrize(
    "change",
    [
        {"amplitude": (2.0, 1.0)},
        {"wander_mv": -1.0},
        {"lead_dropout": 1.5},
        {"few_leads": 0.5, "lead_dropout": 0.6},
        {"mixup": float("nan")},
    ],
)
def test_impossible_augmentations_are_named(change):
    with pytest.raises(InputError, match=next(iter(change))):
        Augmentation(**change)
