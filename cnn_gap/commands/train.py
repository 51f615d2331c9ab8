"""Train a model on a folder of records."""

import argparse
from pathlib import Path

from cnn_gap.batch.train_folder import train
from cnn_gap.commands.checks import CommandInputs
from cnn_gap.commands.command import Command, add_label_options, add_strict_option, whole_number
from cnn_gap.io.sources import is_address
from cnn_gap.model.catalogue import model_folder
from cnn_gap.system.backend import start_keras
from cnn_gap.system.chunks import Run
from cnn_gap.system.memory import keep_freed_memory
from cnn_gap.system.shipped import SHIPPED_WEIGHTS


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        metavar="DATA",
        help="folder of records, flat or nested, a list of them, or an address, as drive takes them",
    )
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder to write the model to")
    parser.add_argument(
        "--config",
        metavar="FILE.toml",
        type=Path,
        help="settings (default: configs/default.toml, with --from configs/fine_tuning.toml)",
    )
    _add_trained_models(parser)
    parser.add_argument(
        "--findings",
        metavar="TABLE.csv",
        help="diagnoses to answer beside the scored classes; scp: the 71 SCP-ECG statements of PTB-XL",
    )
    parser.add_argument(
        "--patients",
        metavar="TABLE.csv",
        type=Path,
        help="lines of record,patient: all records of a patient are used for training, or all for validation",
    )
    _add_run_options(parser)
    add_label_options(parser)


def _add_trained_models(parser: argparse.ArgumentParser) -> None:
    """Add the options that name models to start or to learn from."""
    parser.add_argument(
        "--from",
        dest="start",
        metavar="TRAINED",
        type=model_folder,
        help="folder of a trained model to start from, or the name of a shipped one: its blocks and"
        " preprocessing are kept, and so is what it has learned of those classes that are in the weights file,"
        " too",
    )
    parser.add_argument(
        "--thresholds-only",
        action="store_true",
        help="with --from: train nothing; adapt thresholds and probabilities to the records of DATA",
    )
    parser.add_argument(
        "--teacher",
        dest="teachers",
        metavar="TRAINED|TABLE.parquet",
        action="append",
        default=[],
        type=_teacher,
        help="folder of a trained model of the same classes and findings, the name of a shipped one, or a table"
        " of any model's probabilities with the columns record, class and probability: they are learned beside"
        " the labels; with several --teacher options, the mean of all is learned",
    )


def _teacher(text: str) -> Path:
    """Return the path of a teacher's table, or the folder of a model."""
    return Path(text) if Path(text).is_file() else model_folder(text)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of how, not what, is trained: cache, machines, devices and seed."""
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="folder for the prepared windows (default: MODEL/cache)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue the unfinished training in MODEL, if there is one"
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS|SCHEDULER.json|local:N",
        help="prepare the windows on the workers of a Dask scheduler, or by N processes on this machine (pip"
        " install cnn-gap[cluster])",
    )
    add_strict_option(parser)
    parser.add_argument(
        "--devices",
        metavar="N|all",
        type=_devices,
        default=1,
        help="devices, such as GPUs, that share each batch (default: %(default)s); more need KERAS_BACKEND=jax",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=whole_number(0, 2**32 - 1),
        default=0,
        help="seed of all random numbers (default: %(default)s)",
    )


def _devices(text: str) -> int | str:
    return text if text == "all" else whole_number(1)(text)


def _execute(options: argparse.Namespace) -> None:
    """Train and write the model folder."""
    if options.thresholds_only:
        _require_used(options)
    taught_by = (teacher for teacher in options.teachers if not teacher.is_file())
    CommandInputs((*taught_by, *filter(None, [options.start])), options.data, options.cluster).check()
    if not is_address(options.data):
        options.data = str(Path(options.data).absolute())  # for a cluster's workers, which start elsewhere
    if options.thresholds_only:
        start_keras(lean=True)
        from cnn_gap.training.adaptation import adapt_thresholds

        adapt_thresholds(
            options.data, options.model, options.start, options.label_table, _log, strict=options.strict
        )
        return
    keep_freed_memory()
    train(
        options.data,
        options.model,
        options.config,
        weights=options.weights,
        findings=options.findings,
        labels=options.label_table,
        patients=options.patients,
        start=options.start,
        teachers=options.teachers,
        cache=options.cache,
        resume=options.resume,
        strict=options.strict,
        seed=options.seed,
        devices=options.devices,
        run=_run(options),
        log=_log,
    )


#: Options that `--thresholds-only` cannot use, and the value of each where it is not given.
_OF_TRAINING: dict[str, object] = {
    "--config": None,
    "--teacher": [],
    "--findings": None,
    "--patients": None,
    "--cache": None,
    "--resume": False,
    "--cluster": None,
    "--devices": 1,
    "--seed": 0,
    "--weights": SHIPPED_WEIGHTS,
}


def _require_used(options: argparse.Namespace) -> None:
    """End with a usage error where an option is given that would be ignored."""
    if options.start is None:
        options.usage_error("--thresholds-only needs the model whose thresholds are adapted: --from TRAINED")
    for option, absent in _OF_TRAINING.items():
        name = "teachers" if option == "--teacher" else option.removeprefix("--")
        if getattr(options, name) != absent:
            options.usage_error(f"{option} is for trainings: --thresholds-only trains nothing; leave it out")


def _run(options: argparse.Namespace) -> Run | None:
    """Return the executor that prepares the windows, None for this machine."""
    if options.cluster is None:
        return None
    from cnn_gap.cluster.executor import on_cluster

    return on_cluster(options.cluster, options.data, _log, "prepare")


def _log(line: str) -> None:
    print(line, flush=True)


COMMAND = Command("train", "Train a model on a folder of 12-lead ECG records.", _add_arguments, _execute)
