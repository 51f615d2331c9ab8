"""Read files with errors that a user understands; write them whole or not at all.

Only regular files are read, and only up to a size: a pipe would wait forever, and a device never ends.
"""

import json
import os
import re
import secrets
import shutil
import socket
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from cnn_gap.system.errors import InputError

#: The largest files that are read, bytes: of settings, of tables, and of signals that are read whole.
LARGEST_SETTINGS = 1 << 24
LARGEST_TABLE = 1 << 28
LARGEST_SIGNAL_FILE = 1 << 30

#: The names of unfinished files begin with this; `writer` and random characters follow.
ASIDE = ".writing-"
_UNFINISHED = re.compile(re.escape(ASIDE) + r"[0-9a-f]{8}-[0-9]+-[0-9a-z_]{8}(\..*)?")

#: The longest suffix that the name of such a file takes over, characters.
_LONGEST_SUFFIX = 32


@contextmanager
def readable(path: Path, advice: str = "") -> Iterator[None]:
    """Turn an error of reading a file into an `InputError`.

    Parameters
    ----------
    path : Path
        The file, which the error names.
    advice : str
        What to do instead, such as ``"give a weights file"``.

    Examples
    --------
    >>> with readable(Path("absent.csv"), "give weights"):
    ...     Path("absent.csv").read_text()
    Traceback (most recent call last):
    cnn_gap.system.errors.InputError: absent.csv: cannot be read (No such file or directory); give weights
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read ({reason})" + (f"; {advice}" if advice else "")) from error


def file_size(path: Path) -> int:
    """Return the size of a regular file, bytes.

    Raises
    ------
    InputError
        If it is missing, or is a folder, pipe, device or socket.
    """
    path = Path(path)
    with readable(path):
        return _require_regular(path, path.stat()).st_size


def read_bytes(path: Path, largest: int, advice: str = "", first: int = 0, count: int | None = None) -> bytes:
    """Read a regular file that has at most `largest` bytes, or `count` bytes of it from `first` on.

    Parameters
    ----------
    path : Path
    largest : int
        The largest size of the file, bytes.
    advice : str
        What to do instead, for errors.
    first : int
        Where to start, bytes.
    count : int, optional
        How many bytes are wanted: fewer come where the file ends. All that follow if not given.

    Raises
    ------
    InputError
        If the file is missing, is no regular file or is larger.
    """
    with readable(path, advice), open_regular(path) as file:
        file.seek(first)
        content = file.read(min(largest + 1 if count is None else count, largest + 1))
    if len(content) > largest:
        raise InputError(f"{path}: is too large; at most {largest} bytes are read")
    return content


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file to read its bytes; nothing else is opened.

    Raises
    ------
    InputError
        If it is no regular file.
    OSError
        If the system refuses it.
    """
    path = Path(path)
    _require_regular(path, path.stat())  # to open a device may have effects
    # If the file has become a pipe since then, opening it must not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        _require_regular(path, os.fstat(descriptor))
        yield file


def read_text(path: Path, largest: int, advice: str = "") -> str:
    """Read a regular file of UTF-8, with or without a byte order mark; parameters as of `read_bytes`.

    Raises
    ------
    InputError
        As `read_bytes`.
    UnicodeDecodeError
        If the bytes are no UTF-8.
    """
    text = read_bytes(path, largest, advice).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _require_regular(path: Path, status: os.stat_result) -> os.stat_result:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    if not stat.S_ISREG(status.st_mode):
        kind = kinds.get(stat.S_IFMT(status.st_mode), "a device")
        raise InputError(f"{path}: is not a regular file but {kind}")
    return status


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` when the block succeeds.

    Readers see the old file or the new one, never a part, even after a power failure. The yielded name keeps
    the last suffixes of `path`, by which some writers choose the format. If the block raises, `path` is
    untouched and the part is removed.

    Raises
    ------
    InputError
        If the disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        yield path  # a device such as /dev/stdout is written to, never replaced
        return
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        suffix = "".join(path.suffixes[-2:])[-_LONGEST_SUFFIX:]
        aside = path.with_name(f"{ASIDE}{writer()}-{secrets.token_hex(4)}{suffix}")
        aside.touch(exist_ok=False)
    try:
        with writable(path):
            yield aside
            flush(aside)
            aside.replace(path)
            flush(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def writer() -> str:
    """Return a name of this process that is unique among machines that share a folder: ``machine-process``."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}-{os.getpid()}"


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished files in a folder into which no other process is writing."""
    for path in folder.glob(f"{ASIDE}*"):
        if _UNFINISHED.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn an error of writing a file into an `InputError` that names the file."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, have reached the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # not every system opens folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` (UTF-8), whole or not at all."""
    with replacing(path) as aside:
        # File names that are not UTF-8 are written as their bytes.
        aside.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")


def write_json(path: Path, content: object) -> None:
    """Write `content` to `path` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> object:
    """Read a JSON file.

    Raises
    ------
    InputError
        If the file is missing, too large or no JSON.
    """
    path = Path(path)
    try:
        return json.loads(read_text(path, LARGEST_SETTINGS))
    except ValueError as error:
        raise InputError(f"{path}: is not valid JSON ({error})") from error
    except RecursionError as error:
        raise InputError(f"{path}: is not JSON that can be used (it is nested too deeply)") from error
