"""What a cluster of processes on this machine does for a drive, against one process: time, memory, listing.

Drives the same simulated records twice, each time as a command of its own: by `--cluster local:N`, whose
scheduler is part of the driver's process, and in one process. The records are headers linked to a few signals,
so that making them costs little. Time is with the start. Peaks of memory are given for the first half of a
drive too: what grows with the records shows between the two. Exits with 1 where the results differ. With
`--workers 0` there is one process alone, and nothing to compare.
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
from cnn_gap.io.sources import list_records
from cnn_gap.system.exit_codes import run

#: How often processes are looked at, s.
_LOOK_S = 0.5


@dataclass(frozen=True)
class Cost:
    """What a drive has taken.

    Attributes
    ----------
    wall, cpu : float
        By the clock, and of processors, s.
    memory : tuple of (float, int, int)
        At each look: s since the start, and the peaks so far of the driver and of the largest of its
        descendants, bytes.
    """

    wall: float
    cpu: float
    memory: tuple[tuple[float, int, int], ...]

    def peaks(self, share: float) -> tuple[float, float]:
        """Return the peaks of driver and largest worker within the first share of the time, GB."""
        driver, worker = max(each[1:] for each in self.memory if each[0] <= share * self.wall)
        return driver / 1e9, worker / 1e9


def main(arguments: list[str]) -> int:
    """Drive the records both ways and print a table; return 1 if the results differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.cluster", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("--records", metavar="N", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=2, help="0: none, one process alone (default: %(default)s)"
    )
    parser.add_argument(
        "--sampling-rate", metavar="HZ", type=float, default=500.0, help="of the records (default: %(default)g)"
    )
    options = parser.parse_args(arguments)
    count = options.records
    with tempfile.TemporaryDirectory() as folder:
        data, alone, cluster = (Path(folder) / name for name in ("records", "alone", "cluster"))
        write_linked_records(data, count, options.sampling_rate)
        listing = _seconds_of_listing(data)
        print(f"listing {count} records took {listing:.2f} s", flush=True)
        costs: dict[str, Cost] = {}
        if options.workers:
            place = f"local:{options.workers}"
            costs[f"--cluster {place}"] = _drive([options.model, data, cluster, "--cluster", place])
        costs["one process"] = _drive([options.model, data, alone])
        equal = not options.workers or _journal(alone) == _journal(cluster)
    rows = [
        (name, count / cost.wall, 1000 * cost.cpu / count, *cost.peaks(0.5), *cost.peaks(1))
        for name, cost in costs.items()
    ]
    half = ("driver GB, first half", "largest worker GB, first half")
    whole = ("driver GB", "largest worker GB")
    print(table((f"{count} records", "records/s", "CPU ms a record", *half, *whole), rows))
    if options.workers:
        print(f"\nthe results are {'equal' if equal else 'DIFFERENT'}")
    return int(not equal)


def _seconds_of_listing(data: Path) -> float:
    started = time.perf_counter()
    list_records(str(data))
    return time.perf_counter() - started


def _drive(arguments: list[object]) -> Cost:
    """Run the driver, and look at its processes meanwhile."""
    started = time.perf_counter()
    peaks: dict[int, int] = {}
    memory: list[tuple[float, int, int]] = []
    process = subprocess.Popen([sys.executable, "driver.py", *map(str, arguments)])
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        for pid in _with_children(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
        workers = (peak for pid, peak in peaks.items() if pid != process.pid)
        memory.append((time.perf_counter() - started, peaks[process.pid], max(workers, default=0)))
        time.sleep(_LOOK_S)
    wall, (_, status, used) = time.perf_counter() - started, ended
    if status:
        raise SystemExit(f"the driver has ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, used.ru_utime + used.ru_stime, tuple(memory))


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
    """Return what the result files hold."""
    return [path.read_text() for path in sorted(out.glob("*.csv"))]


if __name__ == "__main__":
    run(main)
