"""Training on two devices, which XLA simulates on one CPU in a separate process."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.network.devices import EvenBatches, on_devices
from cnn_gap.system.errors import InputError

#: Trains on one device and on two, and prints the losses of all steps, predictions and error messages.
SCRIPT = """
import json, sys
from pathlib import Path
import keras, numpy as np
from conftest import TINY
from dataclasses import replace
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.system.errors import InputError
from cnn_gap.training import train
from cnn_gap.network.devices import device_count, on_devices, predict_evenly
from cnn_gap.network.architecture import build_network

losses = []

class Steps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        losses.append(float(logs["loss"]))

fit = keras.Model.fit
keras.Model.fit = lambda self, *args, **kw: fit(self, *args, callbacks=[Steps()], **kw)
records, out = map(Path, sys.argv[1:])
found = {}
for devices in (1, 2, "all"):
    config = replace(TINY, training=replace(TINY.training, batch_size=9 if devices == "all" else 8))
    described = train.train_model(records, out / f"{devices}", config, read_weights(), devices=devices)
    found[str(devices)] = [losses[:], described.training["validation"], described.thresholds]
    losses.clear()
try:
    with on_devices(3):
        pass
except InputError as error:
    found["refused"] = str(error)
found["after"] = device_count()
with on_devices(2):
    found["within"] = device_count()
    network = build_network(TINY.network, 12, 5)
    windows = np.random.default_rng(0).normal(size=(7, 400, 12)).astype("float32")
    uneven, even = predict_evenly(network, windows), predict_evenly(network, windows[:6])
    found["predicted"] = [len(uneven), float(np.abs(uneven[:6] - even).max())]
print(json.dumps(found))
"""


class Batches(keras.utils.PyDataset):
    """Batches of 5 and of 4 numbered windows."""

    def __len__(self):
        return 2

    def __getitem__(self, batch):
        count = 5 - batch
        return np.arange(count)[:, None], np.arange(count)[:, None] * 10


def test_an_uneven_batch_is_filled_with_windows_of_no_weight():
    batches = EvenBatches(Batches(), 4)
    assert len(batches) == 2
    windows, labels, weights = batches[0]
    assert windows.ravel().tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert labels.ravel().tolist() == [0, 10, 20, 30, 40, 0, 10, 20]
    assert weights.tolist() == pytest.approx([1.6] * 5 + [0] * 3)
    assert len(batches[1]) == 2


def test_the_loss_of_a_filled_batch_is_that_of_the_batch():
    loss = keras.losses.MeanSquaredError()
    truth, given, weights = np.zeros((8, 1)), np.array([[1.0]] * 5 + [[9.0]] * 3), [1.6] * 5 + [0] * 3
    assert float(loss(truth, given, sample_weight=np.array(weights, "float32"))) == pytest.approx(1.0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_several_devices_of_another_backend_are_refused():
    with on_devices(1):
        pass
    with pytest.raises(InputError, match=r"set KERAS_BACKEND=jax.*received tensorflow"), on_devices("all"):
        pass


@pytest.mark.minutes
def test_two_devices_train_as_one_does(records, tmp_path):
    pytest.importorskip("jax")
    flags = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))}
    arguments = [sys.executable, "-c", SCRIPT, str(records), str(tmp_path)]
    done = subprocess.run(arguments, env=os.environ | flags | paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    (losses, validation, thresholds), two, uneven = (found[devices] for devices in ("1", "2", "all"))
    assert len(losses) == 6
    np.testing.assert_allclose(two[0], losses, rtol=1e-5)
    assert two[1] == pytest.approx(validation, rel=1e-3)
    assert two[2] == pytest.approx(thresholds, rel=1e-3)
    assert np.isfinite(uneven[0]).all()
    assert "there are 2 (cpu:0, cpu:1); received 3" in found["refused"]
    assert (found["after"], found["within"]) == (1, 2)
    assert found["predicted"][0] == 7
    assert found["predicted"][1] < 1e-6
