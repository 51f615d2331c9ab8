"""Work in other processes: order, limit ahead, dead processes, items that cannot be sent, and the end."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from conftest import ROOT
from joblib.externals import loky

from cnn_gap.batch.classify_folder import stamp_for_result
from cnn_gap.io.sources import list_records
from cnn_gap.model.folder import read_description
from cnn_gap.predict.preparation import PendingRecord, WindowMaker, prepared_records
from cnn_gap.system.chunks import Work
from cnn_gap.system.processes import CHUNKS_PER_PROCESS, ITEMS_PER_CHUNK, in_processes

INTERRUPTED = """
import signal
from cnn_gap.system.chunks import Work
from cnn_gap.system.processes import *
from test_processes import lost, slowly
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background ignores
for pid in in_processes(Work(slowly, lost), range(1000), 2):
    print(pid, flush=True)
"""

KILLED = """
from cnn_gap.system.chunks import Work
from cnn_gap.system.processes import *
from test_processes import lost, largely
for result in in_processes(Work(largely, lost), range(1000), 2):
    print(len(result), flush=True)
"""


def _started(code, **options):
    """Run code in a process of its own, which can import the package and the test modules here."""
    places = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": places},
        **options,
    )


def square(items):
    return [item**2 for item in items[:7]]  # fewer than a chunk


def deadly(items):
    if "poison" in items:
        os.kill(os.getpid(), signal.SIGKILL)
    return [f"{item} done" for item in items]


def call(items):
    return [item() for item in items]


def slowly(items):
    time.sleep(0.2)
    return [os.getpid() for _ in items]


def largely(items):
    return [b" " * (1 << 20) for _ in items]  # more than a pipe holds


def loaded(items):
    return [sorted({"keras", "tensorflow", "cnn_gap.classifier"} & set(sys.modules)) for _ in items]


def prepare_and_look(prepare, items):
    list(prepared_records(prepare, items))
    return loaded(items)


def lost(item):
    return f"{item} lost"


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_come_in_the_order_of_the_items():
    assert list(in_processes(Work(square, lost), iter(range(100)), 2)) == [n**2 for n in range(100)]


def test_a_process_that_dies_costs_the_item_that_it_died_of():
    items = [f"record {number}" for number in range(5 * ITEMS_PER_CHUNK)]
    items[ITEMS_PER_CHUNK + 3] = "poison"
    expected = [f"{item} lost" if item == "poison" else f"{item} done" for item in items]
    assert list(in_processes(Work(deadly, lost), items, 2)) == expected


def test_items_that_cannot_be_pickled_are_done_by_this_process():
    file = open(os.devnull)  # noqa: SIM115, PTH123 - no other process can have it
    with file:
        assert list(in_processes(Work(call, lost), [file.fileno, partial(int, "7")], 1)) == [file.fileno(), 7]


def test_items_are_looked_at_a_bounded_number_ahead():
    looked = []
    results = in_processes(Work(square, lost), (looked.append(n) or n for n in range(10_000)), 1)
    for taken in range(1, 200):
        next(results)
        assert len(looked) <= taken + CHUNKS_PER_PROCESS * ITEMS_PER_CHUNK
    results.close()


def test_processes_end_with_the_iterator():
    results = in_processes(Work(slowly, lost), range(1000), 2)
    pid = next(results)
    assert pid != os.getpid()
    assert is_running(pid)
    results.close()
    assert not is_running(pid)


def test_where_no_process_can_be_started_this_one_works(monkeypatch):
    def none(*arguments, **options):
        raise NotImplementedError("this system has no semaphores")

    monkeypatch.setattr(loky, "ProcessPoolExecutor", none)
    assert list(in_processes(Work(square, lost), range(20), 2)) == [n**2 for n in range(20)]


def test_records_are_prepared_as_here_and_without_keras(model, records):
    preparation = WindowMaker(read_description(model).preprocessing, 8)
    waiting = [
        PendingRecord(each.name, each.source, each.open, partial(stamp_for_result, each))
        for each in list_records(records).records
    ]
    (records / "SIM0000.hea").rename(records / "gone")
    try:
        here, elsewhere = (
            list(prepared_records(preparation.prepare, waiting, partial(in_processes, jobs=jobs)))
            for jobs in (0, 1)
        )
    finally:
        (records / "gone").rename(records / "SIM0000.hea")
    assert here[0].failure == elsewhere[0].failure != ""
    for one, other in zip(here[1:], elsewhere[1:], strict=True):
        assert (one.name, one.failure, one.stamp) == (other.name, other.failure, other.stamp)
        assert one.record.quality == other.record.quality
        assert one.record.windows.tobytes() == other.record.windows.tobytes()
    work = Work(partial(prepare_and_look, preparation.prepare), lost)
    assert list(in_processes(work, waiting[:2], 1)) == [[], []]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no process groups")
def test_an_interrupt_ends_the_processes_quietly():
    process = _started(INTERRUPTED, stderr=subprocess.PIPE, start_new_session=True)
    pid = int(process.stdout.readline())
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said.count("Traceback") == 1
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert not is_running(pid)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no processes")
def test_no_process_outlives_a_parent_that_is_killed_while_a_result_is_handed_over():
    process = _started(KILLED, stderr=subprocess.STDOUT)
    assert process.stdout.readline() == f"{1 << 20}\n"
    process.send_signal(signal.SIGSTOP)  # results are no longer fetched
    time.sleep(1)
    process.kill()
    process.communicate(timeout=50)  # ends when all who have the output have ended
