"""Training with teachers, and with a moving average of the weights."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import TINY

import train_model as train_command
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.model.folder import load_model
from cnn_gap.system.errors import InputError
from cnn_gap.training.teacher import blend, read_teacher
from cnn_gap.training.train import train_model


def _quiet(line):
    pass


@pytest.fixture(scope="module")
def teacher(model):
    return read_teacher(model)


def test_labels_are_blended_with_what_the_teacher_says(teacher):
    unseen = replace(teacher, description=replace(teacher.description, seen=(False,) + (True,) * 23))
    known = [each.knows(read_weights()) for each in (teacher, unseen)]
    labels, said = np.zeros((2, 24), bool), (np.full((2, 24), 0.3), np.full((2, 24), 0.5))
    labels[0] = True
    blended = blend(labels, known, said, share=0.25)
    assert blended.dtype == np.float32
    np.testing.assert_array_equal(blended[:, 0], [1, 0])
    np.testing.assert_allclose(blended[:, 1:], [[0.85] * 23, [0.1] * 23], rtol=1e-6)


def test_a_teacher_is_learned_from(records, model, teacher, tmp_path):
    """With a learning rate of 0, the losses of the same network differ only by their targets."""
    training = replace(TINY.training, epochs=1, learning_rate=0.0, warmup_epochs=0.0, distillation=1.0)
    lines = []
    train_model(
        records,
        tmp_path / "taught",
        replace(TINY, training=training),
        read_weights(),
        cache=model / "cache",
        teachers=(teacher,),
        log=lines.append,
    )
    alone = replace(TINY, training=replace(training, distillation=0.0))
    train_model(records, tmp_path / "alone", alone, read_weights(), cache=model / "cache", log=_quiet)
    assert any("asking" in line for line in lines)
    losses = [
        (tmp_path / name / "history.csv").read_text().splitlines()[1].split(",")[1]
        for name in ("taught", "alone")
    ]
    assert losses[0] != losses[1]


def test_another_teacher_cannot_resume_a_training(records, model, teacher, tmp_path):
    def crash(line):
        if line.startswith("epoch 1/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(
            records, tmp_path, TINY, read_weights(), cache=model / "cache", teachers=(teacher,), log=crash
        )
    with pytest.raises(InputError, match="fingerprints of the teachers was"):
        train_model(records, tmp_path, TINY, read_weights(), cache=model / "cache", resume=True, log=_quiet)


def test_a_teacher_that_answers_or_takes_something_else_is_refused(records, teacher, tmp_path):
    slower = replace(TINY, preprocessing=replace(TINY.preprocessing, sampling_rate=50.0))
    with pytest.raises(InputError, match="same preprocessing"):
        train_model(records, tmp_path / "a", slower, read_weights(), teachers=(teacher,), log=_quiet)
    fewer = replace(read_weights(), classes=read_weights().classes[:5])
    with pytest.raises(InputError, match="same classes and findings; received one with 24 for 5"):
        train_model(records, tmp_path / "b", TINY, fewer, teachers=(teacher,), log=_quiet)


def test_the_command_takes_a_teacher(run_command, records, model, tmp_path, config_file):
    arguments = (records, tmp_path / "m", "--config", config_file, "--teacher", model, "--teacher", model)
    result = run_command(train_command, arguments)
    assert result.code == 0, result.err
    assert result.out.count(f"asking {model} about the training records") == 2
    description = json.loads((tmp_path / "m" / "model.json").read_text())
    assert [teacher["folder"] for teacher in description["training"]["teachers"]] == [model.name] * 2


def test_the_average_of_the_weights_is_saved_and_resumed(records, model, tmp_path):
    """Without validation records, the last epoch is the best one."""
    training = replace(TINY.training, averaging=0.9, epochs=3, validation_fraction=0.0)

    def train(name, training, resume=False, log=_quiet):
        config = replace(TINY, training=training)
        cache = model / "cache"
        train_model(records, tmp_path / name, config, read_weights(), cache=cache, resume=resume, log=log)

    def crash(line):
        if line.startswith("epoch 1/"):
            raise KeyboardInterrupt

    train("whole", training)
    with pytest.raises(KeyboardInterrupt):
        train("crashed", training, log=crash)
    train("crashed", training, resume=True)
    train("plain", replace(training, averaging=0.0))
    whole, crashed, plain = (
        load_model(tmp_path / name)[0].get_weights() for name in ("whole", "crashed", "plain")
    )
    for first, second in zip(whole, crashed, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)
    assert max(np.abs(first - second).max() for first, second in zip(whole, plain, strict=True)) > 1e-3


def test_the_average_of_the_weights_is_validated(records, model, tmp_path):
    losses = []
    for averaging in (0.0, 0.9):
        config = replace(TINY, training=replace(TINY.training, averaging=averaging))
        place = tmp_path / str(averaging)
        train_model(records, place, config, read_weights(), cache=model / "cache", log=_quiet)
        rows = list(csv.DictReader((place / "history.csv").open()))
        losses.append([float(row["val_loss"]) for row in rows])
    assert losses[0][0] == losses[1][0]  # an average of one is itself
    assert losses[0][1] != losses[1][1]
