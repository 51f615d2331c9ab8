"""Hold a folder for one process at a time.

The system releases a lock when its process ends in any way, so nothing has to be cleaned up after a kill.
"""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import remove_leftovers, writable

if TYPE_CHECKING:
    from filelock import BaseFileLock

#: The file in a folder that its holder has locked. Its text names the holder and begins with `_MARK`.
LOCK = ".cnn-gap.lock"
_MARK = b"process "

#: Errors of file systems without locks.
_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)

#: Seconds between two attempts of a waiting process to get a lock.
_PAUSE_S = 0.2


@contextmanager
def locked(folder: Path, wait: Callable[[str], None] | None = None, name: str = LOCK) -> Iterator[None]:
    """Hold a folder, made if it is missing, and remove the unfinished files of processes that have died.

    Only one process at a time writes into a folder that is held. So when a process gets the lock, all
    unfinished files in the folder are those of dead processes.

    Parameters
    ----------
    folder : Path
    wait : callable, optional
        Receives a line about who holds the folder; then this process waits. If not given, it does not.
    name : str
        Of the lock's file in the folder.

    Raises
    ------
    InputError
        If another process holds the folder, which the error names, if the folder cannot be written to, or if
        another program's file has the lock's name.
    """
    from filelock import FileLock

    folder = Path(folder)
    sign = partial(_sign, folder / name)
    lock = FileLock(folder / name, poll_interval=_PAUSE_S, thread_local=False, on_acquired=sign)
    with ExitStack() as held:
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if _acquire(lock, folder, wait):
                held.callback(_release, lock)
                if name == LOCK:
                    remove_leftovers(folder)
        yield


def _acquire(lock: "BaseFileLock", folder: Path, wait: Callable[[str], None] | None) -> bool:
    """Acquire the lock; return whether the file system has locks: without them, any process may write."""
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except (Timeout, RuntimeError) as error:  # filelock's RuntimeError: this process holds the folder already
        holder = f"{folder}: is in use by {_holder(Path(lock.lock_file))}"
        if wait is None:
            raise InputError(f"{holder}; wait until it has ended, or choose another folder") from error
        wait(f"{holder}; waiting for it")
        _wait_for(lock, folder)
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        return False
    return True


def _wait_for(lock: "BaseFileLock", folder: Path) -> None:
    try:
        lock.acquire()
    except RuntimeError as error:
        raise InputError(
            f"{folder}: this command writes into it already; give two different folders"
        ) from error


def _release(lock: "BaseFileLock") -> None:
    with suppress(OSError):  # the folder may be gone, and Windows removes no file that is open
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _sign(path: Path, descriptor: int) -> None:
    """Write who holds a folder into the file of its lock."""
    found = os.read(descriptor, len(_MARK))
    if found and found != _MARK:
        raise InputError(f"{path}: is not a lock and stays as it is; move it away, or use another folder")
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, _MARK + f"{os.getpid()} on {socket.gethostname()} since {since}".encode())


def _holder(lock_file: Path) -> str:
    with suppress(OSError):
        return lock_file.read_bytes()[:200].decode("utf-8", "replace") or "another process"
    return "another process"
