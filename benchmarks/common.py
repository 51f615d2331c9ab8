"""Shared by the benchmarks: a model with its records, classified records, interleaved timing and tables."""

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Number of records that are held in memory and classified at once.
BATCH = 64

#: Number of distinct signals among linked records.
SIGNALS = 24


@dataclass(frozen=True, eq=False)
class Classified:
    """Records with their labels and a classifier's answers.

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
        """The same records with the scored classes alone, without the findings."""
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
        return challenge_metric(self.classes, self.labels, self.outputs) if self.labels.any() else math.nan

    def mean_change(self, reference: "Classified") -> float:
        """Return the mean absolute difference between these probabilities and another classification's."""
        return float(np.abs(self.probabilities - reference.probabilities).mean())


@dataclass(frozen=True, eq=False)
class Study:
    """A model and the folders of records that it is measured on.

    Attributes
    ----------
    classifier : Classifier
    folders : mapping of str to Path
        Folders of records by the option that names them: "data", "others", ...
    limit : int, optional
        Number of records that are taken of each folder; all by default.
    """

    classifier: "Classifier"
    folders: Mapping[str, Path]
    limit: int | None = None
    _classified: dict[str, Classified] = field(default_factory=dict)

    def paths(self, folder: str = "data") -> list[Path]:
        """Return the records of a folder."""
        return find_records(self.folders[folder])[: self.limit]

    def records(self, folder: str = "data") -> list[Record]:
        """Read the records of a folder."""
        return [read_record(path) for path in self.paths(folder)]

    def classified(self, folder: str = "data") -> Classified:
        """Classify the records of a folder, with the findings; further calls return the same result.

        Raises
        ------
        InputError
            If no record has a diagnosis of the model's classes.
        """
        if folder not in self._classified:
            classified = classify(self.classifier, self.paths(folder))
            if not classified.labels.any():
                known = "no record has a diagnosis of the model's classes; give labelled ones"
                raise InputError(f"{self.folders[folder]}: {known}")
            self._classified[folder] = classified
        return self._classified[folder]


@dataclass(frozen=True)
class Table:
    """Figures of a measurement.

    Attributes
    ----------
    name : str
        Unique among all tables of a page; the heading of the rows' names.
    headings : tuple of str
        Of the other columns.
    rows : tuple of tuple
        Each begins with its name, unique in the table. Cells are str, int, float (nan: unknown) or Estimate.
    """

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __str__(self) -> str:
        """Write Markdown; floats have three significant digits at least."""
        lines = [
            (self.name, *self.headings),
            ["---"] + ["---:"] * len(self.headings),
            *([cell(value) for value in row] for row in self.rows),
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: object) -> str:
    """Return how a figure is written: three significant digits at least, a dash for nan."""
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def unique_name(about: Diagnosis) -> str:
    """Return a name that no other class has: a finding may share its code with a scored class."""
    return about.code if about.system == SNOMED else f"{about.system}:{about.code}"


def start_classifier(model: Path) -> "Classifier":
    """Load a model folder."""
    from cnn_gap.classifier import load_classifier

    return load_classifier(model)


def classify(
    classifier: "Classifier", paths: Iterable[Path], change: Callable[[Record], Record] | None = None
) -> Classified:
    """Classify records, each changed by `change` first if it is given; with the findings."""
    labels, predictions = [], []
    for batch in batches(paths):
        records = [read_record(path) for path in batch]
        labels += [classifier.classes.encode(record.codes) for record in records]
        predictions += classifier.predict_batch(records if change is None else list(map(change, records)))
    return Classified(
        classifier.classes,
        tuple(prediction.name for prediction in predictions),
        np.array(labels),
        np.array([prediction.labels for prediction in predictions]),
        np.array([prediction.probabilities for prediction in predictions]),
    )


def command_parser(name: str, doc: str) -> argparse.ArgumentParser:
    """Return the parser of a command; its help has the module's docstring around the options.

    Parameters
    ----------
    name : str
        The module, such as ``"benchmarks.results"``.
    doc : str
        Its docstring: a summary, an empty line, and the details.
    """
    summary, _, details = doc.partition("\n\n")
    return argparse.ArgumentParser(prog=f"python -m {name}", description=summary, epilog=details)


def batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the items in lists of `BATCH`."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def interleaved(
    tasks: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median time of each task by a clock, s.

    Every round runs all tasks and begins with another one, so that other load falls on all alike.
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


def resampled(record: Record, rate: float) -> Record:
    """Return the record at `rate` (Hz); samples that are not valid become 0 mV."""
    ratio = Fraction(rate).limit_denominator(1000) / Fraction(record.sampling_rate).limit_denominator(1000)
    signal = resample_by(np.nan_to_num(record.signal), ratio)
    return replace(record, signal=signal.astype(np.float32), sampling_rate=float(rate))


def write_linked_records(folder: Path, count: int, sampling_rate: float) -> None:
    """Write simulated records of 10 s; those beyond `SIGNALS` are links, so that many take little space."""
    from cnn_gap.simulation import draw_codes, simulate_record, write_simulated

    for index in range(min(count, SIGNALS)):
        record = simulate_record(f"R{index:05d}", draw_codes(index), sampling_rate, 10.0, index)
        write_simulated(folder, record)
    for index in range(SIGNALS, count):
        # The linked header names the signal file of the record that it is linked to.
        (folder / f"R{index:05d}.hea").hardlink_to(folder / f"R{index % SIGNALS:05d}.hea")
