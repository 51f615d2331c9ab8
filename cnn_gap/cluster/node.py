"""The work of a cluster's worker on a chunk of items, and classifying as one kind of it."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_gap.batch.classify_folder import Classified, OutputTarget, classify_records
from cnn_gap.io.sources import ListedRecord, is_address
from cnn_gap.model.folder import fingerprint
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, read_bytes
from cnn_gap.system.locks import LOCK
from cnn_gap.system.version import __version__

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Dask gives a worker with several threads several chunks, but a network uses all threads by itself.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Job:
    """The classifier that the workers of a run load; they may be on other machines, but see the same paths.

    Attributes
    ----------
    model : str
        The model's folder, a path from the root.
    fingerprint : str
        Of the model folder.
    runtime, precision : str
        As of `cnn_gap.classifier.load_classifier`.
    """

    model: str
    fingerprint: str
    runtime: str
    precision: str


def classify_chunk(
    job: Job, results: OutputTarget, holder: bytes, records: Sequence[ListedRecord]
) -> list[Classified]:
    """Classify records and write their result files and timelines.

    Parameters
    ----------
    job : Job
    results : OutputTarget
        Where the result files go, a path from the root, and whether records are measured.
    holder : bytes
        The text of that folder's lock, which differs between runs.
    records : sequence of ListedRecord

    Raises
    ------
    InputError
        If this machine lacks the model or the folder, or the run has ended.
    """
    with _ONE_AT_A_TIME:
        _require_current(results, holder)
        classifier = _ready(job)
        done: list[Classified] = []
        for several in classify_records(classifier, records, results):
            done += several
            _require_current(results, holder)
        return done


def work_on_chunk(
    do: Callable[[Sequence[Any]], list[Any]], data: str, version: str, items: Sequence[Any]
) -> list[Any]:
    """Return the results of all items.

    Parameters
    ----------
    do : callable
        As of `cnn_gap.system.chunks.Work`.
    data : str
        The records: a path from the root, or an address.
    version : str
        Of the package that sends the work.
    items : sequence

    Raises
    ------
    InputError
        If this machine, which the error names, has another version or lacks the records.
    """
    with _naming_machine():
        _require_same(data, version)
        done: list[Any] = []
        while len(done) < len(items):
            done += do(items[len(done) :])
        return done


@contextmanager
def _naming_machine() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"worker on {socket.gethostname()}: {error}") from error


def _require_same(data: str, version: str) -> None:
    """Require that this machine has the sender's version of the package and sees the records."""
    if version != __version__:
        raise InputError(f"has cnn-gap {__version__}; install {version}, as the driver has")
    if not is_address(data) and not Path(data).exists():
        raise InputError(f"{data}: is not there; the records must have the same path on every machine")


@lru_cache(maxsize=1)
def _ready(job: Job) -> "Classifier":
    """Load the classifier if this machine has the same model as the driver."""
    if fingerprint(Path(job.model)) != job.fingerprint:
        raise InputError(f"{job.model}: is another model than the driver's; give all machines the same files")
    _use_threads()
    from cnn_gap.classifier import load_classifier

    return load_classifier(job.model, job.runtime, job.precision)


def _require_current(results: OutputTarget, holder: bytes) -> None:
    """Require that the run still holds the results' folder: a late worker must not write into another run's."""
    if not results.has_record_files:
        return
    out = results.out
    try:
        found = read_bytes(out / LOCK, LARGEST_SETTINGS)
    except InputError:
        found = b""
    if found != holder:
        raise InputError(
            f"{out}: is not the folder that the driver holds; it must have the same path on every machine"
        )


def _use_threads() -> None:
    """Let the runtimes use as many threads as this worker has, unless the environment says otherwise."""
    from distributed import get_worker

    for library in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(library, str(get_worker().state.nthreads))
