"""Adaptation of a trained model's thresholds and probabilities to local records, without training."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnn_gap.evaluate.calibration import calibrate, fit_calibration, scale_logits
from cnn_gap.evaluate.thresholds import adapted_thresholds
from cnn_gap.io.label_tables import read_label_table
from cnn_gap.io.training_records import list_training_records
from cnn_gap.model.folder import ModelDescription, fingerprint, read_model, require_model_folder, save_model
from cnn_gap.predict.predictor import Predictor
from cnn_gap.reading.degrees import FILE_NAME, read_degree_limits, write_degree_limits
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked

#: Number of records that are classified together.
RECORDS_PER_BATCH = 64


def adapt_thresholds(
    data: str | Path,
    model: Path,
    start: Path,
    label_table: Path | None = None,
    log: Callable[[str], None] = print,
    strict: bool = False,
) -> ModelDescription:
    """Write a copy of a model whose thresholds and probabilities are adapted to the records of `data`.

    Each class's threshold is moved, and its logit is scaled and shifted so that its probabilities are
    calibrated on these records. Both change less, the fewer records there are. The order of a class's
    probabilities stays the same. The limits of the reading's degrees are taken over from the model that is
    adapted: they are limits of calibrated probabilities.

    Parameters
    ----------
    data : str or Path
        Folder, list or address of labelled records, as `cnn_gap.io.sources` takes it; a hundred or more.
    model, start : Path
        The folder to write, and the folder of the model to adapt.
    label_table : Path, optional
        CSV of `record,code[,code...]`, instead of the headers' diagnoses.
    log : callable
        Called with each line of progress.
    strict : bool
        Fail where a folder cannot be read.

    Raises
    ------
    InputError
        If no record can be read, none has a diagnosis of the model's classes, another process is writing into
        `model`, or a file there would be replaced that is no model's.
    """
    with locked(model):
        require_model_folder(Path(model))
        read_degree_limits(Path(model), "")  # refuses another file of this name, which would be replaced
        return _adapt(str(data), Path(model), start, label_table, log, strict)


def _adapt(
    data: str,
    model: Path,
    start: Path,
    label_table: Path | None,
    log: Callable[[str], None],
    strict: bool,
) -> ModelDescription:
    trained, description = read_model(start)
    limits = read_degree_limits(start, fingerprint(start))  # now, since `start` may be `model`
    labels, probabilities = _classify(Predictor(trained, description), data, label_table, log, strict)
    classes = description.class_set
    thresholds = adapted_thresholds(classes, labels, probabilities, description.lowest_probabilities)
    scales, offsets = fit_calibration(labels, probabilities)
    scale_logits(trained.keras, scales, offsets)
    thresholds = np.where(np.isfinite(thresholds), calibrate(thresholds, scales, offsets), np.inf)
    positives = labels.sum(axis=0)
    adapted = replace(
        description,
        thresholds=tuple(float(value) if np.isfinite(value) else None for value in thresholds),
        training=description.training | {"adapted_to_records": len(labels)},
    )
    save_model(model, trained.keras, adapted)
    if limits.limits or (model / FILE_NAME).exists():  # limits of an earlier model in this folder are replaced
        write_degree_limits(model, fingerprint(model), limits)
    log(f"adapted {np.count_nonzero(positives)} classes of {len(classes)} to {len(labels)} records: {model}")
    return adapted


def _classify(
    predictor: Predictor, data: str, label_table: Path | None, log: Callable[[str], None], strict: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities, both (records, classes), of the records that can be answered."""
    own_codes = [code for codes in predictor.classes.outputs for code in codes]
    table = None if label_table is None else read_label_table(label_table, own_codes)
    listed = list_training_records(data, strict, log)
    if table is not None and (absent := table.unmatched(listed)):
        log(f"{label_table}: {len(absent)} listed records are not there, the first is {absent[0]}")
    wanted = [each for each in listed if table is None or table.of(each) is not None]
    labels, probabilities = [], []
    preparation = replace(predictor.preparation, measures=False)
    for first in range(0, len(wanted), RECORDS_PER_BATCH):
        records: list[Record] = []
        for each in wanted[first : first + RECORDS_PER_BATCH]:
            try:
                record = replace(each.read(), name=each.name)
                codes = record.codes if table is None else table.of(each) or ()
                records.append(replace(record, codes=codes))
            except InputError as error:
                log(f"left out: {error}")
        predictions = predictor.predict_prepared([preparation.prepare(record) for record in records])
        for record, prediction in zip(records, predictions, strict=True):
            if prediction.answerable:
                labels.append(predictor.classes.encode_taught(record.codes))
                probabilities.append(prediction.probabilities)
    if not labels or not np.any(labels):
        raise InputError(f"{data}: no record has a diagnosis of the model's; give labelled records")
    return np.array(labels), np.array(probabilities)
