"""The parts of a long recording: its gain, its quality, and those that are measured."""

import numpy as np
import pytest

from cnn_gap.io.long_records import in_parts
from cnn_gap.leads import LEADS
from cnn_gap.predict.long_parts import assess_closely, usual_gain
from cnn_gap.record import Record
from cnn_gap.signal.quality import Quality
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.simulation import simulate_record

PREPROCESSING = Preprocessing(lowpass_hz=40.0, slope_mv_s=(3.0, 30.0))
REFUSED = Quality(False, ("nothing is answered: no heartbeat was found",))


@pytest.fixture(scope="module")
def signal():
    return simulate_record("L", ("426783006",), 100.0, 120.0, 1).signal


def recording(signal):
    return in_parts(Record("L", signal, np.ones(len(LEADS), bool), 100.0))


@pytest.mark.parametrize(("factor", "gain"), [(1.0, 1.0), (0.001, 1000.0), (100.0, 0.01)])
def test_a_wrong_gain_is_told_by_most_parts(signal, factor, gain):
    changed = signal * np.float32(factor)
    changed[:2000] = np.nan
    assert usual_gain(recording(changed), PREPROCESSING) == pytest.approx(gain, rel=0.5)


def test_a_recording_that_begins_late_is_answered_with_a_note(signal):
    late = signal.copy()
    late[:9000] = np.nan
    quality = assess_closely(recording(late), REFUSED, PREPROCESSING)
    assert quality.answerable
    assert quality.notes[-1] == "3 of 4 parts of the record hold no heartbeat that can be judged"


def test_noise_of_minutes_is_refused_as_before():
    noise = np.random.default_rng(1).normal(0, 0.5, (12_000, 12)).astype(np.float32)
    assert assess_closely(recording(noise), REFUSED, PREPROCESSING) is REFUSED
