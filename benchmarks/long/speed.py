"""Time and memory of `predict.py` with all files of a long recording, by its hours and leads.

Recordings are simulated, at 250 Hz; each is read by a process of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.common import Table
from cnn_gap.leads import LEADS
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing
from cnn_gap.system.exit_codes import run

ROOT = Path(__file__).parents[2]

#: Sampling rate of the recordings, Hz, and their 20 minutes, which are repeated.
RATE = 250.0
PARTS = (Part(("426783006",), 600, run=4), Part(("164889003",), 300), Part(("426783006",), 300, pause_s=3.0))


def main(arguments: list[str] | None = None) -> int:
    """Print processor and elapsed time, and the largest memory, of each recording."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long.speed", description=__doc__)
    columns = ("elapsed s", "processor s", "largest memory MB")
    print(measure_recordings(parser, arguments, [1, 24, 48], columns, _measure))
    return 0


def measure_recordings(
    parser: argparse.ArgumentParser,
    arguments: list[str] | None,
    hours: list[float],
    columns: tuple[str, ...],
    measure: Callable[[Path, Path], tuple[float, ...]],
) -> Table:
    """Return a row for each simulated recording of the lengths and leads that a command line asks for.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command; it gets the options.
    arguments : list of str or None
        The command line.
    hours : list of float
        The lengths where the command line names none.
    columns : tuple of str
        What `measure` returns.
    measure : callable
        Returns the values of a model's folder and a recording's path.
    """
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("--hours", metavar="N", type=float, nargs="+", default=hours)
    parser.add_argument("--leads", metavar="N", type=int, nargs="+", default=[2, 12], choices=(1, 2, 3, 12))
    options = parser.parse_args(arguments)
    signal = simulate_changing("L", PARTS, RATE, 1).signal
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for length in options.hours:
            for leads in options.leads:
                path = write_repeated(Path(folder) / f"L{60 * length:.0f}x{leads}", signal, length, leads)
                rows.append((f"{length:g} h, {leads} leads", *measure(options.model, path)))
                path.with_suffix(".dat").unlink()
    return Table("recording", columns, tuple(rows))


def write_repeated(path: Path, signal: np.ndarray, hours: float, leads: int) -> Path:
    """Write a WFDB record that repeats a signal (samples, 12)."""
    names = {1: ["II"], 2: ["II", "V1"], 3: ["II", "V1", "V5"], 12: list(LEADS)}[leads]
    stored = np.round(signal[:, [LEADS.index(name) for name in names]] * 1000).astype("<i2")
    repeats = max(1, round(hours * 3600 * RATE / len(stored)))
    with path.with_suffix(".dat").open("wb") as file:
        for _ in range(repeats):
            file.write(stored.tobytes())
    lines = [f"{path.name} {leads} {RATE:g} {repeats * len(stored)}"]
    lines += [f"{path.name}.dat 16 1000/mV 16 0 0 0 0 {name}" for name in names]
    path.with_suffix(".hea").write_text("\n".join(lines) + "\n")
    return path


def _measure(model: Path, path: Path) -> tuple[float, float, float]:
    """Return elapsed and processor time, s, and the largest memory, MB, of a prediction."""
    files = [
        f"--{what}={path.with_name(name)}"
        for what, name in (("timeline", "t.parquet"), ("episodes", "e.csv"), ("beats", "b.atr"))
    ]
    return run_script("predict.py", model, path, *files)


def run_script(name: str, *arguments: str | Path) -> tuple[float, float, float]:
    """Run a script of the project; return elapsed and processor time, s, and the largest memory, MB."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, ROOT / name, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    elapsed = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name} {' '.join(map(str, arguments))}: ended with {child.returncode}")
    return elapsed, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    run(main)
