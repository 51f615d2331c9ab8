"""How far a model's answers depend on the sampling rate of the same heart's record.

Compares the records of DATA_A with those of the same names in DATA_B, stored at another rate, and with
themselves resampled to other rates.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal as dsp

from benchmarks.common import record_batches, record_paths, table
from cnn_gap import commands
from cnn_gap.errors import InputError
from cnn_gap.records import Record

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier, Prediction

#: What the records of DATA_A are resampled to, Hz.
RATES = (128, 250, 257, 300, 360, 977, 1000)


def main(arguments: list[str]) -> None:
    """Classify at every rate and print a table of differences."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rates", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("data_a", metavar="DATA_A", type=Path, help="folder of records, the higher rate's")
    parser.add_argument("data_b", metavar="DATA_B", type=Path, help="folder that holds records of these names")
    parser.add_argument("--limit", metavar="N", type=int, help="records (default: all)")
    options = parser.parse_args(arguments)
    commands.start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier

    classifier = load_classifier(options.model)
    others = {path.stem: path for path in record_paths(options.data_b, None)}
    paths = [path for path in record_paths(options.data_a, None) if path.stem in others][: options.limit]
    if not paths:
        raise InputError(f"{options.data_b}: no record has the name of one in {options.data_a}")
    reference = _classify(classifier, record_batches(paths))
    rows = [_row("DATA_B", reference, _classify(classifier, record_batches(others[p.stem] for p in paths)))]
    for rate in RATES:
        resampled = ([_resampled(record, rate) for record in batch] for batch in record_batches(paths))
        rows.append(_row(f"DATA_A at {rate} Hz", reference, _classify(classifier, resampled)))
    labels = len(paths) * len(classifier.classes)
    print(f"{len(paths)} records of {len(classifier.classes)} classes, against DATA_A as stored\n")
    headings = ("", "mean difference of probability", "largest", f"labels that differ, of {labels}")
    print(table(headings, rows))


def _classify(classifier: "Classifier", batches: Iterable[list[Record]]) -> list["Prediction"]:
    return [prediction for batch in batches for prediction in classifier.predict_batch(batch)]


def _row(name: str, reference: list["Prediction"], predictions: list["Prediction"]) -> tuple:
    pairs = list(zip(reference, predictions, strict=True))
    differences = np.array([np.abs(a.probabilities - b.probabilities) for a, b in pairs])
    labels = sum(int((a.labels != b.labels).sum()) for a, b in pairs)
    return name, float(differences.mean()), float(differences.max()), labels


def _resampled(record: Record, rate: int) -> Record:
    """Return the record at `rate` (Hz); samples that are not valid become 0 mV."""
    ratio = Fraction(rate) / Fraction(record.sampling_rate).limit_denominator(1000)
    resampled = dsp.resample_poly(
        np.nan_to_num(record.signal), ratio.numerator, ratio.denominator, axis=0, padtype="line"
    )
    return replace(record, signal=resampled.astype(np.float32), sampling_rate=float(rate))


if __name__ == "__main__":
    commands.run(main)
