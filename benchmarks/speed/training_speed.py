"""How many windows a second does training learn from, in which precision and by whose layers?

The configuration's network, with its augmentation, takes steps on one batch of random windows in memory: in
float32 and in mixed_bfloat16, by Keras's own layers and by those that training uses
(`cnn_gap.network.fast_layers`). Then it learns in its own precision from a window store, as `train_model.py`
does. All take turns in one run, and a matrix product of the same precision says what the processor can do. The
network's arithmetic is six operations a multiply-add: two forward, four backward. Processor's time hangs less
on what else the machine does. `--operations`: what share of a step's time is which of TensorFlow's operations.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import interleaved, table
from cnn_gap.leads import LEADS
from cnn_gap.network.options import PRECISIONS
from cnn_gap.system.backend import start_keras
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    import keras

    from cnn_gap.training.batches import Examples, WindowBatches
    from cnn_gap.training.config import Config

#: Rows of the square matrices that are multiplied, by the configuration's precisions.
MATRIX = 2048
TYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16"}

CLASSES = 24

#: Batches of the store, and operations that are listed.
BATCHES = 4
LISTED = 20


def main(arguments: list[str]) -> None:
    """Train a little, multiply a little, and print a table."""
    options = _parser().parse_args(arguments)
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
    print(f"{1e-6 * adds:.0f} million multiply-adds a window\n\n{_report(seconds, size, 6e-9 * adds)}")
    if options.operations:
        step = tasks[f"{config.training.precision}, training's layers"]
        print(f"\n{table(('operation', 'share of a step'), operation_rows(step))}")


def multiply_adds(network: "keras.Model", config: "Config") -> int:
    """Return how often a network multiplies and adds for a window, forward."""
    import keras

    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv1D)]
    ends = keras.Model(network.input, [layer.output for layer in convolutions])
    shapes = ends.compute_output_shape((1, config.preprocessing.input_samples, len(LEADS)))
    return sum(
        shape[1] * int(np.prod(layer.kernel.shape)) for layer, shape in zip(convolutions, shapes, strict=True)
    )


def operation_rows(step: Callable[[], Any]) -> list[tuple[str, str]]:
    """Return TensorFlow's operations that take the most of a step's time, and their shares of it."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            step()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = XSpace.FromString(file.read_bytes())
    times: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines if plane.name == "/host:CPU" else []:
            for event in line.events:
                name, _, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if name and not name.endswith(":") and "__inference" not in name:  # those run operations
                    times[kind.removeprefix("_MklNative")] += event.duration_ps
    return [(kind, f"{each / times.total():.1%}") for kind, each in times.most_common(LISTED)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.training_speed", description=__doc__)
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="what to train (default: configs/default.toml)"
    )
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="by each (default: %(default)s)")
    parser.add_argument("--operations", action="store_true", help="list TensorFlow's operations")
    return parser


def _tasks(examples: "Examples", config: "Config") -> dict[str, Callable[[], Any]]:
    tasks: dict[str, Callable[[], Any]] = {}
    windows, labels = _epoch(examples, config)[0]
    for precision in PRECISIONS:
        tasks[f"{precision}, matrix product"] = _matrix_product(TYPES[precision])
        for name, fast in (("Keras's layers", False), ("training's layers", True)):
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


def _report(seconds: dict[str, float], size: int, gigaflops: float) -> str:
    """Return the table; `gigaflops` are a window's, and an epoch of the store has `BATCHES` batches."""
    first = seconds[f"{PRECISIONS[0]}, Keras's layers"]
    rows: list[tuple[object, ...]] = []
    for name, each in seconds.items():
        if name.endswith("product"):
            rows.append((name, "", "", 2e-9 * MATRIX**3 / each))
            continue
        step = each / BATCHES if name.endswith("store") else each
        rows.append((name, 1000 * step / size, first / step, size * gigaflops / step))
    headings = ("training step", "CPU ms a window", "times the first", "GFLOP a second of CPU")
    return table(headings, rows)


if __name__ == "__main__":
    run(main)
