"""Training that starts from a trained model."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from conftest import TINY

import train_model as train_command
from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.network.architecture import build_network
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.errors import InputError
from cnn_gap.training.fine_tuning import PretrainedModel, read_pretrained_model
from cnn_gap.training.train import train_model


def _quiet(line):
    pass


def _still(config):
    """Return a configuration with a learning rate of 0: only the normalisation's moving averages change."""
    return replace(config, training=replace(config.training, epochs=1, learning_rate=0.0, warmup_epochs=0.0))


@pytest.fixture(scope="module")
def start(model):
    return read_pretrained_model(model)


def test_the_trained_weights_predict_the_same(start, model):
    network = build_network(start.blocks, 12, 24)
    windows = np.random.default_rng(0).normal(size=(4, 500, 12)).astype(np.float32)
    expected = load_classifier(model).network.predict_on_batch(windows)
    assert not np.allclose(network.predict_on_batch(windows), expected, atol=1e-3)
    start.copy_weights(network, read_weights())
    np.testing.assert_array_equal(network.predict_on_batch(windows), expected)


def test_other_classes_keep_what_was_learned_of_those_in_common(start):
    ours = read_weights()
    classes = ClassSet(
        (("NEW",), ours.classes[5], (ours.classes[0][0], "ALSO NEW")), tuple(map(tuple, np.eye(3)))
    )
    assert start.matches(classes) == {1: 5, 2: 0}
    np.testing.assert_array_equal(start.seen(classes), [False, True, True])
    keras.utils.set_random_seed(0)
    network = build_network(start.blocks, 12, 3)
    initial = network.get_layer("probabilities").get_weights()[0]
    start.copy_weights(network, classes)
    kernel, bias = network.get_layer("probabilities").get_weights()
    trained_kernel, trained_bias = start.network.get_layer("probabilities").get_weights()
    np.testing.assert_array_equal(kernel[:, 0], initial[:, 0])
    np.testing.assert_array_equal(kernel[:, 1:], trained_kernel[:, [5, 0]])
    np.testing.assert_array_equal(bias[1:], trained_bias[[5, 0]])


def test_the_models_blocks_and_preprocessing_are_kept(records, model, start, tmp_path):
    other = replace(
        _still(TINY),
        preprocessing=Preprocessing(sampling_rate=250.0),
        network=replace(TINY.network, filters=(4, 4, 4)),
    )
    lines = []
    description = train_model(records, tmp_path / "m", other, read_weights(), start=start, log=lines.append)
    assert lines[0] == (
        "blocks and preprocessing are those of the model that the training starts from; these settings of the"
        " configuration are not used: network.filters, preprocessing.sampling_rate"
    )
    assert description.preprocessing == start.description.preprocessing
    dense = load_classifier(tmp_path / "m").network.get_layer("probabilities")
    np.testing.assert_array_equal(
        dense.get_weights()[0], start.network.get_layer("probabilities").get_weights()[0]
    )


def test_settings_that_are_used_or_the_models_own_make_no_line(start):
    asked = replace(TINY.network, dropout=0.3, last_dropout=0.1, momentary=("427172004",), moment_steps=9)
    assert list(start.left_out(replace(TINY, network=asked), read_weights())) == []


def test_a_training_says_that_the_findings_of_the_model_are_not_kept_and_what_keeps_them(with_findings):
    description = with_findings.description
    start = PretrainedModel(None, description, TINY.network)
    (line,) = start.left_out(TINY, read_weights())
    assert "71 findings" in line
    assert line.endswith("to keep them, add --findings scp")
    assert list(start.left_out(TINY, description.class_set)) == []
    own = replace(description.findings[0], codes=("OWN",))
    start = replace(start, description=replace(description, findings=(own, *description.findings[1:])))
    (line,) = start.left_out(TINY, read_weights())
    assert line.endswith("to keep them, add --findings TABLE.csv")


def test_a_model_learns_to_answer_momentary_diagnoses_so_and_keeps_it(records, start, tmp_path):
    asked = replace(_still(TINY), network=replace(TINY.network, momentary=("427172004", "?"), moment_steps=9))
    train_model(records, tmp_path / "m", asked, read_weights(), start=start, log=_quiet)
    head = load_classifier(tmp_path / "m").trained.structure.head
    assert head.moment_steps == 9
    assert np.flatnonzero(head.momentary).tolist() == [read_weights().find("PVC")]
    again = read_pretrained_model(tmp_path / "m").configure(TINY).network
    assert (again.momentary, again.moment_steps) == (asked.network.momentary, 9)


def test_dropout_is_the_configurations_choice(records, model, start, tmp_path):
    asked = replace(_still(TINY), network=replace(TINY.network, dropout=0.3, last_dropout=0.1))
    config = start.configure(asked)
    assert (config.network.dropout, config.network.last_dropout) == (0.3, 0.1)
    assert replace(config.network, dropout=TINY.network.dropout, last_dropout=0.0) == start.blocks
    train_model(records, tmp_path / "m", asked, read_weights(), start=start, log=_quiet)
    kernels = (
        load_classifier(folder).network.get_layer("probabilities").get_weights()[0]
        for folder in (tmp_path / "m", model)
    )
    np.testing.assert_array_equal(*kernels)


def test_classes_that_the_new_records_lack_keep_their_thresholds(records, start, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("".join(f"SIM{number:04d},426783006\n" for number in range(48)))
    description = train_model(
        records, tmp_path / "m", _still(TINY), read_weights(), label_table=table, start=start, log=_quiet
    )
    assert description.seen == start.description.seen
    normal = read_weights().normal
    for index, (new, trained) in enumerate(
        zip(description.thresholds, start.description.thresholds, strict=True)
    ):
        assert index == normal or new == trained


def test_another_start_cannot_resume_a_training(records, model, start, tmp_path):
    def stop(line):
        if line.startswith("epoch 1/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_model(records, tmp_path, TINY, read_weights(), start=start, log=stop)
    with pytest.raises(InputError, match="model to start from"):
        train_model(records, tmp_path, TINY, read_weights(), resume=True, log=_quiet)
    train_model(records, tmp_path, TINY, read_weights(), resume=True, start=start, log=_quiet)
    assert load_classifier(tmp_path)


def test_a_model_that_does_not_name_its_blocks_is_an_error(model, tmp_path):
    shutil.copytree(model, tmp_path / "m", ignore=shutil.ignore_patterns("cache"))
    content = json.loads((model / "model.json").read_text())
    del content["training"]["config"]
    (tmp_path / "m" / "model.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"model\.json: cannot be trained on: .*network"):
        read_pretrained_model(tmp_path / "m")


def test_the_command_starts_from_a_model(run_command, records, model, tmp_path, config_file):
    arguments = [str(records), str(tmp_path / "m"), "--from", str(model), "--config", str(config_file)]
    result = run_command(train_command, arguments)
    assert result.code == 0
    assert load_classifier(tmp_path / "m")
    assert run_command(train_command, [str(records), str(tmp_path / "n"), "--from", str(tmp_path)]).code == 1
