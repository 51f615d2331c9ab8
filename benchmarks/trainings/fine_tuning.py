"""What a trained model is worth to few records of other hospitals: fine-tuned, as it is, and trained anew.

Cross-validation: the records of DATA are divided; each part is classified by a network that the others have
trained, once from the weights of MODEL and once from random ones, with the same blocks and preprocessing.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Classified, classify, model_parser, record_paths, start_classifier, table
from benchmarks.quality.databases import macro_auroc
from cnn_gap.io.records import read_info
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.training.fine_tuning import PretrainedModel

#: Epochs and learning rate of the training from random weights: it needs more of both.
ANEW = {"epochs": 60, "learning_rate": 2e-3}


def main(arguments: list[str]) -> None:
    """Train and classify every part in each way and print a table."""
    options = _parser().parse_args(arguments)
    classifier = start_classifier(options.model)
    from cnn_gap.training.fine_tuning import read_pretrained_model

    start = read_pretrained_model(options.model)
    paths = [p for p in record_paths(options.data, None) if not p.name.startswith(tuple(options.exclude))]
    if len(paths) < options.parts:
        raise InputError(f"{options.data}: has {len(paths)} records; {options.parts} parts need more")
    order = np.random.default_rng(options.seed).permutation(len(paths))
    parts = [[paths[index] for index in part] for part in np.array_split(order, options.parts)]
    results = {
        "as it is": [classify(classifier, part) for part in parts],
        "trained anew": _cross_validate(options, parts, start, None),
        "fine-tuned": _cross_validate(options, parts, start, start),
    }
    joined = {name: _join(each) for name, each in results.items()}
    print(f"{len(paths)} records in {options.parts} parts\n\n{_table(joined, options.positives)}")


def _parser() -> argparse.ArgumentParser:
    parser = model_parser("trainings.fine_tuning", __doc__)
    parser.add_argument("--parts", metavar="N", type=int, default=5, help="of DATA (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the division and the trainings")
    parser.add_argument(
        "--positives", metavar="N", type=int, default=10, help="that a class needs (default: %(default)s)"
    )
    parser.add_argument(
        "--exclude", metavar="PREFIX", nargs="*", default=[], help="leave out records whose names begin so"
    )
    return parser


def _cross_validate(
    options: argparse.Namespace,
    parts: list[list[Path]],
    start: "PretrainedModel",
    weights: "PretrainedModel | None",
) -> list[Classified]:
    results = []
    for number, part in enumerate(parts):
        others = [path for other in parts if other is not part for path in other]
        with tempfile.TemporaryDirectory() as folder:
            print(f"part {number + 1} of {len(parts)}: {len(others)} records", file=sys.stderr)
            classifier = _train(options, others, start, weights, Path(folder))
            results.append(classify(classifier, part))
    return results


def _train(
    options: argparse.Namespace,
    paths: Iterable[Path],
    start: "PretrainedModel",
    weights: "PretrainedModel | None",
    folder: Path,
) -> "Classifier":
    from cnn_gap.classifier import load_classifier
    from cnn_gap.training.config import FINE_TUNING_CONFIG, read_config
    from cnn_gap.training.train import train_model

    config = start.configure(read_config(FINE_TUNING_CONFIG))
    if weights is None:
        config = replace(config, training=replace(config.training, **ANEW))
    labels = folder / "labels.csv"
    with labels.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((path.stem, *read_info(path).codes) for path in paths)
    train_model(
        options.data,
        folder / "model",
        config,
        start.description.class_set,
        seed=options.seed,
        label_table=labels,
        start=weights,
        log=lambda line: None,
    )
    return load_classifier(folder / "model")


def _join(parts: list[Classified]) -> Classified:
    return Classified(
        parts[0].classes,
        tuple(name for part in parts for name in part.names),
        *(
            np.concatenate([getattr(part, key) for part in parts])
            for key in ("labels", "outputs", "probabilities")
        ),
    )


def _table(results: dict[str, Classified], positives: int) -> str:
    rows = [
        (name, *macro_auroc(each, positives), *macro_auroc(each, 1), each.challenge_metric)
        for name, each in results.items()
    ]
    headings = (
        "",
        f"macro AUROC, classes with {positives} positives",
        "classes",
        "macro AUROC, all",
        "classes",
    )
    return table((*headings, "Challenge metric"), rows)


if __name__ == "__main__":
    run(main)
