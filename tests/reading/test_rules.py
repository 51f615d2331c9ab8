"""Each rule of the two tables does what its columns say."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cnn_gap.beats.beat_list import PAUSE_S
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.reading.alerts import alert_rules
from cnn_gap.reading.degrees import DegreeLimits
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret
from cnn_gap.reading.reading import DEGREES, Statement
from cnn_gap.reading.statements import statement_rules

CLASSES = replace(read_weights(), findings=read_findings("scp"))
RULES = {rule.key: rule for rule in statement_rules()}

#: One limit for all degrees, so that the network's answer is either present or absent.
CERTAIN = DegreeLimits(dict.fromkeys([*RULES, "sinus_rhythm"], (0.9, 0.9, 0.9)))


def rows(condition):
    """Return the rules that meet a condition, with their keys as names of the tests."""
    return [pytest.param(rule, id=rule.key) for rule in RULES.values() if condition(rule)]


def inside(rule):
    """Return a value within the limits of a rule, farther from them than its margin."""
    low, high = rule.low, rule.high
    if math.isinf(low) or math.isinf(high):
        return low + rule.margin + 1 if math.isinf(high) else high - rule.margin - 0.01
    return (low + high) / 2


def outside(rule):
    return rule.high + rule.margin + 1 if math.isinf(rule.low) else rule.low - rule.margin - 0.01


def read(rules, values=None, **evidence):
    """Return the statements, by their keys, of a record in which the network says these rules."""
    codes = {code for rule in rules for code in (rule.outputs or RULES.get(rule.group, rule).outputs)}
    said = [0.99 if codes.intersection(each) else 0.01 for each in CLASSES.outputs]
    reading = interpret(CLASSES, np.array(said), Evidence(values or {}, **evidence), CERTAIN)
    return {each.key: each for each in reading.statements}, reading


#: Values that are measured together with others.
MEASURED_WITH = {"wide_rate": {"rate": 130.0, "qrs_ms": 150.0}, "run_rate": {"run_beats": 4.0}}


def values_of(*rules):
    """Return measured values with which the rules hold."""
    beside = [MEASURED_WITH.get(rule.measure, {}) for rule in rules]
    own = {rule.measure: inside(rule) for rule in rules if rule.measure}
    return {name: value for values in (*beside, own) for name, value in values.items()}


@pytest.mark.parametrize("rule", rows(lambda rule: rule.key != "normal"))
def test_a_statement_is_made_where_the_network_and_its_measurement_say_it(rule):
    found, _ = read([rule], values_of(rule))
    instead = [key for key in found if key in rule.excluded_by]  # by an output that says both
    assert rule.key in found or instead
    if rule.key in found:
        assert found[rule.key].aha == rule.aha
        assert set(found[rule.key].codes) == set(rule.outputs)


@pytest.mark.parametrize("rule", rows(lambda rule: rule.role in ("decides", "requires")))
def test_a_statement_is_not_made_against_its_measurement(rule):
    assert rule.key not in read([rule], {rule.measure: outside(rule)})[0]


@pytest.mark.parametrize("rule", rows(lambda rule: rule.role == "decides"))
def test_a_deciding_measurement_alone_gives_the_degree_of_the_table(rule):
    assert read([], values_of(rule))[0][rule.key].degree == rule.alone


@pytest.mark.parametrize("rule", rows(lambda rule: rule.role == "selects"))
def test_a_measurement_selects_one_statement_of_a_group(rule):
    found, _ = read([RULES["sinus_rhythm"]], values_of(rule))
    assert [key for key in found if RULES[key].group == rule.group] == [rule.key]


@pytest.mark.parametrize("rule", rows(lambda rule: rule.excluded_by))
def test_statements_that_exclude_each_other_do_not_stand_together(rule):
    for other in map(RULES.get, rule.excluded_by):
        found, _ = read([rule, other], values_of(rule, other))
        assert not {rule.key, other.key} <= set(found)


@pytest.mark.parametrize("rule", rows(lambda rule: rule.weakened_by))
def test_a_statement_that_is_imitated_is_only_possible(rule):
    for other in map(RULES.get, rule.weakened_by):
        found, _ = read([rule, other], values_of(rule, other))
        assert other.key in found or other.excluded_by & set(found)  # by an output that says both
        assert found[rule.key].degree == "possible"
        assert "may be imitated by" in found[rule.key].evidence[-1]


@pytest.mark.parametrize("rule", rows(lambda rule: rule.leads))
def test_a_statement_is_withheld_without_its_leads_and_with_swapped_electrodes(rule):
    chest = [{"swapped": f"V2 and {lead}"} for lead in rule.leads if lead.startswith("V")]
    for evidence in ({"missing": rule.leads[-1:]}, {"swapped": "right and left arm"}, *chest):
        found, reading = read([rule], values_of(rule), **evidence)
        assert rule.key not in found
        assert any(each.startswith(f"{rule.name}: ") for each in reading.not_assessed)
        assert reading.conclusion != "normal"


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule.key)
def test_an_alert_is_given_where_its_rule_holds_and_only_there(rule):
    if rule.measure:
        low, high = rule.low, rule.high
        within = high if math.isinf(low) else low + 0.1
        assert rule.holds(Evidence({rule.measure: within}), ())
        assert not rule.holds(Evidence({rule.measure: high + 0.1 if math.isinf(low) else low}), ())
        assert not rule.holds(Evidence(), ())
        return
    for key in rule.statements:
        about = RULES[key]
        for degree in DEGREES:
            said = Statement(key, about.name, about.category, (), "", degree, None, (), "", about.severity)
            assert rule.holds(Evidence(), [said]) == (degree in rule.degrees)


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule.key)
def test_an_alert_rule_is_whole(rule):
    assert rule.source
    assert rule.text
    assert bool(rule.measure) != bool(rule.statements)
    assert set(rule.statements) <= set(RULES)


def test_a_pause_is_one_length_in_alerts_and_lists():
    assert {rule.low for rule in alert_rules() if rule.key == "pause"} == {PAUSE_S}
