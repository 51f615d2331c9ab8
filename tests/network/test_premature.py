"""Windows with a premature atrial beat that are made of regular ones."""

import numpy as np
import pytest

from cnn_gap.beats.early_beats import earliness
from cnn_gap.beats.intervals import measure
from cnn_gap.beats.wave_steps import WAVES, find_wave_steps
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS
from cnn_gap.network.premature import premature_beats
from cnn_gap.simulation import QUIET, simulate_record

SINUS, FIBRILLATION = "426783006", "164889003"


def windows(code, count=8):
    records = [simulate_record("R", [code], 100.0, 10.0, seed=seed, noise=QUIET) for seed in range(count)]
    return np.stack([record.signal for record in records]).astype(np.float32)


@pytest.fixture(scope="module")
def made():
    regular = windows(SINUS)
    return regular, *premature_beats(regular, 100.0, np.random.default_rng(0))


def test_one_beat_comes_early_and_keeps_its_shape(made):
    regular, changed, which = made
    assert changed.shape == regular.shape
    assert changed.dtype == np.float32
    assert which.sum() >= 6
    for before, window in zip(regular[which], changed[which], strict=True):
        measured = measure(record_from_signal(window, 100.0, LEADS))
        intervals = measured.beats.intervals_s
        assert earliness(measure(record_from_signal(before, 100.0, LEADS)).beats) == 0
        assert earliness(measured.beats) > 3
        assert (intervals < 0.85 * np.median(intervals)).sum() == 1


def test_its_place_is_an_early_beat_for_the_map_penalty(made):
    _, changed, which = made
    steps = np.asarray(find_wave_steps(changed[which], 100.0, 4))[:, :, WAVES.index("early beat")]
    assert (steps.max(axis=1) > 0).mean() > 0.7


def test_the_signal_has_no_jump(made):
    regular, changed, which = made
    before, after = (np.abs(np.diff(each[which], axis=1)).max(axis=(1, 2)) for each in (regular, changed))
    assert (after < 1.2 * before).all()


def test_windows_without_a_regular_rhythm_stay_as_they_are():
    others = np.concatenate([windows(FIBRILLATION, 4), np.zeros((2, 1000, 12), np.float32)])
    changed, which = premature_beats(others, 100.0, np.random.default_rng(0))
    assert not which.any()
    np.testing.assert_array_equal(changed, others)
