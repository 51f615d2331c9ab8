"""Classify a folder of records into a folder of the Challenge's result files."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.commands.checks import CommandInputs, require_no_model
from cnn_gap.commands.command import (
    Command,
    add_runtime_options,
    add_strict_option,
    name_unseen,
    warn,
    whole_number,
)
from cnn_gap.model.runtimes import Runtime
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import printable
from cnn_gap.system.processes import MOST_JOBS, USUAL_JOBS

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier


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
        help="write one table of all results, too: .parquet or .csv (pip install cnn-gap[formats])",
    )
    parser.add_argument(
        "--raw", action="store_true", help="with --table: probability and label of every output, too"
    )
    parser.add_argument(
        "--no-reading",
        dest="reading",
        action="store_false",
        help="with --table: no reading; nothing is measured, which is faster",
    )
    parser.add_argument(
        "--table-only", action="store_true", help="with --table: no result files; OUT has the logs"
    )
    parser.add_argument(
        "--timelines",
        action="store_true",
        help="write NAME.timeline.parquet, NAME.episodes.csv and NAME.beats.csv to OUT for each record that is"
        " longer than two windows, which are 20 s for the shipped models (pip install cnn-gap[formats])",
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
    """Classify and write a result file for each record; return 1 if every record failed."""
    if options.table_only and options.table is None:
        options.usage_error("--table-only needs --table FILE")
    if options.cluster is not None and options.jobs is not None:
        options.usage_error("--jobs is for one machine: the workers of a cluster read records themselves")
    require_no_model(options.out, "OUT", options.data, f"{options.out} DATA OUT")
    (description,) = CommandInputs((options.model,), options.data, options.cluster).check()
    runtime = Runtime(options.runtime, options.precision)
    from cnn_gap.batch.classify_folder import ModelIdentity, OutputTarget, classify_here, fill_results

    identity = ModelIdentity.of(description, options.model, runtime.precision)
    results = OutputTarget(
        options.out,
        not options.table_only,
        options.table,
        options.raw,
        options.reading,
        options.timelines,
    )
    if options.cluster is None:
        classify = partial(classify_here, partial(_load, options.model, runtime), options.jobs)
        summary = fill_results(identity, options.data, results, classify, warn, options.strict)
    else:  # this process computes nothing
        from cnn_gap.cluster.classify import classify_on_cluster

        where = options.cluster, options.model, identity
        summary = classify_on_cluster(*where, options.data, results, runtime, warn, options.strict)
    name_unseen(description.unseen)
    _name_left_over(options.out, summary.left_over)
    print(summary)
    return 1 if summary.failed and not summary.classified + summary.kept else 0


def _name_left_over(out: Path, names: Sequence[str]) -> None:
    """Say on standard error how many records have result files but are no longer in DATA, if there are any."""
    if names:
        records = "1 record" if len(names) == 1 else f"{len(names)} records"
        about = f"has results of {records} no longer in DATA, such as {names[0]}.csv"
        warn(printable(f"{out}: {about}; remove the results that you do not need"))


def _load(model: Path, runtime: Runtime) -> "Classifier":
    from cnn_gap.classifier import load_classifier

    if runtime.resolved == "keras":
        start_keras(lean=True)
    return load_classifier(model, runtime.name, runtime.precision)


COMMAND = Command(
    "drive", "Classify a folder of 12-lead ECG records.", _add_arguments, _execute, takes_model=True
)
