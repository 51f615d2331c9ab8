"""Work on many items in other processes: in order, a bounded number ahead, whatever one of the items does."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Items that a process takes at a time, and such chunks that are on their way for each process.
CHUNK = 16
AHEAD = 2

#: The most processes that can be asked for, and cores that `usual_jobs` counts: the process that uses what
#: the others make is soon slower than they are.
MOST_JOBS = 256
USUAL_JOBS = 9

#: How long a process waits for work before it ends, s.
IDLE_S = 60

#: How often a process looks whether its parent is still there, s.
_LOOK_S = 1.0

#: Libraries start no threads beside the processes.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Work(Generic[Item, Result]):
    """What is done with items.

    Attributes
    ----------
    do : callable
        Takes a list of items and returns the results of the first ones: of one at least, of none if there are
        none. It, items and results are pickled, and its module is imported in each process.
    lost : callable
        Returns the result of an item that a process died of.
    """

    do: Callable[[Sequence[Item]], list[Result]]
    lost: Callable[[Item], Result]


#: What does work on items, as `in_processes` or a cluster does: it yields the result of each, in any order.
Run: TypeAlias = Callable[[Work[Any, Any], Sequence[Any]], Generator[Any]]


def usual_jobs(spared: int = 0, most: int = USUAL_JOBS) -> int:
    """Return how many processes to start beside this one: one for each core but those that it needs itself."""
    import joblib

    return max(min(joblib.effective_n_jobs(-1), most) - spared, 0)


def in_processes(
    work: Work[Item, Result], items: Iterable[Item], jobs: int, chunk: int = CHUNK
) -> Generator[Result]:
    """Yield the result of each item, in the order of the items.

    A process that dies costs the item that it died of and no other: those that were on their way are done
    again, one at a time. Where no process can be started, this one does the work.

    Parameters
    ----------
    work : Work
        What is done.
    items : iterable
        Looked at only as far ahead as work is on its way.
    jobs : int
        How many processes there are; 0: this one does the work. They end when all is done or the iterator is
        closed.
    chunk : int
        How many items a process takes at a time.
    """
    remaining = iter(items)
    while jobs and (pool := _started(work, jobs)) is not None:
        with closing(pool):
            try:
                yield from _results(pool, remaining, AHEAD * jobs, chunk)
                return
            except BrokenProcessPool:
                left = pool.unfinished()
        yield from _one_by_one(work, left)
    for item in remaining:
        yield from work.do([item])


def _results(pool: "_Pool", remaining: Iterator[Any], ahead: int, size: int) -> Iterator[Any]:
    """Yield the results of what remains as long as no process dies."""
    while True:
        while len(pool.waiting) < ahead and (chunk := list(islice(remaining, size))):
            pool.give(chunk)
        if not pool.waiting:
            return
        yield from pool.take()


def _one_by_one(work: Work[Item, Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield the results of items, of which any may be one that processes die of."""
    left = deque(items)
    while left and (pool := _started(work, 1)) is not None:
        with closing(pool):
            try:
                while left:
                    pool.give([left[0]])
                    yield from pool.take()
                    left.popleft()
            except BrokenProcessPool:
                yield work.lost(left.popleft())
    for item in left:
        yield from work.do([item])


def _started(work: Work[Any, Any], jobs: int) -> "_Pool | None":
    """Return a pool of processes that have imported what they need, or None where there can be none."""
    from joblib.externals.loky import ProcessPoolExecutor

    executor = None
    try:
        # Unlike the standard library's, it does not need the caller's `if __name__ == "__main__"`.
        executor = ProcessPoolExecutor(
            jobs, timeout=IDLE_S, initializer=_begin, initargs=(os.getpid(),), env=_ONE_THREAD
        )
        executor.submit(work.do, []).result()
    except (ImportError, NotImplementedError, OSError, RuntimeError):  # no semaphores, or no more processes
        if executor is not None:
            executor.shutdown()
        return None
    return _Pool(executor, work.do)


class _Pool:
    """Processes, and the chunks of items that were given to them and whose results were not yet taken."""

    def __init__(self, executor: Any, do: Callable[[Sequence[Any]], list[Any]]) -> None:
        self._executor = executor
        self._do = do
        self.waiting: deque[tuple[Sequence[Any], Future]] = deque()

    def give(self, chunk: Sequence[Any]) -> None:
        """Give a chunk to the next process that is free."""
        self.waiting.append((chunk, self._submitted(chunk)))

    def take(self) -> list[Any]:
        """Return the results of the first items of the chunk that was given first; the others come next.

        Raises
        ------
        BrokenProcessPool
            If a process has died.
        """
        chunk, future = self.waiting[0]
        try:
            results = future.result()
        except BrokenProcessPool:
            raise
        except Exception:  # what cannot be sent to another process is done by this one
            results = self._do(chunk)
        self.waiting.popleft()
        if rest := chunk[len(results) :]:
            self.waiting.appendleft((rest, self._submitted(rest)))
        return results

    def unfinished(self) -> list[Any]:
        """Return the items whose results were not taken."""
        return [item for chunk, _ in self.waiting for item in chunk]

    def close(self) -> None:
        """End the processes when they have done what they are doing."""
        for _, future in self.waiting:
            future.cancel()
        self._executor.shutdown()

    def _submitted(self, chunk: Sequence[Any]) -> Future:
        try:
            return self._executor.submit(self._do, chunk)
        except BrokenProcessPool as error:
            future: Future = Future()
            future.set_exception(error)
            return future


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the process that has started this one and that ends it, and end with it otherwise.

    Where the parent is killed while this process hands over a result, it would wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":  # elsewhere the parent's number need not be the one that it knows itself by
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
