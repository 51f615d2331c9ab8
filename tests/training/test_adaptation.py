"""Thresholds and calibration, adapted to other records."""

import shutil

import numpy as np
import pytest

import train_model
from cnn_gap.classifier import load_classifier
from cnn_gap.evaluate.calibration import calibrate
from cnn_gap.io.records import read_info
from cnn_gap.model.folder import fingerprint, read_description
from cnn_gap.reading.degrees import FILE_NAME, DegreeLimits, read_degree_limits, write_degree_limits
from cnn_gap.system.errors import InputError
from cnn_gap.training.adaptation import adapt_thresholds


def test_answers_move_and_the_order_of_the_records_stays(model, records, tmp_path, run_command):
    adapted = tmp_path / "adapted"
    result = run_command(train_model, [records, adapted, "--from", model, "--thresholds-only"])
    assert not result.code
    before, after = read_description(model), read_description(adapted)
    assert after.training["adapted_to_records"] == 48
    assert any(one != two for one, two in zip(before.thresholds, after.thresholds, strict=True))
    assert [each is None for each in before.thresholds] == [each is None for each in after.thresholds]
    paths = sorted(records.glob("*.hea"))
    one, two = (
        np.array([each.probabilities for each in load_classifier(folder).predict_batch(paths)])
        for folder in (model, adapted)
    )
    labels = np.array([before.class_set.encode_taught(read_info(path).codes) for path in paths])
    held = labels.any(axis=0)
    errors = [((each - labels) ** 2).mean() for each in (one, two)]
    assert errors[1] < errors[0]
    assert not np.allclose(one, two)
    for first, second in zip(one[:, held].T, two[:, held].T, strict=True):
        np.testing.assert_array_equal(np.argsort(first), np.argsort(second))


def test_the_limits_of_the_degrees_are_kept(model, records, tmp_path):
    start, adapted = tmp_path / "start", tmp_path / "adapted"
    shutil.copytree(model, start)
    limits = DegreeLimits({"lvh": (0.9, 0.7, 0.5)})
    write_degree_limits(start, fingerprint(start), limits)
    adapt_thresholds(records, adapted, start)
    assert fingerprint(adapted) != fingerprint(start)
    assert read_degree_limits(adapted, fingerprint(adapted)) == limits
    adapt_thresholds(records, start, start)  # in place, too
    assert read_degree_limits(start, fingerprint(start)) == limits
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FILE_NAME).write_text('["mine"]')
    with pytest.raises(InputError, match="is not a table of three limits"):
        adapt_thresholds(records, tmp_path / "other", start)
    assert (tmp_path / "other" / FILE_NAME).read_text() == '["mine"]'
    adapt_thresholds(records, adapted, model)  # even if the new model's files are those of the model before
    for of_model in (fingerprint(adapted), fingerprint(start)):
        assert read_degree_limits(adapted, of_model) == DegreeLimits()


def test_thresholds_go_with_the_probabilities():
    """A probability that reaches its threshold still reaches it after both are calibrated."""
    probabilities = np.linspace(0, 1, 101)[:, None] * np.ones(3)
    scales, offsets, threshold = np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 3.0]), np.full(3, 0.295)
    after = calibrate(probabilities, scales, offsets)
    np.testing.assert_array_equal(probabilities >= threshold, after >= calibrate(threshold, scales, offsets))
    np.testing.assert_allclose(after[:, 1], probabilities[:, 1], atol=1e-12)
    np.testing.assert_array_equal(after[[0, -1]], probabilities[[0, -1]])


def test_codes_of_cpsc_2018_are_translated_and_lines_without_a_record_are_said(model, records, tmp_path):
    (tmp_path / "labels.csv").write_text("SIM0000,1\nSIM0001.mat,2\nabsent,2\n")
    lines = []
    adapt_thresholds(records, tmp_path / "out", model, tmp_path / "labels.csv", lines.append)
    assert any(line.endswith("1 listed records are not there, the first is absent") for line in lines)
    assert any(line.startswith("adapted 2 classes of 24 to 2 records") for line in lines)


def test_records_without_labels_and_a_missing_start_are_refused(model, records, tmp_path, run_command):
    table = tmp_path / "labels.csv"
    table.write_text("SIM0000,unscored\n")
    with pytest.raises(InputError, match="no record has a diagnosis"):
        adapt_thresholds(records, tmp_path / "out", model, table)
    result = run_command(train_model, [records, tmp_path / "out", "--thresholds-only"])
    assert (result.code, "--from" in result.err) == (2, True)
