"""A model's answers to signals without an ECG: ten seconds of twelve leads at two rates."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.common import Study, Table
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record

#: Length of the signals, s, their rates, Hz, and the number of each kind at each rate.
LENGTH_S, RATES_HZ, REPEATS = 10.0, (100.0, 500.0), 10

#: Returns a signal of shape (samples, 12), mV, for times of shape (samples, 1), s.
Kind = Callable[[np.ndarray, np.random.Generator], np.ndarray]

HEADINGS = ("signals", "no diagnosis", "reason given", "most frequent diagnoses")


def no_ecg(study: Study) -> Iterator[Table]:
    """Yield a table of kinds of signals, and of all together."""
    found = {name: study.classifier.predict_batch(signals(kind)) for name, kind in KINDS.items()}
    found["all"] = [prediction for each in found.values() for prediction in each]
    yield Table("no ECG", HEADINGS, tuple(kind_row(name, each) for name, each in found.items()))


def signals(kind: Kind) -> list[Record]:
    """Return `REPEATS` signals of one kind at each of `RATES_HZ`."""
    records = []
    for rate in RATES_HZ:
        times = np.arange(round(LENGTH_S * rate))[:, None] / rate
        for seed in range(REPEATS):
            signal = kind(times, np.random.default_rng(seed)) * np.ones((1, len(LEADS)))
            records.append(record_from_signal(signal, rate, LEADS, f"{rate:g}-{seed}"))
    return records


def kind_row(name: str, predictions: list[Prediction]) -> tuple[object, ...]:
    """Return a row of the table."""
    answers = [each.diagnosis.abbreviation for one in predictions for each in one.answered]
    frequent = sorted(set(answers), key=lambda answer: -answers.count(answer))[:3]
    without = sum(not one.answered for one in predictions)
    refused = sum(not one.answerable for one in predictions)
    return name, len(predictions), without, refused, ", ".join(frequent) or "none"


def _noise(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(len(times), 12))


def _sine(times: np.ndarray, rng: np.random.Generator, frequency: float) -> np.ndarray:
    return np.sin(2 * np.pi * (frequency * times + rng.random(12)))


#: By the name of the row.
KINDS: dict[str, Kind] = {
    "zeros": lambda times, rng: np.zeros_like(times),
    "a constant": lambda times, rng: np.full_like(times, rng.normal() * 100),
    "a ramp": lambda times, rng: times * rng.normal(),
    "white noise": lambda times, rng: _noise(times, rng) * 10 ** rng.uniform(-3, 1),
    "white noise on one lead": lambda times, rng: rng.normal(size=times.shape) * (np.arange(12) == 1),
    "a random walk": lambda times, rng: _noise(times, rng).cumsum(axis=0) / 50,
    "50 Hz hum": lambda times, rng: _sine(times, rng, 49.9),
    "a slow sine": lambda times, rng: _sine(times, rng, rng.uniform(0.2, 2)),
    "a square wave": lambda times, rng: np.sign(np.sin(2 * np.pi * rng.uniform(0.5, 2) * times)),
    "steps": lambda times, rng: ((rng.random(times.shape) < 3 / len(times)) * _noise(times, rng)).cumsum(
        axis=0
    ),
}
