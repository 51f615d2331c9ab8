"""Processor time, memory and open files of processes, from /proc and getrusage; 0 where the system does not
tell.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: Unit of `ru_maxrss`, bytes.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def cpu_seconds() -> tuple[float, float]:
    """Return the processor time of this process and of its children that have ended, s."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, children = (usage.ru_utime + usage.ru_stime for usage in usages)
    return own, children


def cpu_seconds_of(pid: int) -> float:
    """Return the processor time of a running process, s."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return 0.0


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a running process, bytes."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def open_files(pid: int) -> int:
    """Return the number of open files of a running process."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def peak_bytes(who: int) -> int:
    """Return the peak resident memory of this process or of its largest ended child (RUSAGE_...), bytes."""
    return resource.getrusage(who).ru_maxrss * MAXRSS_UNIT


def peak_bytes_of(pid: int) -> int:
    """Return the peak resident memory of a running process, bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def with_descendants(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for thread in Path("/proc").glob(f"{pid}/task/*/children"):
        with suppress(OSError):  # the thread has ended
            for child in thread.read_text().split():
                yield from with_descendants(int(child))
