"""Times of a recording: by the clock or from its start, also in the sentences of its reading."""

from datetime import datetime

from cnn_gap.reading.reading import Reading, Statement
from cnn_gap.report.recording_times import RecordingTimes

LATE = RecordingTimes(datetime(2026, 5, 1, 23, 0, 30))


def test_the_day_is_named_from_the_second_one_on():
    assert LATE.text(3570) == "00:00:00 (day 2)"
    assert LATE.text(86400 + 3600) == "00:00:30 (day 3)"
    assert LATE.seconds_of_day == 23 * 3600 + 30
    assert RecordingTimes(None).seconds_of_day is None


def test_times_in_a_sentence_are_told_from_lengths_and_ratios():
    sentence = "Flutter 4:1, 22% of the time, longest 3:25; from 26:40 to 30:05, 1:00:00 to 1:00:10"
    written = "Flutter 4:1, 22% of the time, longest 3:25; from 23:27:10 to 23:30:35, 00:00:30 (day 2) to"
    assert LATE.in_sentence(sentence) == f"{written} 00:00:40 (day 2)"
    assert RecordingTimes(None).in_sentence(sentence) == sentence


def test_a_reading_has_the_times_of_the_recording():
    said = Statement("p", "Pause", "rhythm", (), "", "present", None, ("from 0:30 to 0:33",), "measurement", 3)
    reading = Reading(
        "abnormal", "pause.", (said,), alerts=("Pause of 3.0 s, at 0:30",), notes=("of 30 s from 1:00 on",)
    )
    found = LATE.in_reading(reading)
    assert found.alerts == ("Pause of 3.0 s, at 23:01:00",)
    assert found.notes == ("of 30 s from 23:01:30 on",)
    assert found.statements[0].evidence == ("from 23:01:00 to 23:01:03",)
