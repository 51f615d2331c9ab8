"""The options of the training command: values that are refused, and lists and addresses of records."""

import shutil

import pytest
from conftest import TINY

import train_model
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.model.catalogue import model_folder
from cnn_gap.model.folder import read_description
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked
from cnn_gap.training.adaptation import adapt_thresholds
from cnn_gap.training.experiment import Sources, prepare_experiment


@pytest.mark.parametrize(
    "given",
    [
        ("--patients", "absent.csv"),
        ("--findings", "absent.csv"),
        ("--devices", "2"),
        ("--resume",),
        ("--teacher", "absent"),
        ("--config", "absent.toml"),
        ("--cache", "cache"),
        ("--seed", "1"),
        ("--cluster", "local:2"),
        ("--weights", "absent.csv"),
    ],
)
def test_options_that_adapting_would_ignore_are_usage_errors(run_command, model, records, tmp_path, given):
    arguments = [records, tmp_path / "out", "--thresholds-only", "--from", model]
    result = run_command(train_model, [*arguments, *given])
    assert result.code == 2
    assert f"{given[0]} is for trainings" in result.err
    assert not (tmp_path / "out").exists()


def test_adapting_thresholds_needs_a_model_to_start_from(run_command, records, tmp_path):
    result = run_command(train_model, [records, tmp_path / "out", "--thresholds-only"])
    assert result.code == 2
    assert "--from TRAINED" in result.err


def test_adapting_thresholds_holds_the_folder_and_replaces_no_other_file(model, records, tmp_path):
    with locked(tmp_path), pytest.raises(InputError, match="is in use by process"):
        adapt_thresholds(records, tmp_path, model)
    (tmp_path / "model.json").write_text("mine")
    with pytest.raises(InputError, match=r"model\.json: is not the description of a trained model and stays"):
        adapt_thresholds(records, tmp_path, model)
    assert (tmp_path / "model.json").read_text() == "mine"


def test_adapting_thresholds_takes_a_list_and_the_codes_of_cpsc(run_command, model, records, tmp_path):
    names = [f"SIM{number:04d}" for number in range(12)]
    (tmp_path / "list.txt").write_text("".join(f"{records / name}.hea,id {name}\n" for name in names))
    labels = [f"id {name},{1 + number % 9}\n" for number, name in enumerate(names)]
    (tmp_path / "labels.csv").write_text("Recording,First_label\n" + "".join(labels))
    arguments = [tmp_path / "list.txt", tmp_path / "out", "--thresholds-only", "--from", model]
    result = run_command(train_model, [*arguments, "--labels", tmp_path / "labels.csv"])
    assert result.code == 0, result.err
    assert "to 12 records" in result.out
    assert read_description(tmp_path / "out").training["adapted_to_records"] == 12


def test_adapting_thresholds_takes_the_name_of_a_shipped_model(run_command, records, tmp_path):
    (tmp_path / "list.txt").write_text("".join(f"{records / f'SIM{number:04d}'}.hea\n" for number in range(4)))
    arguments = [tmp_path / "list.txt", tmp_path / "out", "--thresholds-only", "--from", "ptbxl-100hz"]
    result = run_command(train_model, arguments)
    assert result.code == 0, result.err
    shipped = read_description(model_folder("ptbxl-100hz"))
    assert read_description(tmp_path / "out").class_set == shipped.class_set


@pytest.mark.parametrize("option", ["--from", "--teacher"])
def test_a_training_takes_the_names_of_shipped_models(run_command, tmp_path, option):
    result = run_command(train_model, [tmp_path / "absent", tmp_path / "out", option, "ptbxl-100hz-focused"])
    assert result.code == 1
    assert result.err.startswith(f"error: {tmp_path / 'absent'}: "), (
        result.err
    )  # the model is found, the data are not


@pytest.mark.parametrize("kind", ["list", "address"])
def test_a_training_reads_lists_and_addresses_as_it_reads_folders(records, tmp_path, kind):
    if kind == "address":
        pytest.importorskip("fsspec")
    data = tmp_path / "data"
    data.mkdir()
    for path in sorted(records.iterdir())[:24]:
        shutil.copy(path, data)
    (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in sorted(data.glob("*.hea"))))
    source = str(tmp_path / "list.txt") if kind == "list" else f"file://{data}"
    whole, other = (
        prepare_experiment(Sources(each, tmp_path / f"cache{number}"), TINY, read_weights(), seed=0)
        for number, each in enumerate((str(data), source))
    )
    assert (other.examples.labels == whole.examples.labels).all()
    content = (whole.examples.store.folder / "windows.npy").read_bytes()
    assert (other.examples.store.folder / "windows.npy").read_bytes() == content
    again = prepare_experiment(Sources(source, tmp_path / "cache1"), TINY, read_weights(), seed=0)
    assert again.examples.store == other.examples.store
