"""QRS complexes of recordings of hours."""

import numpy as np
import pytest

from cnn_gap.holter.qrs import find_qrs

RATE = 125.0


def complexes(times, height=1.0, seconds=60.0, leads=1):
    """Return a signal with a narrow wave at each time, s."""
    at = np.arange(round(seconds * RATE)) / RATE
    signal = sum(height * np.exp(-((at - time) ** 2) / (2 * 0.012**2)) for time in times)
    return np.repeat(signal[:, None], leads, axis=1)


def test_each_complex_is_found_to_a_few_samples():
    times = np.arange(0.7, 59, 0.8)
    found = find_qrs(complexes(times), RATE).places / RATE
    assert len(found) == len(times)
    assert np.abs(found - times).max() < 0.03


def test_a_small_complex_in_a_long_interval_is_found():
    times = np.arange(1.0, 59, 1.0)
    signal = complexes(np.delete(times, 30)) + complexes(times[30:31], height=0.3)
    assert len(find_qrs(signal, RATE).places) == len(times)


@pytest.mark.parametrize(("height", "later", "expected"), [(0.35, 0.8, 1), (0.15, 0.8, 0), (0.35, 0.35, 0)])
def test_a_long_interval_with_a_peak_between_complex_and_p_wave_is_doubtful(height, later, expected):
    times = np.delete(np.arange(1.0, 59, 1.0), 30)
    times[30:] -= 0.6  # an interval of 1.4 s is not searched again
    found = find_qrs(complexes(times) + complexes(times[29:30] + later, height=height), RATE)
    assert len(found.places) == len(times)
    assert found.doubtful.sum() == found.doubtful[30] == expected


def test_a_noisy_lead_does_not_hide_the_complexes_of_another():
    times = np.arange(1.0, 59, 0.9)
    noise = np.random.default_rng(0).normal(0, 1, (round(60 * RATE), 1))
    found = find_qrs(np.hstack([complexes(times), noise]), RATE).places
    assert len(found) == len(times)


@pytest.mark.parametrize("signal", [np.zeros((2500, 2)), np.random.default_rng(1).normal(0, 0.1, (2500, 2))])
def test_nothing_stands_out_of_a_flat_line_or_noise(signal):
    assert find_qrs(signal, RATE).contrast.max() < 3
