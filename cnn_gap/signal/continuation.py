"""The continuation of a record beyond its ends.

The end is compared with earlier parts of the record, and what followed the most similar part is repeated. With
zeros beyond the ends, a network would see a heart that stands still, and its activation maps would be wrong
there. A regular rhythm is continued without a break, an irregular one with beats of the record.
"""

import numpy as np

#: Length of the end that is compared, s: it holds a beat or more.
TEMPLATE_S = 1.5

#: The compared parts are earlier than the end by at least the first and at most the second of these times, s.
LAGS_S = (0.3, 3.0)


def continue_signal(signal: np.ndarray, margin: int, sampling_rate: float) -> np.ndarray:
    """Return the indices of the samples that make up a signal, extended by `margin` samples at both ends.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        Finite amplitudes.
    margin : int
        Number of samples to add before and after.
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
    """Return by how many samples the part of the signal that is most similar to its end is earlier."""
    template = min(round(TEMPLATE_S * sampling_rate), len(signal) // 2)
    shortest, longest = (round(lag * sampling_rate) for lag in LAGS_S)
    longest = min(longest, len(signal) - template)
    if shortest > longest:
        return len(signal)
    recent = signal[len(signal) - template - longest :].astype(np.float64)
    differences = _differences(recent, recent[-template:])[: longest - shortest + 1]
    return longest - int(differences.argmin())


def _differences(signal: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Return the squared difference between each part of a signal and a pattern, apart from their levels.

    Weights rise towards the pattern's end, so that the last beat, which the next one follows, counts most. The
    pattern's own square, which is the same for all parts, is left out.
    """
    weights = np.arange(1, len(pattern) + 1) / len(pattern)
    total = weights.sum()
    shapes = weights * (pattern - weights @ pattern / total).T
    squares = np.correlate((signal**2).sum(axis=1), weights, "valid")
    # Correlations by Fourier transform: a matrix product may start threads that slow the network.
    size = 1 << (len(signal) - 1).bit_length()
    spectra = np.fft.rfft(signal.T, size)
    levels = np.fft.irfft(spectra * np.fft.rfft(weights, size).conj(), size)[:, : len(squares)]
    products = np.fft.irfft((spectra * np.fft.rfft(shapes, size).conj()).sum(axis=0), size)[: len(squares)]
    return np.asarray(squares - (levels**2).sum(axis=0) / total - 2 * products)
