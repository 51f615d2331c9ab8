"""Windows of long records that are read piece by piece equal the windows of the whole signal."""

from dataclasses import dataclass
from math import nan

import numpy as np
import pytest

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.signal import pieces
from cnn_gap.signal.pieces import gain_of, long_prediction_windows, long_training_windows
from cnn_gap.signal.windows import Preprocessing, prediction_windows, prepare_signal, training_windows
from cnn_gap.simulation import simulate_record

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


@dataclass(frozen=True, eq=False)
class _Held:
    """A signal in memory that is read part by part."""

    signal: np.ndarray
    sampling_rate: float

    @property
    def samples(self):
        return len(self.signal)

    def part(self, first, last):
        return record_from_signal(self.signal[first:last], self.sampling_rate, LEADS)


def _signal(rate, seconds):
    signal = simulate_record("A", ["426783006"], rate, seconds, seed=1).signal
    signal = signal + np.linspace(0, 3, len(signal), dtype=np.float32)[:, None]
    signal[round(40 * rate) : round(41 * rate), 6] = nan
    return signal


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "WINDOWS_CUT_AT_ONCE", 3)
    monkeypatch.setattr(pieces, "PIECE_SAMPLES", 1500)


@pytest.mark.parametrize("rate", [100.0, 250.0, 257.0, 500.0])
@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing(),
        Preprocessing(highpass_hz=0.5, lowpass_hz=40.0, slope_mv_s=(100.0, 200.0), margin_s=0.8, clip_mv=5.0),
    ],
)
def test_windows_are_those_of_the_whole(rate, preprocessing):
    held = _Held(_signal(rate, 93.37), rate)
    whole = prepare_signal(held.signal, rate, preprocessing)
    gain = gain_of(held, preprocessing)
    assert gain == pytest.approx(whole.gain, rel=1e-4)
    expected = prediction_windows(held.signal, rate, preprocessing)
    groups = list(long_prediction_windows(held, preprocessing, gain))
    assert max(map(len, groups)) == 3
    np.testing.assert_allclose(np.concatenate(groups), expected, atol=0.01)
    trained = training_windows(held.signal, rate, preprocessing)
    np.testing.assert_allclose(long_training_windows(held, preprocessing), trained, atol=0.01)


def test_rates_that_halve_samples_at_the_end_lack_none():
    for samples in range(9990, 10010):
        held = _Held(np.ones((samples, 12), np.float32), 200.0)
        expected = prediction_windows(held.signal, 200.0, Preprocessing())
        groups = list(long_prediction_windows(held, Preprocessing(), 1.0))
        assert np.concatenate(groups).shape == expected.shape


def test_no_piece_is_too_short_to_be_judged():
    held = _Held(np.ones((3010, 12), np.float32), 100.0)
    lengths = [len(piece.prepared.signal) for piece in pieces.pieces(held, Preprocessing())]
    assert sum(lengths) == 3010 + 2  # each but the last has the first sample of the next
    assert min(lengths) > 1000
