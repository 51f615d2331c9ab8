"""The beats one by one: early, wide, after a pause."""

from dataclasses import replace

import numpy as np
import pytest

from cnn_gap.beats.beat_list import PAUSE_S, list_beats
from cnn_gap.beats.intervals import measure
from cnn_gap.record import Record
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.recordings import QUIET


def beats_of(codes, seconds=20.0, seed=4):
    simulated = simulate_record("A1", codes, 500.0, seconds, seed=seed, noise=QUIET)
    record = Record("A1", simulated.signal, np.ones(12, bool), 500.0)
    return record, measure(record)


def test_a_regular_rhythm_has_nothing_unusual():
    record, measured = beats_of([])
    beats = list_beats(record, measured)
    assert [beat.time_s for beat in beats] == pytest.approx(measured.beats.times_s)
    assert beats[0].rr_s is None
    assert [beat.rr_s for beat in beats[1:]] == pytest.approx(measured.beats.intervals_s)
    assert not any(beat.early or beat.wide or beat.pause for beat in beats)
    assert {beat.qrs_s for beat in beats} == {measured.qrs_s}


@pytest.mark.parametrize(("code", "wide"), [("427172004", True), ("284470004", False)])
def test_premature_beats_are_early_and_ventricular_ones_wide(code, wide):
    early = [beat for beat in list_beats(*beats_of([code])) if beat.early]
    assert early
    assert all(beat.wide == wide for beat in early)


def test_a_wide_rhythm_is_wide_in_every_usual_beat():
    record, measured = beats_of(["164909002"])
    beats = list_beats(record, measured)
    assert np.mean([beat.wide for beat in beats]) > 0.9


def test_a_long_interval_is_a_pause_before_the_next_beat():
    record, measured = beats_of([])
    times = measured.beats.times_s.copy()
    times[10:] += PAUSE_S
    later = replace(measured, beats=replace(measured.beats, times_s=times))
    assert [index for index, beat in enumerate(list_beats(record, later)) if beat.pause] == [10]


def test_beats_are_not_listed_where_the_rate_cannot_be_trusted():
    record, measured = beats_of([])
    assert list_beats(record, replace(measured, rate=None)) == ()


@pytest.mark.parametrize("at", [0, -1])
def test_a_beat_that_the_records_edge_cuts_has_no_width(at):
    record, measured = beats_of(["427172004"])
    times, usual = measured.beats.times_s, measured.beats.usual.copy()
    usual[at] = False
    start, end = max(times[0] - 0.3, 0.0), times[-1] + 0.3
    cut = record.signal[round(500 * start) : round(500 * end)]
    moved = replace(measured.beats, times_s=times - start, usual=usual)
    beats = list_beats(replace(record, signal=cut), replace(measured, beats=moved))
    assert (beats[at].qrs_s, beats[at].wide) == (None, False)
    assert any(beat.wide for beat in beats)
