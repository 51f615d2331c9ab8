"""What the commands share: options, how they start Keras and how they end."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from cnn_gap.ecg.diagnoses import DEFAULT_WEIGHTS, Diagnosis
from cnn_gap.errors import InputError


def run(main: Callable[[list[str]], int | None]) -> NoReturn:
    """Call `main` with the command line's arguments and leave with its exit code, None being 0.

    What a user can cause ends with one line on standard error: 1 for bad input and for what the system
    refuses, 130 for Ctrl-C. Usage errors leave with 2 from within `main`, as argparse does.
    """
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()  # so that a reader who has left shows here, not at exit
    except InputError as error:
        code = _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush at exit
        code = 1
    except OSError as error:
        if error.strerror is None:
            raise
        code = _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    sys.exit(code or 0)


def start_keras() -> None:
    """Import Keras and start its backend without the lines that TensorFlow's libraries print meanwhile.

    They go to the process's standard error from compiled code, so that is where they are kept from. Python's
    own errors are not lost.

    Raises
    ------
    InputError
        If the backend of `KERAS_BACKEND` is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import keras

        keras.ops.zeros(1)  # TensorFlow looks for devices when the first is needed
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise InputError(f"Keras cannot start with the backend {backend}: {error}") from error
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def add_label_options(parser: argparse.ArgumentParser) -> None:
    """Add `--weights`, which classes there are, and `--labels`, which of them each record has."""
    parser.add_argument(
        "--weights",
        metavar="WEIGHTS.csv",
        type=Path,
        default=DEFAULT_WEIGHTS,
        help="classes and their rewards (default: the Challenge's)",
    )
    parser.add_argument(
        "--labels",
        dest="label_table",
        metavar="TABLE.csv",
        type=Path,
        help="diagnoses as lines of record,code[,code...] instead of the headers'",
    )


def name_unseen(diagnoses: Sequence[Diagnosis]) -> None:
    """Say on standard error which diagnoses a model cannot answer, if there are any."""
    if diagnoses:
        names = ", ".join(diagnosis.name for diagnosis in diagnoses)
        print(f"the model has never seen these diagnoses and does not answer them: {names}", file=sys.stderr)


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1
