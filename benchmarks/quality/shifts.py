"""Whether the mean over shifted windows predicts better than one window.

A network sees a record on the grid of its strides. Here each record is classified several times, each time
without a little more of its beginning, and the probabilities are averaged.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.common import classify_labelled, model_parser, start_classifier, table
from cnn_gap.evaluate.thresholds import apply_thresholds
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

#: How many shifts are averaged.
COUNTS = (1, 2, 4, 8)


def main(arguments: list[str]) -> None:
    """Classify the records at every shift and print a row for each number of them."""
    parser = model_parser("quality.shifts", __doc__)
    parser.add_argument(
        "--step", metavar="S", type=float, default=0.02, help="between two shifts, s (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    thresholds = classifier.description.lowest_probabilities[: len(classifier.classes.classes)]
    results = [
        classify_labelled(classifier, options.data, options.limit, without_first(number * options.step))
        for number in range(max(COUNTS))
    ]
    rows = []
    for count in COUNTS:
        probabilities = np.mean([each.probabilities for each in results[:count]], axis=0)
        mean = replace(
            results[0], probabilities=probabilities, outputs=apply_thresholds(probabilities, thresholds)
        )
        rows.append((f"{count}", mean.auroc, mean.challenge_metric))
    print(table(("windows averaged", "macro AUROC", "Challenge metric"), rows))


def without_first(seconds: float) -> Callable[[Record], Record]:
    """Return what leaves out the beginning of a record."""

    def shorten(record: Record) -> Record:
        return replace(record, signal=record.signal[round(seconds * record.sampling_rate) :])

    return shorten


if __name__ == "__main__":
    run(main)
