"""Damage input of every kind, and give it to the public functions and the commands in child processes.

Case I of seed S is always the same: `--seed S --only I` repeats it. The command prints how the cases of each
kind ended, and each fault. It exits with 1 if there is a fault. A fault is a traceback, a death by a signal, or
too much time or memory for a case. It is also a fault if an undamaged record beside the damaged one gets
another answer, or if a file changes that the command does not own.
"""

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.common import Table
from benchmarks.processes import cpu_seconds_of, resident_bytes
from benchmarks.torture.materials import make_materials
from benchmarks.torture.worker import ANSWERED, REFUSED
from cnn_gap.system.exit_codes import run

#: Share of the cases that need Keras: they take seconds each.
KERAS_SHARE = 0.02

#: Limits of a case by family: processor time, s, and resident memory of its process, bytes.
LIMITS = {"plain": (30.0, 1.5e9), "keras": (180.0, 4e9)}

#: A case that waits takes no processor time: it hangs, too, after this multiple of its limit by the clock.
WAITING = 10


@dataclass(eq=False)
class Tally:
    """Counts of outcomes by kind, and the texts of faults."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def add(self, family: str, index: int, kind: str, outcome: str, about: str) -> None:
        """Count a case; keep and print its text if it is a fault."""
        self.counts[kind][outcome] += 1
        if outcome not in (ANSWERED, REFUSED):
            self.faults.append(f"{family} case {index}, {kind}: {outcome}\n{about}")
            print(self.faults[-1], file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the cases; return 1 if there is a fault."""
    options = _parser().parse_args(arguments)
    deadline, tally = time.monotonic() + 60 * options.minutes, Tally()
    keras = round(options.cases * KERAS_SHARE) if options.keras is None else options.keras
    counts = {"plain": options.cases - keras, "keras": keras}
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        materials = Path(folder) / "materials"
        make_materials(materials)
        if keras:
            _make_keras_materials(materials)
        for family, count in counts.items():
            ranges = [range(job, count, options.jobs) for job in range(options.jobs)]
            if options.only is not None:
                ranges = [range(options.only, options.only + 1)]
            threads = [
                threading.Thread(target=_watch, args=(family, options.seed, cases, materials, deadline, tally))
                for cases in ranges
                if len(cases)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    print(_table(tally))
    for fault in tally.faults:
        print(f"\n{fault}")
    return int(bool(tally.faults))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--cases", metavar="N", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument(
        "--minutes", metavar="N", type=float, default=120.0, help="stop after these (default: %(default)g)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count(), help="child processes")
    parser.add_argument("--keras", metavar="N", type=int, help="cases that need Keras (default: 2 %%)")
    parser.add_argument("--only", metavar="I", type=int, help="this case alone, of both families")
    return parser


def _make_keras_materials(materials: Path) -> None:
    """Write the materials that need Keras in another process, whose memory is not counted to the children."""
    code = (
        "import sys; from pathlib import Path\n"
        "from cnn_gap.system.backend import start_keras; start_keras()\n"
        "from benchmarks.torture.commands import make_keras_materials\n"
        "make_keras_materials(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(materials)], check=True)


def _watch(family: str, seed: int, cases: range, materials: Path, deadline: float, tally: Tally) -> None:
    """Run cases in children until all are done or time is over; a child that is lost costs its case alone."""
    while cases and time.monotonic() < deadline:
        done = _run_child(family, seed, cases, materials, deadline, tally)
        cases = cases[done:]


def _run_child(family: str, seed: int, cases: range, materials: Path, deadline: float, tally: Tally) -> int:
    """Run a child over cases until it ends; return the number of cases that are done, a lost one included."""
    scratch = tempfile.mkdtemp(prefix="torture-child-")
    numbers = (seed, cases.start, cases.stop, cases.step)
    command = [sys.executable, "-m", "benchmarks.torture.worker", family, *map(str, numbers), str(materials)]
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, "TMPDIR": scratch}
        )
        try:
            return _follow(child, family, cases, deadline, tally)
        finally:
            child.kill()
            child.wait()
            shutil.rmtree(scratch, ignore_errors=True)


def _follow(child: subprocess.Popen, family: str, cases: range, deadline: float, tally: Tally) -> int:
    """Count the reports of a child until it ends or breaks a limit."""
    reports: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pass_on, args=(child, reports), daemon=True).start()
    seconds, memory = LIMITS[family]
    done, kind, begun, spent = 0, "the start of a child", time.monotonic(), 0.0
    while done < len(cases) and time.monotonic() < deadline:
        fault = ""
        try:
            line = reports.get(timeout=0.2)
            if line is None:
                fault = f"death {child.wait()}"
            else:
                index, kind, outcome, about = json.loads(line)
                begun, spent = time.monotonic(), cpu_seconds_of(child.pid)
                if outcome != "begun":
                    done += 1
                    tally.add(family, index, kind, outcome, about)
        except queue.Empty:
            waited, busy = time.monotonic() - begun, cpu_seconds_of(child.pid) - spent
            fault = "hang" if busy > seconds or waited > WAITING * seconds else ""
        if not fault and resident_bytes(child.pid) > memory:
            fault = "memory"
        if fault:
            index = cases[min(done, len(cases) - 1)]
            tally.add(family, index, kind, fault, "")
            return done + 1
    return len(cases)


def _pass_on(child: subprocess.Popen, reports: "queue.Queue[str | None]") -> None:
    for line in child.stdout or ():
        reports.put(line)
    reports.put(None)


def _table(tally: Tally) -> Table:
    rows = []
    for kind, counts in [*sorted(tally.counts.items()), ("all", sum(tally.counts.values(), Counter()))]:
        faults = counts.total() - counts[REFUSED] - counts[ANSWERED]
        rows.append((kind, counts.total(), counts[REFUSED], counts[ANSWERED], faults))
    return Table("input", ("tried", "refused with a reason", "answered", "anything else"), tuple(rows))


if __name__ == "__main__":
    run(main)
