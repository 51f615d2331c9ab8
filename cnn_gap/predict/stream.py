"""Classify any number of records, batch by batch; a record that fails does not affect the others."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.long_records import LongRecord, open_record
from cnn_gap.io.registry import record_name
from cnn_gap.predict.prediction import Prediction, failed_prediction
from cnn_gap.predict.predictor import Predictor
from cnn_gap.predict.preparation import PendingRecord, ReadResult, prepared_records
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Number of records that are classified together, and of windows at which a batch is full.
BATCH = 64
BATCH_WINDOWS = 512

#: Reason of the failure of a record whose probabilities are not finite.
BEYOND_NUMBERS = "cannot be classified: its amplitudes are too large for float32 arithmetic; check its gain"


@dataclass(frozen=True)
class SignalForm:
    """Sampling rate (Hz), leads and unit of signals, as of `cnn_gap.io.amplitudes.record_from_signal`."""

    sampling_rate: float
    leads: Sequence[str] | None = None
    unit: str = "mV"


def predict_stream(predictor: Predictor, records: Iterable[PendingRecord]) -> Iterator[Prediction]:
    """Yield the prediction of each record, in their order, as `predict_prepared_stream` does."""
    return predict_prepared_stream(predictor, prepared_records(predictor.prepare, records))


def predict_prepared_stream(predictor: Predictor, records: Iterator[ReadResult]) -> Generator[Prediction]:
    """Yield the prediction of each record, in their order.

    One batch of records is classified while another thread reads the next. The prediction of a record that
    cannot be read or classified has the reason in `failure`.
    """
    with closing(_ahead(_batches(records))) as batches:
        for batch in batches:
            yield from _classify(predictor, batch)


def waiting_records(
    records: Iterable[object], form: SignalForm | None = None, names: Iterable[str] | None = None
) -> Iterator[PendingRecord]:
    """Yield a `PendingRecord` for each of `records`: `Record` objects, paths, or signals (samples, leads).

    Parameters
    ----------
    records : iterable
        Taken one by one.
    form : SignalForm, optional
        Of the signals among them.
    names : iterable of str, optional
        Names of the predictions. Without them, records and files have their own names, and signals are
        numbered.

    Raises
    ------
    InputError
        If a signal comes without a form, or there are fewer names than records.
    """
    given = None if names is None else iter(names)
    for number, record in enumerate(records):
        name = "" if given is None else str(next(given, ""))
        if given is not None and not name:
            raise InputError(f"there must be a name for each record; received {number} names")
        if isinstance(record, Record | LongRecord):
            yield PendingRecord(
                name or record.name, record.name or f"record {number}", partial(_itself, record)
            )
        elif isinstance(record, str | Path):
            path = Path(record)
            yield PendingRecord(name or record_name(path), str(path), partial(open_record, path))
        elif form is None:
            raise InputError(
                f"record {number}: a signal needs its sampling_rate and leads; received {type(record).__name__}"
            )
        else:
            name = name or str(number)
            yield PendingRecord(name, name, partial(_as_record, record, form, f"signal {name}"))


def _itself(record: Record | LongRecord) -> Record | LongRecord:
    return record


def _as_record(signal: Any, form: SignalForm, name: str) -> Record:
    return record_from_signal(signal, form.sampling_rate, form.leads, name, unit=form.unit)


def _classify(predictor: Predictor, batch: list[ReadResult]) -> Iterator[Prediction]:
    """Yield the predictions of a batch, in its order."""
    predicted = iter(_predict(predictor, [each for each in batch if not each.failure]))
    for each in batch:
        yield failed_prediction(each.name, predictor.classes, each.failure) if each.failure else next(predicted)


def _predict(predictor: Predictor, batch: list[ReadResult]) -> list[Prediction]:
    try:
        prepared = [each.record for each in batch if each.record is not None]
        if batch and batch[0].long is not None:  # alone in its batch
            predictions = [predictor.predict_long(batch[0].long, prepared[0])]
        else:
            predictions = predictor.predict_prepared(prepared)
    except InputError as error:
        if len(batch) > 1:
            return [prediction for each in batch for prediction in _predict(predictor, [each])]
        return [failed_prediction(batch[0].name, predictor.classes, str(error))]
    except Exception as error:  # one record, too large perhaps, must not cost the others
        if len(batch) == 1:
            reason = f"cannot be classified ({error!r})"
            return [failed_prediction(batch[0].name, predictor.classes, reason)]
        return [prediction for each in batch for prediction in _predict(predictor, [each])]
    return [
        prediction
        if np.isfinite(prediction.probabilities).all()
        else failed_prediction(prediction.name, predictor.classes, BEYOND_NUMBERS)
        for prediction in predictions
    ]


def _batches(prepared: Iterable[ReadResult]) -> Iterator[list[ReadResult]]:
    batch: list[ReadResult] = []
    windows = 0
    for each in prepared:
        if each.long is not None and batch:
            yield batch
            batch, windows = [], 0
        batch.append(each)
        # A long one is read and classified in parts, after the records before it.
        windows += BATCH_WINDOWS if each.long is not None else each.windows
        if len(batch) == BATCH or windows >= BATCH_WINDOWS:
            yield batch
            batch, windows = [], 0
    if batch:
        yield batch


def _ahead(batches: Iterator[list[ReadResult]]) -> Generator[list[ReadResult]]:
    """Yield the batches, and prepare the next one in another thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, batches, None)
        while batch := waiting.result():
            waiting = pool.submit(next, batches, None)
            yield batch
