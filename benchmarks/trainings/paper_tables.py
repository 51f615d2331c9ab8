"""The paper's comparison of losses, its Tables 3 and 4: weighted cross-entropy against Macro-Obs.

Trains one configuration with both losses, all else equal, for each seed into OUT/LOSS-SEED, and scores the
records of TEST with each. A training that is finished there is taken as it is, one that is not goes on.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Classified, table
from benchmarks.trainings.runs import train_and_classify, training_parser
from cnn_gap.evaluate.metrics import Scores, f_measure, macro_average, score
from cnn_gap.system.backend import start_keras
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.training.config import Config

#: The losses, by the names that a configuration has for them.
LOSSES = {"weighted_binary_crossentropy": "weighted cross-entropy", "macro_obs": "Macro-Obs"}

#: The paper's own Challenge metrics, its Table 3: another division of all six databases of 2020.
PAPER = {"weighted_binary_crossentropy": 0.549, "macro_obs": 0.582}

#: By the heading of the column.
FIGURES: dict[str, Callable[[Scores], float]] = {
    "Challenge metric": lambda scores: scores.challenge_metric,
    "macro AUROC": lambda scores: scores.auroc,
    "macro AUPRC": lambda scores: scores.auprc,
    "F-measure": lambda scores: scores.f_measure,
    "accuracy": lambda scores: scores.accuracy,
}

#: The metric without a choice of thresholds, which may be what the paper had.
PLAIN = "Challenge metric at 0.5"

#: Results by loss, one for each seed.
Results = dict[str, list[Classified]]


def main(arguments: list[str]) -> None:
    """Train what is not trained, classify and print both tables."""
    options = _parser().parse_args(arguments)
    start_keras()  # after the arguments: it takes seconds
    from cnn_gap.training.config import SHIPPED_CONFIGS, read_config

    config = read_config(options.config or SHIPPED_CONFIGS / "paper.toml")
    results = {
        loss: [
            train_and_classify(options, _with_loss(config, loss, options.epochs), loss, seed)[1]
            for seed in options.seeds
        ]
        for loss in LOSSES
    }
    first = results["macro_obs"][0]
    print(f"{len(first.names)} records\n\n{_scores_table(results, options.seeds)}\n\n{class_table(results)}")


def _parser() -> argparse.ArgumentParser:
    parser = training_parser("trainings.paper_tables", __doc__, seeds=(0, 1))
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="what to train (default: configs/paper.toml)"
    )
    parser.add_argument(
        "--epochs", metavar="N", type=int, help="of each training (default: the configuration's)"
    )
    return parser


def _with_loss(config: "Config", loss: str, epochs: int | None) -> "Config":
    training = config.training
    epochs = training.epochs if epochs is None else epochs
    warmup = min(training.warmup_epochs, epochs)
    return replace(config, training=replace(training, loss=loss, epochs=epochs, warmup_epochs=warmup))


def _scores_table(results: Results, seeds: list[int]) -> str:
    """Return the figures of each training, their means, and the paper's."""
    rows, means = [], {}
    for loss, name in LOSSES.items():
        figures = [_figures(each) for each in results[loss]]
        rows += [(f"{name}, seed {seed}", *values) for seed, values in zip(seeds, figures, strict=True)]
        means[loss] = [fmean(column) for column in zip(*figures, strict=True)]
        rows.append((f"{name}, mean", *means[loss]))
    cross_entropy, macro_obs = (np.array(means[loss]) for loss in LOSSES)
    rows.append(("Macro-Obs gains", *map(float, macro_obs - cross_entropy)))
    blank = ["-"] * len(FIGURES)
    rows += [(f"{name}, the paper's own", PAPER[loss], *blank) for loss, name in LOSSES.items()]
    cross_entropy, macro_obs = (PAPER[loss] for loss in LOSSES)
    rows.append(("Macro-Obs gains, the paper's own", macro_obs - cross_entropy, *blank))
    return table(("loss", *FIGURES, PLAIN), rows)


def _figures(classified: Classified) -> list[float]:
    scores = score(classified.classes, classified.labels, classified.outputs, classified.probabilities)
    plain = replace(classified, outputs=classified.probabilities >= 0.5)
    return [*(figure(scores) for figure in FIGURES.values()), plain.challenge_metric]


def class_table(results: Results) -> str:
    """Return accuracy and F1 of each class that occurs under both losses, means over the seeds."""
    first = results["macro_obs"][0]
    columns = [_mean(_class_accuracy, results[loss]) for loss in LOSSES]
    columns += [_mean(_class_f_measure, results[loss]) for loss in LOSSES]
    counts = first.labels.sum(axis=0)
    rows = [
        (about.name, int(count), *map(float, values))
        for about, count, *values in zip(first.classes.diagnoses, counts, *columns, strict=True)
        if count
    ]
    headings = [f"{figure}, {name}" for figure in ("accuracy", "F1") for name in LOSSES.values()]
    return table(("class", "records", *headings), [*rows, _mean_row(rows)])


def _mean_row(rows: list[tuple]) -> tuple:
    columns = list(zip(*rows, strict=True))[2:]
    return "mean of the classes", "", *(macro_average(np.array(column)) for column in columns)


def _mean(figure: Callable[[Classified], np.ndarray], results: list[Classified]) -> np.ndarray:
    return np.mean([figure(each) for each in results], axis=0)


def _class_accuracy(classified: Classified) -> np.ndarray:
    return (classified.labels == classified.outputs).mean(axis=0)


def _class_f_measure(classified: Classified) -> np.ndarray:
    return f_measure(classified.labels, classified.outputs)


if __name__ == "__main__":
    run(main)
