"""The names that `import cnn_gap` offers: each is there, by its own module, and stands once."""

import ast
import importlib
from pathlib import Path

import pytest
from conftest import ROOT

import cnn_gap
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_CONFIGS, SHIPPED_MODEL
from cnn_gap.training.config import read_config

STUB = ROOT / "cnn_gap" / "__init__.pyi"


def test_every_name_of_the_stub_is_that_of_its_module():
    imports = [node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names]
    assert sorted(names) == sorted(dir(cnn_gap)) == sorted(cnn_gap.__all__)
    for node in imports:
        module = importlib.import_module(f"cnn_gap.{node.module}")
        for alias in node.names:
            assert alias.asname == alias.name
            assert getattr(cnn_gap, alias.name) is getattr(module, alias.name)


def test_evaluate_is_the_function_though_a_folder_is_called_so():
    importlib.import_module("cnn_gap.evaluate.thresholds")
    assert callable(cnn_gap.evaluate)
    with pytest.raises(AttributeError):
        _ = cnn_gap.no_such_name


@pytest.fixture
def trained(monkeypatch):
    """Return the arguments with which `cnn_gap.train` starts a training, without running it."""
    from cnn_gap.training import train

    calls = []
    monkeypatch.setattr(train, "train_model", lambda *values, **options: calls.append((values, options)))

    def call(*values, **options):
        cnn_gap.train(*values, **options)
        return calls[-1]

    return call


def test_train_takes_paths_and_names(trained, tmp_path):
    data, model = str(ROOT / "test_data"), str(tmp_path / "m")
    (folder, target, config, classes), options = trained(data, model, findings="scp", labels="a.csv", seed=3)
    assert (Path(folder), target) == (ROOT / "test_data", tmp_path / "m")
    assert config == read_config()
    assert (len(classes.classes), len(classes.findings)) == (24, 71)
    assert (str(options["label_table"]), options["patient_table"], options["seed"]) == ("a.csv", None, 3)
    demo = SHIPPED_CONFIGS / "demo.toml"
    (_, _, config, _), options = trained(data, model, demo, start="ptbxl-100hz", teachers=[SHIPPED_MODEL])
    assert config == read_config(demo)
    assert options["start"].description == options["teachers"][0].description
    (_, _, config, _), _ = trained(data, model, start=SHIPPED_MODEL)
    assert config == read_config(SHIPPED_CONFIGS / "fine_tuning.toml")


def test_train_names_what_is_missing_before_it_starts(trained, tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        trained(tmp_path / "absent", tmp_path / "m")
    with pytest.raises(InputError, match=r"model\.json: not found"):
        trained(ROOT / "test_data", tmp_path / "m", teachers=[tmp_path])
