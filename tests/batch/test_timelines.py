"""Timelines, episodes and beats of the long records of a folder."""

from types import SimpleNamespace

import pandas

from cnn_gap.batch import classify_folder as classify_folder_module
from cnn_gap.batch.classify_folder import OutputTarget, classify_folder
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
