"""Damaged input given to the commands, beside undamaged records and files that they must not change."""

import contextlib
import hashlib
import io
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import keras
import numpy as np

from benchmarks.torture.damage import damaged_bytes, damaged_text
from benchmarks.torture.kinds import Kind, copy_record
from cnn_gap.commands import drive, evaluate, explain, export, predict, train
from cnn_gap.io.registry import record_name
from cnn_gap.io.sources import find_records
from cnn_gap.network.architecture import build_network
from cnn_gap.network.options import Network
from cnn_gap.results.challenge_files import read_outputs
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run
from cnn_gap.training.checkpoints import COLUMNS, Checkpoints, Progress

#: Largest difference of an undamaged record's probabilities: the network computes it in another batch.
NEAR = 1e-4

_Main = Callable[[list[str]], int | None]


def _call(command: _Main, *arguments: object) -> tuple[int, str, str]:
    """Run a command as its script does; return its exit code, standard output and standard error."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["command", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run(command)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    finally:
        sys.argv = before
    raise AssertionError("a command must end with its exit code")


def _judge(code: int, err: str) -> str | None:
    """Return the fault of how a command ended, None where there is none."""
    if "Traceback" in err:
        return f"traceback: {err[-300:]}"
    if code not in (0, 1):
        return f"exit code {code}: {err[-300:]}"
    if code == 1 and not err.strip():
        return "exit code 1 without a word"
    return None


def _snapshot(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _damaged_records(materials: Path, folder: Path, random: Random, count: int) -> list[str]:
    """Write undamaged records, and damaged ones of all formats; return the names of the damaged ones."""
    folder.mkdir()
    for name in ("GOOD0", "GOOD1"):
        for path in (materials / "data").glob(f"{name}.*"):
            shutil.copy(path, folder)
    for record in random.sample(find_records(materials / "records"), count):
        for path in copy_record(record, folder):
            content = path.read_bytes()
            if random.random() < 0.7:
                damaged = damaged_text(content.decode("latin-1"), random).encode("utf-8", "replace")
                path.write_bytes(damaged if path.suffix == ".hea" else damaged_bytes(content, random))
    return sorted({record_name(path) for path in find_records(folder)} - {"GOOD0", "GOOD1"})


def _drive(materials: Path, folder: Path, random: Random) -> str | None:
    data, out = folder / "data", folder / "out"
    names = _damaged_records(materials, data, random, count=4)
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    before = _snapshot(data)
    code, printed, err = _call(drive.COMMAND.main, materials / "model", data, out)
    if fault := _judge(code, err):
        return fault
    if _snapshot(data) != before or (out / "notes.txt").read_text() != "mine":
        return "bystander: a file that is not the driver's has changed"
    for name in ("GOOD0", "GOOD1"):
        expected, found = (read_outputs(place / f"{name}.csv") for place in (materials / "expected", out))
        same = expected.codes == found.codes and (expected.labels == found.labels).all()
        if not same or not np.allclose(expected.probabilities, found.probabilities, atol=NEAR):
            return f"neighbour: {name} has another answer than alone"
    for name in names:
        if (out / f"{name}.csv").exists() and len((out / f"{name}.csv").read_text().splitlines()) != 4:
            return f"result: {name}.csv has not four lines"
    return None if " classified" in printed.splitlines()[-1] else "the driver ends without a count"


def _explain_folder(materials: Path, folder: Path, random: Random) -> str | None:
    _damaged_records(materials, folder / "data", random, count=2)
    arguments = (folder / "data", "--out", folder / "out", "--classes", "top1", "--no-leads", "--pdf")
    code, _, err = _call(explain.COMMAND.main, materials / "model", *arguments)
    if fault := _judge(code, err):
        return fault
    lost = [name for name in ("GOOD0", "GOOD1") if not (folder / "out" / f"{name}.html").exists()]
    return f"neighbour: {lost} has no page" if lost else None


def _one_record(
    command: _Main, options: tuple[str, ...], materials: Path, folder: Path, random: Random
) -> str | None:
    _damaged_records(materials, folder / "data", random, count=1)
    damaged = [path for path in find_records(folder / "data") if not path.stem.startswith("GOOD")]
    outputs = [folder / option if option.startswith("out.") else option for option in options]
    return _judge_one(command, materials / "model", random.choice(damaged or [folder / "data"]), *outputs)


def _judge_one(command: _Main, *arguments: object) -> str | None:
    """Return the fault of how a command about one record or folder ended; exit code 1 is a refusal."""
    code, _, err = _call(command, *arguments)
    fault = _judge(code, err)
    if code == 1 and fault is None:
        raise InputError(err.strip().splitlines()[-1])
    return fault


def _model_command(name: str, materials: Path, folder: Path, random: Random) -> str | None:
    model = folder / "model"
    model.mkdir()
    for each in ("model.json", "model.keras"):
        shutil.copy(materials / "model" / each, model)
    content = (model / name).read_bytes()
    text = name == "model.json" and random.random() < 0.8
    damaged = damaged_text(content.decode(), random).encode() if text else damaged_bytes(content, random)
    (model / name).write_bytes(damaged)
    record = materials / "data" / "GOOD0"
    if random.random() < 0.2:
        return _judge_one(export.COMMAND.main, model, folder / "out.tflite")
    return _judge_one(predict.COMMAND.main, model, record)


def _evaluate(materials: Path, folder: Path, random: Random) -> str | None:
    for path in (materials / "data").glob("*.hea"):
        shutil.copy(path, folder)
        shutil.copy(materials / "result.csv", folder / f"{path.stem}.csv")
    weights = folder / "weights.txt"
    shutil.copy(materials / "weights.csv", weights)
    for path in random.sample(sorted(folder.iterdir()), 4):
        path.write_bytes(damaged_text(path.read_text(), random).encode("utf-8", "surrogateescape"))
    return _judge_one(evaluate.COMMAND.main, folder, folder, folder / "scores.csv", "--weights", weights)


def _train(materials: Path, folder: Path, random: Random) -> str | None:
    data, config = folder / "data", folder / "tiny.toml"
    _damaged_records(materials, data, random, count=4)
    for path in (materials / "data").glob("GOOD[2-7].*"):
        shutil.copy(path, data)
    text = (materials / "tiny.toml").read_text()
    config.write_text(damaged_text(text, random) if random.random() < 0.3 else text)
    return _judge_one(train.COMMAND.main, data, folder / "model", "--config", config)


def _checkpoint(name: str, materials: Path, folder: Path, random: Random) -> str | None:
    for each in (materials / "checkpoint").iterdir():
        shutil.copy(each, folder)
    content = (folder / name).read_bytes()
    text = name == "progress.json"
    damaged = damaged_text(content.decode(), random).encode() if text else damaged_bytes(content, random)
    (folder / name).write_bytes(damaged)
    checkpoints = Checkpoints(folder)
    checkpoints.read({"seed": 0})
    checkpoints.load_weights(_tiny_network(), 1)
    return None


def _tiny_network() -> keras.Model:
    return build_network(Network((4, 4), (5, 5), (4, 4)), 12, 24)


def make_keras_materials(materials: Path) -> None:
    """Write a checkpoint, and the results of the undamaged records by themselves."""
    row = dict.fromkeys(COLUMNS, 0.5)
    Checkpoints(materials / "checkpoint").save(_tiny_network(), Progress({"seed": 0}, (row,), 1))
    alone = materials / "alone"
    alone.mkdir()
    for name in ("GOOD0", "GOOD1"):
        for path in (materials / "data").glob(f"{name}.*"):
            shutil.copy(path, alone)
    code, _, err = _call(drive.COMMAND.main, materials / "model", alone, materials / "expected")
    if code:
        raise RuntimeError(err)


#: Kinds that need Keras: each case takes seconds.
COMMANDS = (
    Kind("drive: folders of damaged records", 8, _drive, keras=True),
    Kind("predict: damaged records", 8, partial(_one_record, predict.COMMAND.main, ("--json",)), keras=True),
    Kind(
        "explain: damaged records",
        3,
        partial(_one_record, explain.COMMAND.main, ("--no-leads", "--html", "out.html", "--json", "out.json")),
        keras=True,
    ),
    Kind("explain: folders of damaged records", 2, _explain_folder, keras=True),
    Kind("predict, export: damaged model.json", 6, partial(_model_command, "model.json"), keras=True),
    Kind("predict, export: damaged model.keras", 6, partial(_model_command, "model.keras"), keras=True),
    Kind("evaluate: damaged labels, results and weights", 8, _evaluate, keras=True),
    Kind("checkpoints: damaged progress.json", 3, partial(_checkpoint, "progress.json"), keras=True),
    Kind("checkpoints: damaged weights", 6, partial(_checkpoint, "epoch-0001.weights.h5"), keras=True),
    Kind("train: damaged records and configurations", 2, _train, keras=True),
)
