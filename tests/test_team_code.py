"""The steps of the 2021 harness: train, load for a set of leads, run on data that the helper functions read."""

import ast
import inspect

import numpy as np
import pytest
from conftest import ROOT, TINY

import helper_code
import team_code
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.results.challenge_files import read_outputs
from cnn_gap.system.errors import InputError


def test_the_functions_have_the_harness_signatures():
    parameters = {
        name: list(inspect.signature(getattr(team_code, name)).parameters)
        for name in ("training_code", "load_model", "run_model")
    }
    assert parameters == {
        "training_code": ["data_directory", "model_directory"],
        "load_model": ["model_directory", "leads"],
        "run_model": ["model", "header", "recording"],
    }


@pytest.mark.parametrize("name", ["team_code.py", "train_model.py", "driver.py", "evaluate_model.py"])
def test_nothing_needs_the_helpers_that_the_harness_replaces(name):
    tree = ast.parse((ROOT / name).read_text())
    imported = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {"helper_code", "train_model", "test_model"} & imported


@pytest.mark.parametrize("change", [lambda r: r.T, lambda r: r[:, :10], lambda r: r[:5], lambda r: r[0]])
def test_a_recording_that_does_not_fit_the_header_is_refused(records, model, change):
    header_file, recording_file = (files[0] for files in helper_code.find_challenge_files(str(records)))
    recording = helper_code.load_recording(recording_file)
    loaded = team_code.load_model(str(model), helper_code.two_leads)
    with pytest.raises(InputError):
        team_code.run_model(loaded, helper_code.load_header(header_file), change(recording))


def test_train_load_and_run_as_the_harness_does(records, tmp_path, monkeypatch):
    monkeypatch.setattr(team_code, "read_config", lambda: TINY)  # the default takes an hour
    team_code.training_code(str(records), str(tmp_path / "model"))
    for leads in (helper_code.twelve_leads, helper_code.two_leads):
        model = team_code.load_model(str(tmp_path / "model"), leads)
        header_file, recording_file = (files[0] for files in helper_code.find_challenge_files(str(records)))
        header = helper_code.load_header(header_file)
        # The recording has all leads of its header; `run_model` chooses the leads of the model.
        recording = helper_code.load_recording(recording_file)
        classes, labels, probabilities = team_code.run_model(model, header, recording)
        assert tuple(classes) == read_weights().codes
        assert set(labels) <= {0, 1}
        assert np.isfinite(probabilities).all()
        output = tmp_path / "output.csv"
        helper_code.save_outputs(
            str(output), helper_code.get_recording_id(header), classes, labels, probabilities
        )
        np.testing.assert_allclose(read_outputs(output).probabilities, probabilities, atol=1e-5)
