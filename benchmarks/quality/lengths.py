"""What a model says of short records, and of what is no heart at all.

The records are cut to their first seconds. Then signals without a heart, ten seconds of twelve leads each, are
classified at two rates.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.common import classify_labelled, model_parser, start_classifier, table
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

#: What records are cut to, s.
LENGTHS_S = (10, 6, 4, 3, 2)

#: Signals without a heart: how long, s, at which rates, Hz, and how many of each at each rate.
SILENT_S, RATES_HZ, REPEATS = 10.0, (100.0, 500.0), 10

#: Returns a signal of shape (samples, 12), mV, for times of shape (samples, 1), s.
Silence = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def main(arguments: list[str]) -> None:
    """Classify at every length, then what is silent, and print a table of each."""
    options = model_parser("quality.lengths", __doc__).parse_args(arguments)
    classifier = start_classifier(options.model)
    classified = {
        seconds: classify_labelled(classifier, options.data, options.limit, partial(first, seconds=seconds))
        for seconds in LENGTHS_S
    }
    whole = classified[LENGTHS_S[0]]
    rows = [
        (f"{seconds} s", each.auroc, each.challenge_metric, each.challenge_metric - whole.challenge_metric)
        for seconds, each in classified.items()
    ]
    print(f"{len(whole.names)} records\n")
    print(table(("cut to", "macro AUROC", "Challenge metric", "its difference"), rows))
    lines = [
        _silent_row(name, classifier.predict_batch(silent_records(kind))) for name, kind in SILENCES.items()
    ]
    print(
        "\n"
        + table(
            ("no heart", "signals", "answered with something", "most frequent answers", "said to hold none"),
            lines,
        )
    )


def first(record: Record, seconds: float) -> Record:
    """Return the record's first seconds."""
    return replace(record, signal=record.signal[: round(seconds * record.sampling_rate)])


def silent_records(kind: Silence) -> list[Record]:
    """Return `REPEATS` records of one kind at each of `RATES_HZ`."""
    records = []
    for rate in RATES_HZ:
        times = np.arange(round(SILENT_S * rate))[:, None] / rate
        for seed in range(REPEATS):
            signal = kind(times, np.random.default_rng(seed)) * np.ones((1, len(LEADS)))
            records.append(record_from_signal(signal, rate, LEADS, f"{rate:g}-{seed}"))
    return records


def _silent_row(name: str, predictions: list[Prediction]) -> tuple:
    answers = [each.diagnosis.abbreviation for one in predictions for each in one.answered]
    often = sorted(set(answers), key=lambda answer: -answers.count(answer))[:3]
    said = sum(not one.answerable for one in predictions)
    answered = sum(bool(one.answered) for one in predictions)
    return (
        name,
        len(predictions),
        answered,
        ", ".join(often) or "nothing",
        said,
    )


#: By the name of the row.
SILENCES: dict[str, Silence] = {
    "zeros": lambda times, rng: np.zeros_like(times),
    "a constant": lambda times, rng: np.full_like(times, rng.normal() * 100),
    "a ramp": lambda times, rng: times * rng.normal(),
    "white noise": lambda times, rng: rng.normal(size=(len(times), 12)) * 10 ** rng.uniform(-3, 1),
    "white noise on one lead": lambda times, rng: rng.normal(size=times.shape) * (np.arange(12) == 1),
    "a random walk": lambda times, rng: rng.normal(size=(len(times), 12)).cumsum(axis=0) / 50,
    "50 Hz hum": lambda times, rng: np.sin(2 * np.pi * (49.9 * times + rng.random(12))),
    "a slow sine": lambda times, rng: np.sin(2 * np.pi * (rng.uniform(0.2, 2) * times + rng.random(12))),
    "a square wave": lambda times, rng: np.sign(np.sin(2 * np.pi * rng.uniform(0.5, 2) * times)),
    "steps": lambda times, rng: (
        (rng.random(times.shape) < 3 / len(times)) * rng.normal(size=(len(times), 12))
    ).cumsum(axis=0),
}


if __name__ == "__main__":
    run(main)
