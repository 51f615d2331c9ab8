"""Our network beside others: what the table says, what is kept, and what is asked for."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.trainings import peers, peers_networks
from benchmarks.trainings.peers import Result, Speed, Target, learning_rate, peers_table, some
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.training.config import Training

ROOT = Path(__file__).parents[2]


class Guess:
    """A network that learns nothing and answers by the first lead's mean."""

    parameters = 7

    def train(self, windows, labels, rate):
        """Look at the windows."""
        return float(windows.mean())

    def predictor(self):
        """Return itself."""
        return self

    def predict_on_batch(self, x):
        """Return the same for all outputs."""
        outputs = len(read_weights()) + len(read_findings("scp"))
        return np.tile(1 / (1 + np.exp(-x[:, :, 0].mean(axis=1)))[:, None], outputs)


@pytest.fixture
def without_torch(monkeypatch):
    """Our network and one that needs no package."""
    monkeypatch.setattr(peers, "require_packages", lambda: None)
    monkeypatch.setattr(peers, "start_backends", lambda threads: None)

    def networks(config, outputs):
        return {"ours": peers_networks.networks(config, outputs)["ours"], "guess": Guess}

    monkeypatch.setattr(peers, "networks", networks)


def cells(printed):
    """Return the cells of the table's rows by the first one."""
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0]: row[1:] for row in rows}


def test_missing_packages_are_asked_for(tmp_path, monkeypatch, run_command):
    present = ("torch",)
    monkeypatch.setattr(peers_networks, "find_spec", lambda name: name if name in present else None)
    result = run_command(peers, [tmp_path, tmp_path, tmp_path])
    assert result.code == 1
    assert 'pip install -e ".[peers]"' in result.err
    assert result.err.rstrip().endswith("missing: tsai, torch_ecg")


def test_networks_are_trained_once_and_compared(records, config_file, tmp_path, without_torch, run_command):
    options = ["--config", config_file, "--records", 24, "--rounds", 1, "--epochs"]
    arguments = [records, records, tmp_path, *options]
    result = run_command(peers, [*arguments, 1])
    assert result.code == 0, result.err
    counts = re.match(r"(\d+) records to train on, (\d+) to validate on, 48 of TEST; epochs: 1", result.out)
    assert sum(map(int, counts.groups())) == 24
    rows = cells(result.out)
    assert list(rows) == ["ours", "guess"]
    assert rows["guess"][0] == "7"
    assert rows["ours"][6] == rows["ours"][8] == "1.00"
    assert rows["ours"][3] == "-"  # simulated records have no statements

    again = run_command(peers, [*arguments, 1])
    assert "ours-0: is trained already" in again.err
    assert {name: row[:5] for name, row in cells(again.out).items()} == {
        name: row[:5] for name, row in rows.items()
    }

    other = run_command(peers, [*arguments, 2])
    assert other.code == 1
    assert "ours-0.npz: was trained with another config" in other.err


def test_a_damaged_result_is_refused(tmp_path):
    path = tmp_path / "ours-0.npz"
    path.write_bytes(b"PK nothing")
    with pytest.raises(peers.InputError, match="is no result of this benchmark"):
        peers.read_result(path, {})


def test_a_result_comes_back_as_it_was(tmp_path):
    path, setup = tmp_path / "ours-0.npz", {"seed": 3, "classes": [["1"]]}
    written = Result(5, 1.5, np.array([0.5, np.inf]), np.array([[0.25, 0.75]]))
    peers.write_result(path, written, setup)
    read = peers.read_result(path, setup)
    assert (read.parameters, read.training_s) == (5, 1.5)
    np.testing.assert_array_equal(read.thresholds, written.thresholds)
    np.testing.assert_array_equal(read.probabilities, written.probabilities)


def test_the_rate_rises_and_falls():
    training = Training(epochs=5, warmup_epochs=1.0, learning_rate=2e-3)
    rates = [learning_rate(training, done) for done in (0, 0.5, 1, 3, 5)]
    assert rates == pytest.approx([0, 1e-3, 2e-3, 1e-3, 0])
    assert learning_rate(replace(training, warmup_epochs=5.0), 5.0) == 2e-3


@pytest.mark.parametrize(("share", "count"), [(0.25, 5), (1.0, 20), (3.0, 20), (0.001, 1)])
def test_records_are_chosen_by_chance(share, count):
    everything = np.arange(100, 120)
    chosen = some(everything, share, seed=1)
    assert len(chosen) == len(set(chosen)) == count
    assert set(chosen) <= set(everything)
    np.testing.assert_array_equal(chosen, some(everything, share, seed=1))


def test_table_of_perfect_and_wrong_networks():
    classes = replace(read_weights(), findings=read_findings("scp"))
    labels = np.zeros((3, len(classes)), bool)
    labels[0, 0] = labels[1, 1] = labels[2, len(classes.classes)] = True
    target = Target(None, np.arange(3), ("A1", "A2", "A3"), labels)
    half = np.full(len(classes), 0.5)
    right = Result(10, 60.0, half, labels.astype(float))
    wrong = Result(20, 120.0, half, 1.0 - labels)
    speeds = {"ours": Speed(100.0, 400.0), "other": Speed(50.0, 100.0)}
    rows = cells(peers_table(classes, target, {"ours": [right], "other": [right, wrong]}, speeds))
    assert rows["ours"] == ["10", "1.00", "1.00", "1.00", "1.00", "100", "1.00", "400", "1.00"]
    assert rows["other"][:2] == ["10", "0.500"]
    assert rows["other"][4:] == ["1.50", "50.0", "0.500", "100", "0.250"]
    assert cells(peers_table(classes, target, {"ours": [right]}, {}))["ours"][5:] == ["-"] * 4


@pytest.mark.minutes
def test_peers_from_their_packages(records, config_file, tmp_path):
    missing = [name for name in peers_networks.PACKAGES if find_spec(name) is None]
    if missing:
        pytest.skip(f"the extra [peers] is not installed: {', '.join(missing)}")
    # In a process of its own: PyTorch's libraries must be loaded before TensorFlow's.
    arguments = [records, records, tmp_path, "--config", config_file, "--epochs", 1, "--rounds", 1]
    command = [sys.executable, "-m", "benchmarks.trainings.peers", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    rows = cells(result.stdout)
    assert list(rows) == ["ours", "torch_ecg-ECG_CRNN", "tsai-xresnet1d101"]
    parameters = [int(row[0]) for row in rows.values()]
    assert parameters[0] < 50_000 < 5_000_000 < parameters[1] < 20_000_000 < parameters[2]
