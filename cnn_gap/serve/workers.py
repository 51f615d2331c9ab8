"""Worker processes with limits of memory and time: a hostile file can only make its own request fail.

Each worker has its own connection, so that a worker that dies cannot block another one. Workers are started by
`multiprocessing`'s fork server where there is one: it has already imported the libraries, so a dead worker is
replaced in milliseconds.
"""

import asyncio
import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from cnn_gap.serve.limits import MIB, RETRY_S
from cnn_gap.serve.problems import BUSY, Problem
from cnn_gap.system.errors import InputError

#: Number of calls after which a worker is replaced, so that memory that a library leaks does not add up.
MOST_CALLS = 1000

#: How often a call is given to another worker after its own has died.
ATTEMPTS = 2

#: Modules that workers need; the fork server imports them once for all.
IMPORTED = ["cnn_gap.serve.parsing", "cnn_gap.serve.drawing"]

#: Keeps libraries from starting threads in each worker.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class WorkerLostError(Exception):
    """A worker has died in the middle of a call."""


class TimeLimitError(Exception):
    """A call has taken longer than it may."""


@dataclass(frozen=True)
class _Failure:
    """Why a call has failed: the message of an `InputError`, or the text of another error."""

    message: str
    is_input: bool


class Workers:
    """Processes that call functions.

    Parameters
    ----------
    count : int
        How many there are.
    memory_mib : int
        Most memory of each, MiB; where the system has no such limit, there is none.
    lost : callable
        Called each time that a worker has died or was ended for the time that it took.
    """

    def __init__(self, count: int, memory_mib: int, lost: Callable[[], None] = lambda: None) -> None:
        self._lost = lost
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(count):
            self._idle.put(_Worker(memory_mib))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._count = count

    async def start(self) -> None:
        """Start all workers, and wait until they have imported their modules."""
        await asyncio.gather(*(self.call(60.0, "the start", os.getpid) for _ in range(self._count)))

    async def call(
        self,
        most_s: float,
        what: str,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a function in one of the workers, and return its result.

        Parameters
        ----------
        most_s : float
            Longest time that it may take, s.
        what : str
            The record, for errors.
        function : callable
            Of a module, with arguments that can be pickled.

        Raises
        ------
        InputError
            If the function raises any error, or takes too long.
        Problem
            If workers died twice.
        """
        task = partial(function, *args, **kwargs)
        loop = asyncio.get_running_loop()
        for _ in range(ATTEMPTS):
            try:
                result: Result = await loop.run_in_executor(self._threads, self._call, task, most_s)
                return result
            except WorkerLostError:
                self._lost()
            except TimeLimitError:
                self._lost()
                raise InputError(f"{what}: takes longer than {most_s:g} s; is it damaged?") from None
        raise Problem(BUSY, f"{what}: the processes that read it have died; send it again later", RETRY_S)

    def close(self) -> None:
        """End all workers."""
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().end()

    def _call(self, task: Callable[[], Any], most_s: float) -> Any:
        worker = self._idle.get()  # there are as many threads as workers
        try:
            return worker.call(task, most_s)
        finally:
            self._idle.put(worker)


class _Worker:
    """One worker, whose process is started with the first call and after it has died."""

    def __init__(self, memory_mib: int) -> None:
        self._memory_mib = memory_mib
        self._process: Any = None
        self._connection: Connection[Any, Any] | None = None
        self._calls = 0

    def call(self, task: Callable[[], Any], most_s: float) -> Any:
        if self._process is None or not self._process.is_alive() or self._calls >= MOST_CALLS:
            self.end()
            self._start()
        self._calls += 1
        assert self._connection is not None
        try:
            self._connection.send(task)
            if not self._connection.poll(most_s):
                self.end()
                raise TimeLimitError
            result = self._connection.recv()
        except (EOFError, OSError) as error:
            self.end()
            raise WorkerLostError from error
        if isinstance(result, _Failure):
            raise InputError(result.message) if result.is_input else RuntimeError(result.message)
        return result

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _start(self) -> None:
        context = _context()
        connection, other = context.Pipe()
        process = context.Process(target=_work, args=(other, self._memory_mib), daemon=True)
        process.start()
        other.close()
        self._process, self._connection, self._calls = process, connection, 0


def _context() -> Any:
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _work(connection: "Connection[Any, Any]", memory_mib: int) -> None:
    """Call functions until the service ends and so closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(memory_mib)
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_result(task, memory_mib))


def _result(task: Callable[[], Any], memory_mib: int) -> Any:
    try:
        return task()
    except InputError as error:
        return _Failure(str(error), True)
    except MemoryError:
        return _Failure(
            f"the record needs more than {memory_mib} MiB of memory; cut it, or is it damaged?", True
        )
    except Exception as error:
        return _Failure(repr(error), False)


def _limit_memory(mib: int) -> None:
    if sys.platform == "linux":  # others count memory in other ways
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
