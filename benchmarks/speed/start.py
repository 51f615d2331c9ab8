"""What the start of each command takes: processor time, until it has said what it was asked for.

Commands take turns as processes of their own; the least time of each counts, since nothing makes a start faster
than it is. Beside them stand the packages that they import. To compare two versions, run it in each by turns.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import table
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
        commands = _commands(options.model, Path(folder))
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                seconds[name].append(_processor_time(command))
    print(table(("command", "CPU s"), ((name, min(each)) for name, each in seconds.items())))


def _commands(model: Path, folder: Path) -> dict[str, list[str]]:
    """Return what is started, by what the table calls it; one drive before has written what others keep."""
    out = folder / "out"
    keras = "from cnn_gap.system.backend import start_keras; start_keras"
    programs = {
        "import numpy": ["-c", "import numpy"],
        "import scipy.signal": ["-c", "import scipy.signal"],
        "import tensorflow": ["-c", "import tensorflow"],
        "Keras, as in Python": ["-c", f"{keras}()"],
        "Keras, as in a command": ["-c", f"{keras}(lean=True)"],
        "driver.py --help": ["driver.py", "--help"],
        "predict.py, one record": ["predict.py", str(model), RECORD],
        "driver.py, 48 records that are kept": ["driver.py", str(model), "test_data", str(out)],
        "evaluate_model.py, 48 records": ["evaluate_model.py", "test_data", str(out)],
    }
    _processor_time([sys.executable, *programs["driver.py, 48 records that are kept"]])
    return {name: [sys.executable, *program] for name, program in programs.items()}


def _processor_time(command: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    run(main)
