"""Filters whose designs are kept equal SciPy's own functions."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import signal as dsp

from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.resampling import resample_by


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("corners", "kind", "padding"),
    [(40.0, "lowpass", 8), (0.5, "highpass", 499), ((5.0, 20.0), "bandpass", 100), (0.5, "highpass", 0)],
)
def test_zero_phase_is_scipys_to_the_byte(corners, kind, padding, dtype):
    signal = np.random.default_rng(0).normal(size=(500, 12)).cumsum(axis=0).astype(dtype)
    sections = dsp.butter(2, corners, kind, fs=100.0, output="sos")
    expected = dsp.sosfiltfilt(sections, signal, axis=0, padlen=padding)
    for _ in range(2):  # the second time by what the first one has designed
        assert zero_phase(signal, corners, kind, 100.0, padding).tobytes() == expected.tobytes()


@pytest.mark.parametrize("ratio", [Fraction(100, 257), Fraction(3, 2)])
def test_resampling_is_scipys_to_the_byte(ratio):
    signal = np.random.default_rng(0).normal(size=(1000, 12)).astype(np.float32)
    level = signal.mean(axis=0, dtype=np.float64).astype(np.float32)
    for _ in range(2):
        expected = level + dsp.resample_poly(
            signal - level, ratio.numerator, ratio.denominator, axis=0, padtype="line"
        )
        assert resample_by(signal, ratio).tobytes() == expected.tobytes()


@pytest.mark.parametrize("factor", [2, 5, 10])
@pytest.mark.parametrize("samples", [2, 7, 999, 5003, 50_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_nth_sample_is_scipys(factor, samples, dtype):
    signal = np.random.default_rng(samples).normal(size=(samples, 12)).cumsum(axis=0).astype(dtype)
    level = signal.mean(axis=0, dtype=np.float64).astype(dtype)
    expected = level + dsp.resample_poly(signal - level, 1, factor, axis=0, padtype="line")
    found = resample_by(signal, Fraction(1, factor))
    assert found.dtype == expected.dtype
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(signal).max())
