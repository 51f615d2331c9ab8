"""Say how much worse answers are with other recorders and movement: filters, rates, gains, noise.

    python -m benchmarks.quality.recorders MODEL DATA --limit 300

`cnn_gap/signal/recorders.py` says how the noise is made.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.signal import iirnotch, lfilter

from benchmarks.common import Table, classify, command_parser, resampled, start_classifier
from benchmarks.quality.changes import HEADINGS, Change, changed_row, disturbed
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.recorders import (
    Noise,
    electrode_motion,
    filtered_forwards,
    muscle,
    wander,
    with_electrode_noise,
)
from cnn_gap.system.exit_codes import run

#: Filters are applied at this rate, as a recorder does, Hz.
RECORDER_HZ = 500.0

#: Corners of high-pass and low-pass filters of the second order, Hz: of recorders, monitors and patches.
BANDS_HZ = ((0.05, 150.0), (0.5, 40.0), (0.67, 25.0))

#: Frequencies of notch filters, Hz, and their quality.
NOTCHES_HZ, NOTCH_QUALITY = (50.0, 60.0), 30.0

#: Rates of recorders, Hz; largest errors of each lead's gain.
RATES_HZ, GAIN_ERRORS = (125.0, 250.0, 1000.0), (0.05, 0.2)

#: Signal-to-noise ratios, dB.
RATIOS_DB = (24, 18, 12, 6, 0)


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = command_parser("benchmarks.quality.recorders", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("data", metavar="DATA", type=Path, help="labelled records")
    parser.add_argument("--limit", metavar="N", type=int, help="number of records (default: all)")
    options = parser.parse_args(arguments)
    classifier, paths = start_classifier(options.model), find_records(options.data)[: options.limit]
    reference = classify(classifier, paths).scored
    for name, changes in (("recorder", recorders()), ("noise", noises())):
        rows = [changed_row("as recorded", reference, reference)]
        for row, change in changes:
            rows.append(changed_row(row, classify(classifier, paths, change).scored, reference))
        print(Table(name, HEADINGS, tuple(rows)), end="\n\n", flush=True)


def recorders() -> Iterator[tuple[str, Change]]:
    """Yield how other recorders change a record."""
    for low, high in BANDS_HZ:
        yield f"{low:g} to {high:g} Hz", partial(band_limited, low_hz=low, high_hz=high)
    for frequency in NOTCHES_HZ:
        yield f"notch at {frequency:g} Hz", partial(notched, frequency_hz=frequency)
    for rate in RATES_HZ:
        yield f"sampled at {rate:g} Hz", partial(resampled, rate=rate)
    for error in GAIN_ERRORS:
        yield (
            f"gains wrong by up to {100 * error:g} %",
            partial(disturbed, disturb=partial(misgained, error=error)),
        )


def noises() -> Iterator[tuple[str, Change]]:
    """Yield the kinds of noise at each ratio."""
    for name, noise in (("wander", wander), ("muscle", muscle), ("electrode motion", electrode_motion)):
        for ratio in RATIOS_DB:
            yield f"{name}, {ratio} dB", partial(disturbed, disturb=partial(noisy, noise=noise, ratio_db=ratio))


def band_limited(record: Record, low_hz: float, high_hz: float) -> Record:
    """Return the record through a high-pass and a low-pass filter that run forwards, as a recorder's do."""
    record = resampled(record, RECORDER_HZ)
    signal = record.signal
    for corner, kind in ((low_hz, "highpass"), (high_hz, "lowpass")):
        signal = filtered_forwards(signal, corner, kind, RECORDER_HZ)
    return replace(record, signal=signal.astype(np.float32))


def notched(record: Record, frequency_hz: float) -> Record:
    """Return the record through a notch filter."""
    record = resampled(record, RECORDER_HZ)
    signal = lfilter(*iirnotch(frequency_hz, NOTCH_QUALITY, RECORDER_HZ), record.signal, axis=0)
    return replace(record, signal=signal.astype(np.float32))


def misgained(record: Record, rng: np.random.Generator, error: float) -> Record:
    """Return the record with another gain of each lead."""
    gains = rng.uniform(1 - error, 1 + error, len(LEADS)).astype(np.float32)
    return replace(record, signal=record.signal * gains)


def noisy(record: Record, rng: np.random.Generator, noise: Noise, ratio_db: float) -> Record:
    """Return the record with noise of each electrode at a signal-to-noise ratio, dB."""
    signal = with_electrode_noise(record.signal, record.sampling_rate, rng, noise, ratio_db)
    return replace(record, signal=signal)


if __name__ == "__main__":
    run(main)
