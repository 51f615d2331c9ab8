"""What the benchmarks share: interleaved timing, batches of records and Markdown tables."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from cnn_gap.records import Record, find_records, read_record

#: Records that are held in memory and classified together.
BATCH = 64


def interleaved(tasks: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median time of each task, s.

    Every round runs all tasks, each time beginning with the next one, so that whatever else the machine does
    falls on all of them alike.
    """
    names = list(tasks)
    times: dict[str, list[float]] = {name: [] for name in names}
    for first in range(rounds):
        for number in range(len(names)):
            name = names[(first + number) % len(names)]
            started = time.perf_counter()
            tasks[name]()
            times[name].append(time.perf_counter() - started)
    return {name: median(values) for name, values in times.items()}


def record_paths(folder: Path, limit: int | None) -> list[Path]:
    """Return the first `limit` records of a folder, all of them where it is None."""
    return find_records(folder)[:limit]


def record_batches(paths: Iterable[Path]) -> Iterator[list[Record]]:
    """Yield the records, `BATCH` at a time."""
    remaining = iter(paths)
    while batch := [read_record(path) for path in islice(remaining, BATCH)]:
        yield batch


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; floats are given with three significant digits at least."""
    lines = [
        headings,
        ["---"] + ["---:"] * (len(headings) - 1),
        *([_cell(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")
