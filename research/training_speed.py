"""How many windows a second training learns from, by precision and by implementation of the layers.

The configuration's network with its augmentation trains on one batch of random windows in memory: in float32
and in mixed_bfloat16, with Keras's own layers and with those of `cnn_gap.network.fast_layers`; then in its own
precision from a window store, as `train_model.py` does. As there, the process keeps the memory that it frees,
unless `--return-memory` is given. All take turns in one run, beside a matrix product of the same precision, the
processor's limit. Time is processor time. A multiply-add of the network counts as six operations: two forward,
four backward.

The result on one core of an AMD EPYC (AVX-512 BF16), CPU ms for each window: float32 12.7 with Keras's layers
and 9.88 with the fast ones, mixed_bfloat16 11.1 and 7.10; matrix products reach 234 and 419 GFLOP/s, the last
step 180.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import Table, interleaved
from cnn_gap.leads import LEADS
from cnn_gap.network.options import PRECISIONS
from cnn_gap.system.backend import start_keras
from cnn_gap.system.exit_codes import run
from cnn_gap.system.memory import keep_freed_memory

if TYPE_CHECKING:
    import keras

    from cnn_gap.training.batches import Examples, WindowBatches
    from cnn_gap.training.config import Config

#: Rows of the square matrices that are multiplied, and their type by the configuration's precision.
MATRIX = 2048
TYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16"}

#: Number of classes, and of batches in the store.
CLASSES, BATCHES = 24, 4

HEADINGS = ("CPU ms a window", "times the first", "GFLOP a second of CPU")


def main(arguments: list[str]) -> None:
    """Train and multiply by turns, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m research.training_speed", description=__doc__)
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="the network (default: configs/default.toml)"
    )
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="of each (default: %(default)s)")
    parser.add_argument("--return-memory", action="store_true", help="give freed memory back to the system")
    options = parser.parse_args(arguments)
    if not options.return_memory:
        keep_freed_memory()
    start_keras()  # after the arguments: it takes seconds
    from cnn_gap.training.config import DEFAULT_CONFIG, read_config

    config = read_config(options.config or DEFAULT_CONFIG)
    with tempfile.TemporaryDirectory() as folder:
        size = config.training.batch_size
        examples = _random_examples(Path(folder), BATCHES * size, config.preprocessing.input_samples)
        tasks = _tasks(examples, config)
        for task in tasks.values():
            task()  # compiles, and brings the store into the system's cache
        seconds = interleaved(tasks, options.rounds, time.process_time)
    adds = multiply_adds(_network(config, config.training.precision, fast=True), config)
    print(f"{1e-6 * adds:.0f} million multiply-adds a window\n\n{speed_table(seconds, size, 6e-9 * adds)}")


def multiply_adds(network: "keras.Model", config: "Config") -> int:
    """Return the number of multiply-adds of a network for a window, forward."""
    import keras

    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv1D)]
    ends = keras.Model(network.input, [layer.output for layer in convolutions])
    shapes = ends.compute_output_shape((1, config.preprocessing.input_samples, len(LEADS)))
    return sum(
        shape[1] * int(np.prod(layer.kernel.shape)) for layer, shape in zip(convolutions, shapes, strict=True)
    )


def speed_table(seconds: Mapping[str, float], size: int, gigaflops: float) -> Table:
    """Return the table. `gigaflops`: operations for one window; `size`: windows in a batch."""
    first = seconds[f"{PRECISIONS[0]}, Keras's layers"]
    rows: list[tuple[object, ...]] = []
    for name, each in seconds.items():
        if name.endswith("product"):
            rows.append((name, "", "", 2e-9 * MATRIX**3 / each))
            continue
        step = each / BATCHES if name.endswith("store") else each
        rows.append((name, 1000 * step / size, first / step, size * gigaflops / step))
    return Table("training step", HEADINGS, tuple(rows))


def _tasks(examples: "Examples", config: "Config") -> dict[str, Callable[[], Any]]:
    tasks: dict[str, Callable[[], Any]] = {}
    windows, labels = _epoch(examples, config)[0]
    for precision in PRECISIONS:
        tasks[f"{precision}, matrix product"] = _matrix_product(TYPES[precision])
        for name, fast in (("Keras's layers", False), ("fast layers", True)):
            network = _network(config, precision, fast)
            tasks[f"{precision}, {name}"] = partial(network.train_on_batch, windows, labels)
    network = _network(config, config.training.precision, fast=True)
    tasks["as configured, from the store"] = lambda: network.fit(_epoch(examples, config), verbose=0)
    return tasks


def _random_examples(folder: Path, windows: int, samples: int) -> "Examples":
    from cnn_gap.training.batches import Examples
    from cnn_gap.training.window_store import WindowStore

    rng = np.random.default_rng(0)
    shape = (windows, samples, len(LEADS))
    file = np.lib.format.open_memmap(folder / "windows.npy", "w+", np.float16, shape)
    for index in range(windows):  # one by one: all would not fit in memory
        file[index] = rng.standard_normal(shape[1:], np.float32)
    file.flush()
    store = WindowStore(folder, tuple(range(windows + 1)), {}, samples, (samples,) * windows)
    return Examples(store, rng.random((windows, CLASSES)) < 0.1)


def _epoch(examples: "Examples", config: "Config") -> "WindowBatches":
    from cnn_gap.training.batches import BatchPlan, WindowBatches

    count = len(examples.labels)
    plan = BatchPlan(config.training.batch_size)
    return WindowBatches(examples, np.arange(count), np.ones(count), plan, seed=0, epoch=0)


def _network(config: "Config", precision: str, fast: bool) -> "keras.Model":
    import keras

    from cnn_gap.network.architecture import build_network
    from cnn_gap.network.fast_layers import with_fast_layers
    from cnn_gap.network.losses import WeightedBinaryCrossentropy

    rate, margin = config.preprocessing.sampling_rate, config.preprocessing.margin_samples
    network = build_network(config.network, len(LEADS), CLASSES, config.augmentation, rate, margin, precision)
    network = with_fast_layers(network) if fast else network
    optimizer = keras.optimizers.AdamW(config.training.learning_rate)
    loss = WeightedBinaryCrossentropy(np.ones(CLASSES))
    network.compile(optimizer, loss, jit_compile=config.training.jit_compile)
    return network


def _matrix_product(kind: str) -> Callable[[], np.ndarray]:
    from keras import ops, random

    matrix = random.normal((MATRIX, MATRIX), dtype=kind, seed=0)
    return lambda: ops.convert_to_numpy(ops.matmul(matrix, matrix))


if __name__ == "__main__":
    run(main)
