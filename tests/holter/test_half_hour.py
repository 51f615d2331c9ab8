"""Half an hour of the Challenge's records: sinus rhythm, atrial fibrillation and four premature beats."""

import numpy as np
import pytest

from cnn_gap.classifier import load_classifier
from cnn_gap.io.registry import read_file
from cnn_gap.record import Record
from cnn_gap.report.monitoring_text import monitoring_text

#: When fibrillation begins and ends, and when windows with a premature ventricular beat begin, s.
BEGINS, ENDS, PREMATURE = 720, 914, (180, 500, 1100, 1500)


@pytest.fixture(scope="module")
def half_hour(shared):
    def signal(name, seconds):
        samples = read_file(shared / "challenge" / f"{name}.hea").signal
        return np.resize(samples, (seconds * 500, 12))

    joined = signal("A0037", 1800)
    joined[BEGINS * 500 : ENDS * 500] = signal("A0017", ENDS - BEGINS)
    for start in PREMATURE:
        joined[start * 500 : (start + 10) * 500] = signal("A0025", 10)
    return load_classifier().predict(Record("H", joined, np.ones(12, bool), 500.0))


def test_fibrillation_has_its_burden_and_its_ends(half_hour):
    (episode,) = (each for each in half_hour.episodes if each.diagnosis.abbreviation == "AF")
    assert (episode.start_s, episode.end_s) == (pytest.approx(BEGINS, abs=1), pytest.approx(ENDS, abs=1))
    text = monitoring_text(half_hour.monitoring)
    assert "Atrial fibrillation: 10.8% of the time, one episode of 3:14 from 12:00" in text
    assert "12:00 to 15:14 Atrial fibrillation" in text


def test_the_conclusion_takes_the_episode(half_hour):
    reading = half_hour.reading
    (statement,) = (each for each in reading.statements if each.key == "atrial_fibrillation")
    assert statement.name == "Atrial fibrillation, 11% of the time, longest 3:14"
    assert (reading.conclusion, statement.degree) == ("abnormal", "present")


def test_the_four_ventricular_beats_are_found_where_they_are(half_hour):
    beats = half_hour.beats
    found = beats.times_s[beats.symbols == "V"]
    assert found == pytest.approx(np.array(PREMATURE) + 1.02, abs=0.1)
    assert half_hour.summary.count_of("V") == 4


def test_a_window_of_it_has_the_answer_of_ten_seconds(half_hour):
    timeline = half_hour.timeline
    fibrillation = timeline.of("AF") > 0.5
    inside = (timeline.starts_s >= BEGINS) & (timeline.ends_s <= ENDS)
    outside = (timeline.ends_s <= BEGINS) | (timeline.starts_s >= ENDS)
    assert fibrillation[inside].all()
    assert not fibrillation[outside].any()
