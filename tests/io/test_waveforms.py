"""Waveforms of one file become one: those that are joined, those that are left out, and the notes on this."""

import numpy as np
import pytest

from cnn_gap.io.waveforms import MORE_WAVEFORMS, Waveform, join_waveforms, record_of_waveform
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError


def waveform(leads, seconds, start_s=0.0, rate=100.0, value=1.0):
    signal = np.full((round(seconds * rate), len(leads)), value, np.float32)
    return Waveform(signal, tuple(leads), rate, start_s)


def test_leads_of_one_time_are_joined_without_a_note():
    joined = join_waveforms([waveform(LEADS[9:], 10), waveform(LEADS[:9], 10, value=2.0)], "file")
    assert joined.signal.shape == (1000, 12)
    assert joined.notes == ()
    record = record_of_waveform(joined, "file")
    np.testing.assert_array_equal(record.signal[:, 9:], 1)
    np.testing.assert_array_equal(record.signal[:, :9], 2)


def test_the_columns_of_a_page_stand_at_their_times_and_elsewhere_nothing_is_valid():
    parts = [waveform(LEADS[3 * part : 3 * part + 3], 2.5, 2.5 * part, value=part) for part in range(4)]
    joined = join_waveforms(parts[::-1], "file")
    record = record_of_waveform(joined, "file")
    assert record.duration_s == 10
    for part in range(4):
        here = slice(250 * part, 250 * (part + 1))
        np.testing.assert_array_equal(record.signal[here, 3 * part : 3 * part + 3], part)
        others = np.delete(record.signal[here], range(3 * part, 3 * part + 3), axis=1)
        assert np.isnan(others).all()
    assert "I, II, III from 0 to 2.5 s" in record.notes[0]


def test_the_longest_of_most_leads_counts_and_the_note_says_that_there_is_more():
    strip, beat, rhythm = waveform(["II"], 30), waveform(LEADS, 1.2, value=2.0), waveform(LEADS, 10)
    joined = join_waveforms([strip, beat, rhythm], "file")
    assert joined.signal.shape == (1000, 12)
    assert (joined.signal == 1).all()
    assert joined.notes == (MORE_WAVEFORMS,)


def test_a_beat_is_not_taken_for_the_leads_that_the_rhythm_lacks():
    joined = join_waveforms([waveform(LEADS, 1.0), waveform(["II"], 10)], "file")
    assert joined.leads == ("II",)


def test_waveforms_that_go_on_are_one_recording():
    parts = [waveform(LEADS, 10, start_s, value=start_s) for start_s in (20.5, 0, 10)]
    joined = join_waveforms(parts, "file")
    assert joined.duration_s == 30.5
    np.testing.assert_array_equal(
        joined.signal[[0, 999, 1000, 1999, 2050, 3049], 0], [0, 0, 10, 10, 20.5, 20.5]
    )
    assert np.isnan(joined.signal[2000:2050]).all()
    assert joined.notes[0].endswith("from 0 to 20 s and from 20.5 to 30.5 s")
    assert join_waveforms(parts[1:], "file").notes == ()


def test_another_recording_of_the_same_leads_is_left_out_and_said():
    joined = join_waveforms([waveform(LEADS, 10), waveform(LEADS, 10, start_s=300)], "file")
    assert (joined.duration_s, joined.notes) == (10, (MORE_WAVEFORMS,))


def test_leads_of_other_rates_and_far_away_are_refused():
    with pytest.raises(InputError, match="file: its leads have different sampling rates"):
        join_waveforms([waveform(LEADS[:3], 10), waveform(LEADS[6:], 10, rate=500.0)], "file")
    with pytest.raises(InputError, match="file: its leads lie too far apart"):
        join_waveforms([waveform(LEADS[:3], 10), waveform(LEADS[6:], 10, start_s=1e7)], "file")
