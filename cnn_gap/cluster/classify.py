"""Classify many records on a cluster, with the same results, logs and ledger as on one machine."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from cnn_gap.batch.classify_folder import (
    CONCURRENT_WRITES,
    Classified,
    ModelIdentity,
    OutputTarget,
    Summary,
    fill_results,
    lost_record,
)
from cnn_gap.cluster.executor import connected_executor
from cnn_gap.cluster.node import Job, classify_chunk
from cnn_gap.io.sources import ListedRecord, is_address
from cnn_gap.model.runtimes import Runtime
from cnn_gap.system.chunks import Run, Work, chunks_of
from cnn_gap.system.files import LARGEST_SETTINGS, read_bytes, remove_leftovers
from cnn_gap.system.locks import LOCK

#: Reason of the failure of a record that no worker has survived.
DEADLY = "every worker that had it has died; is it damaged, or too large for a worker's memory?"


def classify_on_cluster(
    place: str,
    model: Path,
    identity: ModelIdentity,
    data: str,
    results: OutputTarget,
    runtime: Runtime,
    warn: Callable[[str], None],
    strict: bool = False,
) -> Summary:
    """Classify every record of `data` as `cnn_gap.batch.classify_folder.classify_folder` does, on a cluster.

    The workers read the records and write the result files; this process keeps ledger, logs and table, so that
    each has one writer. No network is loaded here.

    Parameters
    ----------
    place : str
        The cluster, as `cnn_gap.cluster.connection.connected` takes it.
    model : Path
        The model's folder. It, `data` and `results.out` have the same paths on all machines.
    identity : ModelIdentity
        Of the model.
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
    results = replace(results, out=results.out.absolute())
    data = data if is_address(data) else str(Path(data).absolute())
    job = Job(str(model.absolute()), identity.fingerprint, runtime.name, runtime.precision)
    with connected_executor(place, data, warn, "classify") as run:
        classify = partial(_classify, run, job, identity)
        return fill_results(identity, data, results, classify, warn, strict)


def _classify(
    run: Run, job: Job, model: ModelIdentity, records: list[ListedRecord], results: OutputTarget
) -> Iterator[list[Classified]]:
    """Classify records on workers; the folder of result files is locked by this process."""
    holder = read_bytes(results.out / LOCK, LARGEST_SETTINGS) if results.has_record_files else b""
    work = Work(partial(classify_chunk, job, results, holder), partial(lost_record, model, results, DEADLY))
    with closing(run(work, records)) as classified:
        yield from chunks_of(classified, CONCURRENT_WRITES)
    if results.has_record_files:
        remove_leftovers(results.out)  # of workers that have died: no chunk is on its way any more
