"""What the classifier says of a record."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet, Diagnosis, duplicate_indices


@dataclass(frozen=True)
class Answer:
    """What the classifier says of a record and one class.

    Attributes
    ----------
    diagnosis : Diagnosis
        Name, abbreviation and first code.
    codes : tuple of str
        All its equivalent codes.
    probability : float
        NaN where the record could not be classified.
    label : bool
        Whether it is answered.
    """

    diagnosis: Diagnosis
    codes: tuple[str, ...]
    probability: float
    label: bool

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold; a probability of NaN is None."""
        return {
            "probability": None if math.isnan(self.probability) else self.probability,
            "label": self.label,
            "name": self.diagnosis.name,
            "abbreviation": self.diagnosis.abbreviation,
            "codes": list(self.codes),
            "system": self.diagnosis.system,
        }


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the classifier says of a record.

    Attributes
    ----------
    name : str
        The record's.
    classes : ClassSet
        The classes that the model tells apart.
    probabilities : ndarray, shape (classes,), float64
        Of each class; NaN where the record could not be classified.
    labels : ndarray, shape (classes,), bool
        Whether each class is answered.
    notes : tuple of str
        What its reader has to know of the record, such as leads that were left out or are flat. Where nothing
        can be answered, the first says why.
    failure : str
        Why the record could not be classified; empty where it was.
    answerable : bool
        Whether the record holds a heart that can be judged; if not, probabilities are 0 and labels false.
    """

    name: str
    classes: ClassSet
    probabilities: np.ndarray
    labels: np.ndarray
    notes: tuple[str, ...] = ()
    failure: str = ""
    answerable: bool = True

    def __repr__(self) -> str:
        if self.failure:
            return f"<Prediction of {self.name!r}: failed, {self.failure}>"
        if not self.answerable:
            return f"<Prediction of {self.name!r}: {self.notes[0]}>"
        found = ", ".join(f"{each.diagnosis.abbreviation} {each.probability:.3f}" for each in self.answered)
        return f"<Prediction of {self.name!r}: {found or 'nothing'} answered, of {len(self.classes)} classes>"

    def __getitem__(self, diagnosis: str) -> Answer:
        """Return what is said of the class with this code or abbreviation, in any case.

        Raises
        ------
        InputError
            If there is none.
        """
        return self._answer(self.classes.find(diagnosis))

    @property
    def answered(self) -> tuple[Answer, ...]:
        """The classes that are answered, in their order."""
        return tuple(self._answer(int(index)) for index in np.flatnonzero(self.labels))

    def top(self, count: int = 3) -> list[tuple[Diagnosis, float]]:
        """Return the `count` most probable diagnoses with their probabilities.

        A finding that says again what a class says, as SCP-ECG's SR and sinus rhythm, is left out.
        """
        again = duplicate_indices(zip(self.classes.diagnoses, self.labels, strict=True))
        order = [int(index) for index in np.argsort(-self.probabilities, kind="stable") if index not in again]
        return [(self.classes.diagnoses[index], float(self.probabilities[index])) for index in order[:count]]

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: the record's name, notes, failure (None if none) and every class.

        `answerable` says whether the record holds a heart that can be judged.
        """
        return {
            "record": self.name,
            "notes": list(self.notes),
            "failure": self.failure or None,
            "answerable": self.answerable,
            "classes": [self._answer(index).to_dict() for index in range(len(self.classes))],
        }

    def _answer(self, index: int) -> Answer:
        return Answer(
            self.classes.diagnoses[index],
            self.classes.outputs[index],
            float(self.probabilities[index]),
            bool(self.labels[index]),
        )


def failed_prediction(name: str, classes: ClassSet, reason: str) -> Prediction:
    """Return what stands for a record that could not be classified: nothing answered, probabilities NaN."""
    count = len(classes)
    return Prediction(name, classes, np.full(count, np.nan), np.zeros(count, bool), failure=reason)
