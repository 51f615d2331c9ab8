"""Train on several devices at once: each computes a share of every batch, with the same weights.

Keras and JAX split a computation so that it means what it means on one device: the loss, its gradients and the
statistics of batch normalisation are those of the whole batch, wherever its windows are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from cnn_gap.system.errors import InputError

#: Stands for as many devices as there are.
ALL = "all"


@contextmanager
def on_devices(wanted: int | str) -> Iterator[None]:
    """Let networks that are built in the block compute on several devices.

    Parameters
    ----------
    wanted : int or "all"
        How many; 1 leaves everything as it is.

    Raises
    ------
    InputError
        If Keras's backend is not JAX, or there are fewer.
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
    count = len(known) if wanted == ALL else int(wanted)
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
    """Return how many devices compute now."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else int(np.prod(distribution.device_mesh.shape))


def even(batches: keras.utils.PyDataset) -> keras.utils.PyDataset:
    """Return batches of (windows, labels) that all devices get as many windows of."""
    return batches if device_count() == 1 else EvenBatches(batches, device_count())


class EvenBatches(keras.utils.PyDataset):
    """Batches of which each has a multiple of so many windows.

    What is missing is filled with windows of the batch itself, of weight 0: they count in the statistics of
    batch normalisation alone.

    Parameters
    ----------
    batches : keras.utils.PyDataset
        Of (windows, labels).
    devices : int
    """

    def __init__(self, batches: keras.utils.PyDataset, devices: int) -> None:
        super().__init__()
        self._batches, self._devices = batches, devices

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, batch: int) -> tuple[Any, ...]:
        windows, labels = self._batches[batch]
        count = len(windows)
        rows = _filled(count, self._devices)
        if len(rows) == count:
            return windows, labels
        # Keras divides by the number of windows, whatever their weights are.
        weights = np.where(np.arange(len(rows)) < count, len(rows) / count, 0).astype(np.float32)
        return windows[rows], labels[rows], weights


def predict_evenly(network: keras.Model, windows: np.ndarray) -> np.ndarray:
    """Return what a network predicts of windows, however many there are."""
    if len(windows) % device_count():
        filled = windows[_filled(len(windows), device_count())]
        return network.predict_on_batch(filled)[: len(windows)]
    return network.predict_on_batch(windows)


def _filled(count: int, multiple: int) -> np.ndarray:
    """Return the places of so many rows, and then first ones again up to a multiple."""
    return np.resize(np.arange(count), -(-count // multiple) * multiple)
