"""Time and memory of a drive by a cluster of processes on this machine, beside one process.

Drives the same simulated records twice, each time as a command: by `--cluster local:N`, whose scheduler is part
of the driver's process, and in one process. Time includes the start. Peaks of memory are given for the first
half of a drive, too, to show whether memory grows. The records are headers linked to a few signals. Exits with
1 if the results differ; with `--workers 0` one process drives alone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Table, write_linked_records
from benchmarks.processes import peak_bytes_of, with_descendants
from cnn_gap.io.sources import list_records
from cnn_gap.system.exit_codes import run

#: Time between two samples of memory, s.
_INTERVAL_S = 0.5

HEADINGS = (
    "records/s",
    "CPU ms a record",
    "driver GB, first half",
    "largest worker GB, first half",
    "driver GB",
    "largest worker GB",
)


@dataclass(frozen=True)
class Cost:
    """Time and memory of a drive.

    Attributes
    ----------
    wall, cpu : float
        Elapsed and processor time, s.
    memory : tuple of (float, int, int)
        Time since the start, s, and the peaks so far of the driver and of its largest descendant, bytes.
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
        started = time.perf_counter()
        list_records(str(data))
        print(f"listing {count} records took {time.perf_counter() - started:.2f} s", flush=True)
        costs: dict[str, Cost] = {}
        if options.workers:
            place = f"local:{options.workers}"
            costs[f"--cluster {place}"] = _drive([options.model, data, cluster, "--cluster", place])
        costs["one process"] = _drive([options.model, data, alone])
        equal = not options.workers or _results(alone) == _results(cluster)
    rows = [
        (name, count / cost.wall, 1000 * cost.cpu / count, *cost.peaks(0.5), *cost.peaks(1))
        for name, cost in costs.items()
    ]
    print(Table(f"{count} records", HEADINGS, tuple(rows)))
    if options.workers:
        print(f"\nthe results are {'equal' if equal else 'DIFFERENT'}")
    return int(not equal)


def _drive(arguments: list[object]) -> Cost:
    """Run the driver, and sample the memory of its processes meanwhile."""
    started = time.perf_counter()
    peaks: dict[int, int] = {}
    memory: list[tuple[float, int, int]] = []
    process = subprocess.Popen([sys.executable, "driver.py", *map(str, arguments)])
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        for pid in with_descendants(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), peak_bytes_of(pid))
        workers = (peak for pid, peak in peaks.items() if pid != process.pid)
        memory.append((time.perf_counter() - started, peaks[process.pid], max(workers, default=0)))
        time.sleep(_INTERVAL_S)
    wall, (_, status, used) = time.perf_counter() - started, ended
    if status:
        raise SystemExit(f"the driver has ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, used.ru_utime + used.ru_stime, tuple(memory))


def _results(out: Path) -> dict[str, bytes]:
    """Return the content of each result file."""
    return {path.name: path.read_bytes() for path in out.glob("*.csv")}


if __name__ == "__main__":
    run(main)
