"""What a command is, and the options that several share.

Each command is offered twice: as a script at the repository's top, as the Challenge wants it, and as a
sub-command of `cnn-gap`. Both have the same options.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.diagnoses.classes import Diagnosis
from cnn_gap.model.runtimes import PRECISIONS, RUNTIMES
from cnn_gap.system.shipped import SHIPPED_MODEL, SHIPPED_WEIGHTS


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
        Whether the first argument is the folder of a trained model.
    """

    name: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace], int | None]
    takes_model: bool = False

    def main(self, arguments: list[str]) -> int | None:
        """Parse the arguments and execute the command, as a script of its own does."""
        parser = argparse.ArgumentParser(description=self.description)
        self.prepare(parser, model_required=True)
        return self.execute(parser.parse_args(arguments))

    def prepare(self, parser: argparse.ArgumentParser, model_required: bool) -> None:
        """Give a parser the command's arguments; `usage_error(message)` of the parsed options exits with 2.

        If no model is required and none is given, the one that ships with the package is used.
        """
        if self.takes_model:
            _add_model_argument(parser, model_required)
        self.add_arguments(parser)
        parser.set_defaults(execute=self.execute, usage_error=parser.error)


def add_label_options(parser: argparse.ArgumentParser) -> None:
    """Add `--weights`, which classes there are, and `--labels`, which of them each record has."""
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
    """Add `--strict`: what becomes of folders that cannot be read."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="fail where a folder in DATA cannot be read (default: go on without its records and say so)",
    )


def add_runtime_options(parser: argparse.ArgumentParser) -> None:
    """Add `--runtime`, what computes probabilities, and `--precision`, how exactly."""
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default="auto",
        help="what computes the probabilities; auto: openvino for bfloat16, keras otherwise (default: auto)",
    )
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
    about = "folder that training has written"
    if required:
        parser.add_argument("model", metavar="MODEL", type=Path, help=about)
    else:
        parser.add_argument(
            "model",
            metavar="MODEL",
            type=Path,
            nargs="?",
            default=SHIPPED_MODEL,
            help=f"{about} (default: the model that ships with the package)",
        )
