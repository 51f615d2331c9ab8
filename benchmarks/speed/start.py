"""Processor time and memory of the start of each command.

Commands take turns, each in a process of its own. The shortest time of each command is taken, since other load
of the machine can only make it longer. The packages that a command imports are measured, too.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Table
from cnn_gap.system.exit_codes import run

#: Bytes of a unit of the peak memory that Linux tells.
KILOBYTE = 1024

#: The record that is classified.
RECORD = "test_data/SIM0008"


def main(arguments: list[str]) -> None:
    """Start each command, and print a table of processor time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.start", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="of each (default: %(default)s)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(options.model, Path(folder) / "out")
        _used_by(commands["driver.py, 48 records that are done"])
        used: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                used[name].append(_used_by(command))
    rows = tuple((name, *map(min, zip(*each, strict=True))) for name, each in used.items())
    print(Table("command", ("CPU s", "GB"), rows))


def _commands(model: Path, out: Path) -> dict[str, list[str]]:
    """Return the commands by the names of their rows; `out` is a folder of results that are done."""
    keras = "from cnn_gap.system.backend import start_keras; start_keras"
    programs = {
        "import numpy": ["-c", "import numpy"],
        "import scipy.signal": ["-c", "import scipy.signal"],
        "import tensorflow": ["-c", "import tensorflow"],
        "Keras, as in Python": ["-c", f"{keras}()"],
        "Keras, as in a command": ["-c", f"{keras}(lean=True)"],
        "driver.py --help": ["driver.py", "--help"],
        "predict.py, one record": ["predict.py", str(model), RECORD],
        "predict.py, ten records": ["predict.py", str(model), *(f"test_data/SIM{n:04d}" for n in range(1, 11))],
        "predict.py --runtime keras": ["predict.py", str(model), RECORD, "--runtime", "keras"],
        "explain.py, a page": ["explain.py", str(model), RECORD, "--html", os.devnull],
        "driver.py, 48 records that are done": ["driver.py", str(model), "test_data", str(out)],
        "evaluate_model.py, 48 records": ["evaluate_model.py", "test_data", str(out)],
    }
    return {name: [sys.executable, *program] for name, program in programs.items()}


def _used_by(command: Sequence[str]) -> tuple[float, float]:
    """Return the processor time of a command, s, and its peak memory, GB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KILOBYTE / 1e9


if __name__ == "__main__":
    run(main)
