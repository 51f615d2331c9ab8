"""The text about a long recording: rates, rhythms, premature beats and pauses."""

import numpy as np
from example_beats import measured_beats

from cnn_gap.classifier import load_classifier
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.timeline import Timeline
from cnn_gap.report.monitoring_text import monitoring_text


def text_of(beats, windows=7, blocks=30):
    """Return the text of a minute in which the first windows have fibrillation and blocks can be judged."""
    classes = load_classifier().classes
    probabilities = np.zeros((11, len(classes)))
    probabilities[:windows, classes.find("AF")] = 0.9
    whole = np.arange(0, 51.0, 5.0) < 2 * blocks - 9
    timeline = Timeline(classes, np.arange(0, 51.0, 5.0), 10.0, 60.0, probabilities, whole)
    same = np.ones(len(beats))
    measured = measured_beats(beats, same, same, np.arange(len(beats)), np.arange(30) < blocks)
    return monitoring_text(Monitoring(timeline, measured))


def test_the_text_names_burden_and_episodes():
    lines = text_of(np.cumsum(np.resize([0.6, 0.9, 0.7, 1.0], 74))).splitlines()
    assert lines[0] == "1:00 of 1:00 analysed, 74 beats"
    assert any(line.startswith("Atrial fibrillation: ") and "one episode of" in line for line in lines)
    assert "Atrial fibrillation, " in lines[-1]


def test_where_not_all_is_analysed_the_text_says_what_the_share_is_of():
    beats = np.cumsum(np.resize([0.6, 0.9, 0.7, 1.0], 50))
    for blocks, said in ((30, "% of the time, "), (25, "% of the time analysed, ")):
        assert said in text_of(beats, blocks=blocks)


def test_fibrillation_of_less_than_half_a_minute_is_not_named():
    assert "fibrillation" not in text_of(np.cumsum(np.resize([0.6, 0.9, 0.7, 1.0], 74)), windows=4)


def test_too_few_beats_have_no_rate():
    lines = text_of(np.array([1.0, 2.0])).splitlines()
    assert lines[0] == "1:00 of 1:00 analysed, 2 beats: too few for a heart rate"
    assert "nan" not in "\n".join(lines)
