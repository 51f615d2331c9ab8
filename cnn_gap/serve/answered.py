"""A record that has been answered."""

from dataclasses import dataclass

from cnn_gap.predict.prediction import Prediction
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import Reading
from cnn_gap.record import Record


@dataclass(frozen=True, eq=False)
class Answered:
    """A record that has been read and classified.

    Attributes
    ----------
    record : Record
    prediction : Prediction
    reading : Reading or None
        None where it was not asked for.
    evidence : Evidence or None
        The measurements; None where they were not asked for or nothing can be measured.
    """

    record: Record
    prediction: Prediction
    reading: Reading | None = None
    evidence: Evidence | None = None
