"""Samples that no ECG has are not valid; large but possible ones, and wrong gains, stay."""

import numpy as np
import pytest

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record


@pytest.fixture(scope="module")
def heart():
    return simulate_record("S1", ["426783006"], 500.0, 10.0, seed=3).signal


@pytest.mark.parametrize("where", [slice(700, 701), slice(700, 730), slice(0, 2000)])
@pytest.mark.parametrize("value", [-81.92, -32.768, 163.84])
def test_a_filler_is_not_valid_and_said(heart, where, value):
    signal = heart.copy()
    signal[where, 7] = value
    record = record_from_signal(signal, 500, LEADS)
    count = where.stop - where.start
    assert np.isnan(record.signal[where, 7]).all()
    assert np.isnan(record.signal).sum() == count
    assert record.notes == (f"{count} samples of lead V2 are not valid: {value:.1f} mV",)


@pytest.mark.parametrize(
    "changed",
    [
        lambda signal: signal * 1000,  # µV taken for mV
        lambda signal: signal * 20,
        lambda signal: signal + 150,  # the offset of electrodes, as amplifiers for direct current keep it
        lambda signal: signal + 30 * np.sin(np.arange(len(signal)) / 700)[:, None],
        lambda signal: signal + np.linspace(-40, 40, len(signal))[:, None],
    ],
)
def test_what_is_large_but_continuous_stays(heart, changed):
    signal = changed(heart).astype(np.float32)
    record = record_from_signal(signal, 500, LEADS)
    np.testing.assert_array_equal(record.signal, signal)
    assert record.notes == ()
