"""The explanation of a record: activation maps on its time axis, their regions and the leads' shares."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnn_gap.diagnoses.classes import SNOMED, Diagnosis, duplicate_indices, names_of
from cnn_gap.explain.regions import Region
from cnn_gap.leads import LEADS
from cnn_gap.reading.reading import Reading, html_beside
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Version of an explanation's JSON. Raise it when the meaning of a key changes.
EXPLANATION_FORMAT = 1

#: Headings of a table of explained classes; the abbreviation stands beside the name.
EXPLAINED_COLUMNS = ("Probability", "Challenge label", "Diagnosis", "", "Shows at (s)", "Leads")

#: Number of regions and of leads of a class that a table names, the strongest ones.
MOST_NAMED = 3


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
        The class activation map at the record's samples, in units of the logit: a value above 0 speaks for the
        class.
    level : float
        A region is where the map is above it.
    regions : tuple of Region
        In order of time.
    lead_activation : ndarray, shape (samples, 12), float32, or None
        The contribution of each lead at each time by gradient × input, in units of the logit; leads in the
        order of `LEADS`.
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

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of `EXPLAINED_COLUMNS`, with the strongest regions and leads."""
        about, answered = self.diagnosis, "yes" if self.label else "no"
        probability = f"{self.probability:.3f}"
        return probability, answered, about.name, about.abbreviation, self._region_text(), self._lead_text()

    def _region_text(self) -> str:
        strongest = sorted(self.regions, key=lambda region: -region.activation)[:MOST_NAMED]
        in_time = sorted(strongest, key=lambda region: region.start_s)
        named = ", ".join(f"{region.start_s:.2f}-{region.end_s:.2f}" for region in in_time)
        more = len(self.regions) - len(strongest)
        return named + (f" and {more} more" if more else "") or "nowhere"

    def _lead_text(self) -> str:
        if self.lead_shares is None:
            return ""
        strongest = np.argsort(-self.lead_shares, kind="stable")[:MOST_NAMED]
        return ", ".join(LEADS[lead] for lead in strongest if self.lead_shares[lead] > 0)

    def to_dict(self) -> dict[str, Any]:
        """Return the content for JSON, without the maps: `Explanation.to_dict` adds these at its times."""
        shares = self.lead_shares
        return {
            "name": self.diagnosis.name,
            "abbreviation": self.diagnosis.abbreviation,
            "codes": list(self.codes),
            "system": self.diagnosis.system,
            "probability": self.probability,
            "threshold": self.threshold,
            "label": self.label,
            "level": self.level,
            "regions": [
                {"start_s": region.start_s, "end_s": region.end_s, "mean_activation": region.activation}
                for region in self.regions
            ],
            "lead_shares": None if shares is None else dict(zip(LEADS, _rounded(shares), strict=True)),
        }


@dataclass(frozen=True, eq=False)
class Explanation:
    """An explained record.

    Attributes
    ----------
    record : Record
        As it was read.
    classes : tuple of ExplainedClass
        The classes that were to be explained, in the order in which they were named; at least one.
    stride_s : float
        Time between two values of a map before they were interpolated, s.
    receptive_field_s : float
        Time that each value of a map sees, s.
    first_step_s : float
        Time of the first value of a map before they were interpolated, s: the middle of its step.
    reported : tuple of Diagnosis
        All that is answered of the record, explained or not, the most probable first.
    unseen : tuple of Diagnosis
        The diagnoses that the network never learned and so never reports.
    highest_hz : float or None
        The highest frequency that the network sees, Hz; None where that is not known.
    notes, answerable, reading
        As in `cnn_gap.predict.prediction.Prediction`; where nothing can be answered, maps are 0.
    """

    record: Record
    classes: tuple[ExplainedClass, ...]
    stride_s: float
    receptive_field_s: float
    first_step_s: float = 0.0
    reported: tuple[Diagnosis, ...] = ()
    unseen: tuple[Diagnosis, ...] = ()
    highest_hz: float | None = None
    notes: tuple[str, ...] = ()
    answerable: bool = True
    reading: Reading | None = None

    def __repr__(self) -> str:
        explained = "\n".join(f"  {each!r}" for each in self.classes)
        return f"<Explanation of {self.record.name!r}, {self.record.duration_s:g} s:\n{explained}>"

    def _repr_html_(self) -> str:
        """Return the reading, and a small table of the explained classes, which notebooks show."""
        rows = self.rows if self.answerable else ()
        caption = f"Explanation of {self.record.name}"
        return html_beside(self.reading, EXPLAINED_COLUMNS, rows, caption, self.notes)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells of `EXPLAINED_COLUMNS` for each class, without findings that repeat a class's answer."""
        repeated = duplicate_indices((each.diagnosis, each.label) for each in self.classes)
        return [each.row for index, each in enumerate(self.classes) if index not in repeated]

    def __getitem__(self, diagnosis: str) -> ExplainedClass:
        """Return the class with this code or abbreviation (in any case), as `ClassSet.find` takes it.

        Raises
        ------
        InputError
            If it was not asked for.
        """
        # A scored class first: a finding may share its name.
        for each in sorted(self.classes, key=lambda each: each.diagnosis.system != SNOMED):
            if diagnosis.strip().lower() in names_of(each.codes, each.diagnosis):
                return each
        explained = ", ".join(each.diagnosis.abbreviation for each in self.classes)
        raise InputError(f"{self.record.name}: explained are {explained}; received {diagnosis}")

    @property
    def answered(self) -> "Explanation":
        """The explanation of the answered classes alone, or of the most probable one where none is answered."""
        answered = tuple(each for each in self.classes if each.label)
        return replace(self, classes=answered or (max(self.classes, key=lambda each: each.probability),))

    def to_dict(self) -> dict[str, Any]:
        """Return the content for JSON.

        `answerable` tells whether the record holds a heartbeat that can be judged.
        Each of `classes` has its `regions` (s, with the mean activation), its `activation` as values at
        `times_s`, and what the logit loses without each lead (`lead_shares`, None if that was not asked for).
        Activations are in units of the logit. A `threshold` of None: the class is never answered.
        """
        times = self.step_times
        return {
            "format": EXPLANATION_FORMAT,
            "record": self.record.name,
            "sampling_rate": self.record.sampling_rate,
            "samples": len(self.record.signal),
            "notes": list(self.notes),
            "answerable": self.answerable,
            "reading": None if self.reading is None else self.reading.to_dict(),
            "map_stride_s": self.stride_s,
            "map_receptive_field_s": self.receptive_field_s,
            "times_s": _rounded(times),
            "classes": [
                {**each.to_dict(), "activation": _rounded(np.interp(times, self.times, each.activation))}
                for each in self.classes
            ],
        }

    @property
    def step_times(self) -> np.ndarray:
        """The times of the maps' values before they were interpolated, s, (steps,); at least one."""
        times = np.arange(self.first_step_s, self.record.duration_s, self.stride_s)
        return times if len(times) else np.array([self.record.duration_s / 2])

    @property
    def times(self) -> np.ndarray:
        """The samples' times, s, (samples,)."""
        return np.arange(len(self.record.signal)) / self.record.sampling_rate


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
