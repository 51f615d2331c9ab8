"""Drive a large folder of simulated records once, and watch the process: memory, open files, results.

The records have random formats, rates and lengths (0.1 s to 30 min, as many from 1 to 10 s as from 10 to 100);
one in a hundred is damaged. Signals are links to some that are made once. Exits with 1 if memory grows, files
stay open or a result is missing.
"""

import argparse
import contextlib
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

from benchmarks.common import table
from benchmarks.torture.damage import damaged_text
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.files import DIALECTS
from cnn_gap.system.exit_codes import run
from cnn_gap.system.shipped import SHIPPED_MODEL

#: Different records among all, and the share that is damaged.
ORIGINALS, DAMAGED = 100, 0.01
RATES = (100.0, 128.0, 250.0, 257.0, 360.0, 500.0, 1000.0)
SHORTEST_S, LONGEST_S = 0.1, 1800.0

#: What the peak of the last tenth may exceed that of the first by, as a factor.
GROWTH = 1.25


def main(arguments: list[str]) -> int:
    """Make the records, drive them and print a table; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture.soak", description=__doc__)
    parser.add_argument("--records", metavar="N", type=int, default=50_000, help="default: %(default)s")
    parser.add_argument(
        "--longest", metavar="S", type=float, default=LONGEST_S, help="s (default: %(default)g)"
    )
    parser.add_argument("--minutes", metavar="N", type=float, help="stop then, before the last record")
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    options = parser.parse_args(arguments)
    random = Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        data, out = Path(place) / "data", Path(place) / "out"
        damaged = _make_records(Path(place) / "originals", data, options.records, options.longest, random)
        records = len(find_records(data))  # the links to signals of other records are some as well
        started = time.monotonic()
        drive = _drive(data, out, 60 * options.minutes if options.minutes else None)
        seconds = time.monotonic() - started
        results = len(list(out.glob("*.csv")))
    first, last = drive.tenths
    memory = f"{first.memory / 1e9:.2f}, {last.memory / 1e9:.2f}"
    rows = [
        ("records, of these damaged", f"{records}, {damaged}"),
        ("the driver's last line", drive.printed),
        ("results", results),
        ("minutes", f"{seconds / 60:.1f}"),
        ("peak memory in the first tenth, in the last, GB", memory),
        ("open files, most in the first tenth, in the last", f"{first.files}, {last.files}"),
    ]
    print(table(("soak", "seen"), rows))
    steady = last.memory <= GROWTH * first.memory and last.files <= first.files + 8
    whole = drive.stopped or (not drive.code and results == records)
    return int(not (steady and whole))


@dataclass(frozen=True)
class Look:
    """Resident memory (bytes) and open files of the driver."""

    memory: int
    files: int


@dataclass(frozen=True)
class Drive:
    """What was seen of a driver.

    Attributes
    ----------
    looks : tuple of Look
        One a second.
    printed : str
        Its last line.
    code : int
        Its exit code.
    stopped : bool
        Whether it was stopped before it was done.
    """

    looks: tuple[Look, ...]
    printed: str
    code: int
    stopped: bool

    @property
    def tenths(self) -> tuple[Look, Look]:
        """The most of the first tenth of the looks, and of the last."""
        count = max(1, len(self.looks) // 10)
        first, last = (
            Look(max(look.memory for look in part), max(look.files for look in part))
            for part in (self.looks[:count], self.looks[-count:])
        )
        return first, last


def _make_records(originals: Path, data: Path, count: int, longest: float, random: Random) -> int:
    """Write records as links to a few originals; return how many are damaged."""
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
            header = (originals / f"{path.stem}.hea").read_text()
            (data / f"{path.stem}.hea").write_text(header)
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
        write_simulated(
            folder, replace(record, signal=signal, events=record.events[:1]), random.choice(DIALECTS)
        )
        (folder / f"{name}.atr").unlink()
    return name


def _drive(data: Path, out: Path, limit: float | None) -> Drive:
    """Drive a folder to its end or for so many seconds, and look at the driver each second."""
    command = [sys.executable, "driver.py", str(SHIPPED_MODEL), str(data), str(out)]
    ends = time.monotonic() + limit if limit else math.inf
    with tempfile.TemporaryFile("w+") as printed:
        child = subprocess.Popen(command, stdout=printed, stderr=subprocess.DEVNULL)
        looks = []
        while child.poll() is None and time.monotonic() < ends:
            time.sleep(1)
            if out.exists() and any(out.glob("*.csv")):
                with contextlib.suppress(OSError, IndexError):
                    looks.append(_look_at(child.pid))
        stopped = child.poll() is None
        child.terminate()
        code = child.wait()
        printed.seek(0)
        lines = ["stopped" if stopped else "", *printed.read().strip().splitlines()]
        return Drive(tuple(looks), lines[-1], code, stopped)


def _look_at(process: int) -> Look:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return Look(pages * os.sysconf("SC_PAGE_SIZE"), len(list(Path(f"/proc/{process}/fd").iterdir())))


if __name__ == "__main__":
    run(main)
