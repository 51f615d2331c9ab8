"""Workers: what one call does costs no other."""

import asyncio
import os
import signal
import sys
import time

import pytest

pytest.importorskip("starlette")

from cnn_gap.serve.problems import Problem
from cnn_gap.serve.workers import Workers
from cnn_gap.system.errors import InputError


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path):
    if not os.path.exists(path):  # noqa: PTH110
        open(path, "w").close()  # noqa: PTH123
        die()
    return "answered"


def refuse():
    raise InputError("B.dcm: is damaged")


def defect():
    raise KeyError("x")


def allocate(mib):
    return len(bytearray(mib << 20))


@pytest.fixture
def lost():
    return []


@pytest.fixture
def call(lost):
    """Call a function in one of two workers; several calls at once if there are several."""
    workers = Workers(2, 1024, lambda: lost.append(1))

    def call(*calls, most_s=30.0):
        async def all_of_them():
            running = (workers.call(most_s, "B", function, *arguments) for function, *arguments in calls)
            return await asyncio.gather(*running, return_exceptions=True)

        return asyncio.run(all_of_them())

    yield call
    workers.close()


def test_results_and_errors_come_back(call, lost):
    number, refusal, error = call((os.getpid,), (refuse,), (defect,))
    assert number != os.getpid()
    assert isinstance(refusal, InputError) and str(refusal) == "B.dcm: is damaged"
    assert isinstance(error, RuntimeError)
    assert not lost


def test_a_call_whose_worker_dies_is_given_to_another(call, lost, tmp_path):
    answers = call((die_once, str(tmp_path / "died")), *[(os.getpid,)] * 5)
    assert answers[0] == "answered" and all(isinstance(each, int) for each in answers[1:])
    assert len(lost) == 1


def test_a_call_that_kills_two_workers_gets_status_503(call, lost):
    killed, *others = call((die,), *[(os.getpid,)] * 5)
    assert isinstance(killed, Problem) and killed.kind.status == 503 and killed.retry_s
    assert all(isinstance(each, int) for each in others)
    assert len(lost) == 2


def test_a_call_that_takes_too_long_is_ended(call, lost):
    late, other = call((time.sleep, 60), (os.getpid,), most_s=3.0)
    assert isinstance(late, InputError) and "B: takes longer than 3 s" in str(late)
    assert isinstance(other, int) and len(lost) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other ways")
def test_a_call_that_needs_too_much_memory_fails_alone(call):
    fits, large = call((allocate, 10), (allocate, 2000))
    assert fits == 10 << 20
    assert isinstance(large, InputError) and "more than 1024 MiB" in str(large)
