"""Timelines, episodes and beats of the long records of a folder."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import pandas

from cnn_gap.batch import classify_folder as classify_folder_module
from cnn_gap.batch.classify_folder import (
    DRIVER,
    OLD_TIMELINES,
    TIMELINE_FILES,
    TIMELINES,
    OutputTarget,
    classify_folder,
)
from cnn_gap.classifier import load_classifier
from cnn_gap.report.data_frames import COUNTS, MONITORING
from cnn_gap.simulation import simulate_record, write_simulated


def drive(model, data, target, warn=print):
    return classify_folder(load_classifier(model), model, data, target, warn=warn)


def test_long_records_have_files_of_what_happened_when(model, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    for name, seconds in (("LONG", 40.0), ("SHORT", 10.0)):
        write_simulated(data, simulate_record(name, ("426783006",), 100.0, seconds, 1))
    drive(model, data, out)
    results = {path.name: path.read_bytes() for path in out.glob("*.csv")}
    assert sorted(results) == ["LONG.csv", "SHORT.csv"]
    lines, with_timelines = [], OutputTarget(out, timelines=True)
    summary = drive(model, data, with_timelines, lines.append)
    assert (summary.classified, summary.kept) == (1, 1)  # a short record has no timeline
    assert lines == ["1 record is classified again: the earlier run wrote no timelines"]
    assert {name: (out / name).read_bytes() for name in results} == results
    added = {path.name for path in out.iterdir() if path.suffix in (".csv", ".parquet")} - set(results)
    assert added == {"LONG.timeline.parquet", "LONG.episodes.csv", "LONG.beats.csv"}
    assert len(pandas.read_csv(out / "LONG.beats.csv")) > 30
    lines.clear()
    assert drive(model, data, with_timelines, lines.append).kept == 2
    assert drive(model, data, out, lines.append).kept == 2
    assert drive(model, data, with_timelines, lines.append).kept == 2
    assert lines == []


def test_long_records_are_noted_as_soon_as_they_have_many_windows(monkeypatch):
    monkeypatch.setattr(classify_folder_module, "WINDOWS_NOTED_AT_ONCE", 7)
    stream = iter([predicted(windows) for windows in (1, 7, 1, 5, 1, 1)])
    noted = [len(several) for several in classify_folder_module._noted_at_once(stream)]
    assert noted == [2, 3, 1]


def predicted(windows):
    """Return a stand-in for a prediction with a number of windows; with one window it has no timeline."""
    return SimpleNamespace(timeline=range(windows) if windows > 1 else None)


def test_the_table_has_burden_and_counts_beside_timelines(model, tmp_path):
    data, table = tmp_path / "data", tmp_path / "table.parquet"
    for name, seconds in (("LONG", 40.0), ("SHORT", 10.0)):
        write_simulated(data, simulate_record(name, ("426783006",), 100.0, seconds, 1))
    drive(model, data, OutputTarget(tmp_path / "out", False, table, timelines=True))
    rows = pandas.read_parquet(table, dtype_backend="numpy_nullable").set_index("record")
    assert {str(rows[name].dtype) for name in COUNTS} == {"Int32"}
    assert rows.loc["LONG", "analysed_s"] == 40
    assert rows.loc["LONG", "rate_mean"] > 30
    assert rows.loc["SHORT", list(MONITORING)].isna().all()


def long_record(data, name="LONG", seed=1, seconds=40.0):
    write_simulated(data, simulate_record(name, ("426783006",), 100.0, seconds, seed))


def timelines(out, name="LONG"):
    """Return the content of those files of a record that are there, by their suffixes."""
    paths = {suffix: out / f"{name}{suffix}" for suffix in TIMELINE_FILES}
    return {suffix: path.read_bytes() for suffix, path in paths.items() if path.exists()}


def test_timelines_go_with_the_result_that_they_belong_to(model, tmp_path):
    data, out, lines = tmp_path / "data", tmp_path / "out", []
    with_timelines = OutputTarget(out, timelines=True)
    for name in ("LONG", "OTHER"):
        long_record(data, name)
    drive(model, data, with_timelines)
    assert len(timelines(out)) == len(timelines(out, "OTHER")) == 3
    (out / "LONG.beats.csv").write_text("mine")
    long_record(data, seed=2)
    summary = drive(model, data, out, lines.append)
    assert (summary.classified, summary.kept) == (1, 1)
    assert timelines(out) == {".beats.csv": b"mine"}
    assert len(timelines(out, "OTHER")) == 3  # this record is kept
    assert lines == [
        "the timelines of 1 record that is classified again are removed; --timelines writes new ones"
    ]
    signal = data / "OTHER.mat"
    signal.write_bytes(signal.read_bytes()[:100])
    (out / "LONG.beats.csv").unlink()
    assert drive(model, data, with_timelines, lines.append).failed == 1
    assert timelines(out, "OTHER") == {}
    assert len(timelines(out)) == 3
    shutil.copytree(data, tmp_path / "elsewhere")  # as with another model or precision, all is done anew
    drive(model, tmp_path / "elsewhere", out, lines.append)
    assert "its results are removed" in lines[-2]
    assert timelines(out) == {}


def test_timelines_that_are_lost_or_damaged_are_written_again(model, tmp_path):
    data, out, lines = tmp_path / "data", tmp_path / "out", []
    with_timelines = OutputTarget(out, timelines=True)
    for name in ("LONG", "OTHER", "WHOLE"):
        long_record(data, name)
    drive(model, data, with_timelines)
    before = timelines(out), timelines(out, "OTHER")
    (out / "LONG.timeline.parquet").unlink()
    (out / "LONG.episodes.csv").write_bytes(b"")
    (out / "OTHER.beats.csv").write_bytes(before[1][".beats.csv"][:100])
    assert drive(model, data, out).kept == 3  # this run needs no timelines
    summary = drive(model, data, with_timelines, lines.append)
    assert (summary.classified, summary.kept, lines) == (2, 1, [])
    assert (timelines(out), timelines(out, "OTHER")) == before
    assert drive(model, data, with_timelines).kept == 3


def test_timelines_of_records_that_are_kept_stay_and_stay_known(model, tmp_path):
    data, out, lines = tmp_path / "data", tmp_path / "out", []
    table = OutputTarget(out, table=tmp_path / "table.csv")
    long_record(data)
    drive(model, data, replace(table, timelines=True))
    before = timelines(out)
    for target in (table, OutputTarget(out), replace(table, raw=True, timelines=True)):
        assert drive(model, data, target, lines.append).kept == 1
        assert timelines(out) == before
    assert lines == []


def test_timelines_of_records_that_are_measured_anew_are_removed_and_not_denied(model, tmp_path):
    data, out, lines = tmp_path / "data", tmp_path / "out", []
    table = OutputTarget(out, table=tmp_path / "table.csv")
    long_record(data)
    drive(model, data, OutputTarget(out, timelines=True))
    before = timelines(out)
    assert drive(model, data, table, lines.append).classified == 1
    assert timelines(out) == {}
    assert "measured no beats" in lines[0]
    assert "the timelines of 1 record that is classified again are removed" in lines[1]
    assert drive(model, data, replace(table, raw=True, timelines=True), lines.append).classified == 1
    assert timelines(out) == before
    assert lines[2:] == [f"1 record is classified again: {TIMELINES}"]


def test_timelines_that_a_ledger_of_an_earlier_version_does_not_note_are_written_again(model, tmp_path):
    data, out, lines = tmp_path / "data", tmp_path / "out", []
    with_timelines = OutputTarget(out, timelines=True)
    long_record(data)
    drive(model, data, with_timelines)
    before = timelines(out)
    with closing(sqlite3.connect(DRIVER.path(out))) as database, database:
        ((result, about),) = database.execute("SELECT result, about FROM entry").fetchall()
        older = json.loads(result)[""], json.dumps(json.loads(about) | {"timelines": True})
        database.execute("UPDATE entry SET result = ?, about = ?", older)
    assert drive(model, data, out).kept == 1
    assert drive(model, data, with_timelines, lines.append).classified == 1
    assert timelines(out) == before
    assert lines == [f"1 record is classified again: {OLD_TIMELINES}"]
    assert drive(model, data, with_timelines).kept == 1


def test_a_record_whose_name_is_too_long_for_timelines_is_kept(model, tmp_path):
    data, out = tmp_path / "data", OutputTarget(tmp_path / "out", timelines=True)
    long_record(data, "L" * 240)
    drive(model, data, out)
    assert drive(model, data, out).kept == 1
