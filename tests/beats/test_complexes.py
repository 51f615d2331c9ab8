"""The detector and its search for local peaks find the same as wfdb's own."""

import numpy as np
import pytest
from wfdb.processing import XQRS
from wfdb.processing.peaks import find_local_peaks

from cnn_gap.beats.complexes import find_complexes, local_peaks


@pytest.mark.parametrize("radius", [1, 2, 7, 50, 400])
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_the_peaks_are_those_that_wfdb_finds(radius, decimals):
    signal = np.random.default_rng(radius).normal(size=600).round(decimals)  # rounded: many are equally high
    signal[100:200] = 0.0
    np.testing.assert_array_equal(local_peaks(signal, radius), find_local_peaks(signal, radius))


def test_a_flat_signal_has_no_peaks():
    assert not len(local_peaks(np.ones(100), 5))


def hearts(rate, seconds, amplitude, noise, period=0.8, every_third=1.0):
    """Return one lead of simulated complexes; every third one has another amplitude."""
    times = np.arange(round(seconds * rate)) / rate
    beats = amplitude * np.exp(-(((times % period) - period / 2) ** 2) / (2 * 0.015**2))
    beats[(times // period) % 3 == 2] *= every_third
    return beats + np.random.default_rng(0).normal(0, noise, len(times))


@pytest.mark.parametrize("rate", [250.0, 500.0])
@pytest.mark.parametrize(
    "signal",
    [
        {"seconds": 10, "amplitude": 1.0, "noise": 0.05},
        {"seconds": 10, "amplitude": -1.0, "noise": 0.05},  # too few look like the wavelet
        {"seconds": 40, "amplitude": 1.0, "noise": 0.1, "every_third": 0.35},  # found by the second search
        {"seconds": 40, "amplitude": 0.2, "noise": 0.1},
        {"seconds": 40, "amplitude": 0.0, "noise": 0.1},
        {"seconds": 4, "amplitude": 1.0, "noise": 0.02, "period": 1.3},
        {"seconds": 30, "amplitude": 1.0, "noise": 0.3, "period": 0.31},
    ],
)
def test_the_complexes_are_those_that_wfdb_finds(signal, rate):
    lead = hearts(rate, **signal)
    detector = XQRS(lead, rate)
    detector.detect(verbose=False)
    np.testing.assert_array_equal(find_complexes(lead, rate), detector.qrs_inds)


def test_a_flat_or_very_short_lead_has_no_complexes():
    assert not len(find_complexes(np.ones(5000), 500.0))
    assert not len(find_complexes(np.arange(100.0), 500.0))
