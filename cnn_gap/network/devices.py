"""Training on several devices at once: each computes a share of every batch, with the same weights.

Keras and JAX split the computation so that its result is that of one device: the loss, its gradients and the
statistics of batch normalisation are those of the whole batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from cnn_gap.system.errors import InputError

#: The value of `--devices` for all devices that there are.
ALL_DEVICES = "all"


@contextmanager
def on_devices(wanted: int | str) -> Iterator[None]:
    """Let the networks that are built inside this context compute on several devices.

    Parameters
    ----------
    wanted : int or "all"
        Number of devices; 1 changes nothing.

    Raises
    ------
    InputError
        If Keras's backend is not JAX, or there are fewer devices.
    """
    if wanted == 1:
        yield
        return
    if (backend := keras.backend.backend()) != "jax":
        raise InputError(
            "several devices need Keras's backend jax: set KERAS_BACKEND=jax, or leave out --devices; received"
            f" {backend}"
        )
    known = keras.distribution.list_devices()
    count = len(known) if wanted == ALL_DEVICES else int(wanted)
    if count > len(known):
        raise InputError(f"--devices: there are {len(known)} ({', '.join(known)}); received {count}")
    before = keras.distribution.distribution()
    parallel = keras.distribution.DataParallel(devices=known[:count], auto_shard_dataset=False)
    keras.distribution.set_distribution(parallel)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def device_count() -> int:
    """Return the number of devices that compute now."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


def divide_evenly(batches: keras.utils.PyDataset) -> keras.utils.PyDataset:
    """Return batches of (windows, labels) that give each device the same number of windows."""
    return batches if device_count() == 1 else EvenBatches(batches, device_count())


class EvenBatches(keras.utils.PyDataset):
    """Batches whose number of windows is a multiple of the number of devices.

    A batch with fewer windows is filled up with copies of its first ones, with a weight of 0 in the loss: they
    change only the statistics of batch normalisation.

    Parameters
    ----------
    batches : keras.utils.PyDataset
        Of (windows, labels).
    devices : int
        Number of devices.
    """

    def __init__(self, batches: keras.utils.PyDataset, devices: int) -> None:
        super().__init__()
        self._batches, self._devices = batches, devices

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, batch: int) -> tuple[Any, ...]:
        windows, labels = self._batches[batch]
        count = len(windows)
        rows = _fill_up(count, self._devices)
        if len(rows) == count:
            return windows, labels
        # Keras divides the loss by the number of windows, not by the sum of their weights.
        weights = np.where(np.arange(len(rows)) < count, len(rows) / count, 0).astype(np.float32)
        return windows[rows], labels[rows], weights


def predict_evenly(network: keras.Model, windows: np.ndarray) -> np.ndarray:
    """Return a network's output for any number of windows."""
    rows = _fill_up(len(windows), device_count())
    filled = windows if len(rows) == len(windows) else windows[rows]
    return np.asarray(network.predict_on_batch(filled)[: len(windows)])


def _fill_up(count: int, multiple: int) -> np.ndarray:
    """Return the indices of `count` rows, followed by the first ones again up to a multiple."""
    return np.resize(np.arange(count), -(-count // multiple) * multiple)
