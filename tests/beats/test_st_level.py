"""ST levels and the criteria of the universal definition of myocardial infarction."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.beats.intervals import measure
from cnn_gap.beats.st_level import measure_st
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS


@pytest.fixture(scope="module")
def measured():
    record = read_record(ROOT / "test_data" / "SIM0008.hea")
    return replace(record, age=60.0, sex="Male"), measure(record)


def raised(measured, millivolts, leads):
    """Return measurements of a beat whose ST segment is raised in some leads, mV."""
    median = measured.beats.median.copy()
    end = round((0.4 + measured.waves.qrs_end) * 500)
    for lead in leads:
        median[end : end + 60, LEADS.index(lead)] = millivolts
    return replace(measured, beats=replace(measured.beats, median=median))


def test_two_neighbouring_leads_meet_the_criteria(measured):
    record, found = measured
    levels = measure_st(record, raised(found, 0.5, ("II", "aVF", "III")))
    assert {"II", "aVF", "III"} <= set(levels.elevated)
    np.testing.assert_allclose(levels.late_mv[LEADS.index("II")], 0.5, atol=0.1)


def test_one_elevated_lead_alone_does_not_meet_the_criteria(measured):
    record, found = measured
    before = set(measure_st(record, found).elevated)
    assert set(measure_st(record, raised(found, 0.5, ("V6",))).elevated) - before <= {"V6", "V5"}
    assert "aVL" not in measure_st(record, raised(found, 0.5, ("aVL",))).elevated or "I" in before


@pytest.mark.parametrize(
    ("age", "sex", "millivolts", "expected"),
    [
        (60.0, "Male", 0.3, True),
        (30.0, "Male", 0.24, False),
        (60.0, "Female", 0.19, True),
        (60.0, "Male", 0.16, False),
    ],
)
def test_v2_and_v3_count_by_age_and_sex(measured, age, sex, millivolts, expected):
    record, found = measured
    flat = raised(found, 0.0, LEADS)
    median = flat.beats.median.copy()
    onset = round((0.4 + found.waves.qrs_onset) * 500)
    median[max(onset - 10, 0) : onset] = 0.0
    flat = replace(flat, beats=replace(flat.beats, median=median))
    levels = measure_st(replace(record, age=age, sex=sex), raised(flat, millivolts, ("V2", "V3")))
    assert (levels.elevated == ("V2", "V3")) is expected


def test_nothing_is_measured_without_a_median_beat(measured):
    record, found = measured
    assert measure_st(record, replace(found, waves=None)) is None
