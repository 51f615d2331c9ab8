"""Timeline, beats, episodes and summary of simulated recordings whose rhythm changes, with a shipped model."""

import re
from dataclasses import replace

import numpy as np
import pytest
from example_beats import measured_beats

from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import known_diagnoses
from cnn_gap.holter.beat_labels import LabelledBeats, label_beats
from cnn_gap.holter.beat_shapes import measure_beats
from cnn_gap.holter.episodes import RUNS, TACHYCARDIA, Episode, find_episodes, rates_of
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import summarise
from cnn_gap.holter.timeline import Timeline, usable_windows
from cnn_gap.io.long_records import in_parts
from cnn_gap.predict.long_reading import read_long
from cnn_gap.reading.degrees import DegreeLimits
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import RATES, Statement, kind_of
from cnn_gap.reading.statements import statement_rules
from cnn_gap.record import Record
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing
from cnn_gap.system.timed_text import clock, times_of

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
    blocks = timeline.columns("LBBB", "RBBB", "IAVB", "NSR")
    assert timeline.probabilities.mean(axis=0)[blocks] == pytest.approx(prediction.probabilities[blocks])
    assert prediction["AF"].probability > 2 * timeline.of("AF").mean()


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


def episodes_of(timeline, beats, in_waves=False):
    """Return the episodes of a recording that has no large waves, or has them from its start to its end."""
    return find_episodes(timeline, beats, np.full(round(timeline.duration_s / 2), in_waves))


def test_couplets_runs_and_bigeminy_are_counted(prediction):
    symbols = "NNVNVVNVVVN" + "NV" * 6 + "NNN"
    beats = labelled(np.full(len(symbols), 0.8), symbols)
    summary = summarise(timeline_of(prediction.classes, 30.0), beats, ())
    ventricular, narrow = summary.premature
    assert (ventricular.count, ventricular.single, ventricular.couplets, ventricular.runs) == (12, 7, 1, 1)
    assert ventricular.bigeminy_s == pytest.approx(10 * 0.8)
    assert (narrow.count, summary.count_of("A"), summary.count_of("V")) == (0, 0, 12)


@pytest.mark.parametrize(("pattern", "name"), [("VN", "VBig"), ("VNN", "VTrig"), ("VNNN", "")])
def test_ventricular_beats_at_every_second_or_third_place_are_an_episode(prediction, pattern, name):
    symbols = "N" * 10 + pattern * 5 + "N" * 10
    timeline = timeline_of(prediction.classes, 40.0)
    found = episodes_of(timeline, labelled(np.full(len(symbols), 0.8), symbols))
    assert [each.diagnosis.abbreviation for each in found] == ([name] if name else [])
    if name:
        assert (found[0].start_s, found[0].end_s) == pytest.approx((11 * 0.8, (11 + 4 * len(pattern)) * 0.8))


def test_a_notebook_shows_each_part_in_a_line(prediction):
    assert repr(prediction.timeline).startswith("<Timeline of 3:30: 41 windows of 10 s, ")
    assert f"<{len(prediction.beats)} beats: " in repr(prediction.beats)
    assert repr(prediction.episodes).startswith("(<0:59 to 2:01 Atrial fibrillation, ")


def test_a_rhythm_of_episodes_is_not_among_what_was_not_assessed(prediction):
    usual = replace(prediction.reading, statements=(), not_assessed=("rhythm: none is likely enough",))
    assert read_long(usual, prediction.monitoring, (Evidence(),), DegreeLimits()).not_assessed == ()


@pytest.mark.parametrize(
    ("episodes", "left"), [((), ["ventricular tachycardia", "pericarditis"]), (None, ["pericarditis"])]
)
def test_a_run_is_not_called_not_assessed(prediction, episodes, left):
    """The recording has a run, which is an episode unless all are taken out."""
    monitoring = Monitoring(prediction.timeline, prediction.monitoring.measured)
    if episodes is not None:
        vars(monitoring)["episodes"] = episodes
    usual = replace(prediction.reading, statements=(), not_assessed=("ventricular tachycardia", "pericarditis"))
    assert list(read_long(usual, monitoring, (Evidence(),), DegreeLimits()).not_assessed) == left


@pytest.mark.parametrize(("probability", "alerts"), [(0.95, 1), (0.6, 0)])
def test_a_run_that_is_sure_is_an_alert_with_its_time(prediction, probability, alerts):
    run = Episode(known_diagnoses()["164895002"], 100.0, 102.0, probability, 120.0, 120.0, 120.0)
    monitoring = Monitoring(prediction.timeline, prediction.monitoring.measured)
    vars(monitoring)["episodes"] = (run,)
    reading = read_long(prediction.reading, monitoring, (Evidence(),), DegreeLimits())
    *runs, pause = reading.alerts
    assert len(runs) == alerts
    for alert in runs:
        assert alert.startswith("Run of 5 wide complexes (120/min)")
        assert alert.endswith(", at 1:40")
    assert pause == "Pause of 3.5 s, at 3:14"
    assert reading.alert_times_s[:-1] == ((100.0,),) * alerts
    assert reading.alert_times_s[-1] == pytest.approx((194.0,), abs=0.5)
    assert reading.to_dict()["alert_times_s"] == reading.alert_times_s


def read_of(prediction, symbols="N", interval=0.8, episodes=(), usual=(), parts=(), **changed):
    """Return the statements of a reading by their keys, and the reading; `usual` ones are of the usual part."""
    beats = labelled(np.full(len(symbols), interval) if np.isscalar(interval) else interval, symbols)
    timeline = timeline_of(prediction.classes, 600.0)
    monitoring = Monitoring(timeline, prediction.monitoring.measured)
    summary = summarise(timeline, beats, episodes)
    vars(monitoring).update(beats=beats, episodes=tuple(episodes), summary=summary)
    sinus = statement("sinus_rhythm", "present")
    said = replace(prediction.reading, statements=(sinus, *usual), alerts=(), **changed)
    reading = read_long(said, monitoring, parts or (Evidence(),), DegreeLimits())
    return {each.key: each for each in reading.statements}, reading


def statement(key, degree):
    rule = next(rule for rule in statement_rules() if rule.key == key)
    return Statement(
        key, rule.name, rule.category, (), "", degree, 0.7, (), "network and measurement", rule.severity
    )


def episode(code, start, end, probability=0.8, rate=80.0):
    return Episode(known_diagnoses()[code], start, end, probability, rate, rate, rate)


def test_runs_of_atrial_beats_are_not_called_nothing_abnormal(prediction):
    intervals = np.full(220, 0.8)
    intervals[100:108] = 0.4
    nothing = {"conclusion": "borderline", "reason": "nothing abnormal was found, but not all can be assessed."}
    found, reading = read_of(prediction, "N" * 100 + "A" * 8 + "N" * 112, intervals, **nothing)
    run = "Probable run of premature supraventricular complexes, 1 time, the longest 8 beats, 150/min"
    assert str(found["supraventricular_run"]) == run
    assert str(found["supraventricular_premature"]).endswith("complexes, 3.6% of the beats")
    assert (reading.conclusion, reading.reason) == ("abnormal", f"{run[0].lower()}{run[1:]}.")


def test_slow_runs_of_atrial_beats_are_only_possible_and_few_beats_make_no_statement(prediction):
    found, reading = read_of(prediction, "N" * 100 + "A" * 8 + "N" * 112)
    assert found["supraventricular_run"].degree == "possible"
    assert "supraventricular_premature" not in found
    assert (reading.conclusion, reading.reason) == ("borderline", "all findings are minor or only possible.")
    assert list(read_of(prediction, "N" * 200 + "A" + "N" * 200)[0]) == ["sinus_rhythm"]


@pytest.mark.parametrize("seconds", [40.0, 580.0])
def test_fibrillation_leaves_time_for_premature_beats_unless_it_lasts(prediction, seconds):
    usual = [statement("atrial_premature", "present")]
    found, _ = read_of(prediction, episodes=[episode("164889003", 0.0, seconds)], usual=usual)
    assert ("atrial_premature" in found) == (seconds < 300)


@pytest.mark.parametrize(("probability", "degree"), [(0.8, "probable"), (0.42, "possible")])
def test_a_statement_by_episodes_excludes_one_of_the_usual_part(prediction, probability, degree):
    block = episode("713427006", 10.0, 60.0, probability)
    found, _ = read_of(prediction, episodes=[block], usual=[statement("wide_qrs", "possible")])
    assert (found["rbbb"].degree, "wide_qrs" in found) == (degree, False)
    found, _ = read_of(prediction, episodes=[block], usual=[statement("lbbb", "present")])
    assert ("rbbb" in found, "lbbb" in found) == (False, True)


@pytest.mark.parametrize(("start", "stands"), [(0.0, False), (80.0, False), (120.0, True), (400.0, True)])
def test_an_episode_excludes_others_only_at_its_own_time(prediction, start, stands):
    pacing, block = episode("10370003", 0.0, 150.0), episode("270492004", start, start + 100.0)
    assert ("av_block_1" in read_of(prediction, episodes=[pacing, block])[0]) == stands


def test_of_two_possible_statements_by_episodes_one_excludes_the_other(prediction):
    pacing, block = episode("10370003", 0.0, 150.0, 0.3), episode("270492004", 0.0, 100.0, 0.1)
    found, _ = read_of(prediction, episodes=[pacing, block])
    assert (found["pacing"].degree, "av_block_1" in found) == ("possible", False)


@pytest.mark.parametrize(("seconds", "degree"), [(40.0, "present"), (580.0, "possible")])
def test_episodes_that_last_weaken_what_they_may_imitate(prediction, seconds, degree):
    block = episode("164909002", 0.0, seconds)
    found, _ = read_of(prediction, episodes=[block], usual=[statement("st_elevation", "present")])
    assert found["st_elevation"].degree == degree
    said = ("may be imitated by left bundle branch block",)
    assert found["st_elevation"].evidence == (said if degree == "possible" else ())


def test_a_statement_by_episodes_is_withheld_without_a_lead_that_it_needs(prediction):
    left = ("Right bundle branch block: without V6",)
    found, reading = read_of(prediction, episodes=[episode("713427006", 10.0, 60.0)], not_assessed=left)
    assert "rbbb" not in found
    assert reading.not_assessed == left


@pytest.mark.parametrize(
    ("rate", "alerts"), [(156.0, ["Heart rate 156/min, in the 40 s from 0:20"]), (140.0, [])]
)
def test_a_tachycardia_across_two_parts_is_an_alert(prediction, rate, alerts):
    parts = [Evidence({"rate": 120.0}, duration_s=30.0, part="p", start_s=at) for at in (0.0, 30.0)]
    fast = Episode(TACHYCARDIA, 20.0, 60.0, np.nan, rate, rate, rate)
    assert list(read_of(prediction, episodes=[fast], parts=parts)[1].alerts) == alerts
    measured = [*parts, Evidence({"rate": 152.0}, duration_s=30.0, part="p", start_s=15.0)]
    _, reading = read_of(prediction, episodes=[fast], parts=measured)
    assert list(reading.alerts) == ["Heart rate 152/min, in the 30 s from 0:15"]


@pytest.mark.parametrize(
    ("starts", "others"),
    [((0, 6), ""), ((0, 30, 36), "; other parts with this alert: from 0:30"), ((6, 0), "")],
)
def test_overlapping_parts_are_named_once(prediction, starts, others):
    measured = zip((160.0, 155.0, 152.0), starts, strict=False)
    parts = [Evidence({"rate": rate}, duration_s=30.0, part="p", start_s=at) for rate, at in measured]
    _, reading = read_of(prediction, parts=parts)
    assert list(reading.alerts) == [f"Heart rate 160/min, in the 30 s from 0:0{starts[0]}{others}"]


def test_other_parts_of_an_alert_are_named_in_order_of_time(prediction):
    measured = ((120.0, 60.0), (160.0, 300.0), (155.0, 400.0))
    parts = [Evidence({"rate": rate}, duration_s=30.0, part="p", start_s=at) for rate, at in measured]
    fast = Episode(TACHYCARDIA, 50.0, 110.0, np.nan, 156.0, 156.0, 156.0)  # no measured part is so fast in it
    _, reading = read_of(prediction, episodes=[fast], parts=parts)
    others = "other parts with this alert: from 0:50, 6:40"
    assert list(reading.alerts) == [f"Heart rate 160/min, in the 30 s from 5:00; {others}"]


@pytest.mark.parametrize(
    ("code", "key"), [("61277005", "accelerated_idioventricular"), ("49260003", "idioventricular")]
)
def test_an_idioventricular_rhythm_of_30_s_makes_a_statement(prediction, code, key):
    assert read_of(prediction, episodes=[episode(code, 0.0, 37.0)])[0][key].degree == "probable"
    assert key not in read_of(prediction, episodes=[episode(code, 0.0, 20.0)])[0]


@pytest.mark.parametrize(("interval", "name"), [(1.5, "Brady"), (0.5, "Tachy"), (0.8, "")])
def test_rates_beyond_the_limits_are_episodes(prediction, interval, name):
    count = round(60 / interval)
    episodes = episodes_of(timeline_of(prediction.classes, 60.0), labelled([interval] * count, "N" * count))
    assert [each.diagnosis.abbreviation for each in episodes] == ([name] if name else [])


@pytest.mark.parametrize(("interval", "name"), [(0.5, "VTach"), (0.8, "AIVR"), (1.4, "IR")])
def test_a_run_is_named_by_its_rate(prediction, interval, name):
    beats = labelled([0.9] * 8 + [interval] * 4 + [0.9] * 8, "N" * 7 + "V" * 5 + "N" * 8)
    (run,) = episodes_of(timeline_of(prediction.classes, 30.0), beats)
    assert (run.diagnosis.abbreviation, run.rate_mean) == (name, pytest.approx(60 / interval))


def test_the_mean_rate_is_between_the_lowest_and_the_highest():
    intervals = np.full(60, 0.9)
    intervals[::7] = 0.3
    lowest, mean, highest = rates_of(labelled(intervals, "N" * 60))
    assert lowest <= mean <= highest


def test_intervals_beside_an_unknown_beat_make_no_rate_unless_there_are_no_others():
    intervals = np.full(60, 0.8)
    intervals[30:32] = 0.4  # noise between two beats
    assert rates_of(labelled(intervals, "N" * 30 + "Q" + "N" * 29)) == pytest.approx((75, 75, 75))
    assert rates_of(labelled(intervals, "N" * 60))[2] > 90
    assert rates_of(labelled(np.full(60, 0.8), "NQ" * 30)) == pytest.approx((75, 75, 75))


@pytest.mark.parametrize(("usual", "highest"), [(20, 75), (0, 150)])
def test_a_rate_is_of_intervals_that_follow_each_other_if_there_are_such(usual, highest):
    intervals = np.append(np.tile([0.4, 0.4, 0.4, 2.0], 15), np.full(usual, 0.8))
    beats = labelled(intervals, "N" * len(intervals))
    assert rates_of(replace(beats, known=intervals < 1))[2] == pytest.approx(highest)


def test_couplets_by_turns_with_usual_beats_are_no_tachycardia(prediction):
    beats = labelled([0.55, 0.5, 1.25] * 30, "VVN" * 30)
    assert rates_of(beats)[1] == pytest.approx(60 / (2.3 / 3), rel=0.02)
    found = episodes_of(timeline_of(prediction.classes, 75.0), beats)
    assert "Tachy" not in [each.diagnosis.abbreviation for each in found]


def test_the_fastest_run_has_its_mean_rate_and_comes_first_if_it_is_sure(prediction):
    intervals = np.full(60, 0.8)
    intervals[10:12] = 0.2, 0.6
    beats = labelled(intervals, "N" * 9 + "VVV" + "N" * 20 + "VVVV" + "N" * 24)
    beats.probabilities[32:36] = 0.7
    episodes = episodes_of(timeline_of(prediction.classes, 60.0), beats)
    runs = {each.diagnosis.abbreviation: each for each in episodes if each.diagnosis.code in RUNS}
    summary = summarise(timeline_of(prediction.classes, 60.0), beats, episodes)
    (burden,) = (each for each in summary.burden if each.diagnosis == "VTach")
    assert burden.fastest_rate == pytest.approx(150)
    assert runs["VTach"].rate_highest == pytest.approx(300)
    assert runs["VTach"].weight > runs["AIVR"].weight
    assert runs["AIVR"].duration_s > runs["VTach"].duration_s


def test_a_rate_or_a_length_and_the_time_beside_it_are_of_the_same_episode(prediction):
    slower = episode("164895002", 177.0, 178.5, 0.95, rate=125.0)
    fastest = episode("164895002", 300.0, 301.0, 0.95, rate=172.0)
    sure = episode("61277005", 400.0, 431.0, 0.95)
    longest = episode("61277005", 450.0, 500.0, 0.6)
    found, reading = read_of(prediction, episodes=[slower, fastest, sure, longest])
    run, rhythm = found["ventricular_run"], found["accelerated_idioventricular"]
    assert run.name.endswith(", 2 times, the fastest 172/min")
    assert run.evidence == ("from 5:00 to 5:01",)
    assert rhythm.name.endswith(", longest 0:50")
    assert rhythm.evidence == ("from 7:30 to 8:20",)
    (alert,) = reading.alerts  # of the longest run, with its own rate and time
    assert "125/min" in alert
    assert alert.endswith("at 2:57; other runs at 5:00")


def test_an_alert_names_few_of_its_times_and_has_all(classifier):
    parts = [Part(SINUS, 30, pause_s=pause) for pause in (2.8, 3.6, 2.7, 2.9, 2.8, 2.7)]
    prediction = classifier.predict(as_record(simulate_changing("P", parts, 100.0, 1)))
    (alert,), (times,) = prediction.reading.alerts, prediction.reading.alert_times_s
    found = re.fullmatch(r"Pause of (3\.\d) s, at (\S+); others of 2\.5 s or more at (.+) and 2 more", alert)
    assert found, alert
    assert [found[2], *found[3].split(", ")] == [clock(at) for at in times[:4]]
    assert kind_of(alert) == "pause"
    assert [kind_of(note) for note in prediction.reading.notes if note.startswith("heart rate:")] == [RATES]
    assert len(times) == prediction.summary.pauses == 6
    assert list(times[1:]) == sorted(times[1:])


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
    assert prediction.reading.alert_times_s[0] == pytest.approx((38, 62), abs=0.5)
    assert prediction.reading.conclusion == "abnormal"
    assert sum("within large waves" in note for note in prediction.reading.notes) == 1


def test_beats_within_large_waves_count_for_nothing_and_a_note_says_so(classifier, prediction):
    intervals = np.full(60, 0.8)
    intervals[20], intervals[30:33], intervals[34] = 3.0, 0.3, 0.5  # from 16 to 29 s
    likeness = np.full(60, 0.99)
    likeness[30:33] = 0.2
    waves = np.zeros(30, bool)
    shapes = (likeness < 0.5).astype(int)
    measured = measured_beats(np.cumsum(intervals), likeness, np.ones(60), shapes, np.ones(30, bool))
    timeline = timeline_of(prediction.classes, 60.0)
    before = Monitoring(timeline, measured)
    assert [before.summary.count_of(symbol) for symbol in "VA"] == [3, 1]
    assert (before.summary.pauses, before.summary.rate_highest > 100) == (1, True)
    waves[[8, 12, 14]] = True  # one stretch from 16 to 30 s
    after = Monitoring(timeline, replace(measured, waves=waves))
    inside = (measured.times_s >= 16) & (measured.times_s < 30)
    assert set(after.beats.symbols[inside]) == {"Q"}
    assert [after.summary.count_of(symbol) for symbol in "VA"] == [0, 0]
    assert (after.summary.pauses, after.summary.longest_rr_s) == (0, pytest.approx(0.8))
    assert (after.summary.rate_lowest, after.summary.rate_highest) == pytest.approx((75, 75))
    assert {each.diagnosis.abbreviation for each in after.episodes} == {"VFL"}


def test_an_interval_in_which_a_beat_may_be_missed_is_no_pause_and_makes_no_rate(prediction):
    intervals = np.full(60, 0.8)
    intervals[30], intervals[40] = 3.2, 0.5
    same, doubtful = np.ones(60), np.arange(60) == 30
    measured = measured_beats(np.cumsum(intervals), 0.99 * same, same, np.arange(60), np.ones(30, bool))
    timeline = timeline_of(prediction.classes, 60.0)
    certain = Monitoring(timeline, measured).summary
    assert (certain.pauses, certain.rate_lowest < 60) == (1, True)
    summary = Monitoring(timeline, replace(measured, doubtful=doubtful)).summary
    found = summary.pauses, summary.longest_rr_s, summary.rate_lowest
    assert found == pytest.approx((0, 0.8, 75))
    assert summary.count_of("A") == certain.count_of("A") == 1


def test_large_waves_are_no_fibrillation(prediction):
    timeline = timeline_of(prediction.classes, 60.0)
    timeline.probabilities[4:8, prediction.classes.find("AF")] = 0.9
    beats = labelled(np.tile([0.6, 0.9, 0.7, 1.0], 19), "N" * 76)
    found = [episodes_of(timeline, beats, waves) for waves in (False, True)]
    assert [[each.diagnosis.abbreviation for each in each_found] for each_found in found] == [["AF"], ["VFL"]]


def test_regular_beats_contradict_fibrillation(prediction):
    timeline = timeline_of(prediction.classes, 60.0)
    timeline.probabilities[4:8, prediction.classes.find("AF")] = 0.9
    irregular = np.tile([0.6, 0.9, 0.7, 1.0], 19)
    for intervals, expected in ((np.full(75, 0.8), 0), (irregular, 1)):
        assert len(episodes_of(timeline, labelled(intervals, "N" * len(intervals)))) == expected


def test_an_early_unlike_beat_is_ventricular_and_an_early_usual_one_is_narrow(prediction):
    intervals = np.full(60, 0.8)
    intervals[[20, 40]] = 0.5
    likeness, size = np.full(60, 0.99), np.ones(60)
    likeness[20], size[20] = 0.2, 1.6
    beats = measured_beats(np.cumsum(intervals), likeness, size, np.arange(60), np.ones(30, bool))
    labels = label_beats(beats, timeline_of(prediction.classes, 60.0))
    assert (labels.symbols[20], labels.symbols[40]) == ("V", "A")
    assert set(np.delete(labels.symbols, [20, 40])) == {"N"}


def test_a_fast_run_in_lasting_fibrillation_has_no_early_narrow_beats(prediction):
    intervals = np.concatenate([np.full(50, 0.8), np.full(100, 0.45), np.full(50, 0.8)])
    count = len(intervals)
    beats = measured_beats(
        np.cumsum(intervals), np.full(count, 0.99), np.ones(count), np.arange(count), np.ones(65, bool)
    )
    timeline = timeline_of(prediction.classes, 130.0)
    assert (label_beats(beats, timeline).symbols == "A").sum() == 100
    timeline.probabilities[8:17, prediction.classes.find("AFL")] = 0.9
    assert (label_beats(beats, timeline).symbols == "A").sum() < 10


def test_beats_of_one_shape_have_one_label(prediction):
    intervals = np.full(60, 0.8)
    likeness, size, shapes = np.full(60, 0.99), np.ones(60), np.zeros(60, int)
    wide = np.array([10, 20, 30, 40])
    likeness[wide], size[wide], shapes[wide] = 0.3, 1.5, 1
    intervals[wide], intervals[wide + 1] = 0.45, 1.1
    likeness[40], size[40] = 0.85, 1.1  # less clearly so
    beats = measured_beats(np.cumsum(intervals), likeness, size, shapes, np.ones(30, bool))
    timeline = timeline_of(prediction.classes, 60.0)
    assert np.flatnonzero(label_beats(beats, timeline).symbols == "V").tolist() == wide.tolist()
    alone = label_beats(replace(beats, shapes=np.arange(60)), timeline)
    assert np.flatnonzero(alone.symbols == "V").tolist() == wide[:3].tolist()


def test_beats_that_are_alike_have_one_shape(simulated):
    beats = measure_beats(in_parts(as_record(simulated)))
    assert beats.shapes.shape == beats.times_s.shape
    run = [np.argmin(np.abs(beats.times_s - at)) for at in times(simulated, "PVC")]
    sinus = np.flatnonzero(beats.times_s < 60)
    assert len(np.unique(beats.shapes[run])) <= 2
    assert not np.isin(beats.shapes[run], beats.shapes[sinus]).any()


def test_single_samples_that_are_not_valid_cost_no_beats(simulated):
    record = as_record(simulated)
    spiked = record.signal[: 60 * 250].copy()
    whole = len(measure_beats(in_parts(replace(record, signal=spiked))))
    spiked[100::2500] = np.nan
    assert len(measure_beats(in_parts(replace(record, signal=spiked)))) == whole


def test_windows_without_visible_beats_are_not_usable():
    usable = np.array([True] * 5 + [False] * 5 + [True] * 5)
    beats = measured_beats(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, int), usable)
    assert usable_windows(np.array([0.0, 10.0, 20.0]), 10.0, beats).tolist() == [True, False, True]


def test_a_pause_across_the_border_of_two_parts_is_an_alert(classifier):
    simulated = simulate_changing("P", [Part(SINUS, 60, pause_s=4.0)], 100.0, 1)
    reading = classifier.predict(as_record(simulated)).reading
    (alert,) = reading.alerts
    assert alert.startswith("Pause of 4.")
    assert alert.endswith((", at 0:29", ", at 0:30"))
    assert times_of(reading.reason) == times_of(alert)  # the conclusion is the alert, with its time
