"""The events of a recording, and the strips that are chosen of them."""

from dataclasses import replace

import numpy as np
import pytest
from example_beats import measured_beats

from cnn_gap.classifier import load_classifier
from cnn_gap.explain.events import FASTEST, SLOWEST, Event, choose_strips, find_events, most_urgent
from cnn_gap.holter.beat_labels import LabelledBeats
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.timeline import Timeline
from cnn_gap.reading.alerts import alert_rules


class Labelled(Monitoring):
    """A monitoring whose beats have given symbols."""

    @property
    def beats(self):
        """The given beats."""
        return self.given

    def with_beats(self, times, symbols):
        """Set the beats."""
        known = np.arange(len(times)) > 0
        given = LabelledBeats(times, np.array(list(symbols)), np.ones(len(times)), known)
        object.__setattr__(self, "given", given)
        return self


def monitored(intervals, symbols):
    """Return the monitoring of beats with these intervals (s) and symbols, in sinus rhythm."""
    times = 1 + np.cumsum(intervals)
    duration = float(times[-1] + 1)
    starts = np.arange(0, max(duration - 9, 1), 5.0)
    classes = load_classifier().classes
    usable = np.ones(len(starts), bool)
    timeline = Timeline(classes, starts, 10.0, duration, np.zeros((len(starts), len(classes))), usable)
    same = np.ones(len(times))
    shapes = np.zeros(len(times), int)
    measured = measured_beats(times, same, same, shapes, np.ones(round(duration / 2), bool))
    return Labelled(timeline, measured).with_beats(times, symbols)


def example():
    """Return a minute and a half with a ventricular run, a couplet, single beats and a pause."""
    symbols = "N" * 20 + "VVVV" + "N" * 20 + "VV" + "N" * 10 + "V" + "N" * 20 + "A" + "N" * 22
    intervals = np.full(len(symbols), 0.8)
    intervals[[place for place, each in enumerate(symbols) if each == "V"]] = 0.4
    intervals[90] = 2.8
    return monitored(intervals, symbols)


def test_events_are_found_the_most_urgent_first():
    titles = [each.title for each in find_events(example())]
    assert titles[0].startswith("Ventricular tachycardia, 1.2 s, 150/min")
    assert titles[1] == "Pause of 2.8 s"
    assert titles[2:5] == [
        "Ventricular couplet, 1 of 1",
        "Premature ventricular beat, 1 of 1",
        "Premature atrial beat, 1 of 1",
    ]
    rates = [each for each in titles if "heart rate" in each]
    assert [each.partition(",")[0] for each in rates] == ["Highest heart rate", "Lowest heart rate"]
    assert titles[-1] == "Usual rhythm, 75/min"


@pytest.mark.parametrize(("interval", "place"), [(1.3, -2), (1.7, 0)])
def test_a_heart_rate_that_alerts_is_as_urgent_as_a_pause(interval, place):
    kinds = [each.kind for each in find_events(monitored(np.full(60, interval), "N" * 30 + "V" + "N" * 29))]
    assert kinds.index("Bradycardia") == place % len(kinds)
    rules = {each.key: each for each in alert_rules()}
    assert (rules["slow"].high, rules["fast"].low) == (SLOWEST, FASTEST)


def test_without_a_pause_the_longest_interval_is_an_event():
    found = find_events(monitored(np.full(60, 0.8), "N" * 60))
    assert "Longest RR interval, 0.8 s" in [each.title for each in found]


def test_of_many_single_beats_four_are_listed():
    found = find_events(monitored(np.full(200, 0.8), "NNNV" * 50))
    singles = [each for each in found if each.key == "Premature ventricular beat"]
    assert [each.title.split(", ")[1] for each in singles] == ["1 of 50", "17 of 50", "34 of 50", "50 of 50"]
    assert {each.of_kind for each in singles} == {50}


def test_bigeminy_is_found():
    found = find_events(monitored(np.full(60, 0.8), "N" * 20 + "VN" * 10 + "N" * 20))
    (bigeminy,) = (each for each in found if each.kind == "Ventricular bigeminy")
    assert bigeminy.end_s - bigeminy.start_s == pytest.approx(15.2, abs=0.9)


def events(key, starts, length=1.0):
    return [Event(key, key, key, start, start + length) for start in starts]


def test_an_event_that_a_strip_shows_gets_no_strip_of_its_own():
    strips = choose_strips(events("Pause", (50.0, 52.0, 80.0)), 100.0, 10.0)
    assert [each.start_s for each in strips] == [pytest.approx(45.5), pytest.approx(75.5)]
    assert strips[0].shows(strips[0].event, 10.0)


def test_strips_stay_inside_of_the_recording():
    first, last = choose_strips(events("Pause", (0.5, 98.5)), 100.0, 10.0)
    assert (first.start_s, last.start_s) == (0.0, 90.0)


def test_a_long_event_is_shown_from_two_seconds_before_it():
    (strip,) = choose_strips(events("164889003", (30.0,), 60.0), 100.0, 10.0)
    assert strip.start_s == 28.0


def test_each_kind_has_a_strip_before_any_has_two():
    several = (
        events("Pause", range(0, 100, 20))
        + events("164889003", (200.0, 300.0))
        + events("Heart rate", (400.0,))
    )
    strips = choose_strips(several, 500.0, 10.0, most=4)
    assert [each.event.start_s for each in strips] == [0.0, 20.0, 200.0, 400.0]
    assert most_urgent(several, 3) == [0, 5, 7]


def test_a_kind_has_no_more_strips_than_its_share():
    assert len(choose_strips(events("Pause", range(0, 1000, 20)), 1000.0, 10.0)) == 6


def test_events_name_the_outputs_that_speak_of_them():
    (event,) = events("164889003", (0.0,))
    assert event.outputs == ("AF", "AFIB")
    assert replace(event, key="Premature atrial beat", kind="Premature atrial beat").outputs == ("PAC",)
    assert replace(event, key="Pause", kind="Pause").outputs == ()
