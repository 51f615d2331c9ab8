"""Work on many items in other processes, in order."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import Any

from cnn_gap.system.chunks import Item, Result, Work, by_workers, chunks_of, in_this_process

#: Number of items of a chunk, and number of chunks that are on their way for each process.
ITEMS_PER_CHUNK = 16
CHUNKS_PER_PROCESS = 2

#: The largest number of processes that can be asked for, and the largest number of cores that `usual_jobs`
#: counts: with more processes, the one that uses their results would be slower than they are.
MOST_JOBS = 256
USUAL_JOBS = 9

#: Seconds without work after which a process ends.
IDLE_S = 60

#: Seconds between two checks of a process whether its parent still runs.
_LOOK_S = 1.0

#: Keeps libraries from starting threads in each process.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def usual_jobs(spared: int = 0, most: int = USUAL_JOBS) -> int:
    """Return how many processes to start besides this one: one for each core that is not `spared` for it."""
    import joblib

    return max(min(int(joblib.effective_n_jobs(-1)), most) - spared, 0)


def in_processes(
    work: Work[Item, Result], items: Iterable[Item], jobs: int, chunk: int = ITEMS_PER_CHUNK
) -> Generator[Result]:
    """Yield the result of each item, in the order of the items.

    If a process dies, only the item that killed it fails. If no process can be started, this process does the
    work.

    Parameters
    ----------
    work : Work
        The work.
    items : iterable
        Consumed only as far ahead as work is on its way.
    jobs : int
        How many processes there are; 0: this one does the work. They end when all is done or the iterator is
        closed.
    chunk : int
        How many items a process takes at a time; at most `cnn_gap.system.chunks.TRIED_SINGLY`.
    """
    if not jobs:
        yield from in_this_process(work, items)
        return
    with closing(_Processes(work.do, jobs)) as workers:
        yield from by_workers(workers, work, chunks_of(items, chunk), lambda line: None)


class _Processes:
    """Processes that take chunks of items (`cnn_gap.system.chunks.Workers`).

    They are started with the first chunk, and again after one of them has died. Then all chunks on their way
    count as lost, so that the order is kept.
    """

    is_ordered = True

    def __init__(self, do: Callable[[Sequence[Any]], list[Any]], jobs: int) -> None:
        self._do = do
        self._jobs = jobs
        self._executor: Any = None
        self._can_start = True
        self._is_broken = False
        self._waiting: deque[tuple[list[Any], Future[Any] | None]] = deque()

    @property
    def count(self) -> int:
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < CHUNKS_PER_PROCESS * self._jobs

    def start(self, chunk: list[Any], first: bool = False) -> None:
        if self._is_broken and not self._waiting:
            self.close()
        if self._executor is None and self._can_start:
            self._executor = _started(self._do, self._jobs)
            self._can_start = self._executor is not None
        (self._waiting.appendleft if first else self._waiting.append)((chunk, self._submitted(chunk)))

    def wait(self) -> tuple[list[Any], list[Any] | None]:
        chunk, future = self._waiting.popleft()
        if self._is_broken:
            return chunk, None
        try:
            return chunk, self._do(chunk) if future is None else future.result()
        except BrokenProcessPool:
            self._is_broken = True
            return chunk, None
        except Exception:  # items that cannot be sent to another process are done by this one
            return chunk, self._do(chunk)

    def close(self) -> None:
        """End the processes after their current chunks."""
        for _, future in self._waiting:
            if future is not None:
                future.cancel()
        if self._executor is not None:
            self._executor.shutdown()
        self._executor, self._is_broken = None, False

    def _submitted(self, chunk: list[Any]) -> Future[Any] | None:
        """Return the future of a chunk; None if this process is to do it."""
        if self._executor is None:
            return None
        try:
            submitted: Future[Any] = self._executor.submit(self._do, chunk)
            return submitted
        except BrokenProcessPool as error:
            future: Future[Any] = Future()
            future.set_exception(error)
            return future


def _started(do: Callable[[Sequence[Any]], list[Any]], jobs: int) -> Any:
    """Return an executor whose processes have imported their modules, or None if no process can be started."""
    from joblib.externals.loky import ProcessPoolExecutor

    executor = None
    try:
        # Unlike the standard library's, it does not need the caller's `if __name__ == "__main__"`.
        executor = ProcessPoolExecutor(
            jobs, timeout=IDLE_S, initializer=_begin, initargs=(os.getpid(),), env=_ONE_THREAD
        )
        executor.submit(do, []).result()
    except (ImportError, NotImplementedError, OSError, RuntimeError):  # no semaphores, or no more processes
        if executor is not None:
            executor.shutdown()
        return None
    return executor


def _begin(parent: int) -> None:
    """Ignore Ctrl-C, which the parent handles, and end when the parent has ended.

    Without the latter, a process whose parent is killed while it hands over a result would wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":  # on Windows, the parent's number may differ from its own
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
