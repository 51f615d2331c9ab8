"""How much of a model's Challenge metric hangs on the records that its thresholds were chosen on.

The records are divided into random halves: thresholds chosen on one are scored on the other, both ways. The
rule `answers.at_least_one` is not applied.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.common import Classified, classify_labelled, model_parser, start_classifier, table
from cnn_gap.evaluate.metrics import challenge_metric
from cnn_gap.evaluate.thresholds import (
    DEFAULT_THRESHOLD,
    apply_thresholds,
    choose_thresholds,
    stable_thresholds,
)
from cnn_gap.system.exit_codes import run

#: How thresholds are chosen, by the name of the row.
CHOICES = {"as in training": stable_thresholds, "by one exact search": choose_thresholds}


def main(arguments: list[str]) -> None:
    """Classify the records, choose thresholds in several ways and print a table."""
    parser = model_parser("quality.threshold_stability", __doc__)
    parser.add_argument(
        "--rounds", metavar="N", type=_positive, default=10, help="random divisions (default: %(default)s)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of them (default: %(default)s)")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    classified = classify_labelled(classifier, options.data, options.limit)
    if len(classified.names) < 2:
        parser.error("needs two records at least")
    count = len(classified.classes)  # without the findings
    own = classifier.description.lowest_probabilities[:count]
    seen = np.array(classifier.description.seen)[:count]
    halves = list(random_halves(len(classified.names), options.rounds, np.random.default_rng(options.seed)))
    print(f"{len(classified.names)} records, {options.rounds} divisions into halves\n")
    rows = _rows(classified, own, seen, halves)
    print(table(("thresholds", "Challenge metric", "standard deviation over halves"), rows))


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on; received {text!r}")
    return int(text)


def random_halves(count: int, rounds: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield random halves of the indices, each pair in both orders."""
    for _ in range(rounds):
        one, other = np.array_split(rng.permutation(count), 2)
        yield one, other
        yield other, one


def _rows(
    records: Classified, own: np.ndarray, seen: np.ndarray, halves: list[tuple[np.ndarray, np.ndarray]]
) -> list[tuple]:
    on_halves = [_metric(records[scored], own) for _, scored in halves]
    crossed = {
        name: [
            _metric(records[scored], _chosen(choose, records[chosen_on], seen)) for chosen_on, scored in halves
        ]
        for name, choose in CHOICES.items()
    }
    return [
        ("the model's own", _metric(records, own), "-"),
        ("the model's own, mean over the halves", float(np.mean(on_halves)), float(np.std(on_halves))),
        *(
            (f"chosen on one half, scored on the other, {name}", float(np.mean(found)), float(np.std(found)))
            for name, found in crossed.items()
        ),
        (
            "chosen on the records scored: an upper bound",
            _metric(records, _chosen(choose_thresholds, records, seen)),
            "-",
        ),
        (f"{DEFAULT_THRESHOLD:g} for all", _metric(records, np.where(seen, DEFAULT_THRESHOLD, np.inf)), "-"),
    ]


def _chosen(choose: Callable[..., np.ndarray], records: Classified, seen: np.ndarray) -> np.ndarray:
    return choose(records.classes, records.labels, records.probabilities, seen)


def _metric(records: Classified, thresholds: np.ndarray) -> float:
    return challenge_metric(
        records.classes, records.labels, apply_thresholds(records.probabilities, thresholds)
    )


if __name__ == "__main__":
    run(main)
