"""Train configurations alike and score the same records with each: one row for each configuration.

Trains each configuration for each seed into OUT/NAME-SEED and scores the records of TEST with it; NAME is the
file's name. A finished training is not repeated, an interrupted one is resumed. Figures are means over the
seeds; a range is the largest figure of a seed less the smallest. Differences are from the first configuration.
Folders of configurations: `research/configs/crops` (the shipped model's first training), `recipes`
(augmentation and blocks), `maps` (kernels and pooling), `half` (map penalty, gate, layers) and `paper_tables`
(the losses of the paper's Tables 3 and 4).
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import Study, Table
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run
from cnn_gap.system.settings import to_dict

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.training.config import Config

HEADINGS = (
    "seeds",
    "AUROC of all outputs",
    "range",
    "difference",
    "AUROC of the Challenge's classes",
    "Challenge metric",
    "range of the metric",
    "difference of the metric",
)


def main(arguments: list[str]) -> None:
    """Train the configurations that are not trained yet, classify, and print a row for each."""
    options = _parser().parse_args(arguments)
    start_keras()  # after the arguments: it takes seconds
    figures = {path.stem: _figures(options, path) for path in options.configs}
    first = next(iter(figures.values())).mean(axis=0)
    print(Table("configuration", HEADINGS, tuple(_row(*item, first) for item in figures.items())))


def _row(name: str, figures: np.ndarray, first: np.ndarray) -> tuple[Any, ...]:
    """Return a row of `HEADINGS` of a configuration's figures, beside the first configuration's means."""
    means, ranges = figures.mean(axis=0), np.ptp(figures, axis=0)
    outputs, scored, metric = means
    differences = means - first
    return name, len(figures), outputs, ranges[0], differences[0], scored, metric, ranges[2], differences[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.recipes", description=__doc__)
    parser.add_argument("train", metavar="TRAIN", type=Path, help="folder of records to train on")
    parser.add_argument("test", metavar="TEST", type=Path, help="folder of other records to score")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the models")
    parser.add_argument("--configs", metavar="FILE.toml", type=Path, nargs="+", required=True)
    parser.add_argument("--findings", metavar="TABLE", help="as of train_model.py")
    parser.add_argument("--patients", metavar="TABLE.csv", type=Path, help="as of train_model.py")
    parser.add_argument("--seeds", metavar="N", type=int, nargs="+", default=[0], help="default: 0")
    return parser


def _figures(options: argparse.Namespace, path: Path) -> np.ndarray:
    """Return the AUROC of all outputs and of the Challenge's classes, and the metric: (seeds, 3)."""
    from cnn_gap.training.config import read_config

    config, classes = read_config(path), read_weights()
    if options.findings:
        classes = replace(classes, findings=read_findings(options.findings))
    figures = []
    for seed in options.seeds:
        classifier = _train(options, config, f"{path.stem}-{seed}", seed, classes)
        found = Study(classifier, {"data": options.test}).classified()
        figures.append((found.auroc, found.scored.auroc, found.scored.challenge_metric))
    return np.array(figures)


def _train(
    options: argparse.Namespace, config: "Config", name: str, seed: int, classes: ClassSet
) -> "Classifier":
    """Train into OUT/NAME if that is not done yet.

    Raises
    ------
    InputError
        If the folder holds a training with other settings or classes.
    """
    from cnn_gap.classifier import load_classifier
    from cnn_gap.training.train import train_model

    model = options.out / name
    description = train_model(
        options.train,
        model,
        config,
        classes,
        seed=seed,
        resume=True,
        patient_table=options.patients,
        cache=options.out / "cache",
        log=lambda line: print(f"{name}: {line}", file=sys.stderr, flush=True),
    )
    if description.classes != classes.classes:
        raise InputError(f"{model}: was trained on other classes; give another OUT")
    wanted, held = (_flat(_as_written(each)) for each in (to_dict(config), description.training["config"]))
    for key, value in wanted.items():
        if held.get(key, value) != value:
            raise InputError(f"{model}: was trained with {key} {held[key]}, not {value}; give another OUT")
    return load_classifier(model)


def _as_written(content: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as model.json holds it, where tuples are lists; a new model still has tuples."""
    read: dict[str, Any] = json.loads(json.dumps(content))
    return read


def _flat(content: dict[str, Any], where: str = "") -> dict[str, Any]:
    """Return nested tables as one of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{where}{key}.") if isinstance(value, dict) else {f"{where}{key}": value}
    return flat


if __name__ == "__main__":
    run(main)
