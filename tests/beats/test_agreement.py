"""A rate is given only where two detectors find the same beats."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.beats.agreement import detectors_agree, hides_beat
from cnn_gap.beats.detection import find_beats, prepare_for_beats, qrs_band
from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_record


@pytest.fixture(scope="module")
def record():
    return read_record(ROOT / "test_data" / "SIM0008.hea")


def test_detectors_agree_on_a_clean_record(record):
    signal = prepare_for_beats(record)
    assert detectors_agree(find_beats(record, signal), signal)
    assert measure(record).rate is not None


def test_beats_that_the_second_detector_does_not_find_are_not_believed(record):
    signal = prepare_for_beats(record)
    beats = find_beats(record, signal)
    twice = np.sort(np.concatenate([beats.times_s, beats.times_s[:-1] + np.diff(beats.times_s) / 2]))
    assert not detectors_agree(replace(beats, times_s=twice), signal)
    assert not detectors_agree(replace(beats, times_s=beats.times_s[::2]), signal)


def test_noise_in_the_chest_leads_gives_no_wrong_rate(record):
    rng = np.random.default_rng(1)
    expected = measure(record).rate
    wrong = 0
    for _ in range(5):
        noisy = np.array(record.signal)
        noisy[:, 6:] = rng.normal(0, 1, noisy[:, 6:].shape)
        rate = measure(replace(record, signal=noisy)).rate
        wrong += rate is not None and abs(rate - expected) > 0.1 * expected
    assert wrong <= 1


def test_an_interval_that_hides_a_small_beat_gives_no_rate(record):
    measured = measure(record)
    signal = np.array(record.signal)
    at = round(measured.beats.times_s[4] * record.sampling_rate)
    near = slice(at - round(0.08 * record.sampling_rate), at + round(0.1 * record.sampling_rate))
    silent, small = signal.copy(), signal.copy()
    silent[near] = np.linspace(signal[near][0], signal[near][-1], len(signal[near]))
    small[near] = silent[near] + 0.33 * (signal[near] - silent[near])
    paused = measure(replace(record, signal=silent))
    assert paused.rr_range_s[1] > 1.5 * measured.rr_range_s[1]
    assert (
        hides_beat(find_beats(record, prepare_for_beats(record)), qrs_band(prepare_for_beats(record))) is False
    )
    prepared = prepare_for_beats(replace(record, signal=small))
    left_out = np.delete(measured.beats.times_s, 4)
    assert hides_beat(replace(measured.beats, times_s=left_out), qrs_band(prepared))
