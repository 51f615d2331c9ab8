"""The speed of each runtime, and the differences between its answers and the answers of ONNX Runtime."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.common import BATCH, Study, Table, classify, interleaved
from cnn_gap.model.runtimes import Runtime, start_runtime
from cnn_gap.model.trained_network import TrainedNetwork
from cnn_gap.system.errors import InputError

#: The runtimes and their precisions; the speed of the first is the measure of the others.
RUNTIMES = (
    ("keras", "float32"),
    ("onnx", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)

#: Number of timed batches of each runtime.
ROUNDS = 20

HEADINGS = (
    "windows a second",
    "times Keras",
    "macro AUROC",
    "Challenge metric",
    "labels that differ",
    "labels",
    "largest change of probability",
)


def runtimes(study: Study) -> Iterator[Table]:
    """Yield a table of the runtimes that this machine has; all are timed on the same windows by turns."""
    network, preprocessing = study.classifier.trained, study.classifier.description.preprocessing
    shape = (BATCH, preprocessing.input_samples, network.structure.channels)
    windows = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    runtimes = dict(available(network))
    tasks = {name: partial(start_runtime(network, each), windows) for name, each in runtimes.items()}
    for task in tasks.values():
        task()  # the first batch compiles the network
    seconds = interleaved(tasks, ROUNDS)
    first, reference = next(iter(seconds.values())), study.classified().scored
    rows = []
    for name, runtime in runtimes.items():
        found = classify(replace(study.classifier, runtime=runtime), study.paths()).scored
        rows.append(
            (
                name,
                BATCH / seconds[name],
                first / seconds[name],
                found.auroc,
                found.challenge_metric,
                int((found.outputs != reference.outputs).sum()),
                found.outputs.size,
                float(np.abs(found.probabilities - reference.probabilities).max()),
            )
        )
    yield Table("runtimes", HEADINGS, tuple(rows))


def available(network: TrainedNetwork) -> Iterator[tuple[str, Runtime]]:
    """Yield the runtimes that this machine has, by their names; say why another is left out."""
    for name, precision in RUNTIMES:
        try:
            runtime = Runtime(name, precision)
            start_runtime(network, runtime)
            yield f"{name}, {precision}", runtime
        except InputError as error:
            print(f"{name}, {precision}: {error}", file=sys.stderr)
