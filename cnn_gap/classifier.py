"""The classifier: predicts and explains records of any sampling rate, length and set of leads."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.beats.intervals import measure
from cnn_gap.explain.explainer import explain_records
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.map_predictor import MapPredictor
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level, parse_level
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.long_records import LongRecord, open_record, read_whole
from cnn_gap.model.catalogue import DEFAULT_MODEL, model_folder
from cnn_gap.model.folder import fingerprint, read_model
from cnn_gap.model.runtimes import Runtime
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import PendingRecord
from cnn_gap.predict.stream import BEYOND_NUMBERS, SignalForm, predict_stream, waiting_records
from cnn_gap.reading.degrees import read_degree_limits
from cnn_gap.reading.evidence import gather_evidence
from cnn_gap.reading.reading import Reading
from cnn_gap.record import Record
from cnn_gap.signal.quality import Quality
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import pandas
    from numpy.typing import ArrayLike

#: Number of records that `explain_batch` reads and explains together.
RECORDS_EXPLAINED_AT_ONCE = 16


@dataclass(frozen=True, eq=False, repr=False)
class Classifier(MapPredictor):
    """A trained network that classifies and explains records, files or signals.

    Made by `load_classifier`; its attributes are those of `cnn_gap.predict.predictor.Predictor`.
    """

    def predict(
        self,
        record: "Record | LongRecord | str | Path | ArrayLike | pandas.DataFrame",
        sampling_rate: float | None = None,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
    ) -> Prediction:
        """Classify one record, record file or signal.

        Parameters
        ----------
        record : Record, str, Path, or array_like of shape (samples, leads)
            A file of hours is read in parts.
        sampling_rate, leads, unit
            Of a signal, as in `cnn_gap.io.amplitudes.record_from_signal`.

        Raises
        ------
        InputError
            If the file cannot be read as a record, the signal cannot be used, or several records are given.

        Examples
        --------
        >>> import cnn_gap
        >>> classifier = cnn_gap.load_classifier()
        >>> prediction = classifier.predict("test_data/SIM0008")
        >>> prediction.top(1)[0][0].name
        'Sinus rhythm'
        >>> prediction["AF"].label
        False
        >>> record = cnn_gap.read_record("test_data/SIM0008")
        >>> two_leads = classifier.predict(record.signal[:, :2], record.sampling_rate, ["I", "II"])
        >>> two_leads["AF"].label
        False
        """
        single = _single_record(record, _signal_form(sampling_rate, leads, unit), open_record)
        prepared = self.prepare(single)
        if isinstance(single, LongRecord):
            prediction = self.predict_long(single, prepared)
        else:
            (prediction,) = self.predict_prepared([prepared])
        if not np.isfinite(prediction.probabilities).all():
            raise InputError(f"{single.name or 'the record'}: {BEYOND_NUMBERS}")
        return prediction

    def read(
        self,
        record: "Record | str | Path | ArrayLike | pandas.DataFrame",
        sampling_rate: float | None = None,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
    ) -> Reading:
        """Classify and measure one record, record file or signal, and return its reading.

        The parameters and errors are those of `predict`, whose prediction has this reading, too. Of a
        record of more than two windows, its episodes and the alerts of all its parts are in it.

        Examples
        --------
        >>> import cnn_gap
        >>> reading = cnn_gap.load_classifier().read("test_data/SIM0008")
        >>> reading.statements[0].name
        'Sinus rhythm'
        """
        reading = self.predict(record, sampling_rate, leads, unit).reading
        assert reading is not None  # `prepare` measures every record that can be answered
        return reading

    def interpret(self, prediction: Prediction, record: Record) -> Reading:
        """Return the reading of a record whose prediction is known: its own, or one that is made now."""
        if prediction.reading is not None:
            return prediction.reading
        quality = Quality(prediction.answerable, prediction.notes)
        reading = self.make_reading(prediction.probabilities, quality, gather_evidence(record, measure(record)))
        assert reading is not None
        return reading

    def predict_signal(
        self,
        signal: "ArrayLike | pandas.DataFrame",
        sampling_rate: float,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
    ) -> Prediction:
        """Classify a signal, as `predict` does."""
        return self.predict(signal, sampling_rate, leads, unit)

    def predict_batch(
        self,
        records: Iterable[object],
        sampling_rate: float | None = None,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
        names: Iterable[str] | None = None,
    ) -> list[Prediction]:
        """Classify records, record files or signals together; each gets the prediction that it would get alone.

        The prediction of a record that cannot be read or classified has the reason in `failure`; the others are
        not affected.

        Parameters
        ----------
        records : iterable
            `Record` objects, paths, or signals (samples, leads), such as an array (n, samples, leads). At most
            two batches of 64 are in memory at a time.
        sampling_rate, leads, unit
            Of signals, as in `cnn_gap.io.amplitudes.record_from_signal`.
        names : iterable of str, optional
            Names of the predictions. By default records and files have their own and signals are numbered.

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
        """Yield the predictions of `predict_batch` one by one, for more records than fit into memory."""
        _require_several(records, "predict")
        form = _signal_form(sampling_rate, leads, unit)
        return predict_stream(self, waiting_records(records, form, names))

    def explain(
        self,
        record: "Record | str | Path | ArrayLike | pandas.DataFrame",
        classes: Sequence[str] | str | None = None,
        with_leads: bool = False,
        level: Level | str = DEFAULT_LEVEL,
        *,
        sampling_rate: float | None = None,
        leads: Sequence[str] | bool | None = None,
        unit: str = "mV",
    ) -> Explanation:
        """Classify one record, record file or signal, and mark where in it each diagnosis is visible.

        Parameters
        ----------
        record : Record, str, Path, or array_like of shape (samples, leads)
        classes : sequence of str, or str, optional
            Codes or abbreviations of the diagnoses to explain; or ``"top3"``, the three most probable (or
            another number), or ``"all"``. By default those that are answered, or the most probable one.
        with_leads : bool
            Compute the contribution of each lead too, which takes most of the time.
        level : Level or str
            A region is where the map is above it, and above 0: ``"peak:0.25"`` (a share of its highest value),
            ``"sd:1"``, ``"absolute:2.5"`` or ``"percentile:90"``.
        sampling_rate, leads, unit
            Of a signal, as in `cnn_gap.io.amplitudes.record_from_signal`. `leads` as a bool means `with_leads`
            and is deprecated.

        Raises
        ------
        InputError
            As for `predict`, or if a class is unknown, a record is too long or the network has no maps.

        Examples
        --------
        >>> import cnn_gap
        >>> explanation = cnn_gap.load_classifier().explain("test_data/SIM0013", classes="PAC")
        >>> explanation["PAC"].activation.shape == (len(explanation.record.signal),)
        True
        """
        with_leads, lead_names = _deprecated_leads(leads, with_leads)
        single = _single_record(record, _signal_form(sampling_rate, lead_names, unit), read_whole)
        if isinstance(single, LongRecord):
            raise InputError(f"{single.name}: is read in parts; explain its file, or cut it")
        return explain_records(self, [single], classes, with_leads, _as_level(level))[0]

    def explain_batch(
        self,
        records: Iterable[object],
        classes: Sequence[str] | str | None = None,
        with_leads: bool = False,
        level: Level | str = DEFAULT_LEVEL,
        *,
        sampling_rate: float | None = None,
        leads: Sequence[str] | bool | None = None,
        unit: str = "mV",
        names: Iterable[str] | None = None,
    ) -> list[Explanation]:
        """Explain records, record files or signals; each gets the explanation that it would get alone.

        The parameters are those of `explain` and `predict_batch`.

        Raises
        ------
        InputError
            As for `explain`: a record that cannot be read ends the call, and the error names it.

        Examples
        --------
        >>> import cnn_gap
        >>> classifier = cnn_gap.load_classifier()
        >>> explanations = classifier.explain_batch(["test_data/SIM0001", "test_data/SIM0002"], "AF")
        >>> [explanation.record.name for explanation in explanations]
        ['SIM0001', 'SIM0002']
        """
        _require_several(records, "explain")
        with_leads, lead_names = _deprecated_leads(leads, with_leads)
        waiting = waiting_records(records, _signal_form(sampling_rate, lead_names, unit), names)
        explanations: list[Explanation] = []
        while several := [_whole_record(each) for each in islice(waiting, RECORDS_EXPLAINED_AT_ONCE)]:
            explanations += explain_records(self, several, classes, with_leads, _as_level(level))
        return explanations


def load_classifier(
    model: str | Path = DEFAULT_MODEL, runtime: str = "auto", precision: str = "float32"
) -> Classifier:
    """Load a classifier.

    Parameters
    ----------
    model : str or Path
        A model folder as `train` writes it, or the name of a shipped model, as `list_models` returns them.
    runtime, precision : str
        Library and arithmetic that compute the probabilities: see `cnn_gap.model.runtimes.Runtime`.

    Raises
    ------
    InputError
        If a file of the folder is missing, damaged or does not fit the others, or the runtime is not installed.

    Examples
    --------
    >>> import cnn_gap
    >>> classifier = cnn_gap.load_classifier("ptbxl-100hz")
    >>> "AF" in classifier.classes.short_names
    True
    """
    chosen = Runtime(runtime, precision)
    folder = model_folder(model)
    return Classifier(*read_model(folder), chosen, read_degree_limits(folder, fingerprint(folder)))


def _signal_form(sampling_rate: float | None, leads: Sequence[str] | None, unit: str) -> SignalForm | None:
    """Return the form of signals, None where their sampling rate is not given."""
    if sampling_rate is None and leads is not None:
        raise InputError("leads names the columns of a signal, which needs its sampling_rate (Hz) too")
    return None if sampling_rate is None else SignalForm(sampling_rate, leads, unit)


def _single_record(
    record: object, form: SignalForm | None, read: Callable[[Path], Record | LongRecord]
) -> Record | LongRecord:
    """Return the record of one record, path or signal.

    Raises
    ------
    InputError
        If it is a signal without its form, several records, or cannot be read.
    """
    if isinstance(record, Record | LongRecord | str | Path):
        if form is not None:
            raise InputError(f"sampling_rate belongs to a signal; received it with a {_described(record)}")
        return read(Path(record)) if isinstance(record, str | Path) else record
    if form is None:
        raise InputError(
            "expected a Record, the path of one, or a signal (samples, leads) with its sampling_rate and leads;"
            f" received {_described(record)}; predict_batch and explain_batch take several"
        )
    return record_from_signal(record, form.sampling_rate, form.leads, unit=form.unit)


def _require_several(records: object, method: str) -> None:
    """Require several records: a path, a record or a signal (samples, leads) is a single one."""
    if isinstance(records, Record | LongRecord | str | Path) or getattr(records, "ndim", 3) == 2:
        raise InputError(f"expected several records; received {_described(records)}; {method} takes one")


def _whole_record(pending: PendingRecord) -> Record:
    """Read a record with all its samples, under the name that it was given."""
    record = pending.read()
    whole = record if isinstance(record, Record) else read_whole(Path(pending.source))
    return whole if whole.name == pending.name else replace(whole, name=pending.name)


def _deprecated_leads(
    leads: Sequence[str] | bool | None, with_leads: bool
) -> tuple[bool, Sequence[str] | None]:
    """Return `with_leads` and the names of a signal's leads; until 1.0 `leads=True` meant `with_leads=True`."""
    if not isinstance(leads, bool):
        return with_leads, leads
    warnings.warn("leads=True is now with_leads=True", DeprecationWarning, stacklevel=3)
    return leads, None


def _as_level(level: Level | str) -> Level:
    return parse_level(level) if isinstance(level, str) else level


def _described(value: object) -> str:
    """Return the type of a value and its shape, if it has one, such as ``ndarray (5000, 12)``."""
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" {tuple(shape)}" if shape else "")
