"""The benchmark of a folder that mixes formats, with few records."""

import pytest

from benchmarks.quality import mixed_formats

for package in ("ecgdatakit", "pyedflib", "pyarrow"):
    pytest.importorskip(package, reason="pip install cnn-gap[test]")


def test_good_records_are_answered_and_damaged_ones_have_reasons(model, capsys):
    assert mixed_formats.main([str(model), "--records", "68", "--damaged", "4"]) == 0
    first, *_, last = capsys.readouterr().out.strip().splitlines()
    assert first.startswith("64 classified")
    assert ", 4 failed; one table of 68 rows" in first
    assert last.startswith("| Parquet | 4 |")


def test_a_record_without_its_answer_is_noticed(model, capsys, monkeypatch):
    monkeypatch.setattr(mixed_formats, "LARGEST_DIFFERENCE", -1.0)
    assert mixed_formats.main([str(model), "--records", "11", "--damaged", "0"]) == 1
