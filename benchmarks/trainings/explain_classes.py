"""Do maps explain less where there are more classes, as Lin et al. 2020 saw with 4, 9 and 24?

Trains one configuration on so many classes, all else equal, for each seed into OUT/classes_N-SEED. What the
sets have in common is measured on the records of TEST: AUROC, whether maps point at premature atrial beats, and
how much the probabilities of labelled classes hang on what the maps point at, each step a tenth of the time. A
training that is finished is taken as it is, one that is not goes on.
"""

import argparse
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Classified, table
from benchmarks.estimates import mean, proportion
from benchmarks.maps.faithfulness import areas, by_chance, by_map, labelled_cases, with_baseline
from benchmarks.maps.pointing import (
    PREMATURE_CODES,
    Truth,
    agreed_beats,
    pointings,
    premature_truth,
    records_with,
)
from benchmarks.trainings.runs import train_and_classify, training_parser
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.io.sources import find_records
from cnn_gap.record import Record
from cnn_gap.simulation.heart_conditions import code_of
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: The four classes that all sets hold: two rhythms, a beat and a kind of complex.
SHARED = ("AF", "CRBBB", "PAC", "NSR")

#: What nine hold besides, all frequent in PTB-XL.
FURTHER = ("IAVB", "LBBB", "LAD", "TAb", "SB")

#: Length of the pieces that are removed, s.
PIECE_S = 1.0

#: The columns: first of the classes that all share, then of premature beats, then of deletion and insertion.
HEADINGS = (
    "classes",
    "AUROC",
    "AUROC, PAC",
    "maximum on a premature beat",
    "activation there",
    "deletion",
    "deletion less chance",
    "insertion",
    "insertion less chance",
)


def main(arguments: list[str]) -> None:
    """Train what is not trained, measure and print a row a training."""
    options = _parser().parse_args(arguments)
    start_keras()  # after the arguments: it takes seconds
    from cnn_gap.training.config import DEFAULT_CONFIG, read_config

    config = read_config(options.config or DEFAULT_CONFIG)
    paths = find_records(options.test)
    truth = premature_truth(records_with(paths, PREMATURE_CODES), agreed_beats)
    labelled = labelled_records(paths, options.records)
    rows = []
    for classes in class_sets(read_weights()):
        for seed in options.seeds:
            name = f"classes_{len(classes)}"
            trained = train_and_classify(options, config, name, seed, classes)
            rows.append((f"{len(classes)}, seed {seed}", *_figures(*trained, truth, labelled)))
    print(f"{len(truth.records)} records with premature beats, {len(labelled)} for deletion and insertion\n")
    print(table(HEADINGS, rows))


def _parser() -> argparse.ArgumentParser:
    parser = training_parser("trainings.explain_classes", __doc__, seeds=(0,))
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="what to train (default: configs/default.toml)"
    )
    parser.add_argument(
        "--records",
        metavar="N",
        type=int,
        default=50,
        help="of each class for deletion and insertion (default: 50)",
    )
    return parser


def class_sets(classes: ClassSet) -> list[ClassSet]:
    """Return the sets to train on, each in the order of `classes` and with its rewards."""
    nine = chosen(classes, SHARED + FURTHER)
    return [chosen(nine, SHARED), nine, classes]


def chosen(classes: ClassSet, abbreviations: Collection[str]) -> ClassSet:
    """Return the classes with these abbreviations and their rewards."""
    kept = np.flatnonzero(classes.encode(code_of(name) for name in abbreviations))
    rewards = classes.reward_matrix()[np.ix_(kept, kept)]
    return ClassSet(tuple(classes.classes[index] for index in kept), tuple(map(tuple, rewards.tolist())))


def labelled_records(paths: Collection[Path], count: int) -> list[Record]:
    """Return up to `count` records with each of the shared classes, each record once.

    Raises
    ------
    InputError
        If there is none.
    """
    found: dict[str, Record] = {}
    for codes in chosen(read_weights(), SHARED).classes:
        found |= {record.name: record for record in records_with(paths, codes, count)}
    if not found:
        raise InputError("no record of TEST is labelled with a shared class; give others")
    return list(found.values())


def _figures(
    classifier: "Classifier", classified: Classified, truth: Truth, labelled: list[Record]
) -> list[object]:
    """Return what `HEADINGS` name."""
    pointed = pointings(classifier, truth)
    figures: list[object] = [shared_auroc(classified, SHARED), shared_auroc(classified, ("PAC",))]
    figures += [proportion([each.hit for each in pointed]), mean([each.inside for each in pointed])]
    codes = [code_of(name) for name in SHARED]
    cases = [replace(case, piece_s=PIECE_S) for case in labelled_cases(classifier, labelled, codes)]
    found = areas(classifier, cases, {"map": by_map, "chance": by_chance}, with_baseline)
    for curve in (0, 1):
        figures += [mean(found["map"][:, curve]), mean((found["map"] - found["chance"])[:, curve])]
    return figures


def shared_auroc(classified: Classified, abbreviations: Collection[str]) -> float:
    """Return the macro AUROC of these classes alone."""
    columns = classified.classes.encode(code_of(name) for name in abbreviations)
    aurocs, _ = auroc_auprc(classified.labels[:, columns], classified.probabilities[:, columns])
    return float(macro_average(aurocs))


if __name__ == "__main__":
    run(main)
