"""The conclusion of a reading: normal, borderline or abnormal."""

from collections.abc import Mapping, Sequence

from cnn_gap.beats.intervals import IRREGULAR
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import Conclusion, Statement, in_sentence
from cnn_gap.reading.statements import StatementRule
from cnn_gap.system.timed_text import TimedText, pieces_of

#: The highest severity of the statements of a borderline ECG, and of a normal one.
BORDERLINE, NORMAL = 2, 0

#: The severity from which on a statement is the reason of the conclusion even if there is an alert without a
#: statement, such as a slow heart rate: atrial fibrillation, blocks of the second degree, and graver ones.
GRAVE = 7

#: In a record that is shorter than this, s, the rhythm over time is not assessed.
SHORT_S = 8.0

#: From this age on, years, breathing hardly changes the heart rate, so an irregular rhythm is no normal sinus
#: arrhythmia (Hrushesky et al. 1984, Science 224:1001).
BREATHING_AGE = 60.0


def has_rhythm(statements: Sequence[Statement]) -> bool:
    """Tell whether one of the statements is a rhythm."""
    return any(each.category in ("rhythm", "ventricular_rhythm") for each in statements)


def conclude(statements: tuple[Statement, ...], doubt: str, alerts: tuple[str, ...]) -> tuple[Conclusion, str]:
    """Return the conclusion and its reason; a doubt keeps a record without findings from being normal."""
    findings = [each for each in statements if each.severity > NORMAL]
    severe = [each for each in findings if each.severity > BORDERLINE and each.degree != "possible"]
    if severe or alerts:
        gravest = max(severe, key=lambda each: each.severity, default=None)
        worst = alerts[0] if alerts and (gravest is None or gravest.severity < GRAVE) else str(gravest)
        first, *others = pieces_of(worst)
        return "abnormal", TimedText(in_sentence(str(first)), *others, ".")
    if findings:
        return "borderline", "all findings are minor or only possible."
    if not has_rhythm(statements):
        return "borderline", "nothing abnormal was found, but the rhythm is not determined."
    if doubt:
        return "borderline", doubt
    normal = next((each for each in statements if each.key == "normal"), None)
    if normal is None:
        return "borderline", "no finding is stated, and the network does not call the record normal."
    return "normal", "nothing abnormal was found."


def doubt_of_normal(
    rules: Sequence[StatementRule],
    probabilities: Mapping[str, float],
    evidence: Evidence,
    withheld: Mapping[str, str],
) -> str:
    """Return why a record without any finding is not called normal; empty if it may be."""
    if withheld:
        return "nothing abnormal was found, but not all can be assessed."
    if "rate" not in evidence.values:
        return "nothing abnormal was found, but no heart rate could be measured."
    if evidence.duration_s < SHORT_S:
        return "nothing abnormal was found, but the record is too short for the rhythm over time."
    if evidence.values.get("rr_variation", 0.0) > IRREGULAR:
        if "pr_ms" not in evidence.values:
            return "the rhythm is irregular, and no P waves were measured."
        if evidence.age >= BREATHING_AGE:
            return "the rhythm is more irregular than breathing makes it at this age."
    doubtful = [rule for rule in rules if probabilities.get(rule.key, 0.0) >= rule.normal_below]
    if not doubtful:
        return ""
    worst = max(doubtful, key=lambda rule: (rule.severity, probabilities[rule.key]))
    return f"no finding is likely enough to be reported, but {in_sentence(worst.name)} is not excluded."
