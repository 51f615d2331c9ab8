"""Hold a folder for one process at a time.

The system releases a lock when its process ends, however it ends: nothing has to be cleaned up after a kill.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import remove_leftovers, writable

try:
    import fcntl
except ImportError:  # not every system has such locks: folders are shared unprotected there
    fcntl = None  # type: ignore[assignment]

#: The file in a folder that its holder has locked; it says who that is.
LOCK = ".lock"

#: How long a waiting process sleeps between two looks at a lock, s.
_PAUSE_S = 0.2


@contextmanager
def locked(folder: Path, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a folder, made if it is missing, and remove what processes that died were writing into it.

    Parameters
    ----------
    folder : Path
    wait : callable, optional
        Receives a line about who holds the folder; then this process waits. If not given, it does not.

    Raises
    ------
    InputError
        If another process holds the folder, which the error names, or the folder cannot be written to.
    """
    folder = Path(folder)
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(folder, wait)
    try:
        remove_leftovers(folder)
        yield
    finally:
        with suppress(OSError):  # the folder may be gone
            (folder / LOCK).unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(folder: Path, wait: Callable[[str], None] | None) -> int:
    """Return the descriptor of the folder's lock file once it is locked."""
    told = False
    while True:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if _lock(descriptor):
                if _is_current(descriptor, folder / LOCK):
                    _sign(descriptor)
                    return descriptor
            else:
                holder = f"{folder}: is in use by {_holder(descriptor)}"
                if wait is None:
                    raise InputError(f"{holder}; wait until it has ended, or choose another folder")
                if not told:
                    wait(f"{holder}; waiting for it")
                    told = True
                time.sleep(_PAUSE_S)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file if no other process has; a file system without locks is taken as unlocked."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_current(descriptor: int, path: Path) -> bool:
    """Tell whether a locked file is still the one in the folder: its last holder may just have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {since}".encode(), 0)


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process"
