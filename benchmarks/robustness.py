"""What disturbances do to a trained model's answers, and where clipping and filtering help.

Every record is disturbed in one way (seeded) and classified with the model's own preprocessing and with
variations of it. The change of the probabilities is against the undisturbed record with the model's own
preprocessing.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.common import record_batches, record_paths, table
from cnn_gap import commands
from cnn_gap.errors import InputError
from cnn_gap.records import Record
from cnn_gap.scores import auroc_auprc, challenge_metric, macro_average

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier, Prediction
    from cnn_gap.diagnoses import ClassSet

#: Amplitudes, mV: the spikes of the paper's Figure 3, and strong hum and wander.
SPIKE_MV, HUM_MV, WANDER_MV = 32.0, 0.2, 1.0

SPIKE_S = 0.01
HUM_HZ = 50.0

#: What is changed in the model's preprocessing.
VARIATIONS = {
    "clip 0": {"clip_mv": 0.0},
    "clip 5 mV": {"clip_mv": 5.0},
    "high-pass 0.5 Hz": {"highpass_hz": 0.5},
    "low-pass 40 Hz": {"lowpass_hz": 40.0},
}


def main(arguments: list[str]) -> None:
    """Classify everything in every way and print a table for each measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of labelled records")
    parser.add_argument("--limit", metavar="N", type=int, help="records (default: all)")
    options = parser.parse_args(arguments)
    commands.start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier

    variants = _variants(load_classifier(options.model))
    classes = variants["as trained"].classes
    labels, predictions = _classify(variants, record_paths(options.data, options.limit))
    if not labels.any():
        raise InputError(
            f"{options.data}: no record has a diagnosis of the model's classes; give labelled ones"
        )
    print(f"{len(labels)} records; as trained: {variants['as trained'].description.preprocessing}")
    for title, measure in _measures(classes, labels, predictions["none", "as trained"]).items():
        rows = [(name, *(measure(predictions[name, each]) for each in variants)) for name in DISTURBANCES]
        print(f"\n{table((title, *variants), rows)}")


def _variants(classifier: "Classifier") -> dict[str, "Classifier"]:
    """Return the classifier as it is and with each variation that differs from it and fits its rate."""
    own = classifier.description.preprocessing
    variants = {"as trained": classifier}
    for name, change in VARIATIONS.items():
        fits = change.get("lowpass_hz", 0.0) < own.sampling_rate / 2
        if fits and (preprocessing := replace(own, **change)) != own:
            description = replace(classifier.description, preprocessing=preprocessing)
            variants[name] = replace(classifier, description=description)
    return variants


def _classify(
    variants: dict[str, "Classifier"], paths: list[Path]
) -> tuple[np.ndarray, dict[tuple[str, str], list["Prediction"]]]:
    """Return the labels, (records, classes), and the predictions by disturbance and variant."""
    labels, predictions = [], defaultdict(list)
    with tqdm(total=len(paths), unit="record", disable=None) as bar:
        for batch in record_batches(paths):
            seeds = range(len(labels), len(labels) + len(batch))
            labels += [variants["as trained"].classes.encode(record.codes) for record in batch]
            for name, disturb in DISTURBANCES.items():
                disturbed = [
                    replace(record, signal=disturb(record, np.random.default_rng(seed)))
                    for record, seed in zip(batch, seeds, strict=True)
                ]
                for variant, classifier in variants.items():
                    predictions[name, variant] += classifier.predict_batch(disturbed)
            bar.update(len(batch))
    return np.array(labels), predictions


def _measures(
    classes: "ClassSet", labels: np.ndarray, undisturbed: list["Prediction"]
) -> dict[str, Callable[[list["Prediction"]], float]]:
    reference = _probabilities(undisturbed)
    return {
        "macro AUROC": lambda each: macro_average(auroc_auprc(labels, _probabilities(each))[0]),
        "Challenge metric": lambda each: challenge_metric(classes, labels, np.array([p.labels for p in each])),
        "mean change of probability": lambda each: float(np.abs(_probabilities(each) - reference).mean()),
    }


def _probabilities(predictions: list["Prediction"]) -> np.ndarray:
    return np.array([prediction.probabilities for prediction in predictions])


def _leave(record: Record, rng: np.random.Generator) -> np.ndarray:
    return record.signal


def _add_spike(record: Record, rng: np.random.Generator) -> np.ndarray:
    signal = record.signal.copy()
    width = max(1, round(SPIKE_S * record.sampling_rate))
    start = rng.integers(max(1, len(signal) - width))
    signal[start : start + width, _any_lead(record, rng)] += SPIKE_MV
    return signal


def _add_hum(record: Record, rng: np.random.Generator) -> np.ndarray:
    if record.sampling_rate <= 2 * HUM_HZ:  # such a record cannot hold it
        return record.signal
    hum = np.sin(2 * np.pi * (HUM_HZ * _seconds(record) + rng.random()))
    return record.signal + _on_leads(record, HUM_MV * hum, rng.uniform(0.5, 1.5, len(record.leads)))


def _add_wander(record: Record, rng: np.random.Generator) -> np.ndarray:
    wander = np.sin(2 * np.pi * (rng.uniform(0.15, 0.45) * _seconds(record) + rng.random()))
    return record.signal + _on_leads(record, WANDER_MV * wander, rng.uniform(-1.5, 1.5, len(record.leads)))


def _take_lead_off(record: Record, rng: np.random.Generator) -> np.ndarray:
    signal = record.signal.copy()
    signal[:, _any_lead(record, rng)] = 0
    return signal


def _any_lead(record: Record, rng: np.random.Generator) -> int:
    return rng.choice(np.flatnonzero(record.leads))


def _seconds(record: Record) -> np.ndarray:
    return np.arange(len(record.signal)) / record.sampling_rate


def _on_leads(record: Record, disturbance: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Return the disturbance, (samples,), on every lead that is present, (samples, leads) float32."""
    return (disturbance[:, None] * (gains * record.leads)).astype(np.float32)


#: By the name of the row; each returns the signal, (samples, leads) in mV, that is classified.
DISTURBANCES: dict[str, Callable[[Record, np.random.Generator], np.ndarray]] = {
    "none": _leave,
    f"a spike of {SPIKE_MV:g} mV": _add_spike,
    f"{HUM_HZ:g} Hz hum, {HUM_MV:g} mV, above {2 * HUM_HZ:g} Hz": _add_hum,
    f"wander, {WANDER_MV:g} mV": _add_wander,
    "one lead off": _take_lead_off,
}


if __name__ == "__main__":
    commands.run(main)
