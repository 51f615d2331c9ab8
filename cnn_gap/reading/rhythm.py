"""The one primary rhythm of a record."""

from collections.abc import Mapping, Sequence

from cnn_gap.reading.statements import StatementRule


def primary_rhythm(
    rules: Sequence[StatementRule], probabilities: Mapping[str, float], values: Mapping[str, float]
) -> str:
    """Return the key of the most probable rhythm, empty if the network knows none.

    Of a group, such as the sinus rhythms, the measured value selects the statement.

    Parameters
    ----------
    rules : sequence of StatementRule
    probabilities : mapping of str to float
        Of each statement that the network can make.
    values : mapping of str to float
        Measured values.

    Examples
    --------
    >>> from cnn_gap.reading.statements import statement_rules
    >>> primary_rhythm(statement_rules(), {"sinus_rhythm": 0.9, "atrial_fibrillation": 0.2}, {"rate": 52.0})
    'sinus_bradycardia'
    """
    rhythms = [rule for rule in rules if rule.category == "rhythm" and rule.key in probabilities]
    if not rhythms:
        return ""
    best = max(rhythms, key=lambda rule: probabilities[rule.key])
    group = [rule for rule in rules if rule.group and rule.group == best.group]
    selected = (rule for rule in group if rule.measure in values and rule.holds(values[rule.measure]))
    return next(selected, best).key


def group_probability(
    rule: StatementRule, rules: Sequence[StatementRule], probabilities: Mapping[str, float]
) -> float | None:
    """Return the probability of a statement, or of the most probable one of its group; None where unknown."""
    alike = [each.key for each in rules if rule.group and each.group == rule.group] or [rule.key]
    return max((probabilities[key] for key in alike if key in probabilities), default=None)
