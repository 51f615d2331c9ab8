"""The texts in pictures and pages."""

from dataclasses import replace
from datetime import datetime

from conftest import ROOT

from cnn_gap.io.records import read_record
from cnn_gap.report.report_text import person, recording


def test_when_and_by_what_a_record_was_made_is_said_where_its_file_says_so():
    record = read_record(ROOT / "test_data" / "SIM0008")
    assert recording(record) == []
    told = replace(record, time=datetime(2020, 5, 1, 7, 4), device="Maker X\n9")
    assert recording(told) == ["recorded 2020-05-01 07:04", "device Maker X\N{REPLACEMENT CHARACTER}9"]


def test_an_age_that_hides_the_true_one_is_not_said():
    record = read_record(ROOT / "test_data" / "SIM0008")
    assert person(replace(record, age=63.0, sex="Female")) == ["63 years", "female"]
    assert person(replace(record, age=300.0, sex="Unknown")) == ["over 89 years"]
