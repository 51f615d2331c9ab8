"""The store of prepared windows: content, reuse, failures."""

import json
import os
import signal
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cnn_gap.io.records import read_info, read_record
from cnn_gap.io.sources import find_records
from cnn_gap.signal.windows import Preprocessing, training_windows
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.chunks import Work
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked
from cnn_gap.system.processes import in_processes
from cnn_gap.training.window_store import PREPARING, UNREADABLE, prepare_windows


@pytest.fixture
def folder(tmp_path):
    """Records of 6, 10 and 25 s at several rates: one, one and three windows."""
    folder = tmp_path / "data"
    for name, rate, seconds in (("A1", 257.0, 6.0), ("B2", 500.0, 10.0), ("C3", 100.0, 25.0)):
        write_simulated(folder, simulate_record(name, ["426783006"], rate, seconds, seed=1))
    return folder


def _prepare(folder, cache, preprocessing=None):
    return prepare_windows(
        [read_info(path) for path in find_records(folder)], preprocessing or Preprocessing(), cache
    )


def test_windows_are_those_of_the_records(folder, tmp_path):
    store = _prepare(folder, tmp_path / "cache")
    assert store.first == (0, 1, 2, 5)
    assert (store.samples, store.held) == (1000, (600, 1000, 1000))
    for index, path in enumerate(find_records(folder)):
        record = read_record(path)
        expected = training_windows(record.signal, record.sampling_rate, Preprocessing())
        windows, owners = store.windows_of(np.array([index]))
        assert (owners == index).all()
        np.testing.assert_allclose(store.read(windows), expected, rtol=1e-3, atol=1e-6)


def test_a_calibration_pulse_that_the_header_counts_costs_no_record(tmp_path):
    record = simulate_record("A", ["426783006"], 100.0, 10.0, seed=1)
    pulse = np.repeat([0.0, 1.0, 0.0], [10, 20, 10])[:, None].repeat(12, axis=1)
    longer = np.concatenate([record.signal, pulse]).astype(np.float32)
    write_simulated(tmp_path / "data", replace(record, signal=longer))
    store = _prepare(tmp_path / "data", tmp_path / "cache")
    (without,) = training_windows(read_record(tmp_path / "data" / "A.hea").signal, 100.0, Preprocessing())
    assert (store.first, store.failures) == ((0, 3), {})
    for window in store.read(np.arange(3)):
        np.testing.assert_allclose(window, without, rtol=1e-3, atol=1e-6)


def test_indices_may_come_in_any_order_and_repeat(folder, tmp_path):
    store = _prepare(folder, tmp_path / "cache")
    every = store.read(np.arange(5))
    np.testing.assert_array_equal(store.read(np.array([4, 0, 4, 2])), every[[4, 0, 4, 2]])
    windows, owners = store.windows_of(np.array([2, 0, 2]))
    assert windows.tolist() == [2, 3, 4, 0, 2, 3, 4]
    assert owners.tolist() == [2, 2, 2, 0, 2, 2, 2]


def test_a_store_is_used_again_until_data_or_preprocessing_change(folder, tmp_path):
    cache = tmp_path / "cache"
    store = _prepare(folder, cache)
    written = (store.folder / "windows.npy").stat().st_mtime_ns
    assert _prepare(folder, cache) == store
    assert (store.folder / "windows.npy").stat().st_mtime_ns == written
    assert _prepare(folder, cache, Preprocessing(clip_mv=1.0)).folder != store.folder
    write_simulated(folder, simulate_record("A1", ["426783006"], 257.0, 6.0, seed=2))
    assert _prepare(folder, cache).folder != store.folder


def test_a_bad_record_does_not_cost_the_others(folder, tmp_path):
    infos = [read_info(path) for path in find_records(folder)]
    (folder / "B2.mat").write_bytes((folder / "B2.mat").read_bytes()[:5000])
    store = prepare_windows(infos, Preprocessing(), tmp_path / "cache")
    assert list(store.failures) == [1]
    assert "B2.mat" in store.failures[1]
    assert store.read(np.array([0])).any()


def _deadly(do, wanted):
    if any(each.record.name == "B2" for each in wanted):
        os.kill(os.getpid(), signal.SIGKILL)
    return do(wanted)


def test_a_record_that_kills_processes_does_not_cost_the_others(folder, tmp_path):
    def run(work, wanted):
        return in_processes(Work(partial(_deadly, work.do), work.lost), wanted, 1)

    infos = [read_info(path) for path in find_records(folder)]
    store = prepare_windows(infos, Preprocessing(), tmp_path / "cache", run)
    assert store.failures == {1: f"{infos[1].path}: {UNREADABLE}"}
    alone = _prepare(folder, tmp_path / "alone").read(np.arange(5))
    np.testing.assert_array_equal(store.read(np.arange(5)), alone * np.array([1, 0, 1, 1, 1])[:, None, None])


def test_windows_made_in_other_processes_are_the_same_to_the_byte(folder, tmp_path):
    infos = [read_info(path) for path in find_records(folder)]
    (folder / "B2.mat").write_bytes((folder / "B2.mat").read_bytes()[:5000])
    stores = [
        prepare_windows(infos, Preprocessing(), tmp_path / f"{jobs}", partial(in_processes, jobs=jobs, chunk=2))
        for jobs in (0, 2)
    ]
    for name in ("windows.npy", "store.json"):
        first, second = ((store.folder / name).read_bytes() for store in stores)
        assert first == second


def test_an_interrupted_preparation_leaves_nothing_that_counts(folder, tmp_path):
    cache = tmp_path / "cache"
    store = _prepare(folder, cache)
    (store.folder / "store.json").unlink()  # the last file of a preparation: without it there is no store
    (store.folder / "windows.npy").write_bytes(b"part")
    (cache / f"{PREPARING}{'0' * 16}").mkdir()
    again = _prepare(folder, cache)
    assert again == store
    assert again.read(np.arange(5)).any(axis=(1, 2)).all()
    assert not list(cache.glob(".*"))


def _change(name, key, value):
    def damage(folder):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | {key: value}))

    return damage


def _longer(folder):
    with (folder / "windows.npy").open("ab") as file:
        file.write(bytes(1000))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "store.json").write_text("{}"),
        lambda folder: (folder / "store.json").write_text("[" * 100_000),
        lambda folder: (folder / "windows.npy").unlink(),
        lambda folder: os.truncate(folder / "windows.npy", 1000),
        lambda folder: os.truncate(folder / "windows.npy", 0),
        _longer,
        lambda folder: np.save(folder / "windows.npy", np.zeros((5, 10, 12), np.float16)),
        _change("store.json", "first", [0, 1, 2, 500]),
        _change("store.json", "first", [0, 2, 1, 5]),
        _change("store.json", "first", [0, 1, 5]),
        _change("store.json", "first", ["0", 1, 2, 5]),
        _change("store.json", "failures", {"9": "no such record"}),
        _change("store.json", "failures", {"-1": "no such record"}),
        _change("store.json", "failures", ["B2"]),
    ],
)
def test_a_damaged_store_is_made_again(folder, tmp_path, damage):
    store = _prepare(folder, tmp_path / "cache")
    expected = store.read(np.arange(5))
    damage(store.folder)
    again = _prepare(folder, tmp_path / "cache")
    assert again == store
    np.testing.assert_array_equal(again.read(np.arange(5)), expected)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_among_a_store_s_files_is_not_waited_for(folder, tmp_path):
    store = _prepare(folder, tmp_path / "cache")
    (store.folder / "windows.npy").unlink()
    os.mkfifo(store.folder / "windows.npy")
    assert _prepare(folder, tmp_path / "cache") == store


def test_reasons_of_a_store_steer_no_terminal(folder, tmp_path):
    store = _prepare(folder, tmp_path / "cache")
    _change("store.json", "failures", {"1": "\x1b[2J is bad"})(store.folder)
    assert _prepare(folder, tmp_path / "cache").failures == {1: "\\x1b[2J is bad"}


def test_windows_have_reached_the_disk_before_the_store_has_its_name(folder, tmp_path, monkeypatch):
    done, rename = [], Path.rename
    monkeypatch.setattr("cnn_gap.training.window_store.flush", lambda path: done.append(path.name))

    def renamed(path, target):
        done.append("rename")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renamed)
    _prepare(folder, tmp_path / "cache")
    assert done == ["windows.npy", "rename", "cache"]


def test_a_moved_folder_keeps_its_store(folder, tmp_path):
    store = _prepare(folder, tmp_path / "cache")
    folder.rename(tmp_path / "moved")
    assert _prepare(tmp_path / "moved", tmp_path / "cache") == store


def test_no_readable_record_is_an_error(folder, tmp_path):
    infos = [read_info(path) for path in find_records(folder)]
    for path in folder.glob("*.mat"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="none of the 3 records"):
        prepare_windows(infos, Preprocessing(), tmp_path / "cache")


def test_who_finds_the_cache_in_use_says_so_and_waits(folder, tmp_path):
    infos, cache, lines = [read_info(path) for path in find_records(folder)], tmp_path / "cache", []
    held, free = threading.Event(), threading.Event()

    def hold():
        with locked(cache):
            held.set()
            free.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)

    def log(line):
        lines.append(line)
        free.set()

    store = prepare_windows(infos, Preprocessing(), cache, log=log)
    thread.join()
    assert len(lines) == 1
    assert f"in use by process {os.getpid()}" in lines[0]
    assert store.read(np.arange(5)).shape[0] == 5


def test_the_files_that_a_header_names_are_those_of_the_fingerprint(folder, tmp_path):
    (folder / "C3.mat").rename(folder / "signal.bin")
    header = folder / "C3.hea"
    header.write_text(header.read_text().replace("C3.mat", "signal.bin"))
    first = _prepare(folder, tmp_path / "cache")
    os.utime(folder / "signal.bin", (0, 0))
    assert _prepare(folder, tmp_path / "cache").folder != first.folder
