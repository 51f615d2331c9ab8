"""Recordings that are explained by strips: the maps, the JSON, and which records these are."""

import json
from dataclasses import replace

import numpy as np
import pytest
from example_recording import classifier, explained, recording

from cnn_gap.explain.events import Event, Strip
from cnn_gap.explain.explainer import ClassChoice
from cnn_gap.explain.long_explanation import LONGEST_WHOLE_S, as_long, explain_strip, part_of
from cnn_gap.explain.regions import DEFAULT_LEVEL
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.pieces import gain_of


def test_records_of_more_than_three_minutes_are_explained_by_strips():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(int(100 * LONGEST_WHOLE_S) + 100, 12)).astype("f")
    assert as_long(Record("S", signal[:-100], LEADS, 100.0)) is None
    assert as_long(Record("S", signal, LEADS, 100.0)).samples == len(signal)


def test_the_strips_show_the_events():
    found = explained()
    shown = {each.strip.event.title.partition(",")[0] for each in found.strips}
    assert {"Ventricular tachycardia", "Pause of 3.0 s", "Atrial fibrillation"} <= shown
    assert found.strip_of(found.events[0]) == 0
    for each in found.strips:
        record = each.explanation.record
        assert record.duration_s == 10.0
        np.testing.assert_array_equal(record.signal, part_of(recording(), each.strip.start_s, 10.0).signal)


def test_the_network_sees_a_strip_as_it_sees_it_in_the_whole_recording():
    timeline = explained().prediction.timeline
    (first,) = (each for each in explained().strips if each.strip.event.key == "164889003")
    around = np.abs(timeline.starts_s - first.strip.start_s) < 5
    seen = first.explanation["AF"].probability
    before, after = sorted(timeline.of("AF")[around])
    assert before - 0.1 <= seen <= after + 0.1
    assert first.explanation["AF"].activation.shape == (1000,)


def test_a_strip_at_the_place_of_a_window_has_its_probabilities():
    timeline, network = explained().prediction.timeline, classifier()
    start = float(timeline.starts_s[22])
    strip = Strip(start, Event("Pause", "Pause", "Pause", start, start))
    gain = gain_of(recording(), network.description.preprocessing)
    everything = range(len(network.classes))

    def choose(event, prediction):
        return ClassChoice(list(everything))

    found = explain_strip(network, recording(), strip, gain, choose, DEFAULT_LEVEL)
    probabilities = [each.probability for each in found.classes]
    np.testing.assert_allclose(probabilities, timeline.probabilities[22], atol=1e-5)


def test_the_class_that_was_named_is_shown_first():
    (strip,) = (each for each in explained().strips if each.strip.event.key == "164889003")
    assert strip.shown.diagnosis.abbreviation == "AF"
    denied = tuple(replace(each, label=False) for each in strip.explanation.classes)
    assert replace(strip, explanation=replace(strip.explanation, classes=denied)).shown is None
    assert replace(strip, named=True).shown is strip.explanation.classes[0]
    assert replace(strip, explanation=replace(strip.explanation, answerable=False)).shown is None


def test_json_has_the_events_and_the_strips():
    content = json.loads(json.dumps(explained().to_dict(), allow_nan=False))
    assert content["record"] == "L001"
    assert content["events"][0]["kind"] == "Ventricular tachycardia"
    assert content["summary"]["beats"] > 200
    first = content["strips"][0]
    assert first["start_s"] == pytest.approx(explained().strips[0].strip.start_s)
    assert len(first["explanation"]["classes"][0]["activation"]) == len(first["explanation"]["times_s"])
