"""Effects of recorders and movement on a recording: noise of electrodes, and filters that run forwards.

Noise is made for each electrode. The noise of a lead is the difference of its electrodes' noise, as in a
recording. The strength of the noise is a signal-to-noise ratio as in the MIT-BIH Noise Stress Test Database
(Moody et al. 1984, "A noise stress test for arrhythmia detectors", Computers in Cardiology 381-384).
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt, sosfilt_zi

from cnn_gap.leads import LIMB_LEADS

#: The heights of a signal, mV, are between these quantiles.
QUANTILES = (0.005, 0.995)

#: Frequencies of the noise of muscles, Hz.
MUSCLE_HZ = (15.0, 150.0)

#: Noise with less power than this, mV², is not added.
SMALLEST_POWER = 1e-12

#: Returns noise of a number of samples at a rate, Hz, for one electrode.
Noise = Callable[[int, float, np.random.Generator], np.ndarray]


def with_electrode_noise(
    signal: np.ndarray, rate: float, rng: np.random.Generator, noise: Noise, ratio_db: float
) -> np.ndarray:
    """Add noise at each of nine electrodes to a signal of twelve leads, and return the new signal.

    A lead of zeros is missing and stays zero. A signal that is too short for the frequencies of the noise stays
    as it is.

    Parameters
    ----------
    signal : ndarray, shape (samples, 12), float32
        In mV.
    rate : float
        Of the signal, Hz.
    rng : Generator
    noise : callable
        One of `wander`, `muscle` and `electrode_motion`.
    ratio_db : float
        An eighth of the squared height of the signal, for the peaks of QRS complexes, to the power of the
        noise, both as means over the leads.
    """
    present = signal.any(axis=0)
    if not present.any():
        return signal
    sources = np.stack([noise(len(signal), rate, rng) for _ in range(9)], axis=1)
    added = from_electrodes(sources)[:, present]
    low, high = np.quantile(signal[:, present], QUANTILES, axis=0)
    wanted, made = ((high - low) ** 2 / 8).mean() / 10 ** (ratio_db / 10), (added**2).mean()
    noisy = signal.copy()
    noisy[:, present] += (np.sqrt(wanted / max(made, SMALLEST_POWER)) * added).astype(np.float32)
    return noisy


def from_electrodes(potentials: np.ndarray) -> np.ndarray:
    """Return the twelve leads, (samples, 12), of right arm, left arm, left leg and V1 to V6, (samples, 9)."""
    right, left, leg = potentials[:, 0], potentials[:, 1], potentials[:, 2]
    centre = potentials[:, :3].mean(axis=1, keepdims=True)
    return np.column_stack([limb_leads(left - right, leg - right), potentials[:, 3:] - centre])


def limb_leads(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the six limb leads, (samples, 6), that follow from I and II, (samples,) each."""
    others = (of_first * first + of_second * second for of_first, of_second in LIMB_LEADS.values())
    return np.column_stack([first, second, *others])


def wander(samples: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return slow changes below 0.5 Hz, as of breathing."""
    return _filtered(rng.normal(size=samples), (0.05, 0.5), rate)


def muscle(samples: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise from 15 Hz on, which swells and falls within seconds."""
    strength = 1 + _filtered(rng.normal(size=samples), (0.1, 1.0), rate)
    band = (MUSCLE_HZ[0], min(MUSCLE_HZ[1], 0.49 * rate))
    return np.asarray(_filtered(rng.normal(size=samples), band, rate) * np.abs(strength))


def electrode_motion(samples: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return jumps, one a second, that decay within 0.2 to 1 s, and changes of 1 to 8 Hz, as of bent skin."""
    times = np.arange(samples) / rate
    total = 0.3 * _filtered(rng.normal(size=samples), (1.0, 8.0), rate)
    for begin in rng.uniform(0, times[-1], rng.poisson(times[-1])):
        after = np.clip(times - begin, 0, None)
        total += rng.normal() * (after > 0) * np.exp(-after / rng.uniform(0.2, 1.0))
    return total


def filtered_forwards(signal: np.ndarray, corner_hz: float, kind: str, rate: float) -> np.ndarray:
    """Return a signal through a filter of the second order that runs forwards, as a recorder's does.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        Its first sample counts as if it had lasted for ever.
    corner_hz : float
    kind : str
        "highpass" or "lowpass".
    rate : float
        Of the signal, Hz.
    """
    sections = butter(2, corner_hz, kind, fs=rate, output="sos")
    start = sosfilt_zi(sections)[:, :, None] * signal[0]
    return np.asarray(sosfilt(sections, signal, axis=0, zi=start)[0])


def _filtered(noise: np.ndarray, band_hz: tuple[float, float], rate: float) -> np.ndarray:
    """Return noise in a band, with a standard deviation of 1."""
    frequencies = np.fft.rfftfreq(len(noise), 1 / rate)
    spectrum = np.fft.rfft(noise)
    spectrum[(frequencies < band_hz[0]) | (frequencies > band_hz[1])] = 0
    found = np.fft.irfft(spectrum, len(noise))
    return np.asarray(found / max(found.std(), 1e-12))
