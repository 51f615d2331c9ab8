"""Classify many records on a cluster, with the same results, logs and journal as on one machine."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.batch.classify_folder import (
    Classified,
    ModelIdentity,
    OutputTarget,
    Summary,
    fill_results,
    write_results,
)
from cnn_gap.cluster.chunks import run_chunks
from cnn_gap.cluster.connection import connected
from cnn_gap.cluster.node import Job, classify_chunk
from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.io.sources import ListedRecord, is_address
from cnn_gap.model.folder import fingerprint, read_description
from cnn_gap.model.runtimes import Runtime
from cnn_gap.predict.prediction import failed_prediction
from cnn_gap.system.files import ASIDE, LARGEST_SETTINGS, read_bytes
from cnn_gap.system.locks import LOCK

if TYPE_CHECKING:
    from distributed import Client

#: Why a record has no answer that no worker has survived.
DEADLY = "every worker that had it has died; is it damaged, or too large for a worker's memory?"


def classify_on_cluster(
    place: str,
    model: Path,
    data: str,
    results: OutputTarget,
    runtime: Runtime,
    warn: Callable[[str], None],
    strict: bool = False,
) -> Summary:
    """Classify every record of `data` as `cnn_gap.batch.classify_folder.classify_folder` does, on a cluster.

    The workers read the records and write the result files; this process keeps journal, logs and table, so that
    each has one writer. No network is loaded here.

    Parameters
    ----------
    place : str
        The cluster, as `cnn_gap.cluster.connection.connected` takes it.
    model : Path
        The model's folder. It, `data` and `results.out` have the same paths on all machines.
    data, results, warn, strict
        As of `cnn_gap.batch.classify_folder.classify_folder`.
    runtime : Runtime
        What computes probabilities.

    Raises
    ------
    InputError
        As `classify_folder`; and if the cluster cannot be reached or is lost, or a worker has another version
        of this package or does not see a folder.
    """
    model, results = model.absolute(), OutputTarget(results.out.absolute(), results.files, results.table)
    data = data if is_address(data) else str(Path(data).absolute())
    description = read_description(model)
    about = ModelIdentity(description, fingerprint(model), runtime.precision)
    with connected(place, warn) as client:

        def classify(records: list[ListedRecord]) -> Iterator[list[Classified]]:
            out, holder = "", b""
            if results.files:
                out, holder = str(results.out), read_bytes(results.out / LOCK, LARGEST_SETTINGS)
            job = Job(str(model), data, about.fingerprint, runtime.name, runtime.precision, out, holder)
            return _classify(client, job, description.class_set, records, warn)

        return fill_results(about, data, results, classify, warn, strict)


def _classify(
    client: "Client", job: Job, classes: ClassSet, records: list[ListedRecord], warn: Callable[[str], None]
) -> Iterator[list[Classified]]:
    for chunk, classified in run_chunks(client, partial(classify_chunk, job), records, warn, "classify"):
        yield _failed(chunk, classes, job.out) if classified is None else classified
    if job.out:
        _remove_leftovers(Path(job.out))


def _failed(records: list[ListedRecord], classes: ClassSet, out: str) -> list[Classified]:
    """Write and return what stands for records that no worker has survived."""
    predictions = [failed_prediction(each.name, classes, f"{each.source}: {DEADLY}") for each in records]
    if out:
        write_results(Path(out), predictions)
    return [Classified(each) for each in predictions]


def _remove_leftovers(out: Path) -> None:
    """Remove what workers that died were writing: on whatever machine, for no chunk is on its way any more."""
    with os.scandir(out) as entries:
        for entry in entries:
            if entry.name.startswith(ASIDE):
                Path(entry.path).unlink(missing_ok=True)
