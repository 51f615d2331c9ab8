"""Start Keras without the lines that its backend prints on standard error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cnn_gap.system.errors import InputError

#: Packages that Keras imports if they are installed, for data frames and plots; they take a second.
_OPTIONAL = ("matplotlib", "pandas")


def start_keras(lean: bool = False) -> None:
    """Import Keras and start its backend without the lines that TensorFlow's libraries print meanwhile.

    Compiled code prints them to the file descriptor of standard error, which is redirected meanwhile. Errors
    that Python raises are not lost. If Keras is imported already, nothing happens.

    Parameters
    ----------
    lean : bool
        Keep Keras from importing pandas and matplotlib: for commands, whose process runs no other code.

    Raises
    ------
    InputError
        If the backend of `KERAS_BACKEND` is not installed.
    """
    if sys.modules.get("keras") is not None:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with _hidden(_OPTIONAL if lean else ()):
            import keras

        keras.ops.zeros(1)  # TensorFlow searches for devices when it first computes
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise InputError(
            f"Keras cannot start with the backend {backend}: {error}; pip install 'cnn-gap[train]'"
        ) from error
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _hidden(packages: tuple[str, ...]) -> Iterator[None]:
    """Let imports of packages fail meanwhile as if they were not installed, except packages imported before."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: Python's way to say so
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
