"""How fast the runtimes compute a model's probabilities, and what they change of its answers.

All take turns on the same windows in one run. Keras in float32 is what the others are compared with.
"""

from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import classify_labelled, interleaved, model_parser, start_classifier, table
from cnn_gap.model.runtimes import Runtime, start_runtime
from cnn_gap.system.backend import start_keras
from cnn_gap.system.exit_codes import run

#: Windows that are computed at once, as the driver does.
BATCH = 64

#: The runtimes; the first is what the others are compared with.
RUNTIMES = (Runtime("keras"), Runtime("openvino"), Runtime("openvino", "bfloat16"))


def main(arguments: list[str]) -> None:
    """Print a table of windows a second and, for labelled records, one of answers."""
    parser = model_parser("speed.runtimes", __doc__)
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=20, help="batches by each (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    print(table(("runtime", "windows/s", "times Keras"), speed_rows(options.model, options.rounds)))
    headings = ("runtime", "AUROC", "Challenge metric", "labels that differ", "of", "largest change")
    print(f"\n{table(headings, answer_rows(options.model, options.data, options.limit))}")


def speed_rows(model: Path, rounds: int) -> list[tuple[str, float, float]]:
    """Return a row for each runtime: its name, windows a second, and how many times as many as Keras."""
    classifier = start_classifier(model)
    preprocessing = classifier.description.preprocessing
    shape = (BATCH, preprocessing.input_samples, classifier.network.input_shape[-1])
    windows = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    tasks = {_name(each): partial(start_runtime(classifier.network, each), windows) for each in RUNTIMES}
    for task in tasks.values():
        task()  # the first batch is compiled for
    seconds = interleaved(tasks, rounds)
    first = seconds[_name(RUNTIMES[0])]
    return [(name, BATCH / each, first / each) for name, each in seconds.items()]


def answer_rows(model: Path, data: Path, limit: int | None) -> list[tuple]:
    """Return a row for each runtime: how good its answers are, and how far they are from the first one's."""
    start_keras()
    from cnn_gap.classifier import load_classifier

    results = [
        classify_labelled(load_classifier(model, each.name, each.precision), data, limit) for each in RUNTIMES
    ]
    reference = results[0]
    return [
        (
            _name(each),
            result.auroc,
            result.challenge_metric,
            int((result.outputs != reference.outputs).sum()),
            result.outputs.size,
            float(np.abs(result.probabilities - reference.probabilities).max()),
        )
        for each, result in zip(RUNTIMES, results, strict=True)
    ]


def _name(runtime: Runtime) -> str:
    return f"{runtime.name}, {runtime.precision}"


if __name__ == "__main__":
    run(main)
