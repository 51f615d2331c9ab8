"""Make one reading, without contradictions, of a record's probabilities and measurements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.leads import LEADS
from cnn_gap.reading.alerts import find_alerts
from cnn_gap.reading.conclusion import SHORT_S, conclude, doubt_of_normal, has_rhythm
from cnn_gap.reading.degrees import DegreeLimits
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import (
    DEGREES,
    OVERRULED,
    Conclusion,
    Degree,
    Origin,
    Reading,
    Sentence,
    Statement,
    in_sentence,
)
from cnn_gap.reading.rhythm import group_probability, primary_rhythm
from cnn_gap.reading.statements import StatementRule, rules_for

#: Diagnoses that the network cannot state, because no training record was labelled with them.
UNKNOWN_TO_THE_MODEL = (
    "ventricular tachycardia",
    "ventricular fibrillation",
    "Brugada pattern",
    "pericarditis",
    "pulmonary embolism",
    "dextrocardia",
)

#: The diagnoses of `UNKNOWN_TO_THE_MODEL` that a statement or an alert by measurement suspects, by its key.
SUSPECTED = {
    "large_waves": frozenset(("ventricular tachycardia", "ventricular fibrillation")),
    "wide_tachycardia": frozenset(("ventricular tachycardia",)),
    "ventricular_run": frozenset(("ventricular tachycardia",)),
}

#: The statements of rhythms without a PR interval.
WITHOUT_PR = frozenset({"atrial_fibrillation", "atrial_flutter", "pacing"})

#: Below this age, years, the reading has a note which says that its limits are for adults.
ADULT_AGE = 16.0

#: The network "does not see" a measured statement if its probability is below this.
UNSEEN = 0.1

#: The network agrees with a measurement that holds by more than half of the margin if its probability is at
#: least this share of the lowest at which the statement is possible.
AGREES = 1 / 3


@dataclass(frozen=True)
class _Verdict:
    """Whether a measurement agrees with a statement.

    Attributes
    ----------
    holds : bool or None
        None where it is not measured, or outside of the limits by no more than the margin.
    clear : bool
        Whether it holds by more than the margin, which is twice the error of the measurement.
    likely : bool
        Whether it holds by more than half of it.
    words : str
        The measured value as text.
    """

    holds: bool | None
    clear: bool = False
    likely: bool = False
    words: str = ""


def interpret(
    classes: ClassSet,
    probabilities: np.ndarray,
    evidence: Evidence,
    limits: DegreeLimits | None = None,
    notes: Sequence[str] = (),
) -> Reading:
    """Return the reading of a record in which there is a heartbeat.

    Parameters
    ----------
    classes : ClassSet
        The network's classes and findings.
    probabilities : ndarray, shape (classes,)
        The network's, of the record.
    evidence : Evidence
        The measurements, from `cnn_gap.reading.evidence.gather_evidence`.
    limits : DegreeLimits, optional
        Of the model; the usual ones if not given.
    notes : sequence of str
        What limits the record, such as leads that are flat.
    """
    limits = limits or DegreeLimits()
    rules = rules_for(classes)
    joint = joint_probabilities(classes, probabilities)
    withheld = _withheld(rules, evidence)
    candidates, overruled = _candidates(rules, joint, evidence, limits, withheld)
    standing = _without_contradictions(rules, candidates)
    statements = weakened(rules, standing, standing)
    alerts = find_alerts(evidence, statements)
    doubt = doubt_of_normal(rules, joint, evidence, withheld)
    conclusion, reason = conclude(statements, doubt, alerts)
    statements = _with_normal(statements, conclusion)
    contradicted = _contradicted(overruled, statements)
    limited = (*_lead_notes(evidence), *_part_note(evidence), *_age_note(evidence))
    said = tuple(dict.fromkeys((*limited, *contradicted, *notes)))
    not_assessed = _not_assessed(evidence, statements, withheld)
    return Reading(conclusion, reason, statements, alerts, not_assessed, said, _believed(evidence, statements))


def joint_probabilities(classes: ClassSet, probabilities: np.ndarray) -> dict[str, float]:
    """Return the probability of each statement that the network can make: the highest of its outputs.

    Outputs that mean the same, as the Challenge's atrial fibrillation and SCP-ECG's AFIB, are one statement.
    """
    by_code = {
        code: float(probability)
        for codes, probability in zip(classes.outputs, probabilities, strict=True)
        for code in codes
    }
    joint = {}
    for rule in rules_for(classes):
        known = [by_code[code] for code in rule.outputs if code in by_code]
        if known:
            joint[rule.key] = max(known)
    return joint


def without_suspected(not_assessed: Iterable[str], keys: Iterable[str]) -> tuple[str, ...]:
    """Leave out the diagnoses that statements or alerts of these keys suspect; they were assessed."""
    suspected = frozenset().union(*(SUSPECTED.get(key, ()) for key in keys))
    return tuple(each for each in not_assessed if each not in suspected)


def weakened(
    rules: Iterable[StatementRule], statements: Iterable[Statement], others: Sequence[Statement]
) -> tuple[Statement, ...]:
    """Return the statements; one beside others that may imitate it becomes "possible" and names them."""
    by_key = {rule.key: rule for rule in rules}

    def weaken(statement: Statement) -> Statement:
        weakened_by = by_key[statement.key].weakened_by
        imitating = [each for each in others if each.key in weakened_by and each.degree != "possible"]
        if not imitating:
            return statement
        said = f"may be imitated by {', '.join(in_sentence(by_key[each.key].name) for each in imitating)}"
        return replace(statement, degree="possible", evidence=(*statement.evidence, said))

    return tuple(map(weaken, statements))


def _withheld(rules: Sequence[StatementRule], evidence: Evidence) -> dict[str, str]:
    """Return why statements cannot be made, by their keys: missing leads or swapped electrodes."""
    missing = set(evidence.missing)
    found = {
        rule.key: f"{rule.name}: without {', '.join(sorted(missing.intersection(rule.leads), key=LEADS.index))}"
        for rule in rules
        if missing.intersection(rule.leads)
    }
    if evidence.swapped:
        reason = f"electrodes seem to be swapped ({evidence.swapped})"
        for rule in rules:
            if _is_touched(rule, evidence.swapped):
                found.setdefault(rule.key, f"{rule.name}: {reason}")
    return found


def _is_touched(rule: StatementRule, swapped: str) -> bool:
    """Tell whether a swap, such as ``"V1 and V2"``, changes a statement; one of limbs changes all on leads."""
    chest = set(swapped.split(" and ")).intersection(LEADS)
    needs_all = rule.category in ("axis", "voltage", "infarction", "repolarisation")
    if chest and rule.leads:
        return bool(chest.intersection(rule.leads))
    return needs_all or bool(rule.leads)


def _candidates(
    rules: Sequence[StatementRule],
    probabilities: Mapping[str, float],
    evidence: Evidence,
    limits: DegreeLimits,
    withheld: Mapping[str, str],
) -> tuple[list[Statement], dict[StatementRule, str]]:
    """Return the statements that stand by themselves, and notes on those that a measurement has overruled."""
    rules = [rule for rule in rules if rule.key not in withheld]
    rhythm = primary_rhythm(rules, probabilities, evidence.values)
    found: list[Statement] = []
    overruled: dict[StatementRule, str] = {}
    for rule in rules:
        if rule.category == "rhythm" and rule.key != rhythm:
            continue
        probability = group_probability(rule, rules, probabilities)
        degree = None if probability is None else limits.degree(rule.limit_key, probability)
        verdict = _measured(rule, evidence)
        if verdict.holds is False:
            if degree in ("present", "probable"):
                said = f"not reported: {rule.name} (network {probability:.2f}), because of {verdict.words}"
                overruled[rule] = Sentence(said, kind=OVERRULED)
            continue
        agrees = probability is not None and probability >= AGREES * limits.least(rule.limit_key)
        statement = _statement(rule, degree, probability, verdict, agrees)
        if statement is not None:
            found.append(statement)
    return found, overruled


def _measured(rule: StatementRule, evidence: Evidence) -> _Verdict:
    if rule.measure not in evidence.values:
        return _Verdict(None)
    value, words = evidence.values[rule.measure], evidence.words(rule.measure)
    if rule.role == "selects":
        return _Verdict(None, words=words)
    holds = rule.holds(value) or (None if rule.outside_by(value) <= rule.margin else False)
    return _Verdict(holds, rule.holds(value, rule.margin), rule.holds(value, rule.margin / 2), words)


def _statement(
    rule: StatementRule, degree: Degree | None, probability: float | None, verdict: _Verdict, agrees: bool
) -> Statement | None:
    """Return the statement if the network, the measurement, or both make it; else None."""
    decided = rule.role == "decides" and (verdict.clear or (verdict.likely and agrees))
    if not decided and degree is None:
        return None
    origin: Origin = "network"
    evidence = tuple(filter(None, (verdict.words,)))
    if decided and degree is None:
        origin, degree = "measurement", rule.alone
        if probability is not None and probability < UNSEEN:
            evidence = (*evidence, "the network does not see it")
    elif verdict.holds:
        origin = "network and measurement"
        degree = "present" if rule.role == "decides" and degree == "probable" else degree
    elif rule.role == "decides" and verdict.words:  # just outside of the limits
        degree = "possible" if degree == "probable" else degree
    assert degree is not None
    return Statement(
        rule.key,
        rule.name,
        rule.category,
        rule.outputs,
        rule.aha,
        degree,
        probability,
        evidence,
        origin,
        rule.severity,
    )


def _without_contradictions(
    rules: Sequence[StatementRule], candidates: Iterable[Statement]
) -> tuple[Statement, ...]:
    """Return the statements that may stand together, in the order of a report.

    Of two statements that exclude each other, the one that the table names as the excluding one is kept, unless
    it is only possible and the other one is more certain.
    """
    excluded_by = {rule.key: rule.excluded_by for rule in rules}
    candidates = tuple(candidates)
    certain = _exclude((each for each in candidates if each.degree != "possible"), excluded_by)
    clashing = {key for each in certain for key in excluded_by[each.key]}
    clashing |= {key for key, others in excluded_by.items() if any(each.key in others for each in certain)}
    possible = (each for each in candidates if each.degree == "possible" and each.key not in clashing)
    standing = [*certain, *_exclude(possible, excluded_by)]
    order = {rule.category: index for index, rule in reversed(list(enumerate(rules)))}

    def place(statement: Statement) -> tuple[int, int, int, float]:
        degree = DEGREES.index(statement.degree)
        return order[statement.category], -statement.severity, degree, -(statement.probability or 0.0)

    return tuple(sorted(standing, key=place))


def _exclude(statements: Iterable[Statement], excluded_by: Mapping[str, frozenset[str]]) -> list[Statement]:
    """Return the statements without those that another one excludes, the most certain and severe first."""
    standing = {each.key: each for each in statements}
    for excluding in sorted(standing.values(), key=lambda each: (DEGREES.index(each.degree), -each.severity)):
        for excluded in list(standing.values()):
            if excluding.key in standing and excluding.key in excluded_by[excluded.key]:
                del standing[excluded.key]
    return list(standing.values())


def _contradicted(overruled: Mapping[StatementRule, str], statements: Sequence[Statement]) -> list[str]:
    """Return the notes on overruled statements, without those that a reported statement excludes anyway."""
    keys = {each.key for each in statements}
    return [said for rule, said in overruled.items() if not keys.intersection(rule.excluded_by)]


def _with_normal(statements: Sequence[Statement], conclusion: Conclusion) -> tuple[Statement, ...]:
    """Return the statements; "normal" is among them, as present, only if it is the conclusion."""
    called = (replace(each, degree="present") if each.key == "normal" else each for each in statements)
    return tuple(each for each in called if each.key != "normal" or conclusion == "normal")


def _lead_notes(evidence: Evidence) -> tuple[str, ...]:
    swapped = f"electrodes seem to be swapped: {evidence.swapped}; record it again" if evidence.swapped else ""
    silent = f"no heartbeats are seen in {', '.join(evidence.silent)}" if evidence.silent else ""
    return tuple(filter(None, (swapped, silent)))


def _part_note(evidence: Evidence) -> tuple[str, ...]:
    if not evidence.part:
        return ()
    if "rate" not in evidence.values:  # then no part has one, and without a rate nothing else is measured
        return ("intervals and axis: could not be measured in any part",)
    return (f"measured: {evidence.part}, not the whole recording",)


def _age_note(evidence: Evidence) -> tuple[str, ...]:
    if not evidence.age < ADULT_AGE:  # NaN, too
        return ()
    return (f"the limits of rate, intervals and voltages are those of adults; this person is {evidence.age:g}",)


def _believed(evidence: Evidence, statements: Iterable[Statement]) -> dict[str, float]:
    """Return the measured values, without PR in a rhythm that has none."""
    without_pr = any(each.key in WITHOUT_PR for each in statements)
    return {name: value for name, value in evidence.values.items() if name != "pr_ms" or not without_pr}


def _not_assessed(
    evidence: Evidence, statements: Sequence[Statement], withheld: Mapping[str, str]
) -> tuple[str, ...]:
    said = f"rhythm over time: the record lasts {evidence.duration_s:.0f} s"
    short = (said,) if evidence.duration_s < SHORT_S else ()
    rhythm = () if has_rhythm(statements) else ("rhythm: the network finds no rhythm likely enough",)
    unknown = without_suspected(UNKNOWN_TO_THE_MODEL, (each.key for each in statements))
    return (*unknown, *rhythm, *short, *withheld.values())
