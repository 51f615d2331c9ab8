"""Rank records by the highest mean of a map over some seconds, instead of the mean over all of it.

    python -m research.pooling MODEL DATA

What lasts for a moment, as a premature beat does, is a small part of the mean over a window. Records are ranked
by their first window.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.common import Table, batches, command_parser, start_classifier, unique_name
from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.network.map_logits import highest_means
from cnn_gap.system.exit_codes import run

#: Lengths over which a map is averaged, s; the first is all of it.
LENGTHS_S = (np.inf, 5.0, 3.2, 2.0, 1.0)

#: Positive records that a class needs to be listed, and the smallest change of its AUROC.
POSITIVES, LEAST_CHANGE = 10, 0.004


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = command_parser("research.pooling", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument(
        "data", metavar="DATA", type=Path, help="labelled records of the length of a window or more"
    )
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    rate = classifier.description.preprocessing.sampling_rate / classifier.map_stride
    labels: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    for batch in batches(find_records(options.data)):
        records = [read_record(path) for path in batch]
        windows = np.concatenate([classifier.windows(record)[:1] for record in records])
        maps = classifier.run_with_maps(windows)[1]
        scores.append(logits_by_length(maps, rate))
        labels += [classifier.classes.encode_taught(record.codes) for record in records]
    print(table(classifier.classes, np.array(labels), np.concatenate(scores, axis=1)))


def logits_by_length(maps: np.ndarray, rate: float) -> np.ndarray:
    """Return the logits, without biases, by each of `LENGTHS_S`, (lengths, windows, outputs).

    Parameters
    ----------
    maps : ndarray, shape (windows, steps, outputs)
    rate : float
        Steps a second.
    """
    odd = [2 * int(seconds * rate / 2) + 1 for seconds in LENGTHS_S[1:]]
    return np.stack([maps.mean(axis=1), *(highest_means(maps, steps) for steps in odd)])


def table(classes: ClassSet, labels: np.ndarray, scores: np.ndarray) -> Table:
    """Return AUROC and area under the precision-recall curve by each length.

    Parameters
    ----------
    classes : ClassSet
    labels : ndarray, shape (records, outputs), bool
    scores : ndarray, shape (lengths, records, outputs)
    """
    areas = np.array([auroc_auprc(labels, each) for each in scores])  # (lengths, 2, outputs)
    headings = ("positives", *("all" if length == np.inf else f"{length:g} s" for length in LENGTHS_S))
    return Table("class", headings, tuple(_rows(classes, labels, areas)))


def _rows(classes: ClassSet, labels: np.ndarray, areas: np.ndarray) -> Iterator[tuple[object, ...]]:
    """Yield the means over the scored classes, and the classes that change, those that gain most first."""
    scored = slice(len(classes.classes))
    means = [[macro_average(each[scored]) for each in pair] for pair in areas]
    yield "mean of the Challenge's classes", "", *(f"{area:.3f}, {precision:.3f}" for area, precision in means)
    changes = areas[:, 0] - areas[0, 0]
    largest = np.take_along_axis(changes, np.abs(changes[:3]).argmax(axis=0)[None], axis=0)[0]
    for column in np.argsort(-np.nan_to_num(largest)):
        count = int(labels[:, column].sum())
        if count >= POSITIVES and abs(largest[column]) >= LEAST_CHANGE:
            about = classes.diagnoses[column]
            row = (f"{area:.3f}, {precision:.3f}" for area, precision in areas[:, :, column])
            yield f"{about.name} ({unique_name(about)})", count, *row


if __name__ == "__main__":
    run(main)
