"""Early narrow beats: single beats, runs of any length, and beats that do not count."""

import numpy as np
import pytest

from cnn_gap.holter.early_beats import early_narrow


def early(intervals, wide=(), likeness=1.0, fibrillation=0.0, unknown=()):
    """Return the numbers of the early beats."""
    count = len(intervals)
    is_wide, known = np.isin(np.arange(count), wide), ~np.isin(np.arange(count), unknown)
    found = early_narrow(
        np.cumsum(intervals), known, is_wide, np.full(count, likeness), np.full(count, fibrillation)
    )
    return np.flatnonzero(found).tolist()


def usual(count=40):
    return [0.8] * count


def test_a_single_early_beat_is_found_and_the_pause_after_it_is_none():
    assert early([*usual(), 0.6, 1.0, *usual()]) == [40]
    assert early([*usual(), 0.72, 0.88, *usual()]) == []


@pytest.mark.parametrize("length", [3, 70])
def test_all_beats_of_a_run_are_early_however_long_it_is(length):
    assert early([*usual(), *[0.45] * length, 1.0, *usual()]) == list(range(40, 40 + length))


def test_a_fast_rhythm_of_a_minute_is_the_usual_one():
    assert early([*usual(), *[0.45] * 200]) == []


def test_intervals_that_shorten_beat_by_beat_are_not_early():
    breath = 0.8 + 0.15 * np.sin(2 * np.pi * np.arange(120) / 6)
    assert early(breath.tolist()) == []
    assert early(np.geomspace(0.9, 0.5, 100).tolist()) == []


def test_no_beat_is_early_in_an_irregular_rhythm_or_in_fibrillation():
    irregular = np.resize([0.8, 1.0, 0.7, 0.95], 40).tolist()
    assert early([*irregular, 0.5, 1.0, *irregular]) == []
    assert early([*usual(), 0.6, 1.0, *usual()], fibrillation=0.9) == []


def test_beats_after_a_wide_one_a_gap_or_of_another_shape_are_not_early():
    intervals = [*usual(), 0.4, 0.4, *usual()]
    assert early(intervals, wide=[40]) == []
    assert early([*usual(), 0.6, 1.0, *usual()], unknown=[40]) == []
    assert early([*usual(), 0.6, 1.0, *usual()], likeness=0.7) == []
