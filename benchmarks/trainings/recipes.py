"""What each change of a recipe does: one configuration a row, trained and scored alike.

Trains each configuration for each seed into OUT/NAME-SEED and scores the records of TEST with it. A training
that is finished there is taken as it is, one that is not goes on. The first row is what the others change.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.common import table
from benchmarks.trainings.runs import train_and_classify, training_parser
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.system.backend import start_keras
from cnn_gap.system.exit_codes import run

#: The configuration that the others change in one way.
BASELINE = "baseline"


def main(arguments: list[str]) -> None:
    """Train what is not trained, classify and print a row a configuration."""
    options = _parser().parse_args(arguments)
    start_keras()  # after the arguments: it takes seconds
    paths = options.configs or _shipped()
    figures = {path.stem: _figures(options, path) for path in paths}
    reference = next(iter(figures.values()))
    rows = [
        (name, len(options.seeds), *values, values[1] - reference[1], values[3] - reference[3])
        for name, values in figures.items()
    ]
    headings = ("recipe", "seeds", "validation AUROC", "TEST AUROC", "validation metric", "TEST metric")
    print(table((*headings, "AUROC gained", "metric gained"), rows))


def _parser() -> argparse.ArgumentParser:
    parser = training_parser("trainings.recipes", __doc__, seeds=(0,))
    parser.add_argument(
        "--configs",
        metavar="FILE.toml",
        type=Path,
        nargs="+",
        help="what to train, first the one that the others are compared with (default: configs/recipes)",
    )
    parser.add_argument("--findings", metavar="TABLE", help="further answers, as of train_model.py")
    return parser


def _shipped() -> list[Path]:
    from cnn_gap.system.shipped import SHIPPED_CONFIGS

    return sorted(
        (SHIPPED_CONFIGS / "recipes").glob("*.toml"), key=lambda path: (path.stem != BASELINE, path.stem)
    )


def _figures(options: argparse.Namespace, path: Path) -> list[float]:
    """Return AUROC and Challenge metric of validation and TEST, means over the seeds."""
    from cnn_gap.training.config import read_config

    config, classes = read_config(path), read_weights()
    if options.findings:
        classes = replace(classes, findings=read_findings(options.findings))
    figures = []
    for seed in options.seeds:
        classifier, classified = train_and_classify(options, config, path.stem, seed, classes)
        validation = classifier.description.training["validation"]
        figures.append(
            (
                validation["val_auroc"],
                classified.auroc,
                validation["val_challenge_metric"],
                classified.challenge_metric,
            )
        )
    return [fmean(column) for column in zip(*figures, strict=True)]


if __name__ == "__main__":
    run(main)
