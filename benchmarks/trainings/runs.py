"""What the benchmarks share that train several models and score the same records with each."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common import Classified, classify_labelled
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.training.config import Config


def training_parser(name: str, description: str, seeds: Sequence[int]) -> argparse.ArgumentParser:
    """Return a parser of TRAIN, TEST and OUT and of what the trainings have in common."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("train", metavar="TRAIN", type=Path, help="folder of records to train on")
    parser.add_argument("test", metavar="TEST", type=Path, help="folder of other records to score")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the models")
    parser.add_argument(
        "--patients", metavar="TABLE.csv", type=Path, help="lines of record,patient, as in training"
    )
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="folder for the prepared windows (default: OUT/cache)"
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        type=int,
        nargs="+",
        default=list(seeds),
        help=f"of the trainings (default: {' '.join(map(str, seeds))})",
    )
    return parser


def train_and_classify(
    options: argparse.Namespace, config: "Config", name: str, seed: int, classes: ClassSet | None = None
) -> tuple["Classifier", Classified]:
    """Train into OUT/NAME-SEED, if that is not done yet, and classify the test records.

    The classes are the Challenge's if none are given.

    Raises
    ------
    InputError
        If the folder holds a training with other settings.
    """
    from cnn_gap.classifier import load_classifier
    from cnn_gap.training.train import train_model

    classes = read_weights() if classes is None else classes
    model = options.out / f"{name}-{seed}"
    description = train_model(
        options.train,
        model,
        config,
        classes,
        seed=seed,
        resume=True,
        patient_table=options.patients,
        cache=options.cache or options.out / "cache",
        log=lambda line: print(f"{model.name}: {line}", file=sys.stderr, flush=True),
    )
    if description.classes != classes.classes:
        raise InputError(f"{model}: was trained on other classes; give another OUT")
    _require_same(model, description.training, config, seed)
    classifier = load_classifier(model)
    return classifier, classify_labelled(classifier, options.test)


def _require_same(model: Path, training: dict[str, Any], config: "Config", seed: int) -> None:
    """Refuse a finished training that differs from the one asked for, as far as both tell."""
    from cnn_gap.system.settings import to_dict

    wanted = {**to_dict(config), "seed": seed}
    held = _flat({**training["config"], "seed": training["seed"]})
    for key, value in _flat(wanted).items():
        if held.get(key, value) != value:
            raise InputError(
                f"{model}: was trained with {key} {held[key]}, not {value}; give that training's --config,"
                " or another OUT"
            )


def _flat(content: dict[str, Any], where: str = "") -> dict[str, Any]:
    """Return nested tables as one of dotted keys, with JSON's types."""
    flat = {}
    for key, value in json.loads(json.dumps(content)).items():
        flat |= _flat(value, f"{where}{key}.") if isinstance(value, dict) else {f"{where}{key}": value}
    return flat
