"""Work on many items on a cluster: a bounded number on their way, whatever one does to a worker."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import ceil
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import uuid4

from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

#: The most and the fewest items of a chunk, and the chunks that each worker is to get where items are few.
LARGEST = 256
SMALLEST = 16
EACH = 4

#: Chunks on their way: so many for each thread of the workers, and a few more, by which a cluster that adapts
#: sees that there is work for more workers.
AHEAD = 4
MORE = 16

#: Parts of a chunk whose workers have died: eight find a bad item with a third of the deaths that two would.
PARTS = 8

#: The items of a chunk with at most so many are tried one by one.
FEW = 16

#: How often to look at the cluster, s.
_LOOK_S = 5.0


def run_chunks(
    client: "Client",
    task: Callable[[list[Item]], Result],
    items: Sequence[Item],
    tell: Callable[[str], None],
    name: str,
) -> Iterator[tuple[list[Item], Result | None]]:
    """Yield chunks of items with what `task` returns of each, in the order in which they are done.

    Dask gives the chunk of a worker that dies to another, as often as its `allowed-failures` says. Then the
    chunk is tried in parts and, at the end, single items alone: Dask blames a death on all that the worker had,
    and only where that is one item is it the cause.

    Parameters
    ----------
    client : distributed.Client
    task : callable
        Pickled and called by workers.
    items : sequence
        Pickled by chunks.
    tell : callable
        Receives a line where chunks are tried again or there is no worker.
    name : str
        What Dask calls the work: it remembers how long work of a name takes.

    Yields
    ------
    chunk : list
    result
        None for a single item that every worker died of.

    Raises
    ------
    InputError
        If the scheduler is gone, or workers lack this package.
    """
    flight: _Flight[Item, Result] = _Flight(client, task, tell, name)
    whole = _chunks(items, flight.suited_size(len(items)))
    parts: deque[list[Item]] = deque()
    suspects: deque[list[Item]] = deque()
    try:
        while True:
            while flight.has_room and (chunk := parts.popleft() if parts else next(whole, None)):
                flight.start(chunk)
            alone = not flight.count
            if alone:
                if not suspects:
                    return
                flight.start(suspects.popleft())
            chunk, result = flight.wait()
            if result is not None or (alone and len(chunk) == 1):
                yield chunk, result
                continue
            tell(f"every worker that had these {len(chunk)} records has died; they are tried in smaller parts")
            if len(chunk) <= FEW:
                suspects.extend([item] for item in chunk)
            else:
                parts.extend(_chunks(chunk, ceil(len(chunk) / PARTS)))
    finally:
        flight.stop()


def _chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    return (list(items[first : first + size]) for first in range(0, len(items), size))


class _Flight(Generic[Item, Result]):
    """The chunks that are on their way."""

    def __init__(
        self, client: "Client", task: Callable[[list[Item]], Result], tell: Callable[[str], None], name: str
    ):
        self._client = client
        self._task = task
        self._tell = tell
        self._flying: dict[object, tuple[Future, list[Item]]] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._name = f"{name}-{uuid4().hex}"
        self._started = 0
        self._told = False
        self._look()

    @property
    def count(self) -> int:
        """How many chunks are on their way."""
        return len(self._flying)

    @property
    def has_room(self) -> bool:
        """Whether another chunk may be started."""
        return len(self._flying) < AHEAD * self._threads + MORE

    def suited_size(self, items: int) -> int:
        """Return how many items a chunk should have, so that all workers have work to the end."""
        share = ceil(items / (EACH * self._workers)) if self._workers else LARGEST
        return min(LARGEST, max(SMALLEST, share))

    def start(self, chunk: list[Item]) -> None:
        """Hand a chunk to the cluster."""
        self._started += 1
        # No other run may have the key. By its first part Dask knows how long such a task takes.
        key = (self._name, self._started)
        future = self._client.submit(self._task, chunk, key=key, pure=False)
        self._flying[future.key] = (future, chunk)
        future.add_done_callback(self._ended.put)

    def wait(self) -> tuple[list[Item], Result | None]:
        """Wait for a chunk, and return it with its result, None if its workers have died."""
        from distributed import KilledWorker

        future, chunk = self._flying.pop(self._next().key)
        if future.status in ("cancelled", "lost"):
            raise self._gone()
        try:
            return chunk, future.result()
        except KilledWorker:
            return chunk, None
        except ImportError as error:  # what was sent cannot be unpickled there
            raise InputError(
                f"{self._address}: a worker cannot load this package ({error}); install the same cnn-gap there"
            ) from error

    def stop(self) -> None:
        """Forget what is on its way."""
        if self._client.status == "running":
            self._client.cancel([future for future, _ in self._flying.values()], force=True)

    def _next(self) -> "Future":
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
        return self._client.scheduler.address
