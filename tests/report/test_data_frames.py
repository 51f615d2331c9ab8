"""Predictions as a data frame."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from cnn_gap.diagnoses.classes import ClassSet, Finding, read_weights
from cnn_gap.predict.prediction import Prediction, failed_prediction
from cnn_gap.reading.interpret import UNKNOWN_TO_THE_MODEL
from cnn_gap.reading.reading import Reading, Statement
from cnn_gap.record import RecordFacts
from cnn_gap.report.data_frames import TableForm, predictions_table


@pytest.fixture
def predictions():
    """One good and one failed, of the Challenge's classes and a finding that shares a name with one."""
    finding = Finding(("PVC",), "SCP-ECG", "PVC", "ventricular premature complex")
    classes = replace(read_weights(), findings=(finding,))
    probabilities = np.linspace(0, 1, len(classes))
    good = Prediction("A", classes, probabilities, probabilities > 0.9, ("first", "second"))
    return [good, failed_prediction("B", classes, "cannot be read")]


def test_a_row_a_record_and_two_columns_a_class(predictions):
    table = predictions_table(iter(predictions), reading=False)
    assert list(table.columns[:4]) == ["record", "failure", "answerable", "notes"]
    assert list(table.columns[-2:]) == ["SCP-ECG:PVC_probability", "SCP-ECG:PVC_label"]
    assert sum(column.endswith(("_probability", "_label")) for column in table) == 2 * len(
        predictions[0].classes
    )
    assert table["record"].tolist() == ["A", "B"]
    assert table["failure"].tolist() == ["", "cannot be read"]
    assert table["answerable"].tolist() == [True, False]
    assert list(TableForm(predictions[0].classes, reading=False, raw=True).types) == list(table.columns)
    assert table["notes"].tolist() == ["first; second", ""]
    assert table["SCP-ECG:PVC_probability"][0] == 1
    assert table["PVC_probability"][0] < 1
    assert table["SCP-ECG:PVC_label"].tolist() == [True, False]
    assert table.filter(like="_probability").iloc[1].isna().all()
    assert table["IAVB_label"].dtype == bool


def test_short_names_are_different_and_find_their_class(predictions):
    classes: ClassSet = predictions[0].classes
    assert [classes.find(name) for name in classes.short_names] == list(range(len(classes)))


def test_the_columns_of_the_reading_say_what_it_says(predictions):
    statement = Statement("lvh", "Hypertrophy", "voltage", (), "", "probable", 0.7, (), "network", 4)
    reading = Reading(
        "abnormal",
        "hypertrophy.",
        (statement, replace(statement, key="pvc", name="PVC", degree="present")),
        ("Pause of 3.1 s", "QTc 520 ms"),
        (*UNKNOWN_TO_THE_MODEL, "Q waves: without V1"),
        ("first", "not reported: X"),
        {"rate": 71.6, "pr_ms": 158.2, "qtc_bazett_ms": 431.0},
    )
    facts = RecordFacts(50.0, "Female", datetime(2020, 1, 2, 3, 4, 5))
    good, failed = predictions
    table = predictions_table([replace(good, reading=reading, facts=facts), failed], raw=False)
    row = table.iloc[0]
    assert (row["conclusion"], row["alerts"]) == ("abnormal", "Pause of 3.1 s; QTc 520 ms")
    assert row["interpretation"] == "Probable hypertrophy. PVC."
    assert row["statements"] == "lvh:probable pvc:present"
    assert row["not_assessed"] == "Q waves: without V1"
    assert row["notes"] == "first; second; not reported: X"
    assert (row["rate"], row["pr_ms"], row["qtcb_ms"]) == (72, 158, 431)
    assert (row["age"], row["sex"], row["recorded"]) == (50.0, "Female", "2020-01-02T03:04:05")
    assert table.loc[1, "conclusion"] == "not interpretable"
    assert table.loc[:, ["qrs_ms", "axis_deg"]].isna().all().all()
    assert table.loc[1, ["rate", "age", "sex", "recorded"]].isna().all()


def test_outputs_that_mean_the_same_are_one_column_with_the_higher_probability(predictions):
    good = predictions[0]
    table = predictions_table([good])
    twins = table.loc[0, ["PVC_probability", "SCP-ECG:PVC_probability"]]
    assert twins.nunique() == 2
    assert table["p_ventricular_premature"][0] == twins.max()
    assert table["p_rbbb_incomplete"][0] == table["IRBBB_probability"][0]
    assert "p_sinus_bradycardia" in table
    assert "p_sinus_bradycardia_marked" not in table  # the same outputs: the rate decides


def test_no_predictions_are_an_empty_table():
    assert predictions_table([]).empty
