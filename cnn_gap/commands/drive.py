"""Classify a folder of records into a folder of the Challenge's result files."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.cluster.connection import require_cluster
from cnn_gap.commands.command import (
    Command,
    add_runtime_options,
    add_strict_option,
    name_unseen,
    warn,
    whole_number,
)
from cnn_gap.io.sources import ListedRecord, require_source
from cnn_gap.model.archive import check_archive
from cnn_gap.model.folder import ModelDescription, read_description
from cnn_gap.model.runtimes import Runtime
from cnn_gap.results.result_table import require_table_path
from cnn_gap.system.backend import start_keras
from cnn_gap.system.processes import MOST_JOBS, USUAL_JOBS

if TYPE_CHECKING:
    from cnn_gap.batch.classify_folder import Summary


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        metavar="DATA",
        help="folder of records, flat or nested; text or CSV file with a path, or path,id, in each line; or an"
        " address such as s3://bucket/folder",
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the result files, NAME.csv each")
    parser.add_argument(
        "--table",
        metavar="FILE",
        type=Path,
        help="one table of all results too, .parquet or .csv (pip install cnn-gap[formats])",
    )
    parser.add_argument(
        "--table-only", action="store_true", help="with --table: no result files; OUT has the logs"
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=whole_number(0, MOST_JOBS),
        help="processes that read records beside this one; 0: none (default: one for each core but two, at most"
        f" {USUAL_JOBS - 2}, where there are records enough)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS|SCHEDULER.json|local:N",
        help="classify on the workers of a Dask scheduler, or by N processes on this machine (pip install"
        " cnn-gap[cluster])",
    )
    add_runtime_options(parser)
    add_strict_option(parser)


def _execute(options: argparse.Namespace) -> int:
    """Classify and write a result file for each record; 1 if every record failed."""
    description = read_description(options.model)  # what is wrong shows now: Keras takes seconds to start
    require_source(options.data)
    if options.table_only and options.table is None:
        options.usage_error("--table-only needs --table FILE")
    if options.table is not None:
        require_table_path(options.table)
    if options.cluster is not None:
        if options.jobs is not None:
            options.usage_error("--jobs is for one machine: the workers of a cluster read records themselves")
        require_cluster(options.cluster)
    runtime = Runtime(options.runtime, options.precision)
    summary = _here(options, description, runtime) if options.cluster is None else _on_cluster(options, runtime)
    name_unseen(description.unseen)
    print(summary)
    return 1 if summary.failed and not summary.classified + summary.kept else 0


def _here(options: argparse.Namespace, description: ModelDescription, runtime: Runtime) -> "Summary":
    """Classify in this process; Keras starts only where there is something to classify."""
    check_archive(options.model / "model.keras")
    from cnn_gap.batch.classify_folder import (
        Classified,
        ModelIdentity,
        OutputTarget,
        classify_records,
        fill_results,
        fingerprint,
        reading_jobs,
    )

    results = OutputTarget(options.out, not options.table_only, options.table)

    def classify(records: list[ListedRecord]) -> Iterator[list[Classified]]:
        if not records:
            return
        start_keras(lean=True)
        from cnn_gap.classifier import load_classifier

        classifier = load_classifier(options.model, runtime.name, runtime.precision)
        jobs = reading_jobs(options.jobs, records)
        yield from classify_records(classifier, records, results.out if results.files else None, jobs)

    model = ModelIdentity(description, fingerprint(options.model), runtime.precision)
    return fill_results(model, options.data, results, classify, warn, options.strict)


def _on_cluster(options: argparse.Namespace, runtime: Runtime) -> "Summary":
    """Classify on the workers of a cluster; this process needs no Keras."""
    from cnn_gap.batch.classify_folder import OutputTarget
    from cnn_gap.cluster.classify import classify_on_cluster

    results = OutputTarget(options.out, not options.table_only, options.table)
    return classify_on_cluster(
        options.cluster, options.model, options.data, results, runtime, warn, options.strict
    )


COMMAND = Command(
    "drive", "Classify a folder of 12-lead ECG records.", _add_arguments, _execute, takes_model=True
)
