"""Checkpoints: how training saves, loads, refuses and removes them."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from cnn_gap.network.architecture import build_network
from cnn_gap.network.options import Network
from cnn_gap.training.checkpoints import COLUMNS, Checkpoints, Progress

#: Saves checkpoints while the largest allowed file size grows, and prints the result of each.
SAVE_ON_FULL_DISKS = """
import resource, sys
from pathlib import Path
from cnn_gap.system.errors import InputError
from tests.training.test_checkpoints import *

folder, network = Path(sys.argv[1]), compiled_network()
for size in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        Checkpoints(folder).save(network, PROGRESS)
        print("saved")
    except InputError as error:
        print(error)
"""

PROGRESS = Progress({"seed": 0}, (dict.fromkeys(COLUMNS, 0.5),), 1)


def _network():
    return build_network(Network((4, 4), (5, 5), (4, 4)), 12, 24)


def compiled_network():
    """Return a network with the state of an optimiser."""
    network = _network()
    network.compile(keras.optimizers.AdamW(1e-3), "binary_crossentropy")
    network.optimizer.build(network.trainable_variables)
    return network


def test_a_network_without_an_optimizer_is_kept(tmp_path):
    kept, other = _network(), _network()
    Checkpoints(tmp_path).save(kept, PROGRESS)
    assert Checkpoints(tmp_path).read({"seed": 0}) == PROGRESS
    Checkpoints(tmp_path).load_weights(other, 1)
    for expected, found in zip(kept.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.skipif(os.name != "posix", reason="this system does not bound the size of files")
def test_a_disk_that_fills_up_is_an_error_and_no_crash(tmp_path):
    """A full disk must be noticed before HDF5 writes, which would crash the process."""
    code, sizes = SAVE_ON_FULL_DISKS, ("1000", "20000", "40000", "1000000")
    command = [sys.executable, "-c", code, str(tmp_path), *sizes]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-500:]
    refused = f"{tmp_path / 'epoch-0001.weights.h5'}: cannot be written (File too large)"
    assert ended.stdout.splitlines() == [refused] * 3 + ["saved"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-0001.weights.h5", "progress.json"]
    Checkpoints(tmp_path).load_weights(compiled_network(), 1)
