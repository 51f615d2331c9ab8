"""Drive a large folder of simulated records once, and watch memory, open files and results of the driver.

Records have random formats, rates and lengths (0.1 s to 30 min; log-uniform); one in a hundred is damaged.
Signals are links to a hundred distinct ones. Exits with 1 if memory grows by a quarter, files stay open or a
result is missing.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.common import Table
from benchmarks.processes import open_files, resident_bytes
from benchmarks.torture.damage import damaged_text
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.files import DIALECTS
from cnn_gap.system.exit_codes import run
from cnn_gap.system.shipped import SHIPPED_MODEL

#: Number of distinct records, and the share of all that is damaged.
ORIGINALS, DAMAGED = 100, 0.01
RATES = (100.0, 128.0, 250.0, 257.0, 360.0, 500.0, 1000.0)
SHORTEST_S, LONGEST_S = 0.1, 1800.0

#: Limits of the last tenth's peaks: a factor of the first tenth's memory, and further open files.
GROWTH, FURTHER_FILES = 1.25, 8


@dataclass(frozen=True)
class Drive:
    """A driver that was watched.

    Attributes
    ----------
    samples : tuple of (int, int)
        Resident memory (bytes) and number of open files, once a second.
    printed : str
        Its last line.
    code : int
        Its exit code.
    stopped : bool
        Whether it was stopped before it was done.
    """

    samples: tuple[tuple[int, int], ...]
    printed: str
    code: int
    stopped: bool

    @property
    def tenths(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The largest memory and number of files in the first tenth of the samples, and in the last."""
        count = max(1, len(self.samples) // 10)
        parts = self.samples[:count], self.samples[-count:]
        first, last = (tuple(map(max, zip(*part, strict=True))) or (0, 0) for part in parts)
        return first, last


def main(arguments: list[str]) -> int:
    """Make the records, drive them and print a table; return 1 if a limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture.soak", description=__doc__)
    parser.add_argument("--records", metavar="N", type=int, default=50_000, help="default: %(default)s")
    parser.add_argument(
        "--longest", metavar="S", type=float, default=LONGEST_S, help="s (default: %(default)g)"
    )
    parser.add_argument("--minutes", metavar="N", type=float, help="stop after these, before the last record")
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        data, out = Path(place) / "data", Path(place) / "out"
        random = Random(options.seed)
        damaged = _make_records(Path(place) / "originals", data, options.records, options.longest, random)
        records = len(find_records(data))  # linked signals of other records are records, too
        started = time.monotonic()
        drive = _drive(data, out, 60 * options.minutes if options.minutes else math.inf)
        minutes = (time.monotonic() - started) / 60
        results = len(list(out.glob("*.csv")))
    (first_memory, first_files), (last_memory, last_files) = drive.tenths
    rows = (
        ("records, of these damaged", f"{records}, {damaged}"),
        ("the driver's last line", drive.printed),
        ("results", results),
        ("minutes", f"{minutes:.1f}"),
        (
            "peak memory in the first tenth, in the last, GB",
            f"{first_memory / 1e9:.2f}, {last_memory / 1e9:.2f}",
        ),
        ("most open files in the first tenth, in the last", f"{first_files}, {last_files}"),
    )
    print(Table("soak", ("value",), rows))
    steady = last_memory <= GROWTH * first_memory and last_files <= first_files + FURTHER_FILES
    whole = drive.stopped or (not drive.code and results == records)
    return int(not (steady and whole))


def _make_records(originals: Path, data: Path, count: int, longest: float, random: Random) -> int:
    """Write records as links to a few originals; return the number of damaged ones."""
    data.mkdir()
    names = [_make_original(originals, index, longest, random) for index in range(min(ORIGINALS, count))]
    damaged = 0
    for index in range(count):
        name, original = f"S{index:05}", random.choice(names)
        header = (originals / f"{original}.hea").read_text()
        if random.random() < DAMAGED:
            header, damaged = damaged_text(header, random), damaged + 1
        (data / f"{name}.hea").write_text(header, errors="replace")
        for path in originals.glob(f"{original}.*"):
            if path.suffix != ".hea" and not (data / path.name).exists():
                os.link(path, data / path.name)
    for path in data.glob("*.mat"):  # a signal without a header of its name would be a record of its own
        if not path.with_suffix(".hea").exists():
            path.with_suffix(".hea").write_text((originals / f"{path.stem}.hea").read_text())
    return damaged


def _make_original(folder: Path, index: int, longest: float, random: Random) -> str:
    """Write a record of a random format, rate and length; return its name."""
    name, rate = f"original{index}", random.choice(RATES)
    seconds = SHORTEST_S * (longest / SHORTEST_S) ** random.random()
    record = simulate_record(name, ["426783006"], rate, min(max(seconds, 5.0), 60.0), seed=index)
    repeats = int(np.ceil(seconds * rate / len(record.signal)))
    signal = np.tile(record.signal, (repeats, 1))[: max(1, round(seconds * rate))]
    if random.random() < 0.5:
        folder.mkdir(exist_ok=True)
        storage = random.choice(("16", "32"))
        values = np.rint(signal * 500).astype(f"<i{int(storage) // 8}")
        (folder / f"{name}.dat").write_bytes(values.tobytes())
        lines = [f"{name}.dat {storage} 500/mV 16 0 0 0 0 {lead}" for lead in LEADS]
        (folder / f"{name}.hea").write_text("\n".join([f"{name} 12 {rate:g} {len(signal)}", *lines, ""]))
    else:
        longer = replace(record, signal=signal, events=record.events[:1])
        write_simulated(folder, longer, random.choice(DIALECTS))
        (folder / f"{name}.atr").unlink()
    return name


def _drive(data: Path, out: Path, limit: float) -> Drive:
    """Drive a folder to its end or for `limit` seconds, and watch the driver."""
    command = [sys.executable, "driver.py", str(SHIPPED_MODEL), str(data), str(out)]
    ends = time.monotonic() + limit
    with tempfile.TemporaryFile("w+") as printed:
        child = subprocess.Popen(command, stdout=printed, stderr=subprocess.DEVNULL)
        samples = []
        while child.poll() is None and time.monotonic() < ends:
            time.sleep(1)
            if out.exists() and any(out.glob("*.csv")) and (memory := resident_bytes(child.pid)):
                samples.append((memory, open_files(child.pid)))
        stopped = child.poll() is None
        child.terminate()
        code = child.wait()
        printed.seek(0)
        lines = ["stopped" if stopped else "", *printed.read().strip().splitlines()]
        return Drive(tuple(samples), lines[-1], code, stopped)


if __name__ == "__main__":
    run(main)
