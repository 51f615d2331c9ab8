"""Predictions, explanations and scores as text."""

import json

import numpy as np
from conftest import ROOT
from example_recording import explained

from cnn_gap.diagnoses.classes import duplicate_indices, read_weights
from cnn_gap.evaluate.metrics import score
from cnn_gap.report.tables import (
    aligned,
    long_explanation_table,
    prediction_json,
    prediction_table,
    scores_table,
)


def test_scores_name_the_diagnoses_and_count_their_records():
    classes = read_weights()
    rng = np.random.default_rng(4)
    labels, outputs = (rng.random((60, len(classes))) < 0.2 for _ in range(2))
    table = scores_table(classes, score(classes, labels, outputs, rng.random(labels.shape)))
    fibrillation = next(line for line in table.split("\n") if line.startswith("164889003"))
    column = classes.representatives.index("164889003")
    assert "AF" in fibrillation
    assert "Atrial fibrillation" in fibrillation
    assert fibrillation.split()[-4] == str(labels[:, column].sum())
    assert len({len(line) for line in table.split("\n")}) == 1


def test_words_begin_at_the_left_and_numbers_end_at_the_right():
    rows = [("name", "value"), ("a", "1"), ("long name", "12345678")]
    assert aligned(rows, words=1) == "name          value\na                 1\nlong name  12345678"
    assert aligned(rows) == "name       value\na          1\nlong name  12345678"


def test_an_alert_has_the_same_line_in_a_reading_and_beside_an_explanation():
    reading = explained().prediction.reading
    lines = [line for line in str(reading).split("\n") if line.startswith("ALERT")]
    assert len(lines) == len(reading.alerts) > 0
    assert set(lines) <= set(long_explanation_table(explained()).split("\n"))


def test_findings_are_listed_with_their_codes_beside_the_scored_classes(with_findings):
    prediction = with_findings.predict(ROOT / "test_data" / "SIM0008")
    outputs = len(with_findings.classes)
    lines = prediction_table(prediction, outputs).split("\n")
    again = duplicate_indices(zip(with_findings.classes.diagnoses, prediction.labels, strict=True))
    assert 0 < len(again) <= 20
    assert len(lines) == 1 + outputs - len(again)
    assert sum(line.split()[-1] == "IMI" for line in lines) == 1
    listed = json.loads(prediction_json(prediction, with_findings.description))["classes"]
    assert [each["codes"] for each in listed] == [list(codes) for codes in with_findings.classes.outputs]
    assert listed[-1]["abbreviation"] == with_findings.classes.findings[-1].abbreviation
