"""The parts of a reading: a conclusion, statements in the order of an ECG report, and alerts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from textwrap import TextWrapper
from typing import Any, Literal, Self

from cnn_gap.system.html import html_table
from cnn_gap.system.timed_text import Piece, TimedText, times_of

Conclusion = Literal["normal", "borderline", "abnormal", "not interpretable"]
Degree = Literal["present", "probable", "possible"]
Origin = Literal["network", "measurement", "network and measurement"]

#: The degrees of certainty, the most certain first.
DEGREES: tuple[Degree, ...] = ("present", "probable", "possible")

# Three or more chest leads in a row, as in "V2, V3, V4".
_SUCCESSIVE = re.compile(
    "|".join(
        ", ".join(f"V{lead}" for lead in range(first, first + count))
        for count in range(6, 2, -1)
        for first in range(1, 8 - count)
    )
)

_NOT_ASSESSED = TextWrapper(120, initial_indent="not assessed  ", subsequent_indent=" " * 14)

#: Kinds of notes: on answers that a measurement has overruled, and on the heart rates of a long recording.
OVERRULED, RATES = "overruled", "rates"

#: Headings of a table of statements.
STATEMENT_COLUMNS = ("Statement", "Probability", "Evidence")


@dataclass(frozen=True)
class Statement:
    """One statement of a reading, as in an ECG report.

    Attributes
    ----------
    key : str
        Its name in `statements.csv`.
    name : str
        In plain English.
    category : str
        The part of the report that it belongs to, such as ``"rhythm"``.
    codes : tuple of str
        The outputs of the network that mean it: SNOMED CT and SCP-ECG codes.
    aha : str
        Its number in the AHA/ACC/HRS statements (Mason et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180201),
        empty where it has none.
    degree : str
        ``"present"``, ``"probable"`` or ``"possible"``.
    probability : float or None
        The highest of the network's outputs that mean it; None where only a measurement does.
    evidence : tuple of str
        Measured values for it and against it, such as ``"axis -45 degrees"``.
    origin : str
        Whether the network says it, the measurement, or both.
    severity : int
        From 0 (normal) to 9 (act at once): the most severe of a category comes first.
    """

    key: str
    name: str
    category: str
    codes: tuple[str, ...]
    aha: str
    degree: Degree
    probability: float | None
    evidence: tuple[str, ...]
    origin: Origin
    severity: int

    def __str__(self) -> str:
        """Return the statement as a report has it, such as ``Probable left ventricular hypertrophy``."""
        if self.degree == "present":
            return self.name
        return f"{self.degree.capitalize()} {in_sentence(self.name)}"


class Sentence(TimedText):
    """An alert or a note of a reading, with its kind, by which programs tell it from others.

    Parameters
    ----------
    *pieces : str, float or tuple of float
        As of `TimedText`.
    kind : str
        The key of an alert's rule; `OVERRULED` or `RATES` of a note. Other notes are plain texts.
    """

    __slots__ = ("kind",)
    kind: str

    def __new__(cls, *pieces: Piece, kind: str = "") -> Self:
        """Write the text."""
        sentence = super().__new__(cls, *pieces)
        sentence.kind = kind
        return sentence


def kind_of(text: str) -> str:
    """Return the kind of an alert or a note, empty where it has none."""
    return text.kind if isinstance(text, Sentence) else ""


@dataclass(frozen=True)
class Reading:
    """The reading of a record: a conclusion, statements and alerts, from the network and the measurements.

    Attributes
    ----------
    conclusion : str
        ``"normal"``, ``"borderline"``, ``"abnormal"`` or ``"not interpretable"``.
    reason : str
        The reason for the conclusion, one sentence.
    statements : tuple of Statement
        In the order of an ECG report, the most urgent of each category first.
    alerts : tuple of str
        Urgent sentences to read first, such as ``"Pause of 3.1 s"``. Those of a long recording name times.
    not_assessed : tuple of str
        Diagnoses that the model does not know, and statements that cannot be made of this record.
    notes : tuple of str
        What limits the record, such as leads that are flat.
    measured : dict of str to float
        The measured values by the names of `cnn_gap.reading.evidence.Evidence.values`, such as ``"rate"`` and
        ``"qrs_ms"``; one that cannot be trusted is left out.
    """

    conclusion: Conclusion
    reason: str
    statements: tuple[Statement, ...] = ()
    alerts: tuple[str, ...] = ()
    not_assessed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    measured: dict[str, float] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """Return the conclusion, the alerts and a table of the statements, which notebooks show."""
        alerts = "".join(f"<p><strong>{escape(alert)}</strong></p>" for alert in self.alerts)
        rows = (_cells(statement) for statement in self.statements)
        return alerts + html_table(STATEMENT_COLUMNS, rows, self.summary, self.notes)

    @property
    def summary(self) -> str:
        """The conclusion and the reason for it, one line."""
        subject = "" if self.conclusion == "not interpretable" else " ECG"
        return f"{self.conclusion.capitalize()}{subject}: {self.reason}"

    @property
    def alert_times_s(self) -> tuple[tuple[float, ...], ...]:
        """All times of each alert, s from the recording's start; first come those that its sentence names."""
        return tuple(tuple(round(at, 2) for at in times_of(alert)) for alert in self.alerts)

    @property
    def interpretation(self) -> str:
        """All statements on one line."""
        return ". ".join(map(str, self.statements)) + ("." if self.statements else "")

    def __str__(self) -> str:
        lines = [self.summary]
        lines += alert_lines(self)
        lines += [_line(statement) for statement in self.statements]
        lines += [f"note   {note}" for note in self.notes]
        lines += map(_NOT_ASSESSED.fill, group_not_assessed(self.not_assessed))
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as a dict that can be written as JSON."""
        return asdict(self) | {"alert_times_s": self.alert_times_s, "interpretation": self.interpretation}


def alert_lines(reading: Reading) -> list[str]:
    """Return the alerts as lines of a text."""
    return [f"ALERT  {alert}" for alert in reading.alerts]


def first_alert_s(reading: Reading) -> float | None:
    """Return the time that the first alert with a time names first, s; None where no alert has one."""
    return next((times[0] for times in reading.alert_times_s if times), None)


def in_sentence(name: str) -> str:
    """Return a name as it stands inside a sentence: in small letters unless it begins with an abbreviation."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def group_not_assessed(not_assessed: Iterable[str]) -> tuple[str, ...]:
    """Group the findings that were not assessed by their reason, such as missing leads.

    Each reason has one text. The findings without a reason come first.

    Examples
    --------
    >>> group_not_assessed([f"{name}: without V1, V2, V3, V6" for name in ("Left block", "Right block")])
    ('without V1 to V3, V6: left block, right block',)
    """
    by_reason: dict[str, list[str]] = {"": []}
    for text in not_assessed:
        name, _, reason = text.partition(": ")
        by_reason.setdefault(_SUCCESSIVE.sub(_range, reason), []).append(name)
    return tuple(_grouped(names, reason) for reason, names in by_reason.items() if names)


def _grouped(names: Sequence[str], reason: str) -> str:
    if not reason:
        return ", ".join(names)
    return f"{names[0]}: {reason}" if len(names) == 1 else f"{reason}: {', '.join(map(in_sentence, names))}"


def _range(found: re.Match[str]) -> str:
    first, *_, last = found[0].split(", ")
    return f"{first} to {last}"


def _line(statement: Statement) -> str:
    _, probability, evidence = _cells(statement)
    source = "by measurement" if statement.origin == "measurement" else ""
    about = "; ".join(filter(None, (f"probability {probability}" if probability else source, evidence)))
    return f"  {statement}" + (f"  ({about})" if about else "")


def _cells(statement: Statement) -> tuple[str, str, str]:
    """Return the cells of `STATEMENT_COLUMNS`; a statement by measurement alone has no probability."""
    unsaid = statement.probability is None or statement.origin == "measurement"
    return str(statement), "" if unsaid else f"{statement.probability:.2f}", "; ".join(statement.evidence)


def html_beside(
    reading: Reading | None,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str,
    notes: Sequence[str],
) -> str:
    """Return a table as `html_table` does, below the reading if there is one; a note of both is shown once."""
    if reading is None:
        return html_table(headings, rows, caption, notes)
    further = (note for note in notes if note not in reading.notes)
    return reading._repr_html_() + html_table(headings, rows, caption, further)


def not_interpretable(reason: str, notes: Sequence[str] = (), alerts: Sequence[str] = ()) -> Reading:
    """Return the reading of a record without a heartbeat, or of one that could not be read or classified."""
    return Reading("not interpretable", reason, alerts=tuple(alerts), notes=tuple(notes))
