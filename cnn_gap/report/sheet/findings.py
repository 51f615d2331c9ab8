"""The findings of a reading that have a map, and the texts on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.reading.interpret import NORMAL
from cnn_gap.reading.reading import Reading, Statement, in_sentence
from cnn_gap.report.report_text import answer, full_name


@dataclass(frozen=True, eq=False)
class MappedFinding:
    """A class with a map, and the statement of the reading that it stands for, if it stands for one."""

    explained: ExplainedClass
    statement: Statement | None = None

    @property
    def heading(self) -> str:
        """The finding with its degree, or the class's name with its abbreviation."""
        return full_name(self.explained.diagnosis) if self.statement is None else str(self.statement)

    @property
    def name(self) -> str:
        """Its name as it stands inside a sentence."""
        return in_sentence(self.explained.diagnosis.name if self.statement is None else self.statement.name)

    @property
    def about(self) -> str:
        """How it was decided: degree, probability and measured values, or probability and threshold."""
        return answer(self.explained) if self.statement is None else about(self.statement)


def about(statement: Statement) -> str:
    """Return the degree, the probability and the measured values of a statement."""
    probability = [] if statement.probability is None else [f"probability {statement.probability:.2f}"]
    origin = ["by measurement alone"] if statement.origin == "measurement" else []
    return "; ".join((statement.degree, *probability, *statement.evidence, *origin)).replace("-", "−")


def mapped_findings(explanation: Explanation, reading: Reading) -> list[MappedFinding]:
    """Return the findings of a reading that the network sees somewhere, in the order of the report.

    Of several outputs of the network that mean a statement the most probable one is taken. Normal statements,
    such as sinus rhythm, and those of the measurement alone have none.
    """
    by_code = {code: each for each in explanation.classes for code in each.codes}
    found = []
    for statement in _seen(reading.statements):
        outputs = [by_code[code] for code in statement.codes if code in by_code]
        if outputs:
            best = max(outputs, key=lambda each: each.probability)
            found.append(MappedFinding(best, statement))
    return found


def most_urgent(findings: Sequence[MappedFinding]) -> MappedFinding | None:
    """Return the most urgent finding, one that is more than possible before all others."""

    def urgency(finding: MappedFinding) -> tuple[bool, int]:
        statement = finding.statement
        return (True, 0) if statement is None else (statement.degree != "possible", statement.severity)

    return max(findings, key=urgency, default=None)


def _seen(statements: Sequence[Statement]) -> list[Statement]:
    return [each for each in statements if each.severity > NORMAL and each.origin != "measurement"]
