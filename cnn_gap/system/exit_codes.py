"""End a command with its exit code and, after an error, one line on standard error."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from cnn_gap.system.errors import InputError


def run(main: Callable[[list[str]], int | None]) -> NoReturn:
    """Call `main` with the command line's arguments and leave with its exit code, None being 0.

    Errors that a user can cause end with one line on standard error and exit code 1, and so do errors of the
    system; Ctrl-C ends with 130. Usage errors leave with 2 from within `main`, as argparse does.
    """
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()  # a closed pipe raises its error here, not at exit
    except InputError as error:
        code = _fail(str(error))
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # else Python fails again when it flushes at exit
        code = 1
    except OSError as error:
        if error.strerror is None:
            raise
        code = _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    sys.exit(code or 0)


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1
