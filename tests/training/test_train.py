"""Training: the content of the model folder, resuming after a crash, other label sets, and bad input."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
from conftest import ROOT, TINY

import train_model as train_command
from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io.records import read_info, read_record
from cnn_gap.io.sources import find_records
from cnn_gap.model.folder import load_model
from cnn_gap.simulation.files import write_simulated
from cnn_gap.simulation.recordings import simulate_record
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked
from cnn_gap.training.checkpoints import Checkpoints
from cnn_gap.training.config import Training
from cnn_gap.training.train import train_model
from cnn_gap.training.validation import predict_records
from cnn_gap.training.window_store import prepare_windows


def _quiet(line):
    pass


def _weights_of(folder):
    return load_model(folder)[0].get_weights()


class _CrashError(Exception):
    pass


def _crash_after(epoch):
    def log(line):
        if line.startswith(f"epoch {epoch}/"):
            raise _CrashError

    return log


def test_a_model_folder_holds_what_predicts_and_nothing_pickled(model):
    assert {path.name for path in model.iterdir()} == {
        "model.keras",
        "model.json",
        "history.csv",
        "history.png",
        "cache",
    }
    content = json.loads((model / "model.json").read_text())
    assert [len(codes) for codes in content["classes"]].count(2) == 3
    assert len(content["thresholds"]) == len(content["seen"]) == 24
    assert content["preprocessing"]["sampling_rate"] == 100.0
    assert content["training"]["training_records"] + content["training"]["validation_records"] == 48
    assert {"cnn_gap", "keras", "numpy"} <= set(content["versions"])
    with (model / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(np.isfinite(float(row["loss"])) for row in rows)


def test_the_network_is_of_keras_own_layers(model):
    network = load_model(model)[0]
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}
    assert not any(layer.name.startswith("random") for layer in network.layers)


def test_maps_beside_the_waves_cost_in_training_and_leave_no_layer_behind(records, model, tmp_path):
    config = replace(TINY, training=replace(TINY.training, focus=1.0))
    train_model(records, tmp_path / "focused", config, read_weights(), log=_quiet)
    losses = []
    for folder in (model, tmp_path / "focused"):
        with (folder / "history.csv").open() as file:
            losses.append(float(next(csv.DictReader(file))["loss"]))
    assert losses[1] > 1.01 * losses[0]
    layers = [
        [layer.name for layer in load_model(folder)[0].layers] for folder in (model, tmp_path / "focused")
    ]
    assert layers[0] == layers[1]


def test_the_same_seed_trains_the_same_model(records, model, tmp_path):
    train_model(records, tmp_path / "again", TINY, read_weights(), log=_quiet)
    for first, second in zip(_weights_of(model), _weights_of(tmp_path / "again"), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_an_interrupted_training_ends_as_it_would_have(records, model, tmp_path):
    config = replace(TINY, training=replace(TINY.training, batch_size=4, epochs=3))
    train_model(records, tmp_path / "whole", config, read_weights(), cache=model / "cache", log=_quiet)
    folder, lines = tmp_path / "crashed", []
    with pytest.raises(_CrashError):
        train_model(records, folder, config, read_weights(), log=_crash_after(1))
    assert not (folder / "model.keras").exists()
    (folder / "checkpoint" / ".writing-0a1b2c3d-77-4e5f6071.json").write_text("{")  # as a kill leaves it
    with pytest.raises(InputError, match="--resume"):
        train_model(records, folder, config, read_weights(), log=_quiet)
    train_model(records, folder, config, read_weights(), resume=True, log=lines.append)
    assert "resuming after epoch 1 of 3" in lines
    assert sum(line.startswith("epoch ") for line in lines) == 2
    for first, second in zip(_weights_of(tmp_path / "whole"), _weights_of(folder), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)
    assert not (folder / "checkpoint").exists()


def test_a_second_training_in_one_folder_is_told_who_trains_there(records, tmp_path):
    with locked(tmp_path), pytest.raises(InputError, match=f"is in use by process {os.getpid()}"):
        train_model(records, tmp_path, TINY, read_weights(), log=_quiet)


def test_a_header_that_the_system_refuses_costs_only_itself(records, model, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(records, data)
    (data / "LONG.hea").write_text(f"LONG 1 100 1000\n{'x' * 300}.mat 16 1000 16 0 0 0 0 I\n")
    (data / "SHORT.hea").write_text("SHORT 1 100\n" + f"{'x' * 300}.mat 16 1000 16 0 0 0 0 I\n")
    os.mkfifo(data / "PIPE.hea")
    lines = []
    description = train_model(data, tmp_path / "m", TINY, read_weights(), log=lines.append)
    assert description.training["training_records"] + description.training["validation_records"] == 48
    assert sum("File name too long" in line for line in lines) == 2
    assert sum("PIPE.hea: is not a regular file but a pipe" in line for line in lines) == 1


def test_an_unreadable_folder_is_told_or_refused(records, tmp_path, monkeypatch):
    data = tmp_path / "data"
    shutil.copytree(records, data / "open")
    (data / "closed").mkdir()
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    lines = []
    train_model(data, tmp_path / "m", TINY, read_weights(), log=lines.append)
    assert any(f"left out: {data / 'closed'}: this folder cannot be read" in line for line in lines)
    assert "left out: the records of 1 folders that cannot be read" in lines
    with pytest.raises(InputError, match="closed: this folder cannot be read"):
        train_model(data, tmp_path / "n", TINY, read_weights(), strict=True, log=_quiet)


def test_memory_that_ends_is_told_in_one_line(records, model, tmp_path, monkeypatch):
    class ResourceExhaustedError(Exception):
        pass

    def fit(self, *arguments, **options):
        raise ResourceExhaustedError("OOM when allocating tensor")

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(InputError, match=r"not enough memory.*training\.batch_size"):
        train_model(records, tmp_path, TINY, read_weights(), cache=model / "cache", log=_quiet)


@pytest.mark.parametrize(
    ("key", "value"), [("best_epoch", 7), ("best_epoch", -1), ("history", [{}]), ("history", [{"epoch": "x"}])]
)
def test_a_checkpoint_that_contradicts_itself_is_named(records, model, tmp_path, key, value):
    cache = model / "cache"
    with pytest.raises(_CrashError):
        train_model(records, tmp_path, TINY, read_weights(), cache=cache, log=_crash_after(1))
    progress = tmp_path / "checkpoint" / "progress.json"
    progress.write_text(json.dumps({**json.loads(progress.read_text()), key: value}))
    with pytest.raises(InputError, match=rf"progress\.json: cannot be resumed: {key} must"):
        train_model(records, tmp_path, TINY, read_weights(), cache=cache, resume=True, log=_quiet)


def test_a_finished_training_is_not_done_again(records, model):
    lines = []
    before = (model / "model.keras").stat().st_mtime_ns
    train_model(records, model, TINY, read_weights(), resume=True, log=lines.append)
    assert "finished" in lines[0]
    assert (model / "model.keras").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda folder: (folder / "progress.json").write_text("{}"), r"progress\.json: .*missing key"),
        (lambda folder: (folder / "epoch-0001.weights.h5").write_bytes(b"x"), r"epoch-0001\.weights\.h5"),
        (lambda folder: (folder / "epoch-0001.weights.h5").unlink(), r"epoch-0001\.weights\.h5"),
    ],
)
def test_a_damaged_checkpoint_is_named(records, model, tmp_path, damage, named):
    cache = model / "cache"
    with pytest.raises(_CrashError):
        train_model(records, tmp_path, TINY, read_weights(), cache=cache, log=_crash_after(1))
    damage(tmp_path / "checkpoint")
    with pytest.raises(InputError, match=named) as error:
        train_model(records, tmp_path, TINY, read_weights(), cache=cache, resume=True, log=_quiet)
    assert "\n" not in str(error.value)


def test_resuming_with_other_settings_names_the_difference(records, tmp_path):
    with pytest.raises(_CrashError):
        train_model(records, tmp_path, TINY, read_weights(), log=_crash_after(1))
    other = replace(TINY, training=replace(TINY.training, learning_rate=0.5))
    with pytest.raises(InputError, match=r"learning_rate was 0.01 and is now 0.5"):
        train_model(records, tmp_path, other, read_weights(), resume=True, log=_quiet)
    with pytest.raises(InputError, match=r"seed was 0 and is now 7"):
        train_model(records, tmp_path, TINY, read_weights(), resume=True, seed=7, log=_quiet)
    table = tmp_path / "labels.csv"
    table.write_text("".join(f"{path.stem},426783006\n" for path in find_records(records)))
    with pytest.raises(InputError, match=r"fingerprint of the labels was"):
        train_model(records, tmp_path, TINY, read_weights(), resume=True, label_table=table, log=_quiet)


def test_jax_trains_to_the_same_loss(records, model, tmp_path, config_file):
    pytest.importorskip("jax", reason="JAX is not installed")
    text = config_file.read_text().replace("[network]", "[network]\nresidual = true")
    text += "[preprocessing]\nmargin_s = 0.8\n"
    config_file.write_text(text + "[augmentation]\nwander_mv = 1.0\nlead_dropout = 0.4\ncrop_s = 8.0\n")
    losses = {}
    for backend in ("tensorflow", "jax"):
        command = [sys.executable, "train_model.py", str(records), str(tmp_path / backend)]
        subprocess.run(
            [*command, "--config", str(config_file), "--cache", str(model / "cache")],
            cwd=ROOT,
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
            capture_output=True,
        )
        with (tmp_path / backend / "history.csv").open() as file:
            losses[backend] = [float(row["loss"]) for row in csv.DictReader(file)]
    # The backends draw other initial weights and amplitudes from the same seed.
    np.testing.assert_allclose(losses["tensorflow"], losses["jax"], rtol=0.2)
    assert load_classifier(tmp_path / "jax").description.versions["backend"] == "jax"


def test_resuming_without_a_beginning_starts_one(records, tmp_path):
    lines = []
    train_model(records, tmp_path, TINY, read_weights(), resume=True, log=lines.append)
    assert sum(line.startswith("epoch ") for line in lines) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_while_training_then_resumed_by_the_command(records, tmp_path, config_file):
    config_file.write_text(config_file.read_text().replace("epochs = 2", "epochs = 12"))
    command = [
        sys.executable,
        "train_model.py",
        str(records),
        str(tmp_path / "m"),
        "--config",
        str(config_file),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("epoch 3/"):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert Checkpoints(tmp_path / "m" / "checkpoint").exists()
    result = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True, check=True)
    resumed = next(line for line in result.stdout.splitlines() if line.startswith("resuming after epoch"))
    assert int(resumed.split()[3]) >= 3
    assert "epoch 12/12" in result.stdout
    assert load_classifier(tmp_path / "m")


def test_short_records_are_trained_on_and_validated_as_they_are_predicted(records, tmp_path):
    """A third of the records lasts 4 s: batches have three lengths, and zeros are not validated on."""
    folder = tmp_path / "mixed"
    for index, path in enumerate(find_records(records)):
        codes = list(read_info(path).codes)
        record = simulate_record(f"SIM{index:04d}", codes, 100.0, 10.0, seed=index)
        samples = 1000 if index % 3 else 400 + 17 * (index % 2)
        write_simulated(folder, replace(record, signal=record.signal[:samples]))
    config = replace(TINY, augmentation=replace(TINY.augmentation, crop_s=8.0))
    train_model(folder, tmp_path / "model", config, read_weights(), log=_quiet)
    paths = find_records(folder)
    store = prepare_windows(
        [read_info(path) for path in paths], TINY.preprocessing, tmp_path / "model" / "cache", log=_quiet
    )
    classifier = load_classifier(tmp_path / "model")
    network = load_model(tmp_path / "model")[0]
    validated = predict_records(network, store, np.arange(len(paths)), batch_size=5)
    predicted = [each.probabilities for each in classifier.predict_batch(paths)]
    odd = np.arange(len(paths)) % 6 == 3  # of 417 samples, of which a step of the network is cut off
    np.testing.assert_allclose(
        validated[~odd], np.array(predicted)[~odd], atol=2e-3
    )  # windows are kept as float16
    np.testing.assert_allclose(validated[odd], np.array(predicted)[odd], atol=2e-2)
    with_zeros = network.predict_on_batch(store.read(np.arange(0, len(paths), 6)))
    assert np.abs(with_zeros - validated[::6]).max() > 2e-2


@pytest.mark.parametrize("loss", ["macro_obs", "weighted_binary_crossentropy"])
def test_every_loss_trains(records, model, tmp_path, loss):
    config = replace(TINY, training=replace(TINY.training, loss=loss, schedule="constant", warmup_epochs=0.5))
    description = train_model(records, tmp_path, config, read_weights(), cache=model / "cache", log=_quiet)
    assert np.isfinite(description.training["validation"]["loss"])


def test_without_validation_the_last_epoch_and_plain_thresholds_are_taken(records, model, tmp_path):
    config = replace(TINY, training=replace(TINY.training, validation_fraction=0.0))
    description = train_model(records, tmp_path, config, read_weights(), cache=model / "cache", log=_quiet)
    assert description.training["best_epoch"] == 2
    assert set(description.thresholds) <= {0.5, None}


def test_another_label_set_from_a_table_and_no_normal_class(records, tmp_path):
    names = [path.stem for path in find_records(records)]
    classes = [f"CODE{index}" for index in range(71)]
    weights = tmp_path / "weights.csv"
    rows = [",".join(["", *classes])]
    rows += [",".join([name, *("1" if name == other else "0" for other in classes)]) for name in classes]
    weights.write_text("\n".join(rows))
    table = tmp_path / "labels.csv"
    table.write_text(
        "record,code\n" + "".join(f"{name},CODE{i % 5},CODE{i % 7}\n" for i, name in enumerate(names[:40]))
    )
    lines = []
    description = train_model(
        records, tmp_path / "m", TINY, read_weights(weights), label_table=table, log=lines.append
    )
    assert sum(description.seen) == 7
    assert any("left out: 8 records" in line for line in lines)
    prediction = load_classifier(tmp_path / "m").predict(read_record(find_records(records)[0]))
    assert prediction.probabilities.shape == (71,)
    assert not prediction.labels[7:].any()


def test_patients_are_kept_together(records, tmp_path):
    names = [path.stem for path in find_records(records)]
    table = tmp_path / "patients.csv"
    table.write_text("record,patient\n" + "".join(f"{name},everybody\n" for name in names))
    description = train_model(records, tmp_path / "m", TINY, read_weights(), patient_table=table, log=_quiet)
    assert description.training["validation_records"] in (0, 48) or pytest.fail("the one patient was divided")


def test_labels_of_no_class_are_an_error(records, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("SIM0000,NOTHING\nSIM0001,NOTHING\n")
    with pytest.raises(InputError, match="no record has a diagnosis"):
        train_model(records, tmp_path / "m", TINY, read_weights(), label_table=table, log=_quiet)


def test_impossible_training_settings_are_named():
    with pytest.raises(InputError, match="warmup_epochs must be from 0 to 3"):
        Training(epochs=3, warmup_epochs=4.0)


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["absent", "m"], 1, "absent"),
        (["."], 2, "usage"),
        ([".", "m", "--config", "absent.toml"], 1, "absent.toml"),
    ],
)
def test_the_command_reports_user_errors_in_one_line(
    run_command, tmp_path, monkeypatch, arguments, code, named
):
    monkeypatch.chdir(tmp_path)
    result = run_command(train_command, arguments)
    assert result.code == code
    assert named in result.err
    assert code == 2 or len(result.err.splitlines()) == 1
