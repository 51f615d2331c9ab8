"""What explains a record's answers: activation maps on its time axis, their regions and the leads' shares."""

from dataclasses import dataclass, replace

import numpy as np

from cnn_gap.ecg.diagnoses import Diagnosis, names_of
from cnn_gap.ecg.records import Record
from cnn_gap.errors import InputError
from cnn_gap.prediction.regions import Region
from cnn_gap.windows.quality import Quality


@dataclass(frozen=True, eq=False)
class ExplainedClass:
    """One class of an explained record.

    Attributes
    ----------
    diagnosis : Diagnosis
        Name, abbreviation and first code.
    codes : tuple of str
        All its equivalent codes.
    probability : float
        Of the record.
    threshold : float or None
        Lowest probability that is answered; None if the class is never answered.
    label : bool
        Whether it is answered.
    activation : ndarray, shape (samples,), float32
        The class activation map at the record's samples, in units of the logit: what is above 0 speaks for the
        class.
    level : float
        Above which the map makes a region.
    regions : tuple of Region
        In order of time.
    lead_activation : ndarray, shape (samples, 12), float32, or None
        What each lead adds at each time by gradient × input, in units of the logit, leads in the order of
        `headers.LEADS`.
    lead_shares : ndarray, shape (12,), float64, or None
        How much the logit falls without each lead, by occlusion.
    """

    diagnosis: Diagnosis
    codes: tuple[str, ...]
    probability: float
    threshold: float | None
    label: bool
    activation: np.ndarray
    level: float
    regions: tuple[Region, ...]
    lead_activation: np.ndarray | None = None
    lead_shares: np.ndarray | None = None

    def __repr__(self) -> str:
        answered = "answered" if self.label else "not answered"
        return (
            f"<{self.diagnosis.abbreviation}: probability {self.probability:.3f}, {answered},"
            f" {len(self.regions)} regions>"
        )


@dataclass(frozen=True, eq=False)
class Explanation:
    """An explained record.

    Attributes
    ----------
    record : Record
        As it was read.
    classes : tuple of ExplainedClass
        What was asked, in that order; at least one.
    stride_s : float
        Time between two values of a map before they were interpolated, s.
    receptive_field_s : float
        Time that each value of a map sees, s.
    first_step_s : float
        Time of the first value of a map before they were interpolated, s: the middle of its step.
    quality : Quality
        What the record is worth; where it cannot be answered, maps are 0.
    """

    record: Record
    classes: tuple[ExplainedClass, ...]
    stride_s: float
    receptive_field_s: float
    first_step_s: float = 0.0
    quality: Quality = Quality()

    def __repr__(self) -> str:
        explained = "\n".join(f"  {each!r}" for each in self.classes)
        return f"<Explanation of {self.record.name!r}, {self.record.duration_s:g} s:\n{explained}>"

    def __getitem__(self, diagnosis: str) -> ExplainedClass:
        """Return the class with this code, or this abbreviation of one of its codes (in any case).

        Raises
        ------
        InputError
            If it was not asked for.
        """
        for each in self.classes:
            if diagnosis.lower() in names_of(each.codes):
                return each
        explained = ", ".join(each.diagnosis.abbreviation for each in self.classes)
        raise InputError(f"{self.record.name}: explained are {explained}; received {diagnosis}")

    @property
    def answered(self) -> "Explanation":
        """The same of the classes that are answered, or of the most probable one where none is."""
        answered = tuple(each for each in self.classes if each.label)
        return replace(self, classes=answered or (max(self.classes, key=lambda each: each.probability),))

    @property
    def step_times(self) -> np.ndarray:
        """The times of the maps' values before they were interpolated, s, (steps,); at least one."""
        times = np.arange(self.first_step_s, self.record.duration_s, self.stride_s)
        return times if len(times) else np.array([self.record.duration_s / 2])

    @property
    def times(self) -> np.ndarray:
        """The samples' times, s, (samples,)."""
        return np.arange(len(self.record.signal)) / self.record.sampling_rate
