"""The class of commands, and the options that several of them share.

Each command is offered twice: as a script at the repository's top, as the Challenge wants it, and as a
sub-command of `cnn-gap`. Both have the same options.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.diagnoses.classes import Diagnosis
from cnn_gap.io.records import is_record
from cnn_gap.model.catalogue import DEFAULT_MODEL, is_model, list_models, model_folder
from cnn_gap.model.runtimes import PRECISIONS, RUNTIMES
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_WEIGHTS


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    Attributes
    ----------
    name : str
        As a sub-command of `cnn-gap`.
    description : str
        One sentence for the help.
    add_arguments : callable
        Adds the command's arguments to a parser.
    execute : callable
        Does the work, given the parsed arguments; returns the exit code, None being 0.
    takes_model : bool
        Whether the first argument is a trained model: a folder, or the name of a shipped one.
    records : str
        Name of the list argument that takes records. In `cnn-gap` the model may be left out: then a first
        argument that is no model is the first record. Empty if the number of arguments shows it to be left out.
    """

    name: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace], int | None]
    takes_model: bool = False
    records: str = ""

    def main(self, arguments: list[str]) -> int | None:
        """Parse the arguments and execute the command, as a script of its own does."""
        parser = argparse.ArgumentParser(description=self.description)
        self.prepare(parser, model_required=True)
        return self.run(parser.parse_args(arguments))

    def run(self, options: argparse.Namespace) -> int | None:
        """Execute the command with parsed arguments."""
        if self.takes_model:
            _choose_model(options, self.records)
        return self.execute(options)

    def prepare(self, parser: argparse.ArgumentParser, model_required: bool) -> None:
        """Give a parser the command's arguments; `usage_error(message)` of the parsed options exits with 2.

        If no model is required and none is given, the default of the shipped ones is used.
        """
        if self.takes_model:
            _add_model_argument(parser, model_required)
        self.add_arguments(parser)
        parser.set_defaults(run=self.run, usage_error=parser.error)


def add_label_options(parser: argparse.ArgumentParser) -> None:
    """Add `--weights`, the classes and their rewards, and `--labels`, the diagnoses of each record."""
    parser.add_argument(
        "--weights",
        metavar="WEIGHTS.csv",
        type=Path,
        default=SHIPPED_WEIGHTS,
        help="classes and their rewards (default: the Challenge's)",
    )
    parser.add_argument(
        "--labels",
        dest="label_table",
        metavar="TABLE.csv",
        type=Path,
        help="diagnoses as lines of record,code[,code...] instead of the headers'",
    )


def add_strict_option(parser: argparse.ArgumentParser) -> None:
    """Add `--strict`: whether a folder that cannot be read ends the command."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="fail if a folder in DATA cannot be read (default: leave out its records and say so)",
    )


def add_runtime_options(parser: argparse.ArgumentParser, precision: bool = True) -> None:
    """Add `--runtime`, which computes probabilities and maps, and `--precision`, the format of its numbers."""
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default="auto",
        help="what computes the network; auto: onnx, or openvino for bfloat16 (default: auto)",
    )
    if not precision:
        return
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="bfloat16 is faster on processors that have it, and less exact (default: float32)",
    )


def whole_number(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    """Return a type for `add_argument`: a whole number from `lowest` to `highest`, if that is given."""
    expected = f"from {lowest}" + ("" if highest is None else f" to {highest}")

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < lowest or (highest is not None and int(text) > highest):
            raise argparse.ArgumentTypeError(f"must be a whole number {expected}; received {text!r}")
        return int(text)

    return parse


def warn(line: str) -> None:
    """Print a line on standard error without disturbing a progress bar."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def name_unseen(diagnoses: Sequence[Diagnosis]) -> None:
    """Say on standard error which diagnoses a model cannot answer, if there are any."""
    if diagnoses:
        names = ", ".join(diagnosis.name for diagnosis in diagnoses)
        print(f"the model has never seen these diagnoses and does not answer them: {names}", file=sys.stderr)


def _add_model_argument(parser: argparse.ArgumentParser, required: bool) -> None:
    about = f"folder that training has written, or the name of a shipped model: {', '.join(list_models())}"
    if required:
        parser.add_argument("model", metavar="MODEL", help=about)
        return
    parser.add_argument("model", metavar="MODEL", nargs="?", help=f"{about} (default: {DEFAULT_MODEL})")
    parser.add_argument(
        "--model",
        metavar="MODEL",
        dest="named_model",
        help="the model as an option instead of as the first argument",
    )


def _choose_model(options: argparse.Namespace, records: str) -> None:
    """Set `options.model` to the folder of the model that was asked for, the default one if none was.

    Raises
    ------
    InputError
        If the first argument may be a record or a model and is neither.
    """
    first, named = options.model, getattr(options, "named_model", None)
    if first is not None and "named_model" in options and records and (named or not _may_be_model(first)):
        getattr(options, records).insert(0, Path(first))
        first = None
    if first and named:
        options.usage_error(f"the model is given twice: {first} as the first argument, and --model {named}")
    options.model = model_folder(first or named or DEFAULT_MODEL)


def _may_be_model(argument: str) -> bool:
    """Return whether a first argument is a model; it is a record where a record's file is there."""
    if is_model(argument) or Path(argument).is_dir():
        return True
    if not is_record(Path(argument)):
        raise InputError(
            f"{argument}: is neither a record nor a model; give a model folder or one of"
            f" {', '.join(list_models())}"
        )
    return False
