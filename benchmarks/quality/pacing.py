"""What a record's own rate, above the network's 100 Hz, tells of a pacemaker.

A pacing spike lasts about half a millisecond: little of it is left at 100 Hz. Each measure here is one number a
record, computed at its own rate; its AUROC for pacing has the 95 % interval of a bootstrap over the paced
records and the others. DATA are folders of records; those of 200 Hz and less, which hold hardly anything above
`HIGHPASS_HZ`, are left out.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from benchmarks.common import record_paths, resampled, start_classifier, table
from benchmarks.estimates import NOTHING, RESAMPLES, Estimate
from cnn_gap.io.records import read_record
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

#: Pacing rhythm, atrial and ventricular pacing pattern, and PTB-XL's statement.
PACING_CODES = frozenset({"10370003", "251268003", "251266004", "PACE"})

#: What lies above it is spikes, and noise.
HIGHPASS_HZ = 80.0

#: Records need a higher rate than this, Hz.
LOWEST_RATE = 200.0

#: Between the samples of a second difference, s: one step at 500 Hz.
STEP_S = 0.002

#: The same at the network's rate.
NETWORK_RATE = 100.0


@dataclass(frozen=True, eq=False)
class Measured:
    """Records, n of them: their names, which are paced, and each measure by its name, shape (n,)."""

    names: tuple[str, ...]
    paced: np.ndarray
    values: Mapping[str, np.ndarray]


def main(arguments: list[str]) -> None:
    """Measure every record and print a table of measures by folder, and one of paced records by measure."""
    options = _parser().parse_args(arguments)
    measures = dict(MEASURES)
    if options.model is not None:
        classifier = start_classifier(options.model)
        column = classifier.classes.find("10370003")
        measures["the model's probability, at 100 Hz"] = lambda record: float(
            classifier.predict(record).probabilities[column]
        )
    folders = {path.name: measure(path, measures) for path in options.data}
    together = joined(list(folders.values()))
    if len(folders) > 1:
        folders["together"] = together
    headings = [f"{name}: {int(each.paced.sum())} paced of {len(each.paced)}" for name, each in folders.items()]
    rows = [(name, *(auroc(each.paced, each.values[name]) for each in folders.values())) for name in measures]
    print(table(("AUROC for pacing", *headings), rows))
    print(f"\n{table(('others below the paced record', *measures), places(together))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.pacing", description=__doc__)
    parser.add_argument("data", metavar="DATA", type=Path, nargs="+", help="folder of labelled records")
    parser.add_argument(
        "--model", metavar="MODEL", type=Path, help="a trained model's folder, to have its answers beside"
    )
    return parser


def measure(data: Path, measures: Mapping[str, Callable[[Record], float]]) -> Measured:
    """Measure a folder's records that have a rate above `LOWEST_RATE`.

    Raises
    ------
    InputError
        If there is none.
    """
    records = [
        record for record in map(read_record, record_paths(data, None)) if record.sampling_rate > LOWEST_RATE
    ]
    if not records:
        raise InputError(f"{data}: has no record above {LOWEST_RATE:g} Hz; give records at their own rate")
    paced = np.array([not PACING_CODES.isdisjoint(record.codes) for record in records])
    values = {name: np.array([of(record) for record in records]) for name, of in measures.items()}
    return Measured(tuple(record.name for record in records), paced, values)


def joined(folders: list[Measured]) -> Measured:
    """Return the records of several folders as one."""
    values = {name: np.concatenate([each.values[name] for each in folders]) for name in folders[0].values}
    names = tuple(name for each in folders for name in each.names)
    return Measured(names, np.concatenate([each.paced for each in folders]), values)


def places(records: Measured) -> list[tuple]:
    """Return for each paced record its name and, by each measure, the share of others that it lies above."""
    others = [values[~records.paced] for values in records.values.values()]
    rows = []
    for index in np.flatnonzero(records.paced):
        own = [values[index] for values in records.values.values()]
        shares = (float((each < value).mean()) for each, value in zip(others, own, strict=True))
        rows.append((records.names[index], *shares))
    return rows


def high_frequency_rms(record: Record) -> float:
    """Return the root mean square above `HIGHPASS_HZ`, the leads' median, mV."""
    return float(np.median(np.sqrt((_highpassed(record) ** 2).mean(axis=0))))


def high_frequency_bursts(record: Record) -> float:
    """Return how high the highest value above `HIGHPASS_HZ` is in a typical second, the leads' median, mV."""
    return _typical_maximum(np.abs(_highpassed(record)), record.sampling_rate)


def sharpest_bend(record: Record) -> float:
    """Return the largest |second difference| over `STEP_S` of a typical second, the leads' median, mV."""
    return _typical_maximum(_bends(record, STEP_S), record.sampling_rate)


def bend_at_network_rate(record: Record) -> float:
    """Return the same at 100 Hz, from a sample to the next."""
    slow = resampled(record, NETWORK_RATE)
    return _typical_maximum(_bends(slow, 1 / NETWORK_RATE), NETWORK_RATE)


#: By the name of the row.
MEASURES: dict[str, Callable[[Record], float]] = {
    "energy above 80 Hz": high_frequency_rms,
    "bursts above 80 Hz": high_frequency_bursts,
    "sharpest bend within 2 ms": sharpest_bend,
    "sharpest bend at 100 Hz": bend_at_network_rate,
}


def _highpassed(record: Record) -> np.ndarray:
    sections = butter(4, HIGHPASS_HZ, "highpass", fs=record.sampling_rate, output="sos")
    return sosfiltfilt(sections, np.nan_to_num(record.signal).astype(np.float64), axis=0)


def _bends(record: Record, step_s: float) -> np.ndarray:
    """Return |x(t - step) - 2 x(t) + x(t + step)|, (samples, leads)."""
    signal = np.nan_to_num(record.signal).astype(np.float64)
    step = max(1, round(step_s * record.sampling_rate))
    return np.abs(signal[2 * step :] - 2 * signal[step:-step] + signal[: -2 * step])


def _typical_maximum(values: np.ndarray, rate: float) -> float:
    """Return the maximum of a typical second of a typical lead, both medians; `values` are (samples, leads)."""
    seconds = np.array_split(values, max(1, round(len(values) / rate)))
    return float(np.median(np.median([each.max(axis=0) for each in seconds], axis=0)))


def auroc(positive: np.ndarray, values: np.ndarray) -> Estimate:
    """Return the AUROC with its 95 % interval: positives and others are drawn anew, each among themselves."""
    if positive.all() or not positive.any():
        return NOTHING
    above = values[positive][:, None] - values[~positive]
    wins = (above > 0) + (above == 0) / 2
    rng = np.random.default_rng(0)
    rows, columns = (rng.integers(size, size=(RESAMPLES, size)) for size in wins.shape)
    drawn = [wins[np.ix_(row, column)].mean() for row, column in zip(rows, columns, strict=True)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(float(wins.mean()), float(low), float(high))


if __name__ == "__main__":
    run(main)
