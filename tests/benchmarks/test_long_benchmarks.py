"""The rules by which annotated half hours are scored."""

from types import SimpleNamespace

import numpy as np
import pytest
import wfdb

from benchmarks.long import simulated
from benchmarks.long.annotated import Annotated, Counts, episode_counts, overlap_s
from benchmarks.long.mitdb import annotated_beats, answer_row
from cnn_gap.classifier import load_classifier
from cnn_gap.holter.timeline import Timeline


@pytest.fixture
def annotated(tmp_path):
    """Beats at each second of a minute, the 30th ventricular; fibrillation from 20 to 40 s, flutter from 50."""
    symbols = ["N"] * 59
    symbols[29] = "V"
    at = np.arange(1, 60) * 100
    rhythm = [(2000, "+", "(AFIB"), (4000, "+", "(N"), (5050, "[", ""), (5990, "]", "")]
    marks = sorted([*zip(at.tolist(), symbols, [""] * 59, strict=True), *rhythm])
    samples, kinds, notes = zip(*marks, strict=True)
    wfdb.wrsamp("r", 100, ["mV"], ["II"], np.zeros((6000, 1)), fmt=["16"], write_dir=str(tmp_path))
    wfdb.wrann("r", "atr", np.array(samples), list(kinds), aux_note=list(notes), write_dir=str(tmp_path))
    return Annotated(tmp_path / "r")


def test_beats_are_found_within_150_ms_and_do_not_count_in_flutter(annotated):
    found = np.arange(1, 60) + 0.1
    assert annotated.score(found, 0.0) == Counts(50, 0, 0)
    assert annotated.score(found + 0.1, 0.0) == Counts(0, 50, 50)
    assert annotated.score(found, 10.05).missed == 0


def test_classes_of_beats_are_counted(annotated):
    found = np.arange(1.0, 50)
    which = np.isin(found, [30, 31])
    assert annotated.score_class(found, which, "V", 0.0) == Counts(1, 0, 1)


def test_spans_of_rhythms_are_those_between_changes(annotated):
    assert annotated.rhythm("(AFIB") == [(20.0, 40.0)]
    assert annotated.runs() == []


def test_episodes_are_found_where_a_part_overlaps():
    episodes, time = episode_counts([(0, 10), (20, 30)], [(5, 10), (40, 50), (60, 61)])
    assert episodes == Counts(1, 1, 2)
    assert time == Counts(5000, 15000, 11000)
    assert overlap_s([(0, 10)], [(5, 20)]) == 5


def test_an_episode_found_in_pieces_counts_once_and_each_piece_is_right():
    episodes = episode_counts([(0, 10)], [(1, 2), (3, 4), (5, 6), (20, 30)])[0]
    assert (episodes.sensitivity, episodes.predictive_value) == (1.0, 0.75)


def test_times_are_matched_within_150_ms_and_counted_outside_of_artefacts():
    true, found = np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.2, 9.0])
    assert simulated._matched(true, found) == Counts(1, 2, 2)
    assert simulated._outside(found, [(2.0, 3.0)]).tolist() == [1.1, 9.0]
    assert simulated._outside(found, [(2.0, 3.0)], 1.0).tolist() == [9.0]
    assert simulated._errors((10, 20), [(0, 5), (11, 14), (15, 22)]) == [1, 2]


def test_answers_of_records_are_counted_by_the_mean_and_as_they_are():
    classes = load_classifier().classes
    column, lowest = classes.find("AF"), np.full(len(classes), 0.5)
    found, answers = [], []
    for probabilities, answered in (
        ([0.9, 0.9], True),
        ([0.9, 0.0], True),
        ([0.0, 0.9], False),
        ([0.6, 0.6], True),
    ):
        windows = np.zeros((2, len(classes)))
        windows[:, column] = probabilities
        timeline = Timeline(classes, np.array([0.0, 5.0]), 10.0, 15.0, windows, np.ones(2, bool))
        found.append(SimpleNamespace(timeline=timeline))
        answers.append(np.arange(len(classes)) == (column if answered else -1))
    true = np.array([True, True, True, False])
    row = answer_row("fibrillation", ("AF",), true, found, answers, lowest)
    assert row == ("fibrillation", 3, 1, 1, 2, 1)


def test_rr_intervals_that_touch_flutter_do_not_count():
    record = SimpleNamespace(beats=(np.arange(8.0), np.full(8, "N")), flutter=[(2.5, 4.5)])
    assert np.flatnonzero(annotated_beats(record).known).tolist() == [1, 2, 6, 7]
