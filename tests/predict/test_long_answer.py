"""The probabilities of a long recording, computed from the probabilities of its windows."""

import numpy as np
import pytest
from example_beats import measured_beats

from cnn_gap.classifier import load_classifier
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.timeline import Timeline
from cnn_gap.predict.long_answer import record_probabilities, with_premature_beats


@pytest.fixture(scope="module")
def classes():
    return load_classifier().classes


def monitoring_of(classes, outputs, intervals, early=()):
    """Return ten minutes with probabilities by output; the beats numbered `early` are early and unlike."""
    starts = np.arange(0, 591.0, 5.0)
    probabilities = np.full((len(starts), len(classes)), 0.05)
    for name, (first, last, probability) in outputs.items():
        probabilities[first:last, classes.find(name)] = probability
    timeline = Timeline(classes, starts, 10.0, 600.0, probabilities, np.ones(len(starts), bool))
    times = np.cumsum(np.resize(intervals, 5000))
    times = times[times < 600]
    likeness, size = np.full(len(times), 0.99), np.ones(len(times))
    for at in early:
        times[at] -= 0.3
        likeness[at], size[at] = 0.2, 1.6
    return Monitoring(
        timeline, measured_beats(times, likeness, size, np.arange(len(times)), np.ones(300, bool))
    )


IRREGULAR = (0.6, 0.9, 0.7, 1.0)


def test_a_rhythm_has_the_probability_of_its_longest_episode(classes):
    found = monitoring_of(
        classes, {"AF": (20, 32, 0.9), "AFIB": (20, 32, 0.8), "LBBB": (20, 32, 0.9)}, IRREGULAR
    )
    own, mean = record_probabilities(found), found.timeline.probabilities.mean(axis=0)
    assert own[classes.find("AF")] == pytest.approx(0.9, abs=0.15)
    assert own[classes.find("AFIB")] == pytest.approx(0.8, abs=0.15)
    same = np.delete(np.arange(len(classes)), [classes.find("AF"), classes.find("AFIB")])
    assert own[same] == pytest.approx(mean[same])


def test_a_rhythm_of_less_than_thirty_seconds_leaves_the_mean(classes):
    found = monitoring_of(classes, {"AF": (20, 23, 0.9)}, IRREGULAR)
    assert record_probabilities(found) == pytest.approx(found.timeline.probabilities.mean(axis=0))


def test_premature_beats_have_the_probability_of_the_windows_that_have_them(classes):
    outputs = {"PVC": (30, 33, 0.7), "PAC": (30, 33, 0.7)}
    found = monitoring_of(classes, outputs, (0.8,), early=[int(160 / 0.8)])
    assert found.summary.count_of("V") == 1
    own, mean = with_premature_beats(found), found.timeline.probabilities.mean(axis=0)
    assert own[classes.find("PVC")] == pytest.approx(0.7)
    others = np.delete(np.arange(len(classes)), classes.find("PVC"))
    assert own[others] == pytest.approx(mean[others])
    without = monitoring_of(classes, outputs, (0.8,))
    assert with_premature_beats(without) == pytest.approx(mean)
