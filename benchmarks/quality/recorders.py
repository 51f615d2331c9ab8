"""Say what other recorders and moving persons cost: filters, rates, gains, noise of electrodes and muscles.

    python -m benchmarks.quality.recorders MODEL DATA --limit 300

Noise is simulated at each electrode, and leads are its differences, as in a recording. Its strength is a
signal-to-noise ratio as in the MIT-BIH Noise Stress Test Database (Moody et al. 1984, "A noise stress test for
arrhythmia detectors", Computers in Cardiology 381-384): an eighth of the squared height of the record, for the
peaks of QRS complexes, to the power of the noise, both as means over the leads.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.signal import butter, iirnotch, lfilter, sosfilt, sosfilt_zi

from benchmarks.common import Table, classify, resampled, start_classifier
from benchmarks.quality.changes import HEADINGS, Change, changed_row, disturbed
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
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

#: The heights of a record, mV, are between these quantiles.
QUANTILES = (0.005, 0.995)

#: Returns noise of a number of samples at a rate, Hz, for one electrode.
Noise = Callable[[int, float, np.random.Generator], np.ndarray]


def main(arguments: list[str]) -> None:
    """Print the tables."""
    summary, _, details = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.recorders", description=summary, epilog=details
    )
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
        sections = butter(2, corner, kind, fs=RECORDER_HZ, output="sos")
        start = sosfilt_zi(sections)[:, :, None] * signal[0]  # as if the first sample had lasted for ever
        signal = sosfilt(sections, signal, axis=0, zi=start)[0]
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
    samples = len(record.signal)
    sources = np.stack([noise(samples, record.sampling_rate, rng) for _ in range(9)], axis=1)
    added = from_electrodes(sources)[:, np.asarray(record.leads, bool)]
    low, high = np.quantile(record.signal[:, np.asarray(record.leads, bool)], QUANTILES, axis=0)
    power = ((high - low) ** 2 / 8).mean() / 10 ** (ratio_db / 10)
    scale = np.sqrt(power / (added**2).mean())
    signal = record.signal.copy()
    signal[:, np.asarray(record.leads, bool)] += (scale * added).astype(np.float32)
    return replace(record, signal=signal)


def from_electrodes(potentials: np.ndarray) -> np.ndarray:
    """Return the twelve leads, (samples, 12), of right arm, left arm, left leg and V1 to V6, (samples, 9)."""
    right, left, leg = potentials[:, 0], potentials[:, 1], potentials[:, 2]
    first, second = left - right, leg - right
    limbs = first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2
    centre = potentials[:, :3].mean(axis=1, keepdims=True)
    return np.column_stack([*limbs, potentials[:, 3:] - centre])


def wander(samples: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return slow changes below 0.5 Hz, as of breathing."""
    return _filtered(rng.normal(size=samples), (0.05, 0.5), rate)


def muscle(samples: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise from 15 Hz on, which swells and falls within seconds."""
    strength = 1 + _filtered(rng.normal(size=samples), (0.1, 1.0), rate)
    return _filtered(rng.normal(size=samples), (15.0, min(150.0, 0.49 * rate)), rate) * np.abs(strength)


def electrode_motion(samples: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return jumps, one a second, that decay within 0.2 to 1 s, and changes of 1 to 8 Hz, as of bent skin."""
    times = np.arange(samples) / rate
    total = 0.3 * _filtered(rng.normal(size=samples), (1.0, 8.0), rate)
    for begin in rng.uniform(0, times[-1], rng.poisson(times[-1])):
        after = np.clip(times - begin, 0, None)
        total += rng.normal() * (after > 0) * np.exp(-after / rng.uniform(0.2, 1.0))
    return total


def _filtered(noise: np.ndarray, band_hz: tuple[float, float], rate: float) -> np.ndarray:
    """Return noise in a band, with a standard deviation of 1."""
    frequencies = np.fft.rfftfreq(len(noise), 1 / rate)
    spectrum = np.fft.rfft(noise)
    spectrum[(frequencies < band_hz[0]) | (frequencies > band_hz[1])] = 0
    found = np.fft.irfft(spectrum, len(noise))
    return np.asarray(found / max(found.std(), 1e-12))


if __name__ == "__main__":
    run(main)
