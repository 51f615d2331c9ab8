"""Make a model from records in one command: train the teachers, write their tables, train the pupil thrice.

    python -m research.make_model TRAIN OUT --patients PATIENTS.csv --teacher model

Steps whose files exist are not run again, and a training that was interrupted goes on: give the same command
again. The model is in OUT/model. Teachers need PyTorch and the pupil TensorFlow; `--torch` names the Python of
another environment for the teachers.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from cnn_gap.system.exit_codes import run

#: The configurations of the pupil's trainings, by the folder in OUT; each starts from the one before.
TRAININGS = {
    "short": Path("configs/default.toml"),
    "long": Path("configs/long_crops.toml"),
    "model": Path("configs/moments.toml"),
}

#: The teachers: which network, and its seed.
TEACHERS = (("residual", 0), ("residual", 1), ("state_space", 0), ("state_space", 1))


def main(arguments: list[str]) -> None:
    """Run each step that is not done."""
    options = _parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    teachers = (*options.teachers, *(_taught_table(options, network, seed) for network, seed in TEACHERS))
    start: tuple[object, ...] = ()
    for name, config in TRAININGS.items():
        _train(options, options.out / name, config, teachers, *start)
        start = ("--from", options.out / name)


def _train(
    options: argparse.Namespace, model: Path, config: Path, teachers: Iterable[Path], *start: object
) -> None:
    """Train a pupil, if it is not trained."""
    if (model / "model.json").exists():
        return
    command = [sys.executable, "train_model.py", options.data, model, "--config", config, *start]
    command += ["--findings", "scp", "--cache", options.out / "cache", "--resume"]
    for teacher in teachers:
        command += ["--teacher", teacher]
    _run([*command, *_patients(options)])


def _taught_table(options: argparse.Namespace, network: str, seed: int) -> Path:
    """Return the table of a teacher, which is trained first where there is none."""
    table: Path = options.out / f"{network}-{seed}-{options.data.name}.parquet"
    if not table.exists():
        command = [options.torch, "-m", "research.teachers", network, options.data, options.out]
        command += ["--seed", seed, "--epochs", options.epochs, "--threads", options.threads]
        _run([*command, *_patients(options)])
    return table


def _patients(options: argparse.Namespace) -> list[object]:
    return [] if options.patients is None else ["--patients", options.patients]


def _run(command: list[object]) -> None:
    """Run a command; threads that wait leave their core to others."""
    print("$", *command, flush=True)
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.make_model", description="Make a model.")
    parser.add_argument("data", type=Path, help="folder of records")
    parser.add_argument("out", type=Path, help="folder for teachers, tables, prepared windows and the model")
    parser.add_argument("--patients", type=Path, help="lines of record,patient")
    parser.add_argument(
        "--teacher", dest="teachers", type=Path, action="append", default=[], help="a model, too"
    )
    parser.add_argument("--epochs", type=int, default=18, help="of each teacher (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of each teacher (default: %(default)s)")
    parser.add_argument("--torch", default=sys.executable, help="Python of an environment with PyTorch")
    return parser


if __name__ == "__main__":
    run(main)
