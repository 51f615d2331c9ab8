"""Do other work than classifying on a cluster, as `processes.in_processes` does it on one machine."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cnn_gap.cluster.chunks import run_chunks
from cnn_gap.cluster.connection import connected
from cnn_gap.cluster.node import work_on_chunk
from cnn_gap.system.processes import Run, Work
from cnn_gap.system.version import __version__


def on_cluster(place: str, data: Path, tell: Callable[[str], None], name: str) -> Run:
    """Return what does work on a cluster, with which it connects when there is some.

    Parameters
    ----------
    place, tell
        As of `cnn_gap.cluster.connection.connected`.
    data : Path
        The folder of the records, a path from the root, which is the same on all machines.
    name : str
        What Dask calls the work.
    """

    def run(work: Work[Any, Any], items: Sequence[Any]) -> Generator[Any]:
        task = partial(work_on_chunk, work.do, str(data), __version__)
        with connected(place, tell) as client:
            for chunk, results in run_chunks(client, task, items, tell, name):
                yield from map(work.lost, chunk) if results is None else results

    return run
