"""What the benchmarks share: arguments, interleaved timing, classified records and Markdown tables."""

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.diagnoses.classes import SNOMED, ClassSet, Diagnosis
from cnn_gap.evaluate.metrics import auroc_auprc, challenge_metric, macro_average
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.record import Record
from cnn_gap.signal.resampling import resample_by
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Records that are held in memory and classified together.
BATCH = 64

#: Different signals among linked records.
SIGNALS = 24


@dataclass(frozen=True, eq=False)
class Classified:
    """Records with what they are labelled and what a classifier says of them.

    Attributes
    ----------
    classes : ClassSet
        The C classes of the columns.
    names : tuple of str
        Of the n records.
    labels : ndarray, shape (n, C), bool
        The diagnoses of the records' headers.
    outputs : ndarray, shape (n, C), bool
        The classifier's labels.
    probabilities : ndarray, shape (n, C)
        The classifier's probabilities.
    """

    classes: ClassSet
    names: tuple[str, ...]
    labels: np.ndarray
    outputs: np.ndarray
    probabilities: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Classified":
        """Return some of the records, by indices or by a bool for each."""
        names = tuple(np.array(self.names)[rows])
        return Classified(self.classes, names, self.labels[rows], self.outputs[rows], self.probabilities[rows])

    @property
    def scored(self) -> "Classified":
        """The same of the classes that are scored, without the findings."""
        kept = slice(len(self.classes.classes))
        columns = (each[:, kept] for each in (self.labels, self.outputs, self.probabilities))
        return Classified(self.classes.scored, self.names, *columns)

    @property
    def auroc(self) -> float:
        """The macro AUROC over the classes that occur; nan where none does."""
        return macro_average(auroc_auprc(self.labels, self.probabilities)[0])

    @property
    def challenge_metric(self) -> float:
        """The Challenge metric; nan where no record has any of the classes."""
        if not self.labels.any():
            return math.nan
        return challenge_metric(self.classes, self.labels, self.outputs)

    def mean_change(self, reference: "Classified") -> float:
        """Return the mean absolute difference of the probabilities from another classification's."""
        return float(np.abs(self.probabilities - reference.probabilities).mean())


def unique_name(about: Diagnosis) -> str:
    """Return a name that no other class has: a finding may share its code with a scored class."""
    return about.code if about.system == SNOMED else f"{about.system}:{about.code}"


def model_parser(name: str, description: str, data: str = "labelled records") -> argparse.ArgumentParser:
    """Return a parser of MODEL, DATA and how many of its records are taken."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("data", metavar="DATA", type=Path, help=f"folder of {data}")
    parser.add_argument("--limit", metavar="N", type=int, help="records (default: all)")
    return parser


def start_classifier(model: Path) -> "Classifier":
    """Start Keras, which takes seconds, and load a model folder."""
    start_keras()
    from cnn_gap.classifier import load_classifier

    return load_classifier(model)


def interleaved(
    tasks: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median time of each task by a clock, s.

    Every round runs all tasks, each time beginning with the next one, so that whatever else the machine does
    falls on all of them alike.
    """
    names = list(tasks)
    times: dict[str, list[float]] = {name: [] for name in names}
    for first in range(rounds):
        for number in range(len(names)):
            name = names[(first + number) % len(names)]
            started = clock()
            tasks[name]()
            times[name].append(clock() - started)
    return {name: median(values) for name, values in times.items()}


def record_paths(folder: Path, limit: int | None) -> list[Path]:
    """Return the first `limit` records of a folder, all of them where it is None."""
    return find_records(folder)[:limit]


def record_batches(paths: Iterable[Path]) -> Iterator[list[Record]]:
    """Yield the records, `BATCH` at a time."""
    remaining = iter(paths)
    while batch := [read_record(path) for path in islice(remaining, BATCH)]:
        yield batch


def classify(
    classifier: "Classifier", paths: Iterable[Path], change: Callable[[Record], Record] | None = None
) -> Classified:
    """Classify records, each changed in some way first if `change` is given; what is scored alone counts."""
    return classify_all(classifier, paths, change).scored


def classify_all(
    classifier: "Classifier", paths: Iterable[Path], change: Callable[[Record], Record] | None = None
) -> Classified:
    """Classify records as `classify` does, with the findings."""
    labels, predictions = [], []
    for batch in record_batches(paths):
        labels += [classifier.classes.encode(record.codes) for record in batch]
        predictions += classifier.predict_batch(batch if change is None else list(map(change, batch)))
    return Classified(
        classifier.classes,
        tuple(prediction.name for prediction in predictions),
        np.array(labels),
        np.array([prediction.labels for prediction in predictions]),
        np.array([prediction.probabilities for prediction in predictions]),
    )


def classify_labelled(
    classifier: "Classifier",
    data: Path,
    limit: int | None = None,
    change: Callable[[Record], Record] | None = None,
) -> Classified:
    """Classify the first `limit` records of a folder, all of them where it is None, as `classify` does.

    Raises
    ------
    InputError
        If none has a diagnosis of the model's classes.
    """
    classified = classify(classifier, record_paths(data, limit), change)
    if not classified.labels.any():
        raise InputError(f"{data}: no record has a diagnosis of the model's classes; give labelled ones")
    return classified


def resampled(record: Record, rate: float) -> Record:
    """Return the record at `rate` (Hz); samples that are not valid become 0 mV."""
    ratio = Fraction(rate).limit_denominator(1000) / Fraction(record.sampling_rate).limit_denominator(1000)
    signal = resample_by(np.nan_to_num(record.signal), ratio)
    return replace(record, signal=signal.astype(np.float32), sampling_rate=float(rate))


def write_linked_records(folder: Path, count: int, sampling_rate: float) -> None:
    """Write simulated records of 10 s: headers that are linked to a few signals, so that many cost little."""
    from cnn_gap.simulation import draw_codes, simulate_record, write_simulated

    for index in range(min(count, SIGNALS)):
        record = simulate_record(f"R{index:05d}", draw_codes(index), sampling_rate, 10.0, index)
        write_simulated(folder, record)
    for index in range(SIGNALS, count):
        # The header still names the first one's signal file.
        (folder / f"R{index:05d}.hea").hardlink_to(folder / f"R{index % SIGNALS:05d}.hea")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; floats are given with three significant digits at least, nan as a dash."""
    lines = [
        headings,
        ["---"] + ["---:"] * (len(headings) - 1),
        *([_cell(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")
