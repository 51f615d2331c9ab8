"""Resampling of signals, and interpolation across samples that are not valid."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import scipy


def resample_by(signal: np.ndarray, ratio: Fraction) -> np.ndarray:
    """Return a signal (samples, leads) at `ratio` times its rate, by an anti-aliased polyphase filter.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        Finite amplitudes.
    ratio : Fraction
        The new rate divided by the old one.
    """
    if ratio == 1:
        return signal
    # "line" continues the signal beyond its ends by its linear trend; zeros would make a step.
    padding = "line" if len(signal) > 1 else "mean"
    # The gains of the filter's phases differ by a thousandth, which would turn a constant level into waves.
    level = signal.mean(axis=0, dtype=np.float64).astype(signal.dtype)
    taps = _taps(max(ratio.numerator, ratio.denominator)).astype(signal.dtype)
    waves = scipy.signal.resample_poly(
        signal - level, ratio.numerator, ratio.denominator, axis=0, window=taps, padtype=padding
    )
    return np.asarray(level + waves)


@lru_cache(16)
def _taps(factor: int) -> np.ndarray:
    """Return the filter of `scipy.signal.resample_poly`, which would design it again for each signal."""
    return np.asarray(scipy.signal.firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)))


def bridge(signal: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Return a signal interpolated linearly across invalid samples, so that filters do not ring at gaps.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
    valid : ndarray, shape (samples, leads), bool
        A lead without a valid sample becomes 0.
    """
    filled = np.zeros_like(signal)
    at = np.arange(len(signal))
    for lead in np.flatnonzero(valid.any(axis=0)):
        good = valid[:, lead]
        filled[:, lead] = np.interp(at, at[good], signal[good, lead])
    return filled


def nearest_valid(valid: np.ndarray, samples: int) -> np.ndarray:
    """Return a mask of valid samples, (samples, leads) bool, resampled: each takes the nearest value."""
    at = (np.arange(samples) * (len(valid) / samples)).round().astype(int)
    return np.asarray(valid[np.minimum(at, len(valid) - 1)])
