"""What disturbances do to a trained model's answers, and where clipping and filtering help.

Every record is disturbed in one way (seeded) and classified with the model's own preprocessing and with
variations of it. The fall of the AUROC and the change of the probabilities are against the undisturbed records
with the model's own preprocessing.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.common import (
    Classified,
    classify,
    classify_labelled,
    model_parser,
    record_paths,
    resampled,
    start_classifier,
    table,
)
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Returns the record that is classified instead.
Disturbance = Callable[[Record, np.random.Generator], Record]

#: Amplitudes, mV: the spikes of the paper's Figure 3, and strong hum and wander.
SPIKE_MV, HUM_MV, WANDER_MV = 32.0, 0.2, 1.0

SPIKE_S = 0.01
HUM_HZ = 50.0

#: What records that cannot hold the hum are brought to, Hz.
RECORDER_HZ = 500.0

#: How much too large and too small amplitudes are; the first headers of the 2020 Challenge had such gains.
GAIN = 5.0

#: What is changed in the model's preprocessing.
VARIATIONS = {
    "clip 0": {"clip_mv": 0.0},
    "clip 5 mV": {"clip_mv": 5.0},
    "high-pass 0.5 Hz": {"highpass_hz": 0.5},
    "low-pass 40 Hz": {"lowpass_hz": 40.0},
}


def main(arguments: list[str]) -> None:
    """Classify everything in every way and print a table for each measure."""
    parser = model_parser("quality.robustness", __doc__)
    parser.add_argument(
        "--own",
        action="store_true",
        help="with the model's own preprocessing only, which is several times quicker",
    )
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    reference = classify_labelled(classifier, options.data, options.limit)
    variants = {"as trained": classifier} | ({} if options.own else _variations(classifier))
    classified = _classify_all(variants, record_paths(options.data, options.limit), reference)
    print(f"{len(reference.names)} records; as trained: {classifier.description.preprocessing}")
    for title, measure in _measures(reference).items():
        rows = [(name, *(measure(classified[name, each]) for each in variants)) for name in DISTURBANCES]
        print(f"\n{table((title, *variants), rows)}")


def _variations(classifier: "Classifier") -> dict[str, "Classifier"]:
    """Return the classifier with each variation that differs from it and fits its rate."""
    own = classifier.description.preprocessing
    variants = {}
    for name, change in VARIATIONS.items():
        fits = change.get("lowpass_hz", 0.0) < own.sampling_rate / 2
        if fits and (preprocessing := replace(own, **change)) != own:
            description = replace(classifier.description, preprocessing=preprocessing)
            variants[name] = replace(classifier, description=description)
    return variants


def _classify_all(
    variants: dict[str, "Classifier"], paths: list[Path], undisturbed: Classified
) -> dict[tuple[str, str], Classified]:
    """Return the classified records by disturbance and variant."""
    classified = {("none", "as trained"): undisturbed}
    ways = [
        (name, variant) for name in DISTURBANCES for variant in variants if (name, variant) not in classified
    ]
    for name, variant in tqdm(ways, unit="way", disable=None):
        change = partial(disturbed, disturb=DISTURBANCES[name])
        classified[name, variant] = classify(variants[variant], paths, change)
    return classified


def disturbed(record: Record, disturb: Disturbance) -> Record:
    """Return the record with a disturbance, the same whenever it is asked for."""
    # By the name: a record is disturbed alike for every variant and whichever records are beside it.
    return disturb(record, np.random.default_rng(list(record.name.encode())))


def _measures(reference: Classified) -> dict[str, Callable[[Classified], float]]:
    return {
        "macro AUROC": lambda each: each.auroc,
        "fall of macro AUROC": lambda each: reference.auroc - each.auroc,
        "Challenge metric": lambda each: each.challenge_metric,
        "mean change of probability": lambda each: each.mean_change(reference),
    }


def _leave(record: Record, rng: np.random.Generator) -> Record:
    return record


def _add_spike(record: Record, rng: np.random.Generator) -> Record:
    signal = record.signal.copy()
    width = max(1, round(SPIKE_S * record.sampling_rate))
    start = rng.integers(max(1, len(signal) - width))
    signal[start : start + width, _any_lead(record, rng)] += SPIKE_MV
    return replace(record, signal=signal)


def add_hum(record: Record, rng: np.random.Generator) -> Record:
    """Return the record with mains hum, at a rate that can hold it."""
    if record.sampling_rate <= 2 * HUM_HZ:  # it cannot hold the hum; a recorder's own rate can
        record = resampled(record, RECORDER_HZ)
    hum = HUM_MV * np.sin(2 * np.pi * (HUM_HZ * _seconds(record) + rng.random()))
    return _added(record, hum, rng.uniform(0.5, 1.5, len(record.leads)))


def add_wander(record: Record, rng: np.random.Generator) -> Record:
    """Return the record with slow baseline wander of another size on each lead."""
    wander = WANDER_MV * np.sin(2 * np.pi * (rng.uniform(0.15, 0.45) * _seconds(record) + rng.random()))
    return _added(record, wander, rng.uniform(-1.5, 1.5, len(record.leads)))


def _take_lead_off(record: Record, rng: np.random.Generator) -> Record:
    signal = record.signal.copy()
    signal[:, _any_lead(record, rng)] = 0
    return replace(record, signal=signal)


def _amplify(record: Record, rng: np.random.Generator) -> Record:
    return replace(record, signal=record.signal * np.float32(GAIN))


def _attenuate(record: Record, rng: np.random.Generator) -> Record:
    return replace(record, signal=record.signal / np.float32(GAIN))


def _any_lead(record: Record, rng: np.random.Generator) -> int:
    return rng.choice(np.flatnonzero(record.leads))


def _seconds(record: Record) -> np.ndarray:
    return np.arange(len(record.signal)) / record.sampling_rate


def _added(record: Record, disturbance: np.ndarray, gains: np.ndarray) -> Record:
    """Return the record with the disturbance, (samples,) in mV, times its gain on each lead that is present."""
    on_leads = disturbance[:, None] * (gains * record.leads)
    return replace(record, signal=record.signal + on_leads.astype(np.float32))


#: By the name of the row.
DISTURBANCES: dict[str, Disturbance] = {
    "none": _leave,
    f"a spike of {SPIKE_MV:g} mV": _add_spike,
    f"{HUM_HZ:g} Hz hum, {HUM_MV:g} mV": add_hum,
    f"wander, {WANDER_MV:g} mV": add_wander,
    "one lead off": _take_lead_off,
    f"gain × {GAIN:g}": _amplify,
    f"gain ÷ {GAIN:g}": _attenuate,
}


if __name__ == "__main__":
    run(main)
