"""The reading: the network and the measurements together, one rule of the table at a time."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cnn_gap.diagnoses.classes import ClassSet, known_diagnoses, read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.leads import LEADS
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret, joint_probabilities
from cnn_gap.reading.reading import OVERRULED, kind_of
from cnn_gap.reading.statements import statement_rules

CLASSES = replace(read_weights(), findings=read_findings("scp"))
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")


def predicted(probabilities):
    """Return a prediction with these probabilities by code, and 0.01 of all other outputs."""
    values = np.full(len(CLASSES), 0.01)
    for code, probability in probabilities.items():
        values[next(index for index, codes in enumerate(CLASSES.outputs) if code in codes)] = probability
    return values


def read(probabilities=None, values=None, **evidence):
    """Return the reading of a record in sinus rhythm with other probabilities and measured values."""
    said = predicted({"SR": 0.95} | (probabilities or {}))
    return interpret(CLASSES, said, Evidence(values or {}, **evidence))


def keys(reading):
    return [statement.key for statement in reading.statements]


def degree(reading, key):
    return next((statement.degree for statement in reading.statements if statement.key == key), None)


def test_a_normal_record_is_called_normal():
    reading = read({"NORM": 0.9}, {"rate": 70.0})
    assert reading.conclusion == "normal"
    assert keys(reading) == ["sinus_rhythm", "normal"]


def test_normal_never_stands_beside_a_finding():
    reading = read({"NORM": 0.9, "LVH": 0.7}, {"rate": 70.0})
    assert reading.conclusion != "normal"
    assert "normal" not in keys(reading)


def test_twins_are_one_statement_with_the_higher_probability():
    twins = {"164889003": 0.3, "AFIB": 0.8}
    assert joint_probabilities(CLASSES, predicted(twins))["atrial_fibrillation"] == 0.8
    assert keys(read({"SR": 0.1} | twins)).count("atrial_fibrillation") == 1


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (70, "sinus_rhythm"),
        (55, "sinus_bradycardia"),
        (45, "sinus_bradycardia_marked"),
        (101, "sinus_tachycardia"),
        (60, "sinus_rhythm"),
        (100, "sinus_rhythm"),
    ],
)
def test_the_rate_decides_which_sinus_rhythm_it_is(rate, expected):
    assert keys(read(values={"rate": float(rate)}))[0] == expected


def test_there_is_one_primary_rhythm():
    reading = read({"SR": 0.6, "AFIB": 0.9}, {"rate": 110.0})
    assert [each.key for each in reading.statements if each.category == "rhythm"] == ["atrial_fibrillation"]


@pytest.mark.parametrize(
    ("key", "code", "measure", "holds", "fails"),
    [
        ("av_block_1", "1AVB", "pr_ms", 230.0, 170.0),
        ("axis_left", "39732003", "axis_deg", -50.0, -10.0),
        ("axis_right", "47665007", "axis_deg", 110.0, 75.0),
        ("low_voltage", "LVOLT", "limb_mv", 0.3, 0.9),
        ("rbbb", "CRBBB", "qrs_ms", 140.0, 95.0),
        ("lbbb", "CLBBB", "qrs_ms", 150.0, 90.0),
        ("lafb", "LAFB", "axis_deg", -60.0, 10.0),
        ("lpfb", "LPFB", "axis_deg", 120.0, 40.0),
        ("qt_long", "LNGQT", "qtc_bazett_ms", 520.0, 430.0),
        ("ivcd", "IVCD", "qrs_ms", 118.0, 90.0),
    ],
)
def test_a_measurement_overrules_the_network_and_a_note_says_so(key, code, measure, holds, fails):
    assert degree(read({code: 0.9}, {measure: holds}), key) == "present"
    reading = read({code: 0.9}, {measure: fails})
    assert degree(reading, key) is None
    assert OVERRULED in map(kind_of, reading.notes)


@pytest.mark.parametrize(
    ("key", "measure", "clear", "near"),
    [
        ("av_block_1", "pr_ms", 240.0, 205.0),
        ("axis_left", "axis_deg", -60.0, -33.0),
        ("lvh_voltage", "sokolow_lyon_mv", 5.0, 3.6),
    ],
)
def test_a_measurement_alone_decides_only_beyond_its_error(key, measure, clear, near):
    statement = next(each for each in read(values={measure: clear}).statements if each.key == key)
    assert (statement.origin, statement.degree) == ("measurement", "possible")
    assert "the network does not see it" in statement.evidence
    assert degree(read(values={measure: near}), key) is None


@pytest.mark.parametrize(
    ("code", "key", "axis"),
    [
        ("47665007", "axis_right", -180.0),
        ("47665007", "axis_right", -172.0),
        ("47665007", "axis_right", 82.0),
        ("39732003", "axis_left", -92.0),
        ("39732003", "axis_left", -25.0),
    ],
)
def test_an_axis_within_the_margin_of_a_limit_overrules_nothing(code, key, axis):
    reading = read({code: 0.9}, {"axis_deg": axis})
    assert degree(reading, key) == "present"
    assert not reading.notes
    assert degree(read({code: 0.7}, {"axis_deg": axis}), key) == "possible"


@pytest.mark.parametrize(
    ("axis", "key"), [(-130.0, "axis_extreme"), (-60.0, "axis_left"), (130.0, "axis_right"), (-175.0, None)]
)
def test_an_axis_is_an_angle_of_which_one_sector_is_stated(axis, key):
    said = [each.key for each in read(values={"axis_deg": axis}).statements if each.category == "axis"]
    assert said == ([key] if key else [])


@pytest.mark.parametrize(
    ("pr_ms", "probability", "expected"),
    [(219.0, 0.2, "possible"), (219.0, 0.05, None), (205.0, 0.2, None), (230.0, 0.05, "possible")],
)
def test_a_long_pr_interval_needs_less_of_the_network(pr_ms, probability, expected):
    assert degree(read({"1AVB": probability}, {"pr_ms": pr_ms}), "av_block_1") == expected


def test_a_wide_complex_makes_a_block_complete_or_is_stated_itself():
    complete = read({"IRBBB": 0.9}, {"qrs_ms": 145.0})
    assert keys(complete)[1:] == ["rbbb_by_qrs_width"]
    assert not complete.notes
    assert keys(read({"IRBBB": 0.9}, {"qrs_ms": 118.0}))[1:] == ["rbbb_incomplete"]
    assert degree(read(values={"qrs_ms": 179.0}), "wide_qrs") == "possible"
    assert degree(read(values={"qrs_ms": 122.0}), "wide_qrs") is None


def test_a_statement_that_is_dropped_for_a_more_certain_one_excludes_no_other():
    reading = read({"CRBBB": 0.45, "ABQRS": 0.7}, {"qrs_ms": 149.0})
    assert keys(reading)[1:] == ["wide_qrs", "qrs_abnormal"]


def test_a_long_qtc_by_both_formulas_is_stated():
    assert degree(read(values={"shorter_qtc_ms": 485.0}), "qt_long_measured") == "possible"
    assert degree(read(values={"shorter_qtc_ms": 475.0}), "qt_long_measured") is None


def test_a_tachycardia_too_fast_for_a_sinus_rhythm_is_not_called_one():
    assert keys(read(values={"rate": 217.0, "rate_above_sinus": 31.0}))[0] == "tachycardia_unclear"
    run = read({"STACH": 0.99}, {"rate": 140.0, "run_beats": 4.0, "run_rate": 150.0})
    assert degree(run, "sinus_tachycardia") == "possible"


@pytest.mark.parametrize("values", [{"large_waves": 1.0}, {"rate": 187.0, "qrs_ms": 149.0, "wide_rate": 187.0}])
def test_st_elevation_does_not_alert_in_a_ventricular_rhythm(values):
    reading = read(values={"st_criteria": 2.0} | values, elevated=("I", "aVL"))
    assert not any("ST elevation" in alert for alert in reading.alerts)


@pytest.mark.parametrize(
    ("values", "evidence", "reason"),
    [
        ({}, {}, "no heart rate could be measured"),
        ({"rate": 70.0}, {"duration_s": 5.0}, "too short"),
        ({"rate": 70.0}, {"missing": CHEST, "silent": CHEST}, "not all can be assessed"),
        ({"rate": 45.0}, {}, "minor"),
    ],
)
def test_what_was_not_recorded_or_measured_is_not_called_normal(values, evidence, reason):
    reading = read({"NORM": 0.95}, values, **evidence)
    assert reading.conclusion == "borderline"
    assert reason in reading.reason
    assert ("no heartbeats are seen in V1, V2, V3, V4, V5, V6" in reading.notes) == ("silent" in evidence)


def test_a_rhythm_that_is_not_determined_is_said_and_never_normal():
    reading = read({"SR": 0.1, "NORM": 0.95}, {"rate": 70.0})
    assert reading.conclusion == "borderline"
    assert "the rhythm is not determined" in reading.reason
    assert any(each.startswith("rhythm: ") for each in reading.not_assessed)


def test_normal_has_no_degree():
    assert str(read({"NORM": 0.5}, {"rate": 70.0}).statements[-1]) == "Normal ECG"


def test_swapped_chest_electrodes_withhold_only_what_they_touch():
    said = {"LAFB": 0.9, "ALMI": 0.95, "NORM": 0.9}
    reading = read(said, {"axis_deg": -60.0}, swapped="V4 and V5")
    assert {"lafb", "axis_left"} <= set(keys(reading))
    assert "infarct_anterolateral" not in keys(reading)
    assert any(each.startswith("ST depression: ") for each in reading.not_assessed)


def test_a_narrow_complex_makes_a_block_incomplete():
    assert keys(read({"CRBBB": 0.9}, {"qrs_ms": 105.0}))[1] == "rbbb_incomplete"


def test_no_note_says_that_a_complete_block_is_not_an_incomplete_one():
    reading = read({"CRBBB": 0.9, "IRBBB": 0.9}, {"qrs_ms": 150.0})
    assert keys(reading)[1] == "rbbb"
    assert not reading.notes


def test_statements_that_exclude_each_other_never_stand_together():
    everything = {codes[0]: 0.9 for codes in CLASSES.outputs}
    found = keys(read(everything))
    rules = {rule.key: rule for rule in statement_rules()}
    assert found
    assert not [(one, other) for one in found for other in found if other in rules[one].excluded_by]


def test_statements_come_in_the_order_of_a_report_and_the_most_urgent_first():
    reading = read({"PVC": 0.9, "CLBBB": 0.9, "PAC": 0.9, "LVOLT": 0.9})
    assert keys(reading) == ["sinus_rhythm", "ventricular_premature", "atrial_premature", "lbbb", "low_voltage"]


def test_missing_leads_withhold_what_needs_them():
    reading = read({"NORM": 0.95, "ASMI": 0.95}, {"rate": 80.0}, missing=CHEST)
    assert reading.conclusion != "normal"
    assert "infarct_anteroseptal" not in keys(reading)
    assert any("Anteroseptal" in each and "V1" in each for each in reading.not_assessed)


@pytest.mark.parametrize(("network", "kept"), [({}, True), ({"SR": 0.0, "AFIB": 0.95}, False)])
def test_a_rhythm_without_p_waves_has_no_pr_interval(network, kept):
    assert ("pr_ms" in read(network, {"rate": 70.0, "pr_ms": 160.0}).measured) is kept


@pytest.mark.parametrize(("age", "said"), [(8.0, True), (16.0, False), (float("nan"), False)])
def test_a_child_is_told_that_the_limits_are_those_of_adults(age, said):
    assert any("adults" in note for note in read(values={"rate": 70.0}, age=age).notes) is said


def test_the_headline_names_the_degree_of_what_is_not_sure():
    reading = read({"IMI": 0.7}, {"rate": 70.0})
    assert reading.statements[-1].degree == "probable"
    assert reading.summary == f"Abnormal ECG: {str(reading.statements[-1]).replace('Probable', 'probable')}."


def test_a_statement_by_measurement_shows_no_probability():
    reading = read({"47665007": 0.01}, {"rate": 70.0, "axis_deg": 130.0})
    said = next(line for line in str(reading).splitlines() if "ight axis" in line)
    assert "by measurement" in said
    assert "0.01" not in said


def test_the_text_names_what_is_not_assessed_by_its_reason():
    lines = str(read(missing=("V1", "V2", "V3", "V4", "V5", "V6"))).splitlines()
    assert any(re.match(r"not assessed  without V\d to V\d.*: .*infarction", line) for line in lines)
    assert max(map(len, lines)) <= 120


def test_swapped_electrodes_withhold_axis_and_infarction():
    reading = read({"ALMI": 0.95, "47665007": 0.9}, {"axis_deg": 150.0}, swapped="right and left arm")
    assert not {"infarct_anterolateral", "axis_right"} & set(keys(reading))
    assert reading.notes[0] == "electrodes seem to be swapped: right and left arm; record it again"


@pytest.mark.parametrize(
    ("probabilities", "values", "words", "kind"),
    [
        (
            {},
            {"rate": 140.0, "qrs_ms": 180.0, "wide_rate": 140.0},
            "consider ventricular tachycardia",
            "wide_tachycardia",
        ),
        ({}, {"run_beats": 4.0, "run_rate": 150.0}, "Run of 4 wide complexes (150/min)", "ventricular_run"),
        ({}, {"large_waves": 1.0}, "ventricular tachycardia, flutter or fibrillation", "large_waves"),
        ({}, {"rate": 35.0}, "Heart rate 35/min", "slow"),
        ({}, {"rate": 170.0}, "Heart rate 170/min", "fast"),
        ({"3AVB": 0.9}, {}, "Third-degree AV block", "complete_block"),
        ({"INJAS": 0.9}, {}, "Injury current", "injury"),
    ],
)
def test_alerts(probabilities, values, words, kind):
    reading = read(probabilities, values)
    assert kind in [kind_of(alert) for alert in reading.alerts if words in alert]
    assert reading.conclusion == "abnormal"


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({}, ["ventricular tachycardia", "ventricular fibrillation"]),
        ({"rate": 140.0, "qrs_ms": 180.0, "wide_rate": 140.0}, ["ventricular fibrillation"]),
        ({"run_beats": 4.0, "run_rate": 150.0}, ["ventricular fibrillation"]),
        ({"large_waves": 1.0}, []),
    ],
)
def test_what_a_measurement_suspects_is_not_called_not_assessed(values, left):
    assert [each for each in read({}, values).not_assessed if "ventricular" in each] == left


def test_st_elevation_alerts_unless_something_imitates_it():
    elevated = {"values": {"st_criteria": 3.0}, "elevated": ("II", "aVF", "III")}
    assert read(**elevated).alerts == ("ST elevation in II, aVF, III: consider acute infarction",)
    beside = read({"CLBBB": 0.95}, **elevated)
    assert not beside.alerts
    assert degree(beside, "st_elevation") == "possible"


def test_a_pause_alerts():
    assert read(values={"longest_rr_s": 3.2}).alerts == ("Pause of 3.2 s",)


@pytest.mark.parametrize("values", [{"rate": 140.0, "qrs_ms": 90.0}, {"rate": 80.0, "qrs_ms": 150.0}])
def test_a_narrow_or_a_slow_rhythm_is_no_wide_complex_tachycardia(values):
    assert not read(values=values).alerts


def test_an_irregular_rhythm_without_p_waves_is_not_called_normal():
    assert read({"NORM": 0.9}, {"rate": 70.0, "rr_variation": 0.3}).conclusion == "borderline"
    with_p_waves = {"rate": 70.0, "rr_variation": 0.3, "pr_ms": 160.0}
    assert read({"NORM": 0.9}, with_p_waves).conclusion == "normal"
    assert read({"NORM": 0.9}, with_p_waves, age=30.0).conclusion == "normal"
    assert read({"NORM": 0.9}, with_p_waves, age=70.0).conclusion == "borderline"


@pytest.mark.parametrize(
    "rule", [rule for rule in statement_rules() if rule.normal_below < 1], ids=lambda rule: rule.key
)
def test_a_severe_diagnosis_that_is_not_excluded_is_not_called_normal(rule):
    code = next(codes[0] for codes in CLASSES.outputs if set(codes) & set(rule.outputs))
    assert read({"NORM": 0.9, code: rule.normal_below + 0.01}, {"rate": 70.0}).conclusion != "normal"
    assert read({"NORM": 0.9, code: rule.normal_below - 0.01}, {"rate": 70.0}).conclusion == "normal"


def test_labels_that_the_table_does_not_know_are_statements_too():
    classes = ClassSet((("426783006",), ("12345",)), ((1.0, 0.0), (0.0, 1.0)))
    reading = interpret(classes, np.array([0.9, 0.95]), Evidence())
    assert keys(reading) == ["sinus_rhythm", "12345"]
    assert reading.conclusion == "abnormal"


def test_a_reading_as_text_and_as_json():
    reading = read({"LVH": 0.65}, {"rate": 64.0, "axis_deg": -50.0})
    assert "Probable left ventricular hypertrophy" in str(reading)
    assert "axis -50 degrees" in str(reading)
    held = reading.to_dict()
    assert held["conclusion"] == "abnormal"
    assert "Probable left ventricular hypertrophy" in held["interpretation"]


def test_each_row_of_the_table_is_whole():
    rules = statement_rules()
    listed = [rule.key for rule in rules]
    known = {code for codes in CLASSES.outputs for code in codes} | set(known_diagnoses())
    assert len(set(listed)) == len(listed)
    for rule in rules:
        assert rule.excluded_by <= set(listed)
        assert set(rule.outputs) <= known
        assert set(rule.leads) <= set(LEADS)
        assert rule.low < rule.high
        assert rule.source
        assert rule.measure or not rule.role


def test_every_output_of_the_shipped_model_is_said_by_a_statement():
    said = {code for rule in statement_rules() for code in rule.outputs}
    assert [codes for codes in CLASSES.outputs if not said & set(codes)] == []


@pytest.mark.parametrize(
    ("probabilities", "earliness", "expected", "origin"),
    [
        ({"SR": 0.9}, 5.0, "probable", "measurement"),
        ({"SR": 0.9}, 2.8, None, None),
        ({"SR": 0.1, "AFIB": 0.9}, 5.0, None, None),  # every rhythm of atrial fibrillation has short intervals
        ({"SR": 0.1, "PACE": 0.9}, 5.0, None, None),
    ],
)
def test_an_early_beat_of_the_usual_shape_is_a_premature_supraventricular_one(
    probabilities, earliness, expected, origin
):
    reading = read(probabilities, {"rate": 70.0, "earliness": earliness})
    found = {each.key: (each.degree, each.origin) for each in reading.statements}
    assert found.get("supraventricular_premature", (None, None)) == (expected, origin)
    assert "premature_unclear" not in found


def test_premature_atrial_beats_need_an_early_beat_where_the_rhythm_shows_which_are_early():
    said = {"SR": 0.9, "PAC": 0.95}
    for values, origin in (({}, "network"), ({"earliness": 5.0}, "network and measurement")):
        reading = read(said, {"rate": 70.0} | values)
        ectopy = [(each.key, each.origin) for each in reading.statements if each.category == "ectopy"]
        assert ectopy == [("atrial_premature", origin)]
    reading = read(said, {"rate": 70.0, "earliness": 0.0})
    assert degree(reading, "atrial_premature") is None
    note = "Premature atrial complexes (network 0.95), because of no early beat of the usual shape"
    assert f"not reported: {note}" in reading.notes
