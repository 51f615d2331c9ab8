"""The experiments of research/: which trainings are repeated, and what their tables say."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.common import Classified
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.system.settings import to_dict
from cnn_gap.training.config import read_config
from research import fine_tuning, recipes


@pytest.fixture
def trained(monkeypatch, with_findings):
    """Configurations by the names of their trainings; a training that is repeated keeps its first one."""
    held: dict[str, object] = {}

    def train_model(data, model, config, classes, **options):
        held.setdefault(model.name, config)
        training = {
            "config": to_dict(held[model.name]),
            "validation": {"val_auroc": 0.8, "val_challenge_metric": 0.4},
        }
        description = replace(with_findings.description, training=training)
        held["classifier"] = replace(with_findings, description=description)
        return SimpleNamespace(classes=classes.classes, training=training)

    monkeypatch.setattr("cnn_gap.training.train.train_model", train_model)
    monkeypatch.setattr("cnn_gap.classifier.load_classifier", lambda model: held["classifier"])
    return held


def test_configurations_are_compared_with_the_first_one(records, config_file, tmp_path, trained, run_command):
    changed = tmp_path / "changed.toml"
    changed.write_text(f'base = "{config_file.name}"\n[training]\nlearning_rate = 1e-9\n')
    arguments = [records, records, tmp_path / "out", "--configs", config_file, changed, "--seeds", 0, 1]
    result = run_command(recipes, arguments)
    assert result.code == 0, result.err
    assert set(trained) == {"tiny-0", "tiny-1", "changed-0", "changed-1", "classifier"}
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.out.splitlines()[2:]]
    assert [row[:4] for row in rows] == [["tiny", "2", "0.800", "0.400"], ["changed", "2", "0.800", "0.400"]]
    assert rows[0][-2:] == rows[1][-2:] == ["0.00", "0.00"]  # the stub is the same classifier

    config_file.write_text(config_file.read_text().replace("epochs = 2", "epochs = 3"))
    result = run_command(recipes, arguments)
    assert result.code == 1
    assert "was trained with training.epochs 2, not 3; give another OUT" in result.err


def test_settings_are_compared_as_they_are_written():
    flat = recipes._flat(to_dict(read_config()))
    assert flat["training.epochs"] > 1
    assert isinstance(flat["network.filters"], list)
    assert not any(isinstance(value, dict | tuple) for value in flat.values())


def test_parts_of_a_cross_validation_are_scored_together():
    classes = read_weights()
    labels = np.eye(2, len(classes), dtype=bool)
    probabilities = labels * 0.9
    parts = [
        Classified(classes, (f"A{index}",), labels[[index]], labels[[index]], probabilities[[index]])
        for index in range(2)
    ]
    assert fine_tuning.result_row("all", parts)[3:] == (1.0, 2, 1.0)
