"""The rules by which annotated half hours are scored."""

import numpy as np
import pytest
import wfdb

from benchmarks.long.annotated import Annotated, Counts, episode_counts, overlap_s


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
