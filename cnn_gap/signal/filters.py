"""Zero-phase Butterworth filters; each design is kept for the next signals."""

from functools import lru_cache

import numpy as np
import scipy  # imports scipy.signal, which takes most of a second, only when it is first used


def zero_phase(
    signal: np.ndarray,
    corners: float | tuple[float, float],
    kind: str,
    sampling_rate: float,
    padding: int,
    order: int = 2,
) -> np.ndarray:
    """Return a signal filtered forwards and backwards, as SciPy's sosfiltfilt does.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
    corners : float or tuple of float
        Corner frequencies, Hz.
    kind : str
        "highpass", "lowpass" or "bandpass".
    sampling_rate : float
        Hz.
    padding : int
        Number of samples, less than those of the signal, by which both ends are extended by point reflection.
    order : int
        Of the filter.

    Returns
    -------
    ndarray, shape (samples, leads), float64
    """
    sections, steady = _design(corners, kind, sampling_rate, order)
    before = 2 * signal[:1] - signal[padding:0:-1]
    after = 2 * signal[-1:] - signal[-2 : -2 - padding : -1]
    filtered = np.concatenate([before, signal, after]) if padding else signal
    for _ in range(2):
        filtered, _ = scipy.signal.sosfilt(sections, filtered, axis=0, zi=steady * filtered[:1])
        filtered = filtered[::-1]
    return filtered[padding : padding + len(signal)]


@lru_cache
def _design(
    corners: float | tuple[float, float], kind: str, sampling_rate: float, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a filter's sections (n, 6), and their states for a constant signal of 1, (n, 2, 1)."""
    sections = scipy.signal.butter(order, corners, kind, fs=sampling_rate, output="sos")
    return sections, scipy.signal.sosfilt_zi(sections)[:, :, None]
