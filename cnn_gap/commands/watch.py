"""Answer the records that appear in a folder."""

import argparse
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.commands.checks import CommandInputs, require_no_model
from cnn_gap.commands.command import Command, add_runtime_options, warn
from cnn_gap.model.runtimes import Runtime
from cnn_gap.system.backend import start_keras

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="IN", type=Path, help="folder in which records appear")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the result files, NAME.csv each")
    parser.add_argument(
        "--every",
        metavar="SECONDS",
        type=_seconds,
        default=2.0,
        help="time between two looks at IN; a record is complete when its files did not change between two"
        " looks (default: %(default)g)",
    )
    add_runtime_options(parser)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0.1 to 3600; received {text!r}")
    return seconds


def _execute(options: argparse.Namespace) -> None:
    """Classify the records that appear, until Ctrl-C."""
    require_no_model(options.out, "OUT", str(options.data), f"{options.out} IN OUT")
    (description,) = CommandInputs((options.model,), str(options.data)).check()
    runtime = Runtime(options.runtime, options.precision)
    from cnn_gap.batch.classify_folder import ModelIdentity, OutputTarget, classify_here
    from cnn_gap.batch.watch_folder import watch_folder

    @cache
    def load() -> "Classifier":
        start_keras(lean=True)
        from cnn_gap.classifier import load_classifier

        return load_classifier(options.model, runtime.name, runtime.precision)

    identity = ModelIdentity.of(description, options.model, runtime.precision)
    classify = partial(classify_here, load, 0)
    results = OutputTarget(options.out)
    for summary in watch_folder(identity, options.data, results, classify, warn, options.every):
        if summary.classified or summary.failed:
            print(summary, flush=True)


COMMAND = Command(
    "watch",
    "Classify the records that appear in a folder, each once it is whole.",
    _add_arguments,
    _execute,
    takes_model=True,
)
