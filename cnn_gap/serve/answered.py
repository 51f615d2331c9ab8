"""A record that has been answered."""

from dataclasses import dataclass

from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record


@dataclass(frozen=True, eq=False)
class Answered:
    """A record that has been read and classified.

    Attributes
    ----------
    record : Record
    prediction : Prediction
    measurements : dict of str to float
        The measured values that the reading believes, in the unit that their names end with; one that
        cannot be trusted is left out.
    """

    record: Record
    prediction: Prediction
    measurements: dict[str, float]
