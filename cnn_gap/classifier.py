"""The classifier: what a trained network says of records of any rate, length and set of leads, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.explain.explainer import explain_records
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.long_records import LongRecord, open_record, read_whole
from cnn_gap.model.folder import load_model
from cnn_gap.model.runtimes import Runtime
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.predictor import Predictor
from cnn_gap.predict.stream import BEYOND_NUMBERS, SignalForm, predict_stream, waiting_records
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_MODEL

if TYPE_CHECKING:
    import pandas
    from numpy.typing import ArrayLike

_ONE = "predict takes one record or path, predict_signal one signal, predict_batch several of either"


@dataclass(frozen=True, eq=False)
class Classifier(Predictor):
    """A trained network that classifies and explains records, files or signals.

    Made by `load_classifier`; its attributes are those of `cnn_gap.predict.predictor.Predictor`.
    """

    def predict(self, record: Record | LongRecord | str | Path) -> Prediction:
        """Classify a record, or the record file at a path; one of hours is read in parts.

        Raises
        ------
        InputError
            If the path cannot be read as a record, or the record cannot be classified.

        Examples
        --------
        >>> import cnn_gap
        >>> prediction = cnn_gap.load_classifier().predict("test_data/SIM0008")
        >>> prediction.top(1)[0][0].name
        'Sinus rhythm'
        >>> prediction["AF"].label
        False
        """
        record = open_record(Path(record)) if isinstance(record, str | Path) else record
        if isinstance(record, LongRecord):
            prediction = self.predict_long(record)
        else:
            record = _as_record(record)
            (prediction,) = self.predict_prepared([self.prepare(record)])
        if not np.isfinite(prediction.probabilities).all():
            raise InputError(f"{record.name or 'the record'}: {BEYOND_NUMBERS}")
        return prediction

    def predict_signal(
        self,
        signal: "ArrayLike | pandas.DataFrame",
        sampling_rate: float,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
    ) -> Prediction:
        """Classify a signal; the parameters are those of `cnn_gap.io.records.record_from_signal`.

        The prediction's `notes` say which leads were left out or given twice.

        Raises
        ------
        InputError
            If the shape does not fit the leads, none of the twelve is among them, or the rate or unit is wrong.

        Examples
        --------
        >>> import cnn_gap
        >>> record = cnn_gap.read_record("test_data/SIM0008")
        >>> classifier = cnn_gap.load_classifier()
        >>> two_leads = record.signal[:, :2]
        >>> prediction = classifier.predict_signal(two_leads, record.sampling_rate, ["I", "II"])
        >>> len(prediction.probabilities) == len(classifier.classes)
        True
        """
        return self.predict(record_from_signal(signal, sampling_rate, leads, unit=unit))

    def predict_batch(
        self,
        records: Iterable[object],
        sampling_rate: float | None = None,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
        names: Iterable[str] | None = None,
    ) -> list[Prediction]:
        """Classify records, record files or signals together; each gets what it would get alone.

        One that cannot be read or classified costs no other: its prediction has the reason in `failure`.

        Parameters
        ----------
        records : iterable
            `Record` objects, paths, or signals (samples, leads), such as an array (n, samples, leads). Any
            iterable: at most two batches of 64 are in memory at a time.
        sampling_rate, leads, unit
            Of signals, as in `cnn_gap.io.records.record_from_signal`.
        names : iterable of str, optional
            What to call the predictions. Records and files have names of their own; signals are numbered.

        Raises
        ------
        InputError
            If `records` is a single one, or signals come without their sampling rate.

        Examples
        --------
        >>> import cnn_gap
        >>> classifier = cnn_gap.load_classifier()
        >>> for prediction in classifier.predict_batch(["test_data/SIM0001", "test_data/NONE"]):
        ...     print(prediction.name, prediction.failure or "classified")
        SIM0001 classified
        NONE test_data/NONE.hea: cannot be read (No such file or directory)
        """
        return list(self.predict_stream(records, sampling_rate, leads, unit, names))

    def predict_stream(
        self,
        records: Iterable[object],
        sampling_rate: float | None = None,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
        names: Iterable[str] | None = None,
    ) -> Iterator[Prediction]:
        """Yield what `predict_batch` returns, one by one: for more records than memory holds predictions."""
        if isinstance(records, Record | str | Path) or getattr(records, "ndim", 3) == 2:
            raise InputError(f"expected several records; received {_described(records)}; {_ONE}")
        form = None if sampling_rate is None else SignalForm(sampling_rate, leads, unit)
        return predict_stream(self, waiting_records(records, form, names))

    def explain(
        self,
        record: Record | str | Path,
        classes: Sequence[str] | str | None = None,
        leads: bool = False,
        level: Level = DEFAULT_LEVEL,
    ) -> Explanation:
        """Classify a record, or the record file at a path, and say where each diagnosis shows.

        The parameters are those of `cnn_gap.explain.explainer.explain_records`.

        Raises
        ------
        InputError
            If the path cannot be read as a record, a class is unknown or the network has no activation maps.

        Examples
        --------
        >>> import cnn_gap
        >>> explanation = cnn_gap.load_classifier().explain("test_data/SIM0013", classes="PAC")
        >>> explanation["PAC"].activation.shape == (len(explanation.record.signal),)
        True
        """
        return self.explain_batch([_as_record(record)], classes, leads, level)[0]

    def explain_batch(
        self,
        records: Sequence[Record],
        classes: Sequence[str] | str | None = None,
        leads: bool = False,
        level: Level = DEFAULT_LEVEL,
    ) -> list[Explanation]:
        """Classify and explain records together; each gets what it would get alone."""
        return explain_records(self, records, classes, leads, level)


def load_classifier(
    folder: str | Path = SHIPPED_MODEL, runtime: str = "auto", precision: str = "float32"
) -> Classifier:
    """Load the classifier of a model folder, the one that ships with the package if none is given.

    Parameters
    ----------
    folder : str or Path
        As `train_model.py` writes it.
    runtime, precision : str
        What computes probabilities, and how exactly: see `cnn_gap.model.runtimes.Runtime`.

    Raises
    ------
    InputError
        If a file of it is missing, damaged or does not fit the others, or the runtime is not to be had.

    Examples
    --------
    >>> import cnn_gap
    >>> "AF" in [diagnosis.abbreviation for diagnosis in cnn_gap.load_classifier().classes.diagnoses]
    True
    """
    chosen = Runtime(runtime, precision)
    return Classifier(*load_model(Path(folder)), chosen)


def _as_record(record: Record | str | Path) -> Record:
    if isinstance(record, Record):
        return record
    if isinstance(record, str | Path):
        return read_whole(Path(record))
    raise InputError(f"expected a Record or the path of one; received {_described(record)}; {_ONE}")


def _described(value: object) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" {tuple(shape)}" if shape else "")
