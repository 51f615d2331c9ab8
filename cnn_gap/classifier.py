"""The classifier: what a trained network says of records of any rate, length and set of leads, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_gap.ecg.records import Record, read_record, record_from_signal
from cnn_gap.prediction.explainer import explain_records
from cnn_gap.prediction.explanation import Explanation
from cnn_gap.prediction.model_folder import load_model
from cnn_gap.prediction.predictor import Prediction, Predictor
from cnn_gap.prediction.regions import DEFAULT_LEVEL, Level
from cnn_gap.shipped import SHIPPED_MODEL


@dataclass(frozen=True, eq=False)
class Classifier(Predictor):
    """A trained network that classifies and explains records, files or signals.

    Made by `load_classifier`; its attributes are those of `cnn_gap.prediction.predictor.Predictor`.
    """

    def predict(self, record: Record | str | Path) -> Prediction:
        """Classify a record, or the record file at a path.

        Raises
        ------
        InputError
            If the path cannot be read as a record.

        Examples
        --------
        >>> import cnn_gap
        >>> classifier = cnn_gap.load_classifier()
        >>> classifier.predict("test_data/SIM0008").top(1)[0][0].name
        'Sinus rhythm'
        """
        return self.predict_batch([_as_record(record)])[0]

    def predict_signal(self, signal: np.ndarray, sampling_rate: float, leads: Sequence[str]) -> Prediction:
        """Classify a signal of shape (samples, len(leads)) in mV at `sampling_rate` (Hz).

        Raises
        ------
        InputError
            If the shape does not fit the leads or none of the twelve is among them.

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
        return self.predict(record_from_signal(signal, sampling_rate, leads))

    def predict_batch(self, records: Sequence[Record]) -> list[Prediction]:
        """Classify records together; each gets what it would get alone.

        Examples
        --------
        >>> import cnn_gap
        >>> records = [cnn_gap.read_record(f"test_data/SIM000{number}") for number in (1, 2)]
        >>> [prediction.name for prediction in cnn_gap.load_classifier().predict_batch(records)]
        ['SIM0001', 'SIM0002']
        """
        return self.predict_prepared([self.prepare(record) for record in records])

    def explain(
        self,
        record: Record | str | Path,
        classes: Sequence[str] | str | None = None,
        leads: bool = False,
        level: Level = DEFAULT_LEVEL,
    ) -> Explanation:
        """Classify a record, or the record file at a path, and say where each diagnosis shows.

        The parameters are those of `cnn_gap.prediction.explainer.explain_records`.

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


def load_classifier(folder: str | Path = SHIPPED_MODEL) -> Classifier:
    """Load the classifier of a model folder, the one that ships with the package if none is given.

    Raises
    ------
    InputError
        If a file of it is missing, damaged or does not fit the others.

    Examples
    --------
    >>> import cnn_gap
    >>> "AF" in [diagnosis.abbreviation for diagnosis in cnn_gap.load_classifier().classes.diagnoses]
    True
    """
    return Classifier(*load_model(Path(folder)))


def _as_record(record: Record | str | Path) -> Record:
    return record if isinstance(record, Record) else read_record(Path(record))
