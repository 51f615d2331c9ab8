"""Read files with errors that a user understands; write them whole or not at all."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnn_gap.errors import InputError


@contextmanager
def readable(path: Path, advice: str = "") -> Iterator[None]:
    """Turn what the system says of a file that cannot be read into an `InputError`.

    Parameters
    ----------
    path : Path
        The file, which the error names.
    advice : str
        What to do instead, such as ``"give a weights file"``.

    Examples
    --------
    >>> with readable(Path("absent.csv"), "give a weights file"):
    ...     Path("absent.csv").read_text()
    Traceback (most recent call last):
    cnn_gap.errors.InputError: absent.csv: cannot be read (No such file or directory); give a weights file
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read ({reason})" + (f"; {advice}" if advice else "")) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` when the block succeeds.

    Readers see the old file or the new one, never a part. The yielded name keeps the suffixes of `path`, by
    which some writers choose the format. If the block raises, `path` is untouched and the part is removed.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        yield path  # a device such as /dev/stdout is written to, never replaced
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".writing-{secrets.token_hex(8)}{''.join(path.suffixes)}")
    aside.touch(exist_ok=False)
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` (UTF-8), whole or not at all."""
    with replacing(path) as aside:
        # File names that are not UTF-8 come and go as the bytes that they are.
        aside.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")


def write_json(path: Path, content: object) -> None:
    """Write `content` to `path` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> object:
    """Read a JSON file.

    Raises
    ------
    InputError
        If the file is missing or is not JSON.
    """
    path = Path(path)
    try:
        with readable(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error})") from error
