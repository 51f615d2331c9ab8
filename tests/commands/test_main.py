"""The command `cnn-gap`: how it is called, and which model its sub-commands use."""

import subprocess
import sys

import pytest
from conftest import ROOT

import cnn_gap.commands.main as cnn_gap_command
from cnn_gap.commands.command import Command
from cnn_gap.model.catalogue import list_models
from cnn_gap.system.shipped import SHIPPED_MODEL
from cnn_gap.system.version import __version__

RECORD = ROOT / "test_data" / "SIM0008"


@pytest.fixture
def parsed(monkeypatch):
    """Return the model and the records that `cnn-gap predict` takes from its arguments."""

    def parse(*arguments):
        seen = []
        real = next(each for each in cnn_gap_command.COMMANDS if each.name == "predict")
        command = Command("predict", "", real.add_arguments, seen.append, takes_model=True, records="records")
        monkeypatch.setattr(cnn_gap_command, "COMMANDS", (command,))
        cnn_gap_command.main(["predict", *map(str, arguments)])
        return seen[0].model, seen[0].records

    return parse


@pytest.mark.parametrize("record", [RECORD, RECORD.with_suffix(".hea"), RECORD.with_suffix(".mat")])
def test_records_alone_are_classified_by_the_shipped_model(parsed, record):
    assert parsed(record) == (SHIPPED_MODEL, [record])
    assert parsed(record, "b.xml", "c.xml") == (SHIPPED_MODEL, [record, *map(type(record), ("b.xml", "c.xml"))])


def test_a_first_argument_that_is_a_model_is_the_model(parsed, tmp_path):
    (tmp_path / "model.json").write_text("{}")
    for model, folder in ((tmp_path, tmp_path), (list_models()[0], SHIPPED_MODEL)):
        assert parsed(model, RECORD) == (folder, [RECORD])
        assert parsed("--model", model, RECORD, RECORD) == (folder, [RECORD, RECORD])


def test_a_folder_without_a_model_is_not_taken_for_a_record(tmp_path, run_command):
    ended = run_command(cnn_gap_command, ["predict", tmp_path, RECORD])
    assert (ended.code, ended.out) == (1, "")
    assert f"{tmp_path / 'model.json'}: not found" in ended.err


def test_a_first_argument_that_is_nothing_is_not_answered_by_another_model(run_command):
    ended = run_command(cnn_gap_command, ["predict", "modle", RECORD])
    assert (ended.code, ended.out) == (1, "")
    assert "modle: is neither a record nor a model; give a model folder or one of ptbxl-100hz" in ended.err


def test_two_models_are_refused(tmp_path, run_command):
    ended = run_command(
        cnn_gap_command, ["export", "--model", "ptbxl-100hz", SHIPPED_MODEL, tmp_path / "a.onnx"]
    )
    assert ended.code == 2
    assert f"given twice: {SHIPPED_MODEL} as the first argument, and --model ptbxl-100hz" in ended.err


def test_a_scripts_first_argument_may_name_a_shipped_model(run_command):
    import predict

    ended = run_command(predict, ["ptbxl-100hz", RECORD, "--top", "1"])
    assert (ended.code, "Sinus rhythm" in ended.out) == (0, True)


@pytest.mark.parametrize("module", ["cnn_gap", "cnn_gap.commands.main"])
def test_the_module_does_what_the_command_does(module):
    ended = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, cwd=ROOT
    )
    assert (ended.returncode, ended.stdout) == (0, f"{__version__}\n")
