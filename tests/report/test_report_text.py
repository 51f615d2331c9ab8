"""What pictures and pages say in words."""

from dataclasses import replace
from datetime import datetime

from conftest import ROOT

from cnn_gap.io.records import read_record
from cnn_gap.report.report_text import recording


def test_when_and_by_what_a_record_was_made_is_said_where_its_file_says_so():
    record = read_record(ROOT / "test_data" / "SIM0008")
    assert recording(record) == []
    told = replace(record, time=datetime(2020, 5, 1, 7, 4), device="Maker X\n9")
    assert recording(told) == ["recorded 2020-05-01 07:04", "device Maker X\N{REPLACEMENT CHARACTER}9"]
