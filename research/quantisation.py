"""Compare the network in 8-bit integers with float32: speed, AUROC and answers.

ONNX Runtime's static quantisation of the convolutions, calibrated on windows of training records. Both networks
compute the same windows; the least processor time of one thread counts.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from benchmarks.common import Table, start_classifier
from cnn_gap.classifier import Classifier
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.model.network_graph import network_graph
from cnn_gap.model.runtimes import WINDOWS_PER_THREAD
from cnn_gap.system.exit_codes import run

#: Number of windows that the ranges of the features are taken from.
CALIBRATION_WINDOWS = 160

ROUNDS = 10


class _Windows(CalibrationDataReader):
    def __init__(self, windows: np.ndarray) -> None:
        self._batches = iter(_batches(windows))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next windows, None after the last ones."""
        batch = next(self._batches, None)
        return None if batch is None else {"windows": batch}


def main(arguments: list[str]) -> None:
    """Quantise, compare and print a table."""
    parser = argparse.ArgumentParser(prog="python -m research.quantisation", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("train", metavar="TRAIN", type=Path, help="records to calibrate on")
    parser.add_argument("test", metavar="TEST", type=Path, help="labelled records to compare on")
    parser.add_argument("--limit", metavar="N", type=int, help="number of test records (default: all)")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    calibration, _ = _first_windows(classifier, find_records(options.train)[:CALIBRATION_WINDOWS])
    windows, labels = _first_windows(classifier, find_records(options.test)[: options.limit])
    with tempfile.TemporaryDirectory() as folder:
        sessions = dict(_sessions(classifier, calibration, Path(folder)))
    seconds = {name: min(_seconds(each, windows) for _ in range(ROUNDS)) for name, each in sessions.items()}
    found = {name: _computed(each, windows) for name, each in sessions.items()}
    thresholds, exact = classifier.description.lowest_probabilities, found["float32"]
    rows = [
        (
            name,
            WINDOWS_PER_THREAD / seconds[name],
            macro_average(auroc_auprc(labels, each[:, : labels.shape[1]])[0]),
            int(((each >= thresholds) != (exact >= thresholds)).sum()),
            int((exact >= thresholds).sum()),
            float(np.abs(each - exact).max()),
        )
        for name, each in found.items()
    ]
    headings = ("windows a CPU s", "macro AUROC", "labels that differ", "labels that are set", "largest change")
    print(Table(f"{len(windows)} windows", headings, tuple(rows)))


def _first_windows(classifier: Classifier, paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first window of each record that has a whole one, and the labels of the scored classes."""
    records = [read_record(path) for path in paths]
    windows = [classifier.windows(record)[0] for record in records]
    whole = [index for index, each in enumerate(windows) if len(each) == max(map(len, windows))]
    labels = [
        classifier.classes.encode(records[index].codes)[: len(classifier.classes.classes)] for index in whole
    ]
    return np.stack([windows[index] for index in whole]), np.array(labels)


def _sessions(
    classifier: Classifier, calibration: np.ndarray, folder: Path
) -> Iterator[tuple[str, onnxruntime.InferenceSession]]:
    exact, small = folder / "float32.onnx", folder / "int8.onnx"
    onnx.save(network_graph(classifier.trained.structure, maps=False), exact)
    quantize_static(
        exact,
        small,
        _Windows(calibration),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    for path in (exact, small):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        yield path.stem, onnxruntime.InferenceSession(path, options)


def _batches(windows: np.ndarray) -> list[np.ndarray]:
    return [windows[start : start + WINDOWS_PER_THREAD] for start in range(0, len(windows), WINDOWS_PER_THREAD)]


def _seconds(session: onnxruntime.InferenceSession, windows: np.ndarray) -> float:
    start = time.thread_time()
    session.run(None, {"windows": windows[:WINDOWS_PER_THREAD]})
    return time.thread_time() - start


def _computed(session: onnxruntime.InferenceSession, windows: np.ndarray) -> np.ndarray:
    return np.concatenate([session.run(None, {"windows": batch})[0] for batch in _batches(windows)])


if __name__ == "__main__":
    run(main)
