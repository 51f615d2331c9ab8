"""Early beats of the usual shape."""

import numpy as np
import pytest

from cnn_gap.beats.detection import Beats
from cnn_gap.beats.early_beats import earliness


def beats(intervals, unlike=()):
    """Return beats that follow each other after these intervals, s; those numbered `unlike` differ in shape."""
    times = np.concatenate([[0.0], np.cumsum(intervals)])
    likeness = np.ones(len(times))
    likeness[list(unlike)] = 0.3
    return Beats(times, likeness > 0.9, None, likeness)


REGULAR = [0.8] * 9
EARLY = [0.8, 0.8, 0.8, 0.48, 1.12, 0.8, 0.8, 0.8, 0.8]  # beat 4 comes after 60 % of the median


def test_an_early_beat_is_measured_against_the_variation_of_the_others():
    assert earliness(beats(EARLY)) == pytest.approx(0.4 / 0.03)
    breathing = np.array(EARLY) * (1 + 0.1 * np.cos(np.arange(9)))
    assert 1 < earliness(beats(breathing)) < 0.5 * 0.4 / 0.03


@pytest.mark.parametrize(
    "found",
    [
        beats(REGULAR),
        beats(EARLY, unlike=[4]),  # a beat of another shape
        beats(EARLY, unlike=[3]),  # follows one of another shape
    ],
    ids=["regular", "another shape", "after another shape"],
)
def test_only_a_beat_of_the_usual_shape_after_another_one_is_early(found):
    assert earliness(found) == 0


@pytest.mark.parametrize(
    "intervals",
    [[0.8, 0.48, 1.12, 0.5, 1.1, 0.45, 1.15, 0.8], [0.8, 0.5, 0.8], []],
    ids=["irregular", "four beats", "one beat"],
)
def test_nothing_is_said_where_most_intervals_are_unusual_or_few(intervals):
    assert earliness(beats(intervals)) is None
