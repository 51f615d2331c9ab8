"""What a cluster of processes on this machine does for a drive, against one process: time, memory, listing.

Drives the same simulated records twice, each time as a command of its own: in one process, and by `--cluster
local:N`, whose scheduler is part of the driver's process. The records are headers linked to a few signals, so
that making them costs little. Time is with the start. Exits with 1 where the results differ.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import table, write_linked_records
from cnn_gap.ecg.sources import list_records
from cnn_gap.exit_codes import run
from cnn_gap.scoring.result_journal import NOTES

#: How often processes are looked at, s.
_LOOK_S = 0.5


@dataclass(frozen=True)
class Cost:
    """What a drive has taken: s by the clock, s of processors, and the peak memory of processes, bytes."""

    wall: float
    cpu: float
    driver: int
    worker: int


def main(arguments: list[str]) -> int:
    """Drive the records both ways and print a table; return 1 if the results differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.cluster", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("--records", metavar="N", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="default: %(default)s")
    options = parser.parse_args(arguments)
    count = options.records
    with tempfile.TemporaryDirectory() as folder:
        data, alone, cluster = (Path(folder) / name for name in ("records", "alone", "cluster"))
        write_linked_records(data, count, sampling_rate=500.0)
        place = f"local:{options.workers}"
        listing = _seconds_of_listing(data)
        costs = {
            "one process": _drive([options.model, data, alone]),
            f"--cluster {place}": _drive([options.model, data, cluster, "--cluster", place]),
        }
        equal = _journal(alone) == _journal(cluster)
    rows = [
        (name, count / cost.wall, 1000 * cost.cpu / count, cost.driver / 1e9, cost.worker / 1e9)
        for name, cost in costs.items()
    ]
    headings = (f"{count} records", "records/s", "CPU ms a record", "driver GB", "largest worker GB")
    print(table(headings, rows))
    print(f"\nlisting them took {listing:.2f} s; the results are {'equal' if equal else 'DIFFERENT'}")
    return int(not equal)


def _seconds_of_listing(data: Path) -> float:
    started = time.perf_counter()
    list_records(str(data))
    return time.perf_counter() - started


def _drive(arguments: list[object]) -> Cost:
    """Run the driver, and look at its processes meanwhile."""
    started = time.perf_counter()
    peaks: dict[int, int] = {}
    process = subprocess.Popen([sys.executable, "driver.py", *map(str, arguments)])
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        for pid in _with_children(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
        time.sleep(_LOOK_S)
    wall, (_, status, used) = time.perf_counter() - started, ended
    if status:
        raise SystemExit(f"the driver has ended with {os.waitstatus_to_exitcode(status)}")
    driver = peaks.pop(process.pid, 0)
    return Cost(wall, used.ru_utime + used.ru_stime, driver, max(peaks.values(), default=0))


def _with_children(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for thread in Path("/proc").glob(f"{pid}/task/*/children"):
        with suppress(OSError):  # it has ended
            for child in thread.read_text().split():
                yield from _with_children(int(child))


def _peak(pid: int) -> int:
    """Return the peak resident memory of a process, bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _journal(out: Path) -> list[str]:
    """Return the lines that say what each result file holds."""
    return sorted((out / NOTES).read_text().splitlines())


if __name__ == "__main__":
    run(main)
