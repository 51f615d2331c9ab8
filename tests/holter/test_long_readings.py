"""Readings of half hours that cardiologists annotated: ventricular flutter, fibrillation, pacing and runs."""

import re

import pytest

from cnn_gap.classifier import load_classifier
from cnn_gap.io.long_records import open_record, read_whole


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "mitdb"


def test_flutter_is_an_alert_with_its_time_by_every_way_of_reading(folder):
    classifier = load_classifier()
    prediction = classifier.predict(open_record(folder / "207.hea"))
    reading = prediction.reading
    assert reading.summary.startswith("Abnormal ECG: large waves without QRS complexes")
    assert "25:40 to 27:20" in reading.alerts[0]
    assert prediction.summary.burden_of("PR") < 0.2  # it has no pacemaker
    assert not any("Pause" in alert for alert in reading.alerts)  # there was one at 27:18, in the flutter
    assert prediction.summary.count_of("A") == 0
    assert prediction.summary.rate_lowest == pytest.approx(34.7, abs=0.5)  # by the annotated beats
    whole = classifier.predict(read_whole(folder / "207.hea")).reading
    assert (whole.conclusion, whole.alerts) == (reading.conclusion, reading.alerts)
    assert list(map(str, whole.statements)) == list(map(str, reading.statements))


def test_fibrillation_of_a_fifth_of_the_time_is_the_conclusion(folder):
    reading = load_classifier().predict(open_record(folder / "222.hea")).reading
    assert re.fullmatch(
        r"Abnormal ECG: atrial fibrillation, 2\d% of the time, longest 3:2\d\.", reading.summary
    )


@pytest.mark.parametrize(("name", "lowest"), [("106", 49.9), ("214", 52.1)])
def test_missed_beats_make_no_lowest_rate_and_no_pause(folder, name, lowest):
    prediction = load_classifier().predict(open_record(folder / f"{name}.hea"))
    assert prediction.summary.rate_lowest == pytest.approx(lowest, abs=0.5)  # by the annotated beats
    assert prediction.summary.pauses == 0
