"""The table of all statements, `statements.csv`: the rule by which each statement is made.

A row has the outputs of the network that mean the statement. It has the measurement that decides the statement
or that the statement requires, with the range in which it holds. It also has the statements that exclude it or
make it only possible, the leads without which it is withheld, and the source of the rule. The order of the rows
is the order of the report.

Sources: Mason et al. 2007 (AHA/ACC/HRS part II, doi:10.1161/CIRCULATIONAHA.106.180201), Surawicz et al. 2009
(part III, doi:10.1161/CIRCULATIONAHA.108.191095), Rautaharju et al. 2009 (part IV,
doi:10.1161/CIRCULATIONAHA.108.191096), Hancock et al. 2009 (part V, doi:10.1161/CIRCULATIONAHA.108.191097),
Thygesen et al. 2018 (universal definition of myocardial infarction, doi:10.1161/CIR.0000000000000617),
Kusumoto et al. 2018 (bradycardia, doi:10.1161/CIR.0000000000000628), Al-Khatib et al. 2018 (ventricular
arrhythmias, doi:10.1161/CIR.0000000000000549), Kuo and Dillman 1978 (`cnn_gap.beats.ventricular`).
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, cast

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.reading.reading import Degree

#: The table.
STATEMENTS = Path(__file__).parent / "statements.csv"

#: Severity of a diagnosis that is not in the table.
OTHER_SEVERITY = 3

#: The role of a measurement: it decides the statement, it is required (then the network's answer counts only
#: where the measurement agrees), or it selects one statement of a group.
Role = Literal["decides", "requires", "selects", ""]


@dataclass(frozen=True)
class StatementRule:
    """A row of the table.

    Attributes
    ----------
    key, name, category, aha, source : str
    severity : int
        0 to 9.
    group : str
        Statements of one group, such as the sinus rhythms, have one probability and one set of limits, those of
        this key; the measurement selects which of them it is. Empty for a statement by itself.
    outputs : tuple of str
        Codes of the network's outputs that say it.
    measure : str
        The measured value by its name in `cnn_gap.reading.evidence.Evidence.values`; empty where none counts.
    low, high : float
        The statement holds for values above `low` and up to `high`.
    margin : float
        A value that is nearer to the limits than this, about twice the error of the measurement, decides and
        overrules only where the network agrees.
    role : str
        ``"decides"``, ``"requires"`` or ``"selects"``; empty where none counts.
    alone : str
        The degree that a deciding measurement gives by itself, where the network does not say the statement.
    normal_below : float
        No record in which the network gives the statement this probability or a higher one is called normal.
    excluded_by : frozenset of str
        Keys of statements beside which it does not stand.
    weakened_by : frozenset of str
        Keys of statements that may imitate it: beside them it is no more than possible.
    leads : tuple of str
        Without these it is withheld.
    """

    key: str
    name: str
    category: str
    severity: int
    group: str
    outputs: tuple[str, ...]
    measure: str
    low: float
    high: float
    margin: float
    role: Role
    alone: Degree
    normal_below: float
    excluded_by: frozenset[str]
    weakened_by: frozenset[str]
    leads: tuple[str, ...]
    aha: str
    source: str

    def holds(self, value: float, margin: float = 0.0) -> bool:
        """Tell whether a measured value is within the limits, farther from them than a margin."""
        return self.low + margin < value <= self.high - margin

    def outside_by(self, value: float) -> float:
        """Return how far a measured value is outside of the limits, 0 within; -175 degrees are 5 from 180."""
        turns = (-360.0, 0.0, 360.0) if self.measure.endswith("_deg") else (0.0,)
        return min(max(self.low - value - turn, value + turn - self.high, 0.0) for turn in turns)

    @property
    def limit_key(self) -> str:
        """The key of the statement whose limits of the degrees are used."""
        return self.group or self.key


@cache
def statement_rules() -> tuple[StatementRule, ...]:
    """Return the rows of the table, in the order of a report."""
    with STATEMENTS.open(newline="", encoding="utf-8") as file:
        return tuple(_rule(row) for row in csv.DictReader(file))


@lru_cache(maxsize=8)
def rules_for(classes: ClassSet) -> tuple[StatementRule, ...]:
    """Return the table's rules, and one for each output of a network that is in no row of the table.

    A model that was trained on other labels has such outputs: the name of the diagnosis is its statement.
    """
    said = {code for rule in statement_rules() for code in rule.outputs}
    others = (
        _plain_rule(codes, about.name)
        for codes, about in zip(classes.outputs, classes.diagnoses, strict=True)
        if not said.intersection(codes)
    )
    return (*statement_rules(), *others)


def _plain_rule(codes: Iterable[str], name: str) -> StatementRule:
    listed = tuple(codes)
    return StatementRule(
        key=listed[0],
        name=name,
        category="other",
        severity=OTHER_SEVERITY,
        group="",
        outputs=listed,
        measure="",
        low=-math.inf,
        high=math.inf,
        margin=0.0,
        role="",
        alone="possible",
        normal_below=math.inf,
        excluded_by=frozenset(),
        weakened_by=frozenset(),
        leads=(),
        aha="",
        source="the labels that the model was trained on",
    )


def _rule(row: dict[str, str]) -> StatementRule:
    return StatementRule(
        key=row["key"],
        name=row["name"],
        category=row["category"],
        severity=int(row["severity"]),
        group=row["group"],
        outputs=tuple(filter(None, row["outputs"].split("|"))),
        measure=row["measure"],
        low=float(row["from"] or -math.inf),
        high=float(row["to"] or math.inf),
        margin=float(row["margin"] or 0),
        role=cast(Role, row["role"]),
        alone=cast(Degree, row["alone"] or "possible"),
        normal_below=float(row["normal_below"] or math.inf),
        excluded_by=frozenset(row["excluded_by"].split()),
        weakened_by=frozenset(row["weakened_by"].split()),
        leads=tuple(row["leads"].split()),
        aha=row["aha"],
        source=row["source"],
    )
