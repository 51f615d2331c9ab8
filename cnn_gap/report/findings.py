"""The findings of a reading that have a map, and the texts on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.reading.conclusion import NORMAL
from cnn_gap.reading.reading import Reading, Statement, in_sentence
from cnn_gap.report.page_reading import class_of
from cnn_gap.report.report_text import answer, full_name, why


@dataclass(frozen=True, eq=False)
class MappedFinding:
    """A class with a map, and the statement of the reading that it stands for, if it stands for one.

    In a strip of a long recording it is the class that belongs to an `event`, given by its title.
    """

    explained: ExplainedClass
    statement: Statement | None = None
    event: str = ""

    @property
    def heading(self) -> str:
        """The event; or the finding with its degree, or the class's name with its abbreviation."""
        if self.event:
            return self.event
        return full_name(self.explained.diagnosis) if self.statement is None else str(self.statement)

    @property
    def name(self) -> str:
        """Its name as it stands inside a sentence."""
        return in_sentence(self.explained.diagnosis.name if self.statement is None else self.statement.name)

    @property
    def about(self) -> str:
        """The reasons for it: degree, probability and measured values, or probability and threshold."""
        if self.event:
            return f"Map of {self.name}: {answer(self.explained)}"
        if self.statement is None:
            return answer(self.explained)
        said = about(self.statement)
        return said[:1].upper() + said[1:]


def about(statement: Statement) -> str:
    """Return where a statement comes from, and its degree if its text does not say it."""
    degree = ("present",) if statement.degree == "present" else ()
    return "; ".join((*degree, why(statement))).replace(" -", " −")


def mapped_findings(explanation: Explanation, reading: Reading) -> list[MappedFinding]:
    """Return the findings of a reading that the network sees somewhere, in the order of the report.

    Of several outputs of the network that mean a statement the most probable one is taken. Normal statements,
    such as sinus rhythm, and those of the measurement alone have none.
    """
    places = ((statement, class_of(statement, explanation.classes)) for statement in _seen(reading.statements))
    return [
        MappedFinding(explanation.classes[place], statement) for statement, place in places if place is not None
    ]


def named_findings(explanation: Explanation) -> list[MappedFinding]:
    """Return all classes of an explanation, in its order."""
    return list(map(MappedFinding, explanation.classes))


def reading_findings(explanation: Explanation) -> list[MappedFinding]:
    """Return the reading's findings that have a map; if there is no reading, the answered classes."""
    if explanation.reading is not None:
        return mapped_findings(explanation, explanation.reading)
    return [MappedFinding(each) for each in explanation.classes if each.label]


def most_urgent(findings: Sequence[MappedFinding]) -> MappedFinding | None:
    """Return the most urgent finding, one that is more than possible before all others."""

    def urgency(finding: MappedFinding) -> tuple[bool, int]:
        statement = finding.statement
        return (True, 0) if statement is None else (statement.degree != "possible", statement.severity)

    return max(findings, key=urgency, default=None)


def _seen(statements: Sequence[Statement]) -> list[Statement]:
    return [each for each in statements if each.severity > NORMAL and each.origin != "measurement"]
