"""Files of timelines, episodes and beats."""

import csv

import numpy as np
import pyarrow.parquet
import pytest
import wfdb
from example_beats import measured_beats

from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import known_diagnoses
from cnn_gap.holter.episodes import Episode
from cnn_gap.holter.files import write_beats, write_episodes, write_timeline
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.timeline import Timeline
from cnn_gap.system.errors import InputError

RATE = 360.0


@pytest.fixture(scope="module")
def monitoring():
    """Two minutes of beats with one early beat; of the timeline, half is fibrillation."""
    classes = load_classifier().classes
    intervals = np.resize([0.7, 0.9, 0.6, 1.0], 150)
    likeness = np.full(150, 0.99)
    likeness[100] = 0.1
    shapes, usable = np.arange(150), np.ones(60, bool)
    beats = measured_beats(
        np.cumsum(intervals), likeness, np.full(150, 1.5), shapes, usable, sampling_rate=RATE
    )
    starts = np.arange(0, 111.0, 5.0)
    probabilities = np.zeros((len(starts), len(classes)))
    probabilities[:10, classes.find("AF")] = 0.9
    return Monitoring(Timeline(classes, starts, 10.0, 120.0, probabilities, np.ones(len(starts), bool)), beats)


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_beats_are_read_back_by_wfdb(monitoring, tmp_path):
    write_beats(tmp_path / "r.atr", monitoring)
    read = wfdb.rdann(str(tmp_path / "r"), "atr")
    assert read.fs == RATE
    assert read.sample / RATE == pytest.approx(monitoring.beats.times_s, abs=1.5 / RATE)
    assert read.symbol == monitoring.beats.symbols.tolist()
    assert read.symbol[100] == "V"


def test_episodes_are_changes_of_rhythm_for_wfdb(monitoring, tmp_path):
    write_episodes(tmp_path / "r.atr", monitoring)
    read = wfdb.rdann(str(tmp_path / "r"), "atr")
    (episode,) = monitoring.episodes
    assert (read.symbol, [note.rstrip("\0") for note in read.aux_note]) == (["+", "+"], ["(AFIB", "(N"])
    assert read.sample / RATE == pytest.approx([0, episode.end_s], abs=1 / RATE)


def test_a_run_interrupts_the_rhythm_around_it(monitoring, tmp_path):
    known = known_diagnoses()
    around = Episode(known["164889003"], 10.0, 50.0, 0.9, 60.0, 70.0, 80.0)
    run = Episode(known["164895002"], 20.0, 22.0, 0.9, 150.0, 150.0, 150.0)
    block = Episode(known["164909002"], 30.0, 40.0, 0.9, 60.0, 70.0, 80.0)
    several = Monitoring(monitoring.timeline, monitoring.measured)
    vars(several)["episodes"] = (around, run, block)
    write_episodes(tmp_path / "r.atr", several)
    read = wfdb.rdann(str(tmp_path / "r"), "atr")
    notes = [note.rstrip("\0") for note in read.aux_note]
    assert notes == ["(N", "(AFIB", "(VT", "(AFIB", "LBBB begins", "LBBB ends", "(N"]


def test_tables_have_the_columns_of_the_reference(monitoring, tmp_path):
    write_episodes(tmp_path / "e.csv", monitoring)
    (row,) = rows(tmp_path / "e.csv")
    assert list(row) == [
        *("diagnosis", "code", "start_s", "end_s"),
        *("mean_probability", "rate_lowest", "rate_mean", "rate_highest"),
    ]
    assert (row["diagnosis"], row["code"], row["start_s"]) == ("AF", "164889003", "0.0")
    write_beats(tmp_path / "b.csv", monitoring)
    beats = rows(tmp_path / "b.csv")
    assert (list(beats[0]), len(beats)) == (["time_s", "symbol", "probability"], 150)


def test_a_timeline_is_the_same_in_both_formats(monitoring, tmp_path):
    write_timeline(tmp_path / "t.csv", monitoring)
    write_timeline(tmp_path / "t.parquet", monitoring)
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names[:3] == ["start_s", "end_s", "usable"]
    assert [float(row["AF"]) for row in rows(tmp_path / "t.csv")] == table["AF"].to_pylist()


def test_annotations_of_others_stay(monitoring, tmp_path):
    (tmp_path / "r.atr").write_bytes(b"a cardiologist's")
    with pytest.raises(InputError, match="stays as it is"):
        write_beats(tmp_path / "r.atr", monitoring)
    assert (tmp_path / "r.atr").read_bytes() == b"a cardiologist's"


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (write_timeline, "t.parquet"),
        (write_timeline, "t.csv"),
        (write_episodes, "e.csv"),
        (write_beats, "b.atr"),
    ],
)
def test_an_earlier_file_of_the_kind_is_replaced(monitoring, tmp_path, write, name):
    for _ in range(2):
        write(tmp_path / name, monitoring)


def test_another_suffix_is_refused_and_writes_nothing(monitoring, tmp_path):
    with pytest.raises(InputError, match=r"ends with .csv or .atr"):
        write_beats(tmp_path / "b.txt", monitoring)
    assert list(tmp_path.iterdir()) == []
