"""Training windows as other recorders give them."""

import numpy as np
import pytest

from cnn_gap.network.other_recorders import add_electrode_noise, high_pass
from cnn_gap.simulation.recordings import simulate_record

RATE = 100.0


@pytest.mark.parametrize("change", [add_electrode_noise, high_pass])
def test_a_share_of_the_windows_is_changed(change):
    signal = simulate_record("record", ("426783006",), RATE, 5.0, 1).signal.astype(np.float32)
    windows = np.repeat(signal[None], 60, axis=0)
    change(windows, 0.3, RATE, np.random.default_rng(0))
    changed = (windows != signal).any(axis=(1, 2))
    assert 10 <= changed.sum() <= 26
    assert np.isfinite(windows).all()
    assert np.abs(windows - signal).max() < 2 * np.ptp(signal)
    again = np.repeat(signal[None], 60, axis=0)
    change(again, 0.3, RATE, np.random.default_rng(0))
    np.testing.assert_array_equal(again, windows)
    change(again, 0.0, RATE, np.random.default_rng(0))
    np.testing.assert_array_equal(again, windows)
