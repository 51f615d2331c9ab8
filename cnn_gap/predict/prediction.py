"""The prediction for a record: a probability and a label for each class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet, Diagnosis, duplicate_indices
from cnn_gap.holter.beat_labels import LabelledBeats
from cnn_gap.holter.episodes import Episode
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import Summary
from cnn_gap.holter.timeline import Timeline
from cnn_gap.reading.reading import Reading, html_beside, not_interpretable
from cnn_gap.record import NO_FACTS, RecordFacts
from cnn_gap.system.html import html_table

#: Headings of a table of answers; the abbreviation stands beside the name.
ANSWER_COLUMNS = ("Probability", "Challenge label", "Diagnosis", "", "Code")

#: How many of the most probable diagnoses a table shows beside those that are answered.
SHOWN_DIAGNOSES = 5


@dataclass(frozen=True)
class Answer:
    """The prediction for one class of a record.

    Attributes
    ----------
    diagnosis : Diagnosis
        Name, abbreviation and first code.
    codes : tuple of str
        All its equivalent codes.
    probability : float
        NaN where the record could not be classified.
    label : bool
        Whether the class is answered: its probability reaches its threshold.
    """

    diagnosis: Diagnosis
    codes: tuple[str, ...]
    probability: float
    label: bool

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of `ANSWER_COLUMNS`."""
        about, answered = self.diagnosis, "yes" if self.label else "no"
        return f"{self.probability:.3f}", answered, about.name, about.abbreviation, ", ".join(self.codes)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON can hold it; a probability of NaN is None."""
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
    """The prediction for a record.

    Attributes
    ----------
    name : str
        Name of the record.
    classes : ClassSet
        The classes and findings that the model predicts.
    probabilities : ndarray, shape (classes,), float64
        Of each class; NaN where the record could not be classified.
    labels : ndarray, shape (classes,), bool
        Whether each class is answered.
    notes : tuple of str
        What a reader has to know of the record, such as leads that were left out or are flat. If the record
        is not answerable, the first note gives the reason.
    failure : str
        The reason why the record could not be classified; empty where it was.
    answerable : bool
        Whether the record holds a heartbeat that can be judged; if not, probabilities are 0 and labels false.
    reading : Reading or None
        One conclusion, statements and alerts, made from probabilities and measurements. None where the record
        was not measured.
    facts : RecordFacts
        Age, sex and time of the recording, where its file says them.
    monitoring : Monitoring or None
        Timeline, beats, episodes and summary of a record that lasts longer than two windows; None for others.
    """

    name: str
    classes: ClassSet
    probabilities: np.ndarray
    labels: np.ndarray
    notes: tuple[str, ...] = ()
    failure: str = ""
    answerable: bool = True
    reading: Reading | None = None
    facts: RecordFacts = NO_FACTS
    monitoring: Monitoring | None = None

    def __repr__(self) -> str:
        if self.failure:
            return f"<Prediction of {self.name!r}: failed, {self.failure}>"
        if not self.answerable:
            return f"<Prediction of {self.name!r}: {self.notes[0]}>"
        found = ", ".join(f"{each.diagnosis.abbreviation} {each.probability:.3f}" for each in self.answered)
        return f"<Prediction of {self.name!r}: {found or 'nothing'} answered, of {len(self.classes)} classes>"

    def _repr_html_(self) -> str:
        """Return the reading, and a small table of the probabilities, which notebooks show."""
        if self.failure or not self.answerable:
            return html_table((), (), f"Prediction of {self.name}", [self.failure or self.notes[0]])
        rows = (each.row for each in self.shown())
        return html_beside(self.reading, ANSWER_COLUMNS, rows, f"Prediction of {self.name}", self.notes)

    def __getitem__(self, diagnosis: str) -> Answer:
        """Return the answer for the class with this code or abbreviation, in any case.

        Raises
        ------
        InputError
            If there is none.
        """
        return self._answer(self.classes.find(diagnosis))

    @property
    def answered(self) -> tuple[Answer, ...]:
        """The classes that are answered, in their order, each diagnosis once.

        A finding that repeats the answer of a class, as SCP-ECG's SR repeats sinus rhythm, is left out here, in
        `top` and in `shown`; `labels` has both.
        """
        answered = set(np.flatnonzero(self.labels).tolist())
        return tuple(self._answer(index) for index in sorted(answered.intersection(self._order)))

    @property
    def timeline(self) -> Timeline | None:
        """The probabilities window by window; None of a record of at most two windows."""
        return None if self.monitoring is None else self.monitoring.timeline

    @property
    def beats(self) -> LabelledBeats | None:
        """The beats with their labels; None of a record of at most two windows."""
        return None if self.monitoring is None else self.monitoring.beats

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The rhythms, blocks and runs with their start and end; none of a record of at most two windows."""
        return () if self.monitoring is None else self.monitoring.episodes

    @property
    def summary(self) -> Summary | None:
        """The recording in numbers; None of a record of at most two windows."""
        return None if self.monitoring is None else self.monitoring.summary

    def top(self, count: int = 3) -> list[tuple[Diagnosis, float]]:
        """Return the `count` most probable diagnoses with their probabilities."""
        answers = map(self._answer, self._order[:count])
        return [(each.diagnosis, each.probability) for each in answers]

    def shown(self, count: int = SHOWN_DIAGNOSES) -> list[Answer]:
        """Return the `count` most probable diagnoses and all others that are answered, most probable first."""
        order = self._order
        return [self._answer(at) for rank, at in enumerate(order) if rank < count or self.labels[at]]

    def to_dict(self) -> dict[str, Any]:
        """Return the content for JSON: the record's name, notes, failure (None if none), reading and classes.

        `answerable` tells whether the record holds a heartbeat that can be judged. `age`, `sex` and `recorded`
        (ISO 8601) are None where the file does not say them, `reading` where the record was not measured. A
        record that lasts longer than two windows has its `summary`, too.
        """
        return {
            "record": self.name,
            **self.facts.to_dict(),
            "notes": list(self.notes),
            "failure": self.failure or None,
            "answerable": self.answerable,
            "reading": None if self.reading is None else self.reading.to_dict(),
            "classes": [self._answer(index).to_dict() for index in range(len(self.classes))],
            **({} if self.summary is None else {"summary": self.summary.to_dict()}),
        }

    @property
    def _order(self) -> Sequence[int]:
        """The classes by falling probability, without findings that repeat the answer of a class."""
        repeated = duplicate_indices(zip(self.classes.diagnoses, self.labels, strict=True))
        return [at for at in np.argsort(-self.probabilities, kind="stable").tolist() if at not in repeated]

    def _answer(self, index: int) -> Answer:
        return Answer(
            self.classes.diagnoses[index],
            self.classes.outputs[index],
            float(self.probabilities[index]),
            bool(self.labels[index]),
        )


def failed_prediction(name: str, classes: ClassSet, reason: str) -> Prediction:
    """Return the prediction for a record that could not be classified: probabilities NaN, nothing answered."""
    count = len(classes)
    nothing, reading = np.zeros(count, bool), not_interpretable(reason)
    return Prediction(name, classes, np.full(count, np.nan), nothing, failure=reason, reading=reading)
