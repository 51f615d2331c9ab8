"""Predictions as a data frame."""

from dataclasses import replace

import numpy as np
import pytest

from cnn_gap.diagnoses.classes import ClassSet, Finding, read_weights
from cnn_gap.predict.prediction import Prediction, failed_prediction
from cnn_gap.report.data_frames import column_types, predictions_table


@pytest.fixture
def predictions():
    """One good and one failed, of the Challenge's classes and a finding that shares a name with one."""
    finding = Finding(("PVC",), "SCP-ECG", "PVC", "ventricular premature complex")
    classes = replace(read_weights(), findings=(finding,))
    probabilities = np.linspace(0, 1, len(classes))
    good = Prediction("A", classes, probabilities, probabilities > 0.9, ("first", "second"))
    return [good, failed_prediction("B", classes, "cannot be read")]


def test_a_row_a_record_and_two_columns_a_class(predictions):
    table = predictions_table(iter(predictions))
    assert list(table.columns[:4]) == ["record", "failure", "answerable", "notes"]
    assert list(table.columns[4:6]) == ["IAVB_probability", "IAVB_label"]
    assert table.shape == (2, 4 + 2 * len(predictions[0].classes))
    assert table["record"].tolist() == ["A", "B"]
    assert table["failure"].tolist() == ["", "cannot be read"]
    assert table["answerable"].tolist() == [True, False]
    assert list(column_types(predictions[0].classes)) == list(table.columns)
    assert table["notes"].tolist() == ["first; second", ""]
    assert table["SCP-ECG:PVC_probability"][0] == 1
    assert table["PVC_probability"][0] < 1
    assert table["SCP-ECG:PVC_label"].tolist() == [True, False]
    assert table.filter(like="_probability").iloc[1].isna().all()
    assert table["IAVB_label"].dtype == bool


def test_short_names_are_different_and_find_their_class(predictions):
    classes: ClassSet = predictions[0].classes
    assert [classes.find(name) for name in classes.short_names] == list(range(len(classes)))


def test_no_predictions_are_an_empty_table():
    assert predictions_table([]).empty
