"""The reading of a recording of hours: one part of it with its usual heart rate is measured."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from cnn_gap.classifier import load_classifier
from cnn_gap.io.long_records import LongRecord
from cnn_gap.reading.interpret import interpret
from cnn_gap.reading.long_evidence import PART_S, PARTS, typical_evidence
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


def test_a_part_with_the_usual_rate_is_measured_and_named():
    record, lengths = stored(beating(60, 600), beating(100, 120))
    evidence = typical_evidence(record)
    assert abs(evidence.values["rate"] - 60) < 2
    assert evidence.part.startswith("30 s from 0:0")
    assert (len(lengths), set(lengths)) == (PARTS, {round(100 * PART_S)})


def test_a_recording_without_beats_is_no_error():
    record, _ = stored(np.zeros((60_000, 12), np.float32))
    assert "rate" not in typical_evidence(record).values


def test_the_reading_says_which_part_was_measured(model):
    record, _ = stored(beating(60, 120))
    classifier = load_classifier(model)
    prediction = classifier.predict(record)
    assert prediction.reading == classifier.read(record)
    assert [note for note in prediction.reading.notes if note.startswith("measured: 30 s from")]
    assert (prediction.facts.age, prediction.to_dict()["recorded"]) == (50.0, "2020-01-02T00:00:00")
    whole = replace(typical_evidence(record), part="")
    assert not [n for n in interpret(classifier.classes, prediction.probabilities, whole).notes if "from" in n]
