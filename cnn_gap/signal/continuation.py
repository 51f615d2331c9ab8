"""Extend a record beyond its ends: find the earlier stretch most like the end, and repeat what followed it.

A network that sees zeros beyond a record's ends takes them for a silent heart, and its activation maps bend
there. A heart that beats regularly is continued exactly; one that does not gets beats of its own.
"""

import numpy as np

#: What is compared, s: long enough to hold a beat.
TEMPLATE_S = 1.5

#: How far back the likeness is sought, s: from the shortest RR interval to several.
LAGS_S = (0.3, 3.0)


def continued(signal: np.ndarray, margin: int, sampling_rate: float) -> np.ndarray:
    """Return the indices of the samples that make a signal extended by `margin` samples at both ends.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        Finite amplitudes.
    margin : int
        Samples to add before and after.
    sampling_rate : float
        Hz.

    Returns
    -------
    ndarray, shape (margin + samples + margin,), int
        Indices into `signal`.
    """
    samples = len(signal)
    inside = np.arange(samples)
    if not margin:
        return inside
    after = _following(signal, margin, sampling_rate)
    before = samples - 1 - _following(signal[::-1], margin, sampling_rate)[::-1]
    return np.concatenate([before, inside, after])


def _following(signal: np.ndarray, count: int, sampling_rate: float) -> np.ndarray:
    """Return the indices of the samples that continue the end of a signal."""
    samples = len(signal)
    lag = _lag(signal, sampling_rate)
    return samples - lag + np.arange(count) % lag


def _lag(signal: np.ndarray, sampling_rate: float) -> int:
    """Return how many samples earlier the signal looked most as it does at its end."""
    template = min(round(TEMPLATE_S * sampling_rate), len(signal) // 2)
    shortest, longest = (round(lag * sampling_rate) for lag in LAGS_S)
    longest = min(longest, len(signal) - template)
    if shortest > longest:
        return len(signal)
    recent = signal[len(signal) - template - longest :].astype(np.float64)
    differences = _differences(recent, recent[-template:])[: longest - shortest + 1]
    return longest - int(differences.argmin())


def _differences(signal: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Return how each piece of a signal differs from a pattern: squares, less a level that drifts.

    The nearer to the pattern's end the more it counts: the next beat follows from the last one, however
    irregular those before it were.
    """
    weights = np.arange(1, len(pattern) + 1) / len(pattern)
    total = weights.sum()
    shapes = weights * (pattern - weights @ pattern / total).T
    squares = np.correlate((signal**2).sum(axis=1), weights, "valid")
    # Products of spectra: all leads at once, and no threads, which a matrix product may start.
    size = 1 << (len(signal) - 1).bit_length()
    leads = np.fft.rfft(signal.T, size)
    levels = np.fft.irfft(leads * np.fft.rfft(weights, size).conj(), size)[:, : len(squares)]
    likeness = np.fft.irfft((leads * np.fft.rfft(shapes, size).conj()).sum(axis=0), size)[: len(squares)]
    # Without the pattern's own square, which is the same for all.
    return squares - (levels**2).sum(axis=0) / total - 2 * likeness
