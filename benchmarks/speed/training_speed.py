"""How much of the training's time is the network's own arithmetic.

An epoch of `fit` on batches from a window store (random windows) is compared with as many steps on one batch
held in memory, with and without XLA, and with a large float32 matrix product. The network's arithmetic is
counted as six operations a multiply-add: two forward, four backward.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import interleaved, table
from cnn_gap.backend import start_keras
from cnn_gap.ecg.headers import LEADS
from cnn_gap.exit_codes import run

if TYPE_CHECKING:
    import keras

    from cnn_gap.training.batches import Examples, WindowBatches
    from cnn_gap.training.config import Config

#: Rows of the square matrices that are multiplied.
MATRIX = 4096

CLASSES = 24

#: Whether the step is compiled with XLA, by the name of the row.
VARIANTS = {"jit_compile = false": False, "jit_compile = true": True}


def main(arguments: list[str]) -> None:
    """Train a little, multiply a little, and print a table."""
    options = _parser().parse_args(arguments)
    start_keras()  # after the arguments: it takes seconds
    from cnn_gap.training.config import DEFAULT_CONFIG, read_config

    config = read_config(options.config or DEFAULT_CONFIG)
    with tempfile.TemporaryDirectory() as folder:
        examples = _random_examples(Path(folder), options.windows, config.preprocessing.input_samples)
        batches = _epoch(examples, config)
        first = batches[0]
        tasks = {"product": _matrix_product()}
        for name, jit_compile in VARIANTS.items():
            network = _network(config, jit_compile)
            tasks[f"{name}, store"] = partial(_fit, network, examples, config)
            tasks[f"{name}, memory"] = partial(_fit_one_batch, network, *first, len(batches))
        for task in tasks.values():
            task()  # compiles, and brings the store into the system's cache
        times = interleaved(tasks, options.rounds)
    print(_report(times, len(batches) * len(first[0]), 6e-9 * multiply_adds(config)))


def multiply_adds(config: "Config") -> int:
    """Return how often the network multiplies and adds for a window, forward."""
    total, length, channels = 0, config.preprocessing.input_samples, len(LEADS)
    network = config.network
    blocks = zip(network.filters, network.kernels, network.pooling, strict=True)
    for number, (filters, kernel, pooling) in enumerate(blocks, start=1):
        total += length * kernel * channels * filters
        if network.residual and number > 1 and channels != filters:  # the shortcut's projection
            total += length * channels * filters
        length, channels = ceil(length / pooling), filters
    return total + channels * CLASSES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.training_speed", description=__doc__)
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="what to train (default: configs/default.toml)"
    )
    parser.add_argument(
        "--windows", metavar="N", type=int, default=2048, help="windows in the store (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=5, help="epochs that are timed (default: %(default)s)"
    )
    return parser


def _random_examples(folder: Path, windows: int, samples: int) -> "Examples":
    from cnn_gap.training.batches import Examples
    from cnn_gap.windows.store import WindowStore

    rng = np.random.default_rng(0)
    shape = (windows, samples, len(LEADS))
    file = np.lib.format.open_memmap(folder / "windows.npy", "w+", np.float16, shape)
    for index in range(windows):  # one by one: the whole would not fit in memory
        file[index] = rng.standard_normal(shape[1:], np.float32)
    file.flush()
    store = WindowStore(folder, tuple(range(windows + 1)), {}, samples, (samples,) * windows)
    return Examples(store, rng.random((windows, CLASSES)) < 0.1)


def _epoch(examples: "Examples", config: "Config") -> "WindowBatches":
    from cnn_gap.training.batches import BatchPlan, WindowBatches

    count = len(examples.labels)
    plan = BatchPlan(config.training.batch_size)
    return WindowBatches(examples, np.arange(count), np.ones(count), plan, seed=0, epoch=0)


def _network(config: "Config", jit_compile: bool) -> "keras.Model":
    import keras

    from cnn_gap.network.architecture import build_network
    from cnn_gap.network.losses import WeightedBinaryCrossentropy

    network = build_network(config.network, len(LEADS), CLASSES, margin=config.preprocessing.margin_samples)
    optimizer = keras.optimizers.AdamW(config.training.learning_rate)
    network.compile(optimizer, WeightedBinaryCrossentropy(np.ones(CLASSES)), jit_compile=jit_compile)
    return network


def _fit(network: "keras.Model", examples: "Examples", config: "Config") -> None:
    network.fit(_epoch(examples, config), verbose=0)


def _fit_one_batch(network: "keras.Model", windows: np.ndarray, labels: np.ndarray, steps: int) -> None:
    for _ in range(steps):
        network.train_on_batch(windows, labels)


def _matrix_product() -> Callable[[], np.ndarray]:
    from keras import ops, random

    matrix = random.normal((MATRIX, MATRIX), seed=0)
    return lambda: ops.convert_to_numpy(ops.matmul(matrix, matrix))


def _report(times: dict[str, float], windows: int, gigaflops_a_window: float) -> str:
    product = 2e-9 * MATRIX**3 / times["product"]
    rows = []
    for name in VARIANTS:
        store, memory = windows / times[f"{name}, store"], windows / times[f"{name}, memory"]
        rate = store * gigaflops_a_window
        rows.append((name, store, memory, f"{1 - store / memory:.1%}", rate, f"{rate / product:.0%}"))
    rows.append(("matrix product", "", "", "", product, "100%"))
    headings = (
        "training step",
        "windows/s from the store",
        "windows/s from memory",
        "lost in the data's path",
        "GFLOP/s",
        "of the matrix product",
    )
    return f"{1000 * gigaflops_a_window / 6:.1f} million multiply-adds a window\n\n{table(headings, rows)}"


if __name__ == "__main__":
    run(main)
