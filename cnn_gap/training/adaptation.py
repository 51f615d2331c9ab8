"""Adaptation of a trained model's thresholds and probabilities to local records, without training."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnn_gap.evaluate.calibration import calibrate, fit_calibration, scale_logits
from cnn_gap.evaluate.thresholds import adapted_thresholds
from cnn_gap.io.label_tables import read_label_table
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import list_records
from cnn_gap.model.folder import ModelDescription, load_model, save_model
from cnn_gap.predict.predictor import Predictor
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Number of records that are classified together.
RECORDS_PER_BATCH = 64


def adapt_thresholds(
    data: Path, model: Path, start: Path, label_table: Path | None = None, log: Callable[[str], None] = print
) -> ModelDescription:
    """Write a copy of a model whose thresholds and probabilities are adapted to the records of `data`.

    Each class's threshold is moved, and its logit is scaled and shifted so that its probabilities are
    calibrated on these records. Both change less, the fewer records there are. The order of a class's
    probabilities stays the same.

    Parameters
    ----------
    data : Path
        Folder of labelled records, a hundred or more.
    model, start : Path
        The folder to write, and the folder of the model to adapt.
    label_table : Path, optional
        CSV of `record,code[,code...]`, instead of the headers' diagnoses.
    log : callable
        Called with each line of progress.

    Raises
    ------
    InputError
        If no record can be read, or none has a diagnosis of the model's classes.
    """
    network, description = load_model(start)
    labels, probabilities = _classify(Predictor(network, description), data, label_table, log)
    classes = description.class_set
    thresholds = adapted_thresholds(classes, labels, probabilities, description.lowest_probabilities)
    scales, offsets = fit_calibration(labels, probabilities)
    scale_logits(network, scales, offsets)
    thresholds = np.where(np.isfinite(thresholds), calibrate(thresholds, scales, offsets), np.inf)
    positives = labels.sum(axis=0)
    adapted = replace(
        description,
        thresholds=tuple(float(value) if np.isfinite(value) else None for value in thresholds),
        training=description.training | {"adapted_to_records": len(labels)},
    )
    save_model(model, network, adapted)
    log(f"adapted {np.count_nonzero(positives)} classes of {len(classes)} to {len(labels)} records: {model}")
    return adapted


def _classify(
    predictor: Predictor, data: Path, label_table: Path | None, log: Callable[[str], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities, both (records, classes), of the records that can be answered."""
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
    for first in range(0, len(paths), RECORDS_PER_BATCH):
        records: list[tuple[Record, Sequence[str]]] = []
        for path in paths[first : first + RECORDS_PER_BATCH]:
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
