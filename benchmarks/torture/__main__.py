"""Damage input of every kind and put it through the public functions and the commands, in child processes.

Case number I of seed S is always the same: ``--seed S --only I`` repeats it. Prints a table of what became
of each kind, and each fault; exits with 1 if there is any. A fault is a traceback, a death by a signal, a case
that takes too long or too much memory, a neighbour with another answer than alone, or a changed bystander.
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

from benchmarks.common import table
from benchmarks.torture.materials import make_materials
from benchmarks.torture.worker import ANSWERED, REFUSED
from cnn_gap.system.exit_codes import run

#: Share of the cases that go through Keras and the commands: these take seconds each.
KERAS_SHARE = 0.02

#: What a case may take: seconds of the processor, and bytes of resident memory of its process.
LIMITS = {"plain": (30.0, 1.5e9), "keras": (180.0, 4e9)}

#: A case that waits for something takes no processor: so many times those seconds by the clock are a hang, too.
#: On a busy machine a case that does not wait may take long.
WAITING = 10


@dataclass(eq=False)
class Tally:
    """What became of the cases so far."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def add(self, family: str, index: int, kind: str, outcome: str, about: str) -> None:
        """Count a case, and keep what is to be said of a fault."""
        self.counts[kind][outcome] += 1
        if outcome not in (ANSWERED, REFUSED):
            self.faults.append(f"{family} case {index}, {kind}: {outcome}\n{about}")
            print(self.faults[-1], file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the cases; return 1 if there is a fault."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--cases", metavar="N", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument(
        "--minutes", metavar="N", type=float, default=120.0, help="stop then (default: %(default)g)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count(), help="child processes")
    parser.add_argument("--keras", metavar="N", type=int, help="of the cases, through Keras (default: 2 %%)")
    parser.add_argument("--only", metavar="I", type=int, help="this case alone, of both families")
    options = parser.parse_args(arguments)
    deadline, tally = time.monotonic() + 60 * options.minutes, Tally()
    keras = round(options.cases * KERAS_SHARE) if options.keras is None else options.keras
    counts = {"plain": options.cases - keras, "keras": keras}
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        materials = Path(folder) / "materials"
        make_materials(materials)
        _prepare_keras(materials, counts["keras"])
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


def _prepare_keras(materials: Path, cases: int) -> None:
    """Write what needs Keras, in a process of its own: its memory would be counted to all children."""
    if cases:
        code = (
            "import sys; from pathlib import Path\n"
            "from cnn_gap.system.backend import start_keras; start_keras()\n"
            "from benchmarks.torture.commands import make_keras_materials\n"
            "make_keras_materials(Path(sys.argv[1]))"
        )
        subprocess.run([sys.executable, "-c", code, str(materials)], check=True)


def _watch(family: str, seed: int, cases: range, materials: Path, deadline: float, tally: Tally) -> None:
    """Run cases in children until all are done or time is over; a child that is lost costs its case."""
    while cases and time.monotonic() < deadline:
        done = _run_child(family, seed, cases, materials, deadline, tally)
        cases = cases[done:]


def _run_child(family: str, seed: int, cases: range, materials: Path, deadline: float, tally: Tally) -> int:
    """Run a child over cases until it ends; return how many are done, a lost one among them."""
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
                begun, spent = time.monotonic(), _processor(child.pid)
                if outcome != "begun":
                    done += 1
                    tally.add(family, index, kind, outcome, about)
        except queue.Empty:
            waited, busy = time.monotonic() - begun, _processor(child.pid) - spent
            fault = "hang" if busy > seconds or waited > WAITING * seconds else ""
        if not fault and _resident(child.pid) > memory:
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


def _processor(process: int) -> float:
    """Return how long a process has computed, s; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return 0.0


def _resident(process: int) -> int:
    """Return the resident memory of a process, bytes; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _table(tally: Tally) -> str:
    rows = []
    for kind, counts in [*sorted(tally.counts.items()), ("all", sum(tally.counts.values(), Counter()))]:
        others = {key: count for key, count in counts.items() if key not in (ANSWERED, REFUSED)}
        rows.append((kind, counts.total(), counts[REFUSED], counts[ANSWERED], sum(others.values())))
    return table(("input", "tried", "refused with a reason", "answered", "anything else"), rows)


if __name__ == "__main__":
    run(main)
