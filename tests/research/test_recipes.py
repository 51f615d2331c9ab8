"""Configurations that are trained alike: the trainings that are repeated, and the table of results."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cnn_gap.system.settings import to_dict
from research import recipes


@pytest.fixture
def trained(monkeypatch, with_findings):
    """Configurations by the names of their trainings; a training that is repeated keeps its first one."""
    held: dict[str, object] = {}

    def train_model(data, model, config, classes, **options):
        first = held.setdefault(model.name, config) is config
        training = {"config": to_dict(held[model.name])}
        if not first:  # read from model.json, where tuples are lists
            training = json.loads(json.dumps(training))
        description = replace(with_findings.description, training=training)
        held["classifier"] = replace(with_findings, description=description)
        return SimpleNamespace(classes=classes.classes, training=training)

    monkeypatch.setattr("cnn_gap.training.train.train_model", train_model)
    monkeypatch.setattr("cnn_gap.classifier.load_classifier", lambda model: held["classifier"])
    return held


def test_configurations_are_compared_with_the_first_one(records, config_file, tmp_path, trained, run_command):
    changed = tmp_path / "changed.toml"
    changed.write_text(f'base = "{config_file.name}"\n[training]\nlearning_rate = 1e-9\n')
    paths = "".join(f'[[network.paths]]\nname = "{name}"\nfilters = [8]\nkernels = [3]\n' for name in "ab")
    tiny = config_file.read_text().replace("[4, 4, 1]", "[4, 2, 1]")
    config_file.write_text(tiny + paths)  # tables in a list, which JSON holds in another way
    arguments = [records, records, tmp_path / "out", "--configs", config_file, changed, "--seeds", 0, 1]
    result = run_command(recipes, arguments)
    assert result.code == 0, result.err
    assert set(trained) == {"tiny-0", "tiny-1", "changed-0", "changed-1", "classifier"}
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.out.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["tiny", "2"], ["changed", "2"]]
    assert rows[0][2:] == rows[1][2:]  # the stub is the same classifier
    assert rows[0][-1] == "0.00"

    config_file.write_text(config_file.read_text().replace("epochs = 2", "epochs = 3"))
    result = run_command(recipes, arguments)
    assert result.code == 1
    assert "was trained with training.epochs 2, not 3; give another OUT" in result.err


def test_settings_are_compared_by_dotted_keys():
    assert recipes._flat({"a": 1, "b": {"c": 2, "d": {"e": [3]}}}) == {"a": 1, "b.c": 2, "b.d.e": [3]}


def test_a_row_has_means_ranges_and_differences_from_the_first():
    figures = np.array([[0.80, 0.90, 0.4], [0.84, 0.92, 0.6]])
    row = recipes._row("changed", figures, np.array([0.81, 0.90, 0.7]))
    assert row[:2] == ("changed", 2)
    assert len(row) == len(recipes.HEADINGS) + 1
    np.testing.assert_allclose(row[2:], [0.82, 0.04, 0.01, 0.91, 0.5, 0.2, -0.2])
