"""Thresholds that are adapted to other records."""

import numpy as np
import pytest

import train_model
from cnn_gap.classifier import load_classifier
from cnn_gap.errors import InputError
from cnn_gap.prediction.model_folder import read_description
from cnn_gap.training.adaptation import adapt_thresholds


def test_the_network_stays_and_thresholds_move(model, records, tmp_path, run_command):
    adapted = tmp_path / "adapted"
    result = run_command(train_model, [records, adapted, "--from", model, "--thresholds-only"])
    assert not result.code
    before, after = read_description(model), read_description(adapted)
    assert after.training["thresholds_adapted_to_records"] == 48
    assert any(one != two for one, two in zip(before.thresholds, after.thresholds, strict=True))
    assert [each is None for each in before.thresholds] == [each is None for each in after.thresholds]
    path = next(records.glob("*.hea"))
    one, two = (load_classifier(folder).predict(path).probabilities for folder in (model, adapted))
    np.testing.assert_array_equal(one, two)


def test_records_without_labels_and_a_missing_start_are_refused(model, records, tmp_path, run_command):
    table = tmp_path / "labels.csv"
    table.write_text("SIM0000,1\n")
    with pytest.raises(InputError, match="no record has a diagnosis"):
        adapt_thresholds(records, tmp_path / "out", model, table)
    result = run_command(train_model, [records, tmp_path / "out", "--thresholds-only"])
    assert (result.code, "--from" in result.err) == (2, True)
