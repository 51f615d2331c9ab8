"""Processor time of the start of each command.

Commands take turns as processes of their own. The least time of each counts: other load of the machine only
adds. The packages that they import stand beside them.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Table
from benchmarks.processes import cpu_seconds
from cnn_gap.system.exit_codes import run

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
        _cpu_seconds_of(commands["driver.py, 48 records that are done"])
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                seconds[name].append(_cpu_seconds_of(command))
    print(Table("command", ("CPU s",), tuple((name, min(each)) for name, each in seconds.items())))


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
        "driver.py, 48 records that are done": ["driver.py", str(model), "test_data", str(out)],
        "evaluate_model.py, 48 records": ["evaluate_model.py", "test_data", str(out)],
    }
    return {name: [sys.executable, *program] for name, program in programs.items()}


def _cpu_seconds_of(command: Sequence[str]) -> float:
    before = cpu_seconds()
    subprocess.run(command, capture_output=True, check=True)
    return cpu_seconds()[1] - before[1]


if __name__ == "__main__":
    run(main)
