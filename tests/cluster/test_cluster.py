"""The driver on a cluster: the same results as on one machine, whatever becomes of workers."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas
import pytest
from conftest import ROOT

import driver
from cnn_gap.batch.classify_folder import DRIVER, FAILURES, OutputTarget, classify_folder
from cnn_gap.classifier import load_classifier
from cnn_gap.cluster import connection, node
from cnn_gap.cluster.node import Job, classify_chunk, work_on_chunk
from cnn_gap.io.sources import list_records
from cnn_gap.model.folder import fingerprint
from cnn_gap.results.challenge_files import read_outputs
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, read_bytes
from cnn_gap.system.locks import LOCK, locked
from cnn_gap.system.version import __version__

#: How long a busy machine may take, s: a test that hangs must end.
PATIENCE_S = 900


@pytest.fixture(autouse=True)
def dask():
    """Dask, without which there is nothing to test."""
    return pytest.importorskip("distributed", reason="pip install cnn-gap[cluster]")


@contextmanager
def started(arguments, **options):
    """A process that ends with the block, however it ends."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
    process = subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def dask_process(kind, place, *arguments):
    """One of a cluster's processes, which know of each other by the file `place`."""
    command = ["-m", f"distributed.cli.dask_{kind}", "--scheduler-file", place, "--host", "127.0.0.1"]
    log = (place.parent / f"{kind}.log").open("ab")
    return started([*command, "--no-dashboard", *arguments], cwd=place.parent, stderr=log)


def scheduler(place):
    """A scheduler on a free port that writes `place`."""
    return dask_process("scheduler", place, "--port", "0")


def worker(place):
    """A worker as on a node of a cluster: nobody starts it again."""
    return dask_process("worker", place, "--no-nanny", "--nthreads", "1", "--local-directory", place.parent)


def drive(arguments, said, **options):
    """Start the driver as a process, with its standard error in the file `said`."""
    command = ["driver.py", *arguments]
    return started(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=said.open("wb"), text=True, **options)


def wait_until(true, process):
    """Wait for something that a process is to do."""
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None, f"the process has ended with {process.returncode}"
        assert time.monotonic() < until
        time.sleep(0.02)


def contents(folder):
    """Return a folder's files, without the ledger, whose entries are in the order of completion."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path != DRIVER.path(folder)}


def rows(table):
    """Return a table's rows."""
    return pandas.read_parquet(table)


def many_records(records, folder, count):
    """Fill a folder with `count` records; all but the first ones share the first ones' signals."""
    folder.mkdir()
    headers = sorted(records.glob("*.hea"))
    for path in (*headers, *records.glob("*.mat")):
        (folder / path.name).hardlink_to(path)
    for number in range(len(headers), count):
        (folder / f"R{number:05d}.hea").hardlink_to(headers[number % len(headers)])
    return folder


@pytest.mark.minutes
def test_a_worker_killed_among_1000_records_costs_nothing_but_time(model, records, tmp_path):
    pytest.importorskip("pyarrow", reason="pip install cnn-gap[formats]")
    data = many_records(records, tmp_path / "data", 1000)
    place, said = tmp_path / "scheduler.json", tmp_path / "said"
    out, alone = (
        OutputTarget(tmp_path / name, table=tmp_path / f"{name}.parquet") for name in ("out", "alone")
    )
    classify_folder(load_classifier(model), model, data, alone, warn=print)
    with scheduler(place) as dask:
        wait_until(place.exists, dask)
        with drive([model, data, out.out, "--table", out.table, "--cluster", place], said) as driven:
            wait_until(lambda: "there are no workers" in said.read_text(), driven)
            with worker(place) as first, worker(place):
                wait_until(lambda: any(out.out.glob("*.csv")), driven)
                first.send_signal(signal.SIGKILL)
                last_line = driven.communicate(timeout=PATIENCE_S)[0].splitlines()[-1]
    assert (driven.returncode, last_line) == (0, "1000 classified, 0 failed")
    assert contents(out.out) == contents(alone.out)
    pandas.testing.assert_frame_equal(*(rows(each.table) for each in (out, alone)))
    assert classify_folder(load_classifier(model), model, data, out, warn=print).kept == 1000


#: Code that a test gives to workers: a worker that reads one of the records is killed.
POISON = """
import os, signal
from cnn_gap.io import sources

def open_record(path, known=sources.open_record):
    if path.stem == "SIM0007":
        os.kill(os.getpid(), signal.SIGKILL)
    return known(path)

sources.open_record = open_record
"""


@pytest.mark.minutes
def test_a_record_that_kills_every_worker_is_that_records_failure(model, records, tmp_path):
    (tmp_path / "poison.py").write_text(POISON)
    (records / "BAD.hea").write_text("damaged")
    out, said = tmp_path / "out", tmp_path / "said"
    try:
        environment = {"DASK_DISTRIBUTED__WORKER__PRELOAD": str(tmp_path / "poison.py")}
        with drive([model, records, out, "--cluster", "local:2"], said, env=environment) as driven:
            last_line = driven.communicate(timeout=PATIENCE_S)[0].splitlines()[-1]
    finally:
        (records / "BAD.hea").unlink()
    assert (driven.returncode, last_line) == (0, "47 classified, 2 failed")
    lines = dict(line.split(": ", 1) for line in (out / FAILURES).read_text().splitlines())
    assert sorted(lines) == ["BAD", "SIM0007"]
    assert "every worker that had it has died" in lines["SIM0007"]
    assert all(f"{name}: {line}" in said.read_text() for name, line in lines.items())
    assert not read_outputs(out / "SIM0007.csv").labels.any()
    assert not list(out.glob(".writing-*"))


@pytest.fixture
def job(model, records, tmp_path):
    """The arguments that a driver hands to workers while it holds its folder."""
    with locked(tmp_path):
        holder = read_bytes(tmp_path / LOCK, LARGEST_SETTINGS)
        job = Job(str(model), fingerprint(model), "auto", "float32")
        yield {"job": job, "out": tmp_path, "holder": holder, "data": str(records), "version": __version__}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "0.0"}, "install 0.0, as the driver has"),
        ({"data": "/absent/data"}, "/absent/data: is not there"),
        ({"job": Job("/absent/model", "0", "auto", "float32")}, "/absent/model/model.keras: cannot be read"),
        ({"job": Job(str(ROOT / "model"), "0", "auto", "float32")}, "is another model than the driver's"),
        ({"out": Path("/absent/out")}, "/absent/out: is not the folder that the driver holds"),
        ({"holder": b"an earlier run"}, "is not the folder that the driver holds"),
    ],
)
def test_a_worker_that_lacks_something_names_itself_and_the_path(job, change, reason):
    records = list_records(job["data"]).records
    given = job | change
    task = partial(classify_chunk, given["job"], OutputTarget(given["out"]), given["holder"])
    with pytest.raises(InputError, match="worker on ") as error:
        work_on_chunk(task, given["data"], given["version"], records[:1])
    assert reason in str(error.value)
    assert not list(job["out"].glob("*.csv"))


def test_a_worker_writes_timelines_and_returns_what_the_ledger_notes(job, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pip install cnn-gap[formats]")
    monkeypatch.setattr(node, "_use_threads", lambda: None)
    write_simulated(tmp_path / "long", simulate_record("LONG", ("426783006",), 100.0, 40.0, 1))
    records = list_records(str(tmp_path / "long")).records
    target = OutputTarget(tmp_path, files=False, timelines=True)
    with pytest.raises(InputError, match="is not the folder that the driver holds"):
        classify_chunk(job["job"], target, b"an earlier run", records)
    (done,) = classify_chunk(job["job"], target, job["holder"], records)
    assert done.state["monitoring"]["analysed_s"] == 40
    written = {path.name for path in tmp_path.glob("LONG*")}
    assert written == {"LONG.timeline.parquet", "LONG.episodes.csv", "LONG.beats.csv"}


def test_a_cluster_that_is_not_there_is_named(run_command, model, records, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_S", 1)
    (tmp_path / "other.json").write_text("{}")
    for place, reason in (
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1: no scheduler can be reached"),
        ("tls://127.0.0.1:1", "tls://127.0.0.1:1: no scheduler can be reached"),
        (tmp_path / "absent.json", "absent.json: cannot be read"),
        (tmp_path / "other.json", "other.json: is not the file of a Dask scheduler"),
        ("local:0", "received 'local:0'"),
        ("nowhere", "received 'nowhere'"),
    ):
        result = run_command(driver, [model, records, tmp_path / "out", "--cluster", place])
        assert (result.code, len(result.err.splitlines())) == (1, 1), result.err
        assert reason in result.err
    assert not (tmp_path / "out").exists()


def test_without_dask_the_extra_is_named(run_command, model, records, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "find_spec", lambda name: None)
    result = run_command(driver, [model, records, tmp_path / "out", "--cluster", "local:2"])
    assert result.code == 1
    assert "pip install 'cnn-gap[cluster]'" in result.err
