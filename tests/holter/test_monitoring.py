"""Timeline, beats, episodes and summary of simulated recordings whose rhythm changes, with a shipped model."""

from dataclasses import replace

import numpy as np
import pytest

from cnn_gap.classifier import load_classifier
from cnn_gap.holter.beat_labels import LabelledBeats, label_beats
from cnn_gap.holter.beat_shapes import MeasuredBeats, measure_beats
from cnn_gap.holter.episodes import find_episodes, rates_of
from cnn_gap.holter.summary import summarise
from cnn_gap.holter.timeline import Timeline, usable_windows
from cnn_gap.io.long_records import in_parts
from cnn_gap.record import Record
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing

SINUS, FIBRILLATION = ("426783006",), ("164889003",)
PARTS = (
    Part(SINUS, 60),
    Part(FIBRILLATION, 60),
    Part(SINUS, 30, run=5),
    Part(SINUS, 30, artefact=True),
    Part(SINUS, 30, pause_s=3.5),
)


@pytest.fixture(scope="module")
def simulated():
    return simulate_changing("C", PARTS, 250.0, 1)


@pytest.fixture(scope="module")
def classifier():
    return load_classifier()


@pytest.fixture(scope="module")
def prediction(classifier, simulated):
    return classifier.predict(as_record(simulated))


def as_record(simulated):
    return Record("C", simulated.signal, np.ones(12, bool), simulated.sampling_rate)


def times(simulated, kind):
    return np.array([event.start_s for event in simulated.events if event.kind == kind])


def test_windows_cover_the_record_and_overlap_by_half(prediction):
    timeline = prediction.timeline
    assert timeline.probabilities.shape == (len(timeline), len(prediction.classes))
    assert (timeline.starts_s[0], timeline.ends_s[-1]) == (0, 210)
    assert timeline.overlap == pytest.approx(0.5, abs=0.02)
    assert timeline.probabilities.mean(axis=0) == pytest.approx(prediction.probabilities)


def test_an_episode_of_fibrillation_begins_and_ends_to_two_seconds(prediction):
    (episode,) = (each for each in prediction.episodes if each.diagnosis.abbreviation == "AF")
    assert (episode.start_s, episode.end_s) == (pytest.approx(60, abs=2), pytest.approx(120, abs=2))
    assert episode.rate_lowest < episode.rate_mean < episode.rate_highest
    assert episode.mean_probability > 0.5
    assert prediction.summary.burden_of("AF") == pytest.approx(60 / prediction.summary.analysed_s, rel=0.05)


def test_a_run_is_an_episode_of_its_beats(prediction, simulated):
    (run,) = (each for each in prediction.episodes if each.diagnosis.abbreviation == "VTach")
    true = times(simulated, "PVC")
    assert (run.start_s, run.end_s) == (pytest.approx(true[0], abs=0.2), pytest.approx(true[-1], abs=0.2))
    about = next(each for each in prediction.summary.premature if each.symbol == "V")
    assert (about.runs, about.longest_run) == (1, 5)


def test_an_artefact_is_not_analysed_and_has_no_beat(prediction):
    assert 20 <= prediction.summary.not_analysed_s <= 40
    assert len(prediction.beats.within(154, 176)) == 0


def test_a_pause_is_counted_and_the_time_without_beats_is_none(prediction):
    summary = prediction.summary
    assert (summary.pauses, summary.longest_rr_s) == (1, pytest.approx(3.5, abs=0.1))
    assert 190 < summary.longest_rr_start_s < 200


def test_all_complexes_outside_of_the_artefact_are_beats(prediction, simulated):
    true = times(simulated, "QRS")
    found = prediction.beats.times_s
    distance = np.abs(true[:, None] - found).min(axis=1)
    assert (distance < 0.15).mean() > 0.98
    assert len(found) < 1.02 * len(true)


def test_a_record_of_two_windows_has_no_timeline(classifier, simulated):
    short = replace(as_record(simulated), signal=simulated.signal[:5000])
    prediction = classifier.predict(short)
    assert (prediction.timeline, prediction.summary, prediction.episodes) == (None, None, ())


def test_reading_in_parts_changes_no_beat(simulated, monkeypatch):
    record = in_parts(as_record(simulated))
    whole = measure_beats(record)
    monkeypatch.setattr("cnn_gap.holter.beat_shapes.PART_S", 60.0)
    parts = measure_beats(record)
    assert len(parts.usable) == len(whole.usable)
    quiet = parts.times_s < 60
    assert parts.times_s[quiet] == pytest.approx(whole.times_s[: quiet.sum()], abs=0.05)


def test_a_record_whose_last_part_is_shorter_than_a_block_is_read():
    record = simulate_changing("C", [Part(SINUS, 301)], 100.0, 1)
    assert len(measure_beats(in_parts(as_record(record))).usable) == 151


def labelled(intervals, symbols):
    """Return beats with RR intervals, s, and symbols, all known."""
    at = np.cumsum(intervals)
    return LabelledBeats(at, np.array(list(symbols)), np.ones(len(at)), np.ones(len(at), bool))


def timeline_of(classes, seconds):
    starts = np.arange(0, seconds - 9, 5.0)
    nothing = np.zeros((len(starts), len(classes)))
    return Timeline(classes, starts, 10.0, seconds, nothing, np.ones(len(starts), bool))


def test_couplets_runs_and_bigeminy_are_counted(prediction):
    symbols = "NNVNVVNVVVN" + "NV" * 6 + "NNN"
    beats = labelled(np.full(len(symbols), 0.8), symbols)
    summary = summarise(timeline_of(prediction.classes, 30.0), beats, ())
    ventricular, narrow = summary.premature
    assert (ventricular.count, ventricular.single, ventricular.couplets, ventricular.runs) == (12, 7, 1, 1)
    assert ventricular.bigeminy_s == pytest.approx(12 * 0.8)
    assert (narrow.count, summary.count_of("A"), summary.count_of("V")) == (0, 0, 12)


@pytest.mark.parametrize(("interval", "name"), [(1.5, "Brady"), (0.5, "Tachy"), (0.8, "")])
def test_rates_beyond_the_limits_are_episodes(prediction, interval, name):
    count = round(60 / interval)
    episodes = find_episodes(timeline_of(prediction.classes, 60.0), labelled([interval] * count, "N" * count))
    assert [each.diagnosis.abbreviation for each in episodes] == ([name] if name else [])


@pytest.mark.parametrize(("interval", "name"), [(0.5, "VTach"), (0.8, "AIVR"), (1.4, "IR")])
def test_a_run_is_named_by_its_rate(prediction, interval, name):
    beats = labelled([0.9] * 8 + [interval] * 4 + [0.9] * 8, "N" * 7 + "V" * 5 + "N" * 8)
    (run,) = find_episodes(timeline_of(prediction.classes, 30.0), beats)
    assert (run.diagnosis.abbreviation, run.rate_mean) == (name, pytest.approx(60 / interval))


def test_the_mean_rate_is_between_the_lowest_and_the_highest():
    intervals = np.full(60, 0.9)
    intervals[::7] = 0.3
    lowest, mean, highest = rates_of(labelled(intervals, "N" * 60))
    assert lowest <= mean <= highest


def test_large_waves_are_an_episode_and_an_alert(classifier):
    time = np.arange(90 * 250) / 250
    quiet = simulate_changing("W", [Part(SINUS, 90)], 250.0, 1)
    waves = np.sin(2 * np.pi * 4 * time)[:, None] * np.linspace(0.5, 1.0, 12)
    inside = (time >= 40) & (time < 60)
    signal = np.where(inside[:, None], waves, quiet.signal).astype(np.float32)
    prediction = classifier.predict(Record("W", signal, np.ones(12, bool), 250.0))
    (episode,) = (each for each in prediction.episodes if each.diagnosis.abbreviation == "VFL")
    assert (episode.start_s, episode.end_s) == (pytest.approx(40, abs=2), pytest.approx(60, abs=2))
    assert prediction.reading.alerts[0].startswith("Large waves without QRS complexes")
    assert prediction.reading.alerts[0].endswith("0:38 to 1:02")
    assert prediction.reading.conclusion == "abnormal"


def test_regular_beats_contradict_fibrillation(prediction):
    timeline = timeline_of(prediction.classes, 60.0)
    timeline.probabilities[4:8, prediction.classes.find("AF")] = 0.9
    irregular = np.tile([0.6, 0.9, 0.7, 1.0], 19)
    for intervals, expected in ((np.full(75, 0.8), 0), (irregular, 1)):
        assert len(find_episodes(timeline, labelled(intervals, "N" * len(intervals)))) == expected


def test_an_early_unlike_beat_is_ventricular_and_an_early_usual_one_is_narrow(prediction):
    intervals = np.full(60, 0.8)
    intervals[[20, 40]] = 0.5
    likeness, size = np.full(60, 0.99), np.ones(60)
    likeness[20], size[20] = 0.2, 1.6
    beats = MeasuredBeats(np.cumsum(intervals), likeness, size, np.ones(30, bool))
    labels = label_beats(beats, timeline_of(prediction.classes, 60.0))
    assert (labels.symbols[20], labels.symbols[40]) == ("V", "A")
    assert set(np.delete(labels.symbols, [20, 40])) == {"N"}


def test_windows_without_visible_beats_are_not_usable():
    usable = np.array([True] * 5 + [False] * 5 + [True] * 5)
    beats = MeasuredBeats(np.zeros(0), np.zeros(0), np.zeros(0), usable)
    assert usable_windows(np.array([0.0, 10.0, 20.0]), 10.0, beats).tolist() == [True, False, True]
