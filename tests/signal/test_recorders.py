"""Noise of electrodes, and filters of recorders."""

import numpy as np
import pytest

from cnn_gap.leads import LEADS
from cnn_gap.signal.recorders import (
    electrode_motion,
    filtered_forwards,
    from_electrodes,
    muscle,
    wander,
    with_electrode_noise,
)

RATE = 100.0


def _signal():
    times = np.arange(1000) / RATE
    return np.outer(np.sin(2 * np.pi * times) ** 15, np.linspace(0.5, 1.5, 12)).astype(np.float32)


@pytest.mark.parametrize("noise", [wander, muscle, electrode_motion])
def test_noise_has_the_asked_ratio_and_spares_missing_leads(noise):
    signal = _signal()
    signal[:, 3] = 0
    noisy = with_electrode_noise(signal, RATE, np.random.default_rng(0), noise, 12.0)
    added = (noisy - signal).astype(np.float64)
    assert not added[:, 3].any()
    present = np.arange(12) != 3
    low, high = np.quantile(signal[:, present], (0.005, 0.995), axis=0)
    ratio = ((high - low) ** 2 / 8).mean() / (added[:, present] ** 2).mean()
    assert 10 * np.log10(ratio) == pytest.approx(12, abs=0.1)
    np.testing.assert_allclose(added[:, 2], added[:, 1] - added[:, 0], atol=1e-5)  # III = II - I


def test_a_signal_of_zeros_gets_no_noise():
    silent = np.zeros((100, 12), np.float32)
    assert not with_electrode_noise(silent, RATE, np.random.default_rng(0), muscle, 12.0).any()


@pytest.mark.parametrize("samples", [1, 2, 7])
@pytest.mark.parametrize("noise", [wander, muscle, electrode_motion])
def test_a_few_samples_stay_finite(noise, samples):
    signal = np.linspace(-1, 1, 12 * samples, dtype=np.float32).reshape(samples, 12)
    assert np.isfinite(with_electrode_noise(signal, RATE, np.random.default_rng(0), noise, 12.0)).all()


def test_leads_are_differences_of_electrodes():
    right, left, leg, v1 = 1.0, 2.0, 4.0, 3.0
    leads = from_electrodes(np.array([[right, left, leg, v1, 0, 0, 0, 0, 0]]))[0]
    found = dict(zip(LEADS, leads.tolist(), strict=True))
    assert [found[lead] for lead in ("I", "II", "III", "aVR", "V1")] == [1, 3, 2, -2, v1 - 7 / 3]


@pytest.mark.parametrize(("noise", "low", "high"), [(wander, 0.0, 0.51), (muscle, 13.0, 50.0)])
def test_noise_is_of_its_band(noise, low, high):
    made = noise(3000, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(made)) ** 2
    frequencies = np.fft.rfftfreq(3000, 1 / RATE)
    assert power[(frequencies >= low) & (frequencies <= high)].sum() > 0.99 * power.sum()


def test_a_high_pass_filter_takes_the_offset_and_looks_at_the_past_alone():
    signal = _signal() + 1.0
    filtered = filtered_forwards(signal, 0.5, "highpass", RATE)
    assert np.abs(filtered[500:].mean(axis=0)).max() < 0.1
    later = signal.copy()
    later[600:] = 0
    np.testing.assert_array_equal(filtered_forwards(later, 0.5, "highpass", RATE)[:600], filtered[:600])
