"""The continuation of a record beyond its ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_gap.signal.continuation import _differences, continue_signal


def _periodic(times, period=0.8):
    phases = np.arange(12) / 3
    turns = 2 * np.pi * times[:, None] / period
    return np.sin(turns + phases) + 0.3 * np.sin(3 * turns + phases)


@pytest.mark.parametrize("period", [0.37, 0.8, 1.25])
def test_a_periodic_signal_goes_on_periodically(period):
    times = np.arange(-80, 1080) / 100
    period = round(period * 100) / 100  # a whole number of samples
    whole = _periodic(times, period)
    signal = whole[80:-80]
    np.testing.assert_allclose(signal[continue_signal(signal, 80, 100.0)], whole, atol=1e-9)


def test_a_drifting_level_is_no_difference():
    whole = _periodic(np.arange(-80, 1080) / 100)
    drifting = whole[80:-80] + np.arange(1000)[:, None] / 30
    np.testing.assert_allclose(whole[80:-80][continue_signal(drifting, 80, 100.0)], whole, atol=1e-9)


def test_an_irregular_rhythm_goes_on_as_it_did_after_the_most_alike_beat():
    beats = np.array([0.5, 1.2, 2.3, 2.9, 4.4])
    times = np.arange(500) / 100
    signal = np.exp(-(((times[:, None] - beats) / 0.02) ** 2)).sum(axis=1)[:, None]
    places = continue_signal(signal, 100, 100.0)[-100:]
    # The last beat is 0.6 s before the end after a pause of 1.5 s; none of the others came so late.
    assert (np.diff(places) == 1).sum() >= 98
    assert places.max() < 500


@given(samples=st.integers(1, 400), margin=st.integers(0, 300), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_any_signal_stays_itself_between_its_continuations(samples, margin, seed):
    signal = np.random.default_rng(seed).normal(size=(samples, 3))
    places = continue_signal(signal, margin, 100.0)
    assert places.shape == (samples + 2 * margin,)
    np.testing.assert_array_equal(places[margin : margin + samples], np.arange(samples))
    assert places.min() >= 0
    assert places.max() < samples


def test_differences_are_weighted_squares_less_a_level():
    signal = np.random.default_rng(0).normal(size=(450, 12)).cumsum(axis=0) + 100
    pattern, weights = signal[-150:], np.arange(1, 151) / 150
    expected = []
    for first in range(301):
        lead_by_lead = signal[first : first + 150] - pattern
        level = weights @ lead_by_lead / weights.sum()
        expected.append((weights @ (lead_by_lead - level) ** 2).sum())
    found = _differences(signal, pattern)
    np.testing.assert_allclose(found - found[-1], np.array(expected), atol=1e-6)


def test_the_start_is_continued_as_the_end_of_the_reversed_signal():
    signal = np.random.default_rng(0).normal(size=(1000, 12)).cumsum(axis=0)
    forward, backward = continue_signal(signal, 50, 100.0), continue_signal(signal[::-1], 50, 100.0)
    np.testing.assert_array_equal(forward, 999 - backward[::-1])
