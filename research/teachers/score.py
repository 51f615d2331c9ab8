"""Score teachers, trained models and the mean of all on the validation records.

A pupil of the teachers can become at most about as good as this mean. Tables are also scored on the training
records: a teacher that has learned these records scores better on them, a crossed teacher does not.

    python -m research.teachers.score TRAIN OUT TABLE.parquet... --model model --patients PATIENTS.csv
"""

import argparse
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")  # whichever the model's Keras can have here

import numpy as np
from scipy.special import expit, logit

from benchmarks.common import Table
from cnn_gap.classifier import load_classifier
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.system.exit_codes import run
from cnn_gap.training.teacher_table import read_teacher_table
from research.teachers.crossed import NEAREST
from research.teachers.records import Records, read_records


def main(arguments: list[str]) -> None:
    """Print a row for each teacher and for the mean of their logits; then rows of training records."""
    options = _parser().parse_args(arguments)
    records = read_records(options.data, options.out / "cache", options.patients, options.weights)
    chosen = np.flatnonzero(records.validation)
    names = tuple(records.names[index] for index in chosen)
    tables = [read_teacher_table(path) for path in options.tables]
    said = {table.path.stem: table.probabilities_of(names, records.classes) for table in tables}
    for model in options.models:
        said[model.name] = _predictions(model, [options.data / name for name in names])
    logits = [logit(np.clip(each, NEAREST, 1 - NEAREST)) for each in said.values()]
    said["mean of the logits"] = expit(np.mean(logits, axis=0))
    _print_areas(records, chosen, "validation", said)
    learned = np.flatnonzero(~records.validation)
    names = tuple(records.names[index] for index in learned)
    said = {table.path.stem: table.probabilities_of(names, records.classes) for table in tables}
    _print_areas(records, learned, "training", said)


def _print_areas(records: Records, chosen: np.ndarray, kind: str, said: Mapping[str, np.ndarray]) -> None:
    rows = tuple((name, *_areas(records, chosen, each)) for name, each in said.items())
    print(f"{len(chosen)} {kind} records\n")
    print(Table("network", ("macro AUROC of all outputs", "Challenge classes", "findings"), rows), end="\n\n")


def _predictions(model: Path, paths: Iterable[Path]) -> np.ndarray:
    """Return a trained model's probabilities of records, (records, outputs)."""
    return np.array([each.probabilities for each in load_classifier(model).predict_batch(list(paths))])


def _areas(records: Records, chosen: np.ndarray, probabilities: np.ndarray) -> tuple[float, float, float]:
    """Return the macro AUROC of all outputs, of the Challenge's classes and of the findings."""
    areas = auroc_auprc(records.labels.numpy()[chosen] > 0, probabilities)[0]
    scored = len(records.classes.classes)
    return macro_average(areas), macro_average(areas[:scored]), macro_average(areas[scored:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.teachers.score", description="Score teachers.")
    parser.add_argument("data", type=Path, help="folder of records")
    parser.add_argument("out", type=Path, help="folder of the prepared windows")
    parser.add_argument("tables", type=Path, nargs="+", help="tables of probabilities")
    parser.add_argument(
        "--model", dest="models", type=Path, action="append", default=[], help="folder of a trained model"
    )
    parser.add_argument("--patients", type=Path, help="lines of record,patient")
    parser.add_argument("--weights", type=Path, default=Path("weights.csv"), help="the Challenge's table")
    return parser


if __name__ == "__main__":
    run(main)
