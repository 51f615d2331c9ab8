"""A Dask cluster as an executor: chunks of items go to workers on any machine, a bounded number at a time."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from math import ceil
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cnn_gap.cluster.connection import connected
from cnn_gap.cluster.node import work_on_chunk
from cnn_gap.system.chunks import Run, Work, by_workers, chunks_of
from cnn_gap.system.errors import InputError
from cnn_gap.system.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future

#: Maximum and minimum number of items of a chunk, and the number of chunks for each worker where items are few.
LARGEST_CHUNK = 256
SMALLEST_CHUNK = 16
CHUNKS_PER_WORKER = 4

#: Number of chunks that are handed out ahead: for each thread of the workers, and in addition, so that an
#: adaptive cluster sees that more workers would have work.
AHEAD_PER_THREAD = 4
AHEAD_FOR_NEW_WORKERS = 16

#: Seconds between two checks of the cluster's state.
_LOOK_S = 5.0


@contextmanager
def connected_executor(place: str, data: str, tell: Callable[[str], None], name: str) -> Iterator[Run]:
    """Yield a function that runs work on a cluster.

    Dask gives the chunk of a worker that dies to another, as often as its `allowed-failures` says; then
    `cnn_gap.system.chunks.by_workers` tries it in parts.

    Parameters
    ----------
    place, tell
        As of `cnn_gap.cluster.connection.connected`; `tell` receives, too, that chunks are tried again and that
        there is no worker.
    data : str
        The records, a path from the root, which is the same on all machines, or an address.
    name : str
        What Dask calls the work: it remembers how long work of a name takes.

    Raises
    ------
    InputError
        If there is no scheduler or it is lost, or a worker lacks this package, its version or the records.
    """
    with connected(place, tell) as client:

        def run(work: Work[Any, Any], items: Iterable[Any]) -> Generator[Any]:
            wanted = list(items)
            task = partial(work_on_chunk, work.do, data, __version__)
            workers = _ClusterWorkers(client, task, tell, name)
            try:
                yield from by_workers(workers, work, chunks_of(wanted, workers.suited_size(len(wanted))), tell)
            finally:
                workers.stop()

        yield run


def on_cluster(place: str, data: str, tell: Callable[[str], None], name: str) -> Run:
    """Return the executor of `connected_executor`, which connects when there is work."""

    def run(work: Work[Any, Any], items: Iterable[Any]) -> Generator[Any]:
        with connected_executor(place, data, tell, name) as execute:
            yield from execute(work, items)

    return run


class _ClusterWorkers:
    """The workers of a cluster (`cnn_gap.system.chunks.Workers`)."""

    is_ordered = False

    def __init__(
        self, client: "Client", task: Callable[[list[Any]], list[Any]], tell: Callable[[str], None], name: str
    ):
        self._client = client
        self._task = task
        self._tell = tell
        self._flying: dict[object, tuple[Future[Any], list[Any]]] = {}
        self._ended: SimpleQueue[Future[Any]] = SimpleQueue()
        self._name = f"{name}-{uuid4().hex}"
        self._started = 0
        self._told = False
        self._look()

    @property
    def count(self) -> int:
        return len(self._flying)

    @property
    def has_room(self) -> bool:
        return bool(len(self._flying) < AHEAD_PER_THREAD * self._threads + AHEAD_FOR_NEW_WORKERS)

    def suited_size(self, items: int) -> int:
        """Return how many items a chunk should have, so that all workers have work to the end."""
        share = ceil(items / (CHUNKS_PER_WORKER * self._workers)) if self._workers else LARGEST_CHUNK
        return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, share))

    def start(self, chunk: list[Any], first: bool = False) -> None:
        self._started += 1
        # No other run may have the key. By its first part Dask knows how long such a task takes.
        key = (self._name, self._started)
        future = self._client.submit(self._task, chunk, key=key, pure=False)
        self._flying[future.key] = (future, chunk)
        future.add_done_callback(self._ended.put)

    def wait(self) -> tuple[list[Any], list[Any] | None]:
        from distributed import KilledWorker

        future, chunk = self._flying.pop(self._next().key)
        if future.status in ("cancelled", "lost"):
            raise self._gone()
        try:
            return chunk, future.result()
        except KilledWorker:
            return chunk, None
        except ImportError as error:  # the worker cannot unpickle the function that was sent
            raise InputError(
                f"{self._address}: a worker cannot load this package ({error}); install the same cnn-gap there"
            ) from error

    def stop(self) -> None:
        """Cancel the chunks that are on their way."""
        if self._client.status == "running":
            self._client.cancel([future for future, _ in self._flying.values()], force=True)

    def _next(self) -> "Future[Any]":
        while True:
            if monotonic() - self._looked >= _LOOK_S:
                self._look()
            with suppress(Empty):
                return self._ended.get(timeout=_LOOK_S)

    def _look(self) -> None:
        """Look how large the cluster is: workers come and go."""
        self._looked = monotonic()
        try:
            about = self._client.scheduler_info(n_workers=0)
        except (OSError, RuntimeError) as error:
            raise self._gone() from error
        self._workers, self._threads = about["n_workers"], about["total_threads"]
        if self._workers:
            self._told = False
        elif self._flying and not self._told:
            self._tell(f"{self._address}: there are no workers; waiting for some")
            self._told = True

    def _gone(self) -> InputError:
        return InputError(f"{self._address}: the scheduler is gone; start one, and run the same command again")

    @property
    def _address(self) -> str:
        return str(getattr(self._client.scheduler, "address", "the scheduler"))
