"""Windows that a cluster makes for a training equal one machine's, byte for byte, even if workers die."""

import os
from functools import partial

import numpy as np
import pytest

import train_model
from cnn_gap.cluster.executor import on_cluster
from cnn_gap.cluster.node import work_on_chunk
from cnn_gap.io.records import read_info
from cnn_gap.io.sources import find_records
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import LOCK
from cnn_gap.system.version import __version__
from cnn_gap.training.window_store import UNREADABLE, prepare_windows


@pytest.fixture(autouse=True)
def dask():
    """Dask, without which there is nothing to test."""
    return pytest.importorskip("dask", reason="pip install cnn-gap[cluster]")


def contents(cache):
    """Return the files of a cache of windows, without its lock."""
    files = (path for path in cache.rglob("*") if path.is_file() and path.name != LOCK)
    return {str(path.relative_to(cache)): path.read_bytes() for path in files}


@pytest.mark.minutes
def test_training_on_windows_of_a_cluster_is_training_on_those_of_one_machine(
    run_command, model, records, config_file, tmp_path
):
    place = tmp_path / "model"
    result = run_command(train_model, [records, place, "--config", config_file, "--cluster", "local:2"])
    assert result.code == 0, result.err
    made = contents(place / "cache")
    assert len(made) == 2
    # Other tests may have put windows of other settings beside these.
    assert made.items() <= contents(model / "cache").items()


#: Code that a test gives to workers: a worker that reads one of the records is killed.
POISON = """
import os, signal
from cnn_gap.io import sources

def open_record(path, known=sources.open_record):
    if path.stem == "R20":
        os.kill(os.getpid(), signal.SIGKILL)
    return known(path)

sources.open_record = open_record
"""


@pytest.mark.minutes
def test_a_record_that_kills_every_worker_has_no_windows_and_the_others_have_theirs(dask, tmp_path):
    data, lines = tmp_path / "data", []
    for number in range(40):  # of one to three windows
        length = 10.0 + 10 * (number % 3)
        write_simulated(data, simulate_record(f"R{number:02d}", ["426783006"], 100.0, length, seed=number))
    infos = [read_info(path) for path in find_records(data)]
    (data / "R05.mat").write_bytes((data / "R05.mat").read_bytes()[:5000])
    (tmp_path / "poison.py").write_text(POISON)
    alone = prepare_windows(infos, Preprocessing(), tmp_path / "alone")
    # Dask would not wait for workers to start again, as on a machine that is too busy to start them in time.
    impatient = {"distributed.deploy.lost-worker-timeout": "10ms"}
    with dask.config.set({"distributed.worker.preload": [str(tmp_path / "poison.py")]} | impatient):
        run = on_cluster("local:2", str(data), lines.append, "prepare")
        store = prepare_windows(infos, Preprocessing(), tmp_path / "cache", run)
    assert store.failures == alone.failures | {20: f"{infos[20].path}: {UNREADABLE}"}
    assert list(alone.failures) == [5]
    expected = alone.read(np.arange(alone.first[-1]))
    expected[alone.first[20] : alone.first[21]] = 0
    np.testing.assert_array_equal(store.read(np.arange(store.first[-1])), expected)
    assert any("has died; they are tried in smaller parts" in line for line in lines)


def first_doubled(items):
    return [2 * items[0]]


def test_a_worker_does_all_items_however_many_are_done_at_a_time(tmp_path):
    assert work_on_chunk(first_doubled, str(tmp_path), __version__, [1, 2, 3]) == [2, 4, 6]
    assert work_on_chunk(first_doubled, str(tmp_path), __version__, []) == []


def test_a_worker_that_lacks_something_does_nothing_and_names_itself(tmp_path):
    for data, version, reason in (
        (tmp_path, "0.0", "install 0.0, as the driver has"),
        (tmp_path / "absent", __version__, "absent: is not there"),
    ):
        with pytest.raises(InputError, match=f"worker on .*{reason}"):
            work_on_chunk(partial(os.kill, os.getpid()), str(data), version, [9])


def test_a_cluster_that_cannot_be_is_named_before_anything_starts(run_command, records, tmp_path):
    result = run_command(train_model, [records, tmp_path / "out", "--cluster", "nowhere"])
    assert (result.code, len(result.err.splitlines())) == (1, 1), result.err
    assert "received 'nowhere'" in result.err
    assert not (tmp_path / "out").exists()
