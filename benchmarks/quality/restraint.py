"""Count the statements that a reading withholds or gets wrong if leads are off or noisy, or electrodes swapped.

    python -m benchmarks.quality.restraint MODEL RECORDS --records 150

The disturbances are simulated in real records; the reading of the undisturbed record is the truth.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common import Table, command_parser, start_classifier
from benchmarks.quality.alerts import WRONG_RATE, read_all
from benchmarks.quality.beside_openecg import spread
from cnn_gap.beats.electrodes import swaps
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.reading.reading import Reading
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

HEADINGS = (
    "not interpretable",
    "called normal",
    "rate given",
    "rate wrong",
    "with withheld statements",
    "with a new finding",
)

_CHEST, _V3, _LIMBS = np.arange(6, 12), np.array([8]), np.arange(6)
_NOISE_MV = 0.3


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = command_parser("benchmarks.quality.restraint", __doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--records", type=int, default=150, help="spread evenly over the folder")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    records = [read_record(path) for path in spread(find_records(options.data), options.records)]

    def read(changed: list[Record]) -> tuple[list[Reading], list[float | None]]:
        read = read_all(classifier, changed)
        return [reading for reading, _ in read], [evidence.values.get("rate") for _, evidence in read]

    before = read(records)
    rows = [
        (name, *_shares(before, read([change(record) for record in records])))
        for name, change in disturbances().items()
    ]
    print(Table(f"{len(records)} records of {options.data.name}", HEADINGS, tuple(rows)))


def disturbances() -> dict[str, Callable[[Record], Record]]:
    """Return functions that disturb a record, by their names."""
    changes: dict[str, Callable[[Record], Record]] = {
        "none": lambda record: record,
        "chest leads absent": lambda record: replace(
            record, leads=record.leads & ~np.isin(np.arange(12), _CHEST)
        ),
        "chest leads flat": lambda record: _with(record, _CHEST, 0.0),
        "noise for the chest leads": lambda record: _with(record, _CHEST, 1.0),
        "noise added to V3": lambda record: _with(record, _V3, 1.0, keep=True),
        "V3 flat": lambda record: _with(record, _V3, 0.0),
        "noise added to the limb leads": lambda record: _with(record, _LIMBS, 1.0, keep=True),
        "all leads flat": lambda record: _with(record, np.arange(12), 0.0),
        "noise for all leads": lambda record: _with(record, np.arange(12), 1.0),
    }
    for name, swap in swaps().items():
        changes[f"{name} swapped"] = lambda record, swap=swap: replace(
            record, signal=swap(record.signal).astype(np.float32)
        )
    return changes


def _with(record: Record, leads: np.ndarray, noise: float, keep: bool = False) -> Record:
    """Return a record with noise for some leads, added to their signal or in its place."""
    signal = np.array(record.signal)
    drawn = np.random.default_rng(0).normal(0, _NOISE_MV * noise, (len(signal), len(leads)))
    signal[:, leads] = (signal[:, leads] if keep else 0) + drawn
    return replace(record, signal=signal)


def _shares(
    before: tuple[list[Reading], list[float | None]], after: tuple[list[Reading], list[float | None]]
) -> list[str]:
    readings, rates = after
    answered = [reading.conclusion != "not interpretable" for reading in readings]
    known = [
        abs(rate - true) > WRONG_RATE * true
        for rate, true, shown in zip(rates, before[1], answered, strict=True)
        if rate is not None and true is not None and shown
    ]
    given = sum(rate is not None and shown for rate, shown in zip(rates, answered, strict=True))
    withheld = [
        any("without" in each or "swapped" in each for each in reading.not_assessed) for reading in readings
    ]
    new = [bool(_findings(now) - _findings(old)) for now, old in zip(readings, before[0], strict=True)]
    counts = (
        len(readings) - sum(answered),
        sum(reading.conclusion == "normal" for reading in readings),
        given,
    )
    return [*(f"{count / len(readings):.2f}" for count in counts), f"{sum(known)}/{len(known)}"] + [
        f"{np.mean(each):.2f}" for each in (withheld, new)
    ]


def _findings(reading: Reading) -> set[str]:
    return {each.key for each in reading.statements if each.severity > 0 and each.degree != "possible"}


if __name__ == "__main__":
    run(main)
