"""Reach a Dask cluster, or start one on this machine."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json

if TYPE_CHECKING:
    from distributed import Client

#: Seconds in which a scheduler must answer.
CONNECT_S = 30

#: Seconds in which the workers of this machine must end.
_CLOSE_S = 5

#: Deaths of a chunk's worker on a cluster of this machine after which the chunk is tried in parts.
_LOCAL_FAILURES = 1

#: Time in which a worker of this machine must start again after its death. Dask's own 15 s are not enough on a
#: busy machine, and a worker that it gives up never comes back.
_RESTART = {"distributed.deploy.lost-worker-timeout": "1 hour"}

_LOCAL = re.compile(r"local:([1-9][0-9]{0,3})")
_EXPECTED = "expected the address of a scheduler such as tcp://host:8786, its SCHEDULER.json, or local:N"


def require_cluster(place: str) -> None:
    """Require that `place` has the form of a cluster's address, and that Dask is installed; do not connect.

    Raises
    ------
    InputError
        If not.
    """
    if find_spec("distributed") is None:
        raise InputError("Dask is not installed; pip install 'cnn-gap[cluster]'")
    if not _LOCAL.fullmatch(place):
        _address(place)


@contextmanager
def connected(place: str, tell: Callable[[str], None]) -> Iterator["Client"]:
    """Yield a client of a cluster.

    Parameters
    ----------
    place : str
        The address of a scheduler, the JSON file that it has written of itself (`dask scheduler
        --scheduler-file`), or ``local:N`` for N processes on this machine, which end with the block.
    tell : callable
        Receives a line about where Dask's dashboard is, if there is one.

    Raises
    ------
    InputError
        If there is no scheduler, or it does not answer within `CONNECT_S`.
    """
    with ExitStack() as stack:
        local = _LOCAL.fullmatch(place)
        cluster = stack.enter_context(_local_cluster(int(local[1]))) if local else _address(place)
        client = stack.enter_context(_client(cluster, place))
        if find_spec("bokeh") is not None:
            tell(f"Dask's dashboard is at {client.dashboard_link}")
        yield client


def _address(place: str) -> str:
    """Return a scheduler's address from itself or from the scheduler's file."""
    if place.endswith(".json"):
        about = read_json(Path(place))
        if not isinstance(about, dict) or not isinstance(about.get("address"), str):
            raise InputError(f"{place}: is not the file of a Dask scheduler; {_EXPECTED}")
        return str(about["address"])
    if place.startswith("local:") or not re.fullmatch(r"([a-z]+://)?[^/:]+:[0-9]+|[a-z]+://.+", place):
        raise InputError(f"{_EXPECTED}; received {place!r}")
    return place


@contextmanager
def _client(cluster: Any, place: str) -> Iterator["Client"]:
    from distributed import Client

    # If there is no scheduler, Dask would print many lines about it.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(cluster, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:  # also for time limits and certificates
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{place}: no scheduler can be reached ({reason}); is it running, and is no firewall between?"
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):  # the scheduler may be gone, and the block's own error is the one to show
            client.close()


@contextmanager
def _local_cluster(processes: int) -> Iterator[Any]:
    """Yield a cluster of this machine, whose workers share its cores; only this process can connect to it."""
    import dask
    from distributed import LocalCluster
    from distributed.security import Security

    cluster = LocalCluster(
        n_workers=processes,
        threads_per_worker=max(1, _cores() // processes),
        host="127.0.0.1",
        security=Security.temporary(),
        dashboard_address="127.0.0.1:0",  # without an address Dask listens on all networks
        worker_dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
        scheduler_kwargs={"allowed_failures": _LOCAL_FAILURES},
    )
    try:
        with dask.config.set(_RESTART):
            yield cluster
    finally:
        with suppress(Exception):  # workers that are in the middle of a chunk end with this process
            cluster.close(timeout=_CLOSE_S)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
