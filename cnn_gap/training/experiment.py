"""The experiment: a training's configuration, classes, records with their windows, and their split."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.io.label_tables import RecordTable, read_label_table, read_record_table
from cnn_gap.io.records import RecordInfo
from cnn_gap.io.sources import ListedRecord
from cnn_gap.io.training_records import list_training_records, read_listed_info
from cnn_gap.system.chunks import Run
from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import to_dict
from cnn_gap.training.batches import Examples, split_records
from cnn_gap.training.config import Config
from cnn_gap.training.fine_tuning import PretrainedModel
from cnn_gap.training.teacher import Teacher
from cnn_gap.training.teacher_table import TableTeacher
from cnn_gap.training.window_store import prepare_windows

#: A function that is called with each line of progress.
Log = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Partition:
    """The indices of the records to train on and to validate on, and all records' labels and patients."""

    training: np.ndarray
    validation: np.ndarray
    labels: np.ndarray
    patients: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """A mask of the classes that occur in the training records, shape (classes,), bool."""
        return np.asarray(self.labels[self.training].any(axis=0))

    @property
    def positive_weights(self) -> np.ndarray:
        """Negatives / positives of each class in the training records; 1 for a class without positives."""
        positives = self.labels[self.training].sum(axis=0)
        return np.where(positives > 0, (len(self.training) - positives) / np.maximum(positives, 1), 1.0)


@dataclass(frozen=True, eq=False)
class Experiment:
    """The inputs of a training; `names` are the records' names, `start` is the model to start from."""

    config: Config
    classes: ClassSet
    seed: int
    names: tuple[str, ...]
    examples: Examples
    partition: Partition
    start: PretrainedModel | None = None
    teachers: tuple[Teacher | TableTeacher, ...] = ()

    @property
    def seen(self) -> np.ndarray:
        """A mask of the classes that this model or the one to start from is trained on, (classes,) bool."""
        seen = self.partition.seen
        return seen if self.start is None else seen | self.start.seen(self.classes)

    @property
    def momentary(self) -> tuple[int, ...]:
        """The indices of the outputs with a code of `network.momentary`, which may last for a moment."""
        return tuple(np.flatnonzero(self.classes.encode(self.config.network.momentary)).tolist())

    @property
    def setup(self) -> dict[str, Any]:
        """The values that must be the same to resume the training; a checkpoint holds them."""
        return {
            "config": to_dict(self.config),
            "classes": self.classes.classes,
            "weights": self.classes.weights,
            "findings": [to_dict(finding) for finding in self.classes.findings],
            "seed": self.seed,
            "fingerprint of the records": self.examples.store.folder.name,
            "fingerprint of the labels": _digest(self.examples.labels),
            "fingerprint of the split": _digest(self.partition.validation),
            "fingerprint of the model to start from": None if self.start is None else self.start.fingerprint,
            "fingerprints of the teachers": [teacher.fingerprint for teacher in self.teachers],
        }


@dataclass(frozen=True)
class Sources:
    """The folders and tables that a training reads: see `cnn_gap.training.train.train_model`."""

    data: str
    cache: Path
    label_table: Path | None = None
    patient_table: Path | None = None
    strict: bool = False
    run: Run | None = None


def prepare_experiment(
    sources: Sources,
    config: Config,
    classes: ClassSet,
    seed: int,
    start: PretrainedModel | None = None,
    teachers: tuple[Teacher | TableTeacher, ...] = (),
    log: Log = print,
) -> Experiment:
    """Read the records' labels, prepare their windows and split them.

    Records that cannot be read, or that the label table does not list, are left out with a line to `log`.

    Raises
    ------
    InputError
        If no record can be trained on, none has a label of `classes`, or a teacher predicts other classes.
    """
    if start is not None:
        for line in start.left_out(config, classes):
            log(line)
        config = start.configure(config)
    for teacher in teachers:
        teacher.require_match(classes, config.preprocessing)
    listed = list_training_records(sources.data, sources.strict, log)
    records = _read_infos(listed, sources, classes, log)
    labels = np.array([classes.encode_taught(record.codes) for record in records])
    if not labels.any():
        raise InputError(
            f"{sources.data}: no record has a diagnosis that the weights file lists; check the labels and"
            " --weights"
        )
    store = prepare_windows(records, config.preprocessing, sources.cache, sources.run, log)
    for reason in store.failures.values():
        log(f"left out: {reason}")
    examples = Examples(store, labels)
    patients = _patients(records, sources.patient_table)
    partition = _partition(examples, patients, config.training.validation_fraction, seed)
    names = tuple(record.name for record in records)
    return Experiment(config, classes, seed, names, examples, partition, start, teachers)


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()[:16]


def _read_infos(listed: list[ListedRecord], sources: Sources, classes: ClassSet, log: Log) -> list[RecordInfo]:
    """Read all headers; log and leave out records that cannot be read or that the label table does not list."""
    label_table = sources.label_table
    table = None if label_table is None else read_label_table(label_table, classes.codes)
    records, unlabelled = [], 0
    for each in tqdm(listed, desc="reading headers", unit="record", disable=None):
        try:
            record = read_listed_info(each)
        except Exception as error:  # a defect in one record must not stop the training on the others
            log(f"left out: {error if isinstance(error, InputError) else f'{each.source}: {error!r}'}")
            continue
        codes = record.codes if table is None else table.of(each)
        if codes is None:
            unlabelled += 1
            continue
        records.append(replace(record, codes=codes))
    if unlabelled:
        log(f"left out: {unlabelled} records that {label_table} does not list")
    if table is not None and (absent := table.unmatched(listed)):
        log(f"{label_table}: {len(absent)} listed records are not there, the first is {absent[0]}")
    if not records:
        raise InputError(f"{sources.data}: no record can be trained on; check the folder and the label table")
    return records


def _patients(records: list[RecordInfo], patient_table: Path | None) -> np.ndarray:
    """Return the patient of each record, or the record itself if its patient is unknown."""
    table = RecordTable({}) if patient_table is None else read_record_table(patient_table)
    patients = [table.of(ListedRecord(record.name, str(record.path))) for record in records]
    return np.array(
        [
            f"patient {patient[0]}" if patient else f"record {record.path}"
            for patient, record in zip(patients, records, strict=True)
        ]
    )


def _partition(examples: Examples, patients: np.ndarray, fraction: float, seed: int) -> Partition:
    usable = np.flatnonzero(examples.usable)
    validation = split_records(examples.labels[usable], patients[usable], fraction, seed)
    if validation.all():
        raise InputError(f"no record is left to train on; lower training.validation_fraction ({fraction})")
    return Partition(usable[~validation], usable[validation], examples.labels, patients)
