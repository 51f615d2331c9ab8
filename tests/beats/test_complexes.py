"""The search for local peaks finds the same peaks as wfdb's own, and does not change wfdb."""

import numpy as np
import pytest
from wfdb.processing import XQRS, qrs
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


def test_the_complexes_are_those_that_wfdb_finds():
    times = np.arange(5000) / 500
    beats = np.exp(-(((times % 0.8) - 0.4) ** 2) / (2 * 0.015**2))
    signal = beats + np.random.default_rng(0).normal(0, 0.05, len(times))
    detector = XQRS(signal, 500.0)
    detector.detect(verbose=False)
    assert len(detector.qrs_inds) > 8
    np.testing.assert_array_equal(find_complexes(signal, 500.0), detector.qrs_inds)
    assert qrs.find_local_peaks is find_local_peaks
