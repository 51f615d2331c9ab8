"""Times of a recording: by the clock or from its start, also in the sentences of its reading."""

from datetime import datetime

from cnn_gap.reading.reading import Reading, Sentence, Statement, kind_of
from cnn_gap.report.recording_times import RecordingTimes
from cnn_gap.system.timed_text import TimedText

LATE = RecordingTimes(datetime(2026, 5, 1, 23, 0, 30))


def test_the_day_is_named_from_the_second_one_on():
    assert LATE.text(3570) == "00:00:00 (day 2)"
    assert LATE.text(86400 + 3600) == "00:00:30 (day 3)"
    assert LATE.seconds_of_day == 23 * 3600 + 30
    assert RecordingTimes(None).seconds_of_day is None


def test_a_reading_has_the_times_of_the_recording():
    evidence = (TimedText("from ", 29.6, " to ", 33.0),)
    said = Statement("p", "Pause", "rhythm", (), "", "present", None, evidence, "measurement", 3)
    reading = Reading(
        "abnormal",
        TimedText("pause of 3.0 s, at ", 29.6, "."),
        (said,),
        alerts=(TimedText("Pause of 3.0 s, at ", 29.6),),
        notes=(
            Sentence("of 30 s from ", 3600.0, " on", kind="part"),
            "written at 12:30, not a time of the recording",
        ),
    )
    found = LATE.in_reading(reading)
    assert found.reason == "pause of 3.0 s, at 23:01:00."
    assert found.alerts == ("Pause of 3.0 s, at 23:01:00",)
    assert found.notes == ("of 30 s from 00:00:30 (day 2) on", reading.notes[1])
    assert list(map(kind_of, found.notes)) == ["part", ""]
    assert found.statements[0].evidence == ("from 23:01:00 to 23:01:03",)
    assert RecordingTimes(None).in_reading(reading) is reading
