"""The measurements of a recording of minutes to days, part by part, and its reading."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io.long_records import LongRecord
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret
from cnn_gap.reading.long_evidence import PART_S, measure_parts, part_starts, typical_evidence
from cnn_gap.record import Record


def stored(*parts):
    """Return a long record of parts in mV, and a list of the lengths (samples) that are read of it."""
    signal = np.concatenate(parts)
    lengths = []

    def read(first, last):
        lengths.append(last - first)
        return Record("L", signal[first:last], np.ones(12, bool), 100.0)

    return LongRecord("L", 100.0, len(signal), read, age=50.0, time=datetime(2020, 1, 2)), lengths


def beating(rate, seconds):
    """Return heartbeats of one shape at a heart rate (/min) for `seconds`, (samples, 12) mV."""
    time = np.arange(seconds * 100) / 100 % (60 / rate)
    waves = ((0.15, 0.2, 0.025), (1.0, 0.36, 0.015), (0.3, 0.58, 0.04))  # height in mV, place and width in s
    beats = sum(height * np.exp(-(((time - at) / width) ** 2)) for height, at, width in waves)
    return (beats[:, None] * np.linspace(0.5, 1.5, 12)).astype(np.float32)


def test_each_part_is_measured_and_the_one_with_the_usual_rate_is_typical():
    record, lengths = stored(beating(60, 135), beating(100, 60))
    parts = measure_parts(record, part_starts(record))
    evidence = typical_evidence(parts)
    assert [part.start_s for part in parts] == [0, 30, 60, 90, 120, 150, 165]
    assert set(lengths) == {round(100 * PART_S)}
    assert abs(evidence.values["rate"] - 60) < 2
    assert evidence.part.startswith("30 s from 0:0")
    assert not any("earliness" in part.values for part in parts)  # the others may have early beats


def test_a_recording_of_less_than_two_parts_is_measured_whole():
    record, lengths = stored(beating(60, 50))
    (part,) = measure_parts(record, part_starts(record))
    assert (part.part, lengths) == ("", [5000])
    assert part.values["earliness"] == 0


def test_a_recording_without_beats_is_no_error():
    record, _ = stored(np.zeros((12_000, 12), np.float32))
    assert "rate" not in typical_evidence(measure_parts(record, part_starts(record))).values


def test_in_memory_or_in_parts_the_reading_is_the_same(model):
    signal = np.concatenate([beating(60, 90), beating(35, 90)])
    record, _ = stored(signal)
    classifier = load_classifier(model)
    prediction = classifier.predict(record)
    assert (prediction.facts.age, prediction.to_dict()["recorded"]) == (50.0, "2020-01-02T00:00:00")
    whole = Record("L", signal, np.ones(12, bool), 100.0, age=50.0)
    assert prediction.reading == classifier.read(record) == classifier.read(whole)
    assert any(
        alert.startswith("Heart rate 35/min, in the 30 s from 2:00; other parts with this alert: from 1:30, 2:")
        for alert in prediction.reading.alerts
    )
    assert "measured for alerts: the 6 parts of 30 s, the whole recording" in prediction.reading.notes


def test_if_no_part_has_a_rate_no_part_is_said_to_be_measured():
    classes = read_weights()
    spans = {0.0: "30 s from 0:00:00 on", 30.0: "30 s from 0:00:30 on"}
    parts = [Evidence({"rr_variation": 0.5}, part=part, start_s=start) for start, part in spans.items()]
    notes = interpret(classes, np.zeros(len(classes)), typical_evidence(parts)).notes
    assert notes == ("intervals and axis: could not be measured in any part",)
    parts[1] = replace(parts[1], values={"rate": 60.0})
    notes = interpret(classes, np.zeros(len(classes)), typical_evidence(parts)).notes
    assert notes == ("measured: 30 s from 0:00:30 on, not the whole recording",)
