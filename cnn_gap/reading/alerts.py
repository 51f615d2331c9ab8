"""Alerts: urgent sentences by the rules of `alerts.csv`, on the measurements and the statements of a record.

A rule holds for one of its statements in at least its degree, or for a measured value within its limits. The
order of the rows is the order of urgency. Sources beside those of `cnn_gap.reading.statements`: Page et al.
2015 (supraventricular tachycardia, doi:10.1161/CIR.0000000000000311), Drew et al. 2010 (long QT in hospitals,
doi:10.1161/CIRCULATIONAHA.109.192704).
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import DEGREES, Degree, Sentence, Statement

#: The table.
ALERTS = Path(__file__).parent / "alerts.csv"


@dataclass(frozen=True)
class AlertRule:
    """A row of the table.

    Attributes
    ----------
    key : str
    text : str
        With measured values by their names in braces.
    statements : tuple of str
        Keys of statements, one of which makes the alert.
    degrees : tuple of str
        In which they do.
    measure : str
        The measured value that makes the alert; empty where statements do.
    low, high : float
        It does above `low` and up to `high`.
    source : str
    """

    key: str
    text: str
    statements: tuple[str, ...]
    degrees: tuple[Degree, ...]
    measure: str
    low: float
    high: float
    source: str

    def holds(self, evidence: Evidence, statements: Sequence[Statement]) -> bool:
        """Tell whether a record with these measurements and statements has this alert."""
        if self.measure:
            value = evidence.values.get(self.measure)
            return value is not None and self.low < value <= self.high
        return any(each.key in self.statements and each.degree in self.degrees for each in statements)

    def sentence(self, evidence: Evidence) -> str:
        """Return the text with the measured values of a record."""
        return self.text.format(**evidence.values | {"elevated": ", ".join(evidence.elevated)})


@cache
def alert_rules() -> tuple[AlertRule, ...]:
    """Return the rows of the table, the most urgent first."""
    with ALERTS.open(newline="", encoding="utf-8") as file:
        return tuple(_rule(row) for row in csv.DictReader(file))


def find_alerts(evidence: Evidence, statements: Sequence[Statement]) -> tuple[str, ...]:
    """Return the alerts of a record, the most urgent first."""
    held = (rule for rule in alert_rules() if rule.holds(evidence, statements))
    return tuple(Sentence(rule.sentence(evidence), kind=rule.key) for rule in held)


def _rule(row: dict[str, str]) -> AlertRule:
    worst = [each for each in DEGREES if each == row["degree"]]
    return AlertRule(
        key=row["key"],
        text=row["text"],
        statements=tuple(row["statements"].split()),
        degrees=DEGREES[: DEGREES.index(worst[0]) + 1] if worst else (),
        measure=row["measure"],
        low=float(row["from"] or -math.inf),
        high=float(row["to"] or math.inf),
        source=row["source"],
    )
