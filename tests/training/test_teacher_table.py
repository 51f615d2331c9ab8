"""Training with a table of some model's probabilities."""

import json

import numpy as np
import pytest

import train_model as train_command
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io.sources import find_records
from cnn_gap.system.errors import InputError
from cnn_gap.training.teacher_table import read_teacher_table, write_teacher_table

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

CLASSES = read_weights()


def _write(path, records, codes, probabilities):
    columns = {
        "record": np.repeat(records, len(codes)),
        "class": np.tile(codes, len(records)),
        "probability": np.ravel(probabilities),
    }
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def table(records, tmp_path):
    """A table that says 0.25 of each record's first class and 0.75 of another, by an equivalent code."""
    names = [path.stem for path in find_records(records)]
    return _write(tmp_path / "said.parquet", names, ["270492004", "59118001"], [[0.25, 0.75]] * len(names))


def test_a_table_says_what_it_holds_of_records_in_any_order(tmp_path):
    path = _write(tmp_path / "said.parquet", ["A", "B"], ["59118001", "270492004"], [[0.1, 0.2], [0.3, 0.4]])
    teacher = read_teacher_table(path)
    known = teacher.knows(CLASSES)
    assert [CLASSES.outputs[index][0] for index in np.flatnonzero(known)] == ["270492004", "713427006"]
    said = teacher.probabilities_of(("B", "A", "B"), CLASSES)
    np.testing.assert_allclose(said[:, known], [[0.4, 0.3], [0.2, 0.1], [0.4, 0.3]])
    assert not said[:, ~known].any()
    assert teacher.fingerprint != read_teacher_table(_write(path, ["A"], ["270492004"], [0.5])).fingerprint


def test_a_written_table_is_read_as_it_was_to_three_digits(tmp_path):
    said = np.random.default_rng(0).random((3, 2))
    write_teacher_table(tmp_path / "said.parquet", ["A", "B", "C"], ["59118001", "270492004"], said)
    read = read_teacher_table(tmp_path / "said.parquet")
    assert (read.records, read.codes) == (("A", "B", "C"), ("59118001", "270492004"))
    np.testing.assert_allclose(read.probabilities, said, rtol=1e-3)


def test_the_command_takes_a_table_beside_a_model(run_command, records, model, table, tmp_path, config_file):
    arguments = (records, tmp_path / "m", "--config", config_file, "--teacher", model, "--teacher", table)
    result = run_command(train_command, arguments)
    assert result.code == 0, result.err
    assert f"asking {table} about the training records" in result.out
    description = json.loads((tmp_path / "m" / "model.json").read_text())
    folder, said = description["training"]["teachers"]
    assert folder["folder"] == model.name
    assert said == {"table": "said.parquet", "probabilities": read_teacher_table(table).fingerprint}


def test_a_table_without_a_training_record_is_refused(run_command, records, tmp_path, config_file):
    table = _write(tmp_path / "said.parquet", ["nobody"], ["270492004"], [0.5])
    result = run_command(train_command, (records, tmp_path / "m", "--config", config_file, "--teacher", table))
    assert result.code == 1
    assert "it lacks 30 of 30 training records" in result.err


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"record": ["A"], "class": ["X"]}, "must have the columns record, class, probability"),
        ({"record": ["A", "A"], "class": ["X", "Y"], "probability": [0.5, 1.5]}, "received 1.5 for A and Y"),
        ({"record": ["A", "B"], "class": ["X", "Y"], "probability": [0.5, 0.5]}, "received nan for A and Y"),
        ({"record": ["A"], "class": ["X"], "probability": ["high"]}, "must hold numbers"),
    ],
)
def test_what_is_no_such_table_is_named(columns, reason, tmp_path):
    parquet.write_table(pa.table(columns), tmp_path / "said.parquet")
    with pytest.raises(InputError, match=reason):
        read_teacher_table(tmp_path / "said.parquet")


def test_a_table_of_other_classes_cannot_teach(tmp_path):
    teacher = read_teacher_table(_write(tmp_path / "said.parquet", ["A"], ["other"], [0.5]))
    with pytest.raises(InputError, match="none of its classes is to be answered; received other"):
        teacher.require_match(CLASSES, None)


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    (tmp_path / "said.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is not a Parquet table"):
        read_teacher_table(tmp_path / "said.parquet")
