"""Work on many items by workers that may die: an item that kills its worker does not affect the other items."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Number of parts into which a chunk is split if its workers have died: eight parts find a bad item with a
#: third of the deaths that two parts would need.
PARTS_OF_LOST_CHUNK = 8

#: The items of a chunk whose workers have died are tried one by one if there are no more than this.
TRIED_SINGLY = 16


@dataclass(frozen=True)
class Work(Generic[Item, Result]):
    """The work on items.

    Attributes
    ----------
    do : callable
        Takes a list of items and returns the results of the first ones: of at least one, unless the list is
        empty. It, items and results are pickled, and its module is imported by each worker.
    lost : callable
        Returns the result of an item that a worker died of.
    """

    do: Callable[[Sequence[Item]], list[Result]]
    lost: Callable[[Item], Result]


#: An executor: does work on items and yields the result of each. `in_this_process` and `in_processes` of
#: `cnn_gap.system.processes`, its number of processes bound, keep the items' order; a cluster does not.
Run: TypeAlias = Callable[[Work[Any, Any], Iterable[Any]], Generator[Any]]


class Workers(Protocol):
    """Workers that take chunks of items.

    Attributes
    ----------
    is_ordered : bool
        Whether chunks come back in the order in which they were started.
    """

    is_ordered: bool

    @property
    def count(self) -> int:
        """How many chunks are on their way."""

    @property
    def has_room(self) -> bool:
        """Whether another chunk may be started."""

    def start(self, chunk: list[Any], first: bool = False) -> None:
        """Hand over a chunk; `first`: its results come before those of all chunks on their way."""

    def wait(self) -> tuple[list[Any], list[Any] | None]:
        """Return a chunk with the results of its first items, or None if its workers have died."""


def in_this_process(work: Work[Item, Result], items: Iterable[Item]) -> Generator[Result]:
    """Yield the result of each item, in the order of the items."""
    for item in items:
        yield from work.do([item])


def chunks_of(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield items in lists of `size`; the last one may be shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


def by_workers(
    workers: Workers, work: Work[Item, Result], chunks: Iterator[list[Item]], tell: Callable[[str], None]
) -> Generator[Result]:
    """Yield the result of each item of chunks.

    A chunk whose workers have died is tried in parts, then item by item. A single item is tried while nothing
    else is on its way: only then is it certain that a worker has died of it. Workers that keep the order try
    single items at once; others try them at the end, because the others would have to wait.

    Parameters
    ----------
    workers : Workers
    work : Work
    chunks : iterator of list
        Consumed only as far ahead as work is on its way.
    tell : callable
        Receives a line where items are tried again.
    """
    parts: deque[list[Item]] = deque()
    suspects: deque[list[Item]] = deque()
    while True:
        while workers.has_room and not (workers.is_ordered and suspects):
            if not (chunk := parts.popleft() if parts else next(chunks, [])):
                break
            workers.start(chunk)
        is_alone = not workers.count
        if is_alone:
            if not suspects:
                return
            workers.start(suspects.popleft())
        chunk, results = workers.wait()
        if results is not None:
            if rest := chunk[len(results) :]:
                workers.start(rest, first=True)
            yield from results
        elif is_alone and len(chunk) == 1:
            yield work.lost(chunk[0])
        else:
            tell(f"every worker that had these {len(chunk)} records has died; they are tried in smaller parts")
            if len(chunk) <= TRIED_SINGLY:
                suspects.extend([item] for item in chunk)
            else:
                parts.extend(chunks_of(chunk, ceil(len(chunk) / PARTS_OF_LOST_CHUNK)))
