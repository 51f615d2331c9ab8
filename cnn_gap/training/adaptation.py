"""Adapt a trained model's thresholds and probabilities to other records, without training."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnn_gap.evaluate.calibration import calibrated, fit_calibration, scale_logits
from cnn_gap.evaluate.thresholds import adapted_thresholds
from cnn_gap.io.label_tables import read_label_table
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import list_records
from cnn_gap.model.folder import ModelDescription, load_model, save_model
from cnn_gap.predict.predictor import Predictor
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Records that are classified together.
BATCH = 64


def adapt_thresholds(
    data: Path, model: Path, start: Path, label_table: Path | None = None, log: Callable[[str], None] = print
) -> ModelDescription:
    """Write a model folder that suits the records of `data` better than the one that it starts from.

    Its thresholds are moved, and each class's logit is scaled and moved so that probabilities are true there,
    too: both the less, the fewer records there are. The order of a class's probabilities stays.

    Parameters
    ----------
    data : Path
        Folder of labelled records; a hundred are worth something.
    model, start : Path
        The folder to write, and that of the model to start from.
    label_table : Path, optional
        CSV of `record,code[,code...]`, instead of the headers' diagnoses.
    log : callable
        Receives a line of progress at a time.

    Raises
    ------
    InputError
        If no record can be read, or none has a diagnosis of the model's.
    """
    network, description = load_model(start)
    labels, probabilities = _classified(Predictor(network, description), data, label_table, log)
    classes = description.class_set
    thresholds = adapted_thresholds(classes, labels, probabilities, description.lowest_probabilities)
    scales, offsets = fit_calibration(labels, probabilities)
    scale_logits(network, scales, offsets)
    thresholds = np.where(np.isfinite(thresholds), calibrated(thresholds, scales, offsets), np.inf)
    positives = labels.sum(axis=0)
    adapted = replace(
        description,
        thresholds=tuple(float(value) if np.isfinite(value) else None for value in thresholds),
        training=description.training | {"adapted_to_records": len(labels)},
    )
    save_model(model, network, adapted)
    log(f"adapted {np.count_nonzero(positives)} classes of {len(classes)} to {len(labels)} records: {model}")
    return adapted


def _classified(
    predictor: Predictor, data: Path, label_table: Path | None, log: Callable[[str], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities of the records that can be read and answered, (records, classes) each."""
    table = None if label_table is None else read_label_table(label_table, predictor.classes.codes)
    labels, probabilities = [], []
    listing = list_records(data, strict=True)
    for line in listing.remarks:
        log(line)
    paths = [Path(record.source) for record in listing.records]
    if table is not None:
        if absent := table.unmatched(map(str, paths)):
            log(f"{len(absent)} lines of {label_table} are of no record in {data}, the first is {absent[0]}")
        paths = [path for path in paths if str(path) in table]
    for first in range(0, len(paths), BATCH):
        records: list[tuple[Record, Sequence[str]]] = []
        for path in paths[first : first + BATCH]:
            try:
                record = read_record(path)
                records.append((record, record.codes if table is None else table[str(path)]))
            except InputError as error:
                log(f"left out: {error}")
        predictions = predictor.predict_prepared([predictor.prepare(record) for record, _ in records])
        for (_, codes), prediction in zip(records, predictions, strict=True):
            if prediction.answerable:
                labels.append(predictor.classes.encode_taught(codes))
                probabilities.append(prediction.probabilities)
    if not labels or not np.any(labels):
        raise InputError(f"{data}: no record has a diagnosis of the model's; give labelled records")
    return np.array(labels), np.array(probabilities)
