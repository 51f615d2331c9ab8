"""QRS complexes in one lead, by the detector XQRS of wfdb-python (https://wfdb.readthedocs.io, MIT licence).

It is written anew here because wfdb's takes several times as long as all other measurements together, and its
import longer than a prediction. `tests/beats/test_complexes.py` compares it with wfdb's.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from cnn_gap.signal.filters import zero_phase

_BAND_HZ = (5.0, 20.0)
_BAND_PADDING = 15  # samples
_WIDTH_S = 0.1  # of a QRS complex
_WAVELET_SAMPLES = 4.0  # the width parameter of the wavelet, whatever the rate
_REFRACTORY_S = 0.2
_USUAL_RR_S, _LONGEST_RR_S, _SHORTEST_RR_S = 60 / 75, 60 / 25, 60 / 200
_BEATS_LEARNED = 8
_LEARNED_CORRELATION = 0.6  # lowest correlation of a complex that is learned with the wavelet
_USUAL_THRESHOLD_MV = 0.13  # for a signal in which too few complexes can be learned
_MISSED_RR = 1.66  # a complex is searched for again after this many recent RR intervals


@dataclass(frozen=True, eq=False)
class _Design:
    """The filters at a sampling rate (Hz): half a complex (samples), wavelets, gain of both filters."""

    rate: float
    radius: int
    learned: np.ndarray
    twice: np.ndarray  # the wavelet forwards and backwards
    gain: float


@dataclass
class _Recent:
    """The running averages by which the next peak is judged: heights of complexes and of noise, RR interval."""

    complex: float
    noise: float
    rr: float
    last: float
    threshold: float = 0.0

    def __post_init__(self) -> None:
        self._choose_threshold()

    def take(self, at: int, height: float, weight: float, longest_rr: float) -> None:
        """Count a complex; a weight of 1 forgets all earlier ones."""
        if at - self.last < longest_rr:
            self.rr += 0.125 * (at - self.last - self.rr)
        self.last = at
        self.complex += weight * (height - self.complex)
        self._choose_threshold()

    def _choose_threshold(self) -> None:
        self.threshold = max(0.25 * self.complex + 0.75 * self.noise, 0.0)


def find_complexes(signal: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return the approximate places of the QRS complexes in one lead, in samples.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        One lead in mV without its baseline.
    sampling_rate : float
        Hz.
    """
    design = _design(sampling_rate)
    margin = 3 * len(design.learned)
    if len(signal) <= margin or signal.min() == signal.max():
        return np.empty(0, int)
    filtered = zero_phase(signal[:, None], _BAND_HZ, "bandpass", sampling_rate, _BAND_PADDING)[:, 0]
    extended = np.concatenate(
        [2 * filtered[0] - filtered[margin:0:-1], filtered, 2 * filtered[-1] - filtered[-2 : -2 - margin : -1]]
    )
    energy = np.convolve(extended, design.twice, "same")[margin:-margin] ** 2
    peaks = local_peaks(energy, design.radius).astype(int)
    recent = _learn(filtered, energy, design)
    return np.array(_follow(peaks.tolist(), energy[peaks].tolist(), recent, sampling_rate), int)


def local_peaks(signal: np.ndarray, radius: int) -> np.ndarray:
    """Return the samples at which a signal, (samples,), has its maximum within a radius.

    The result equals that of `wfdb.processing.peaks.find_local_peaks`, which loops over the samples in Python.
    A peak is the highest of the `radius` samples before it and the `radius - 1` samples after it, and the next
    peak is at least `radius` samples later.
    """
    if not len(signal) or signal.min() == signal.max():
        return np.empty(0)
    highest = scipy.ndimage.maximum_filter1d(signal, 2 * radius, mode="constant", cval=-np.inf)
    peaks: list[int] = []
    for place in np.flatnonzero(signal == highest).tolist():
        if not peaks or place >= peaks[-1] + radius:
            peaks.append(place)
    return np.array(peaks)


def _follow(peaks: list[int], heights: list[float], recent: _Recent, rate: float) -> list[int]:
    """Return which peaks of the energy are complexes, by a threshold that follows their heights."""
    refractory, longest_rr = int(_REFRACTORY_S * rate), _LONGEST_RR_S * rate
    found: list[int] = []
    searched = 0  # the first peak that a second search looks at

    def is_complex(number: int, threshold: float) -> bool:
        return peaks[number] - recent.last > refractory and heights[number] > threshold

    def take(number: int, weight: float) -> None:
        found.append(peaks[number])
        recent.take(peaks[number], heights[number], weight, longest_rr)

    for number, height in enumerate(heights):
        if is_complex(number, recent.threshold):
            take(number, 0.125)
            searched = number + 1
        else:
            recent.noise += 0.125 * (height - recent.noise)
        is_late = number + 1 < len(peaks) and peaks[number + 1] - recent.last > _MISSED_RR * recent.rr
        if is_late and found:
            for earlier in range(searched, number + 1):
                if is_complex(earlier, recent.threshold / 2):
                    take(earlier, 0.25)
                    searched = number + 1
    return found


def _learn(filtered: np.ndarray, energy: np.ndarray, design: _Design) -> _Recent:
    """Return the averages over the first complexes that look like the wavelet; usual ones if too few do."""
    radius, rate = design.radius, design.rate
    peaks = local_peaks(filtered, radius).astype(int)
    width = 2 * radius
    first = np.searchsorted(peaks, int(_WIDTH_S * rate), "right")
    last = np.searchsorted(peaks, len(filtered) - int(_WIDTH_S * rate), "right") - 1
    inner = peaks[first:last]
    pieces = filtered[inner[:, None] + np.arange(-radius, radius)] if len(inner) else np.zeros((0, width))
    sizes = np.maximum(np.linalg.norm(pieces, axis=1), 1e-300)
    alike = (pieces @ design.learned / sizes > _LEARNED_CORRELATION).tolist()
    complexes: list[int] = []
    noise: list[int] = []
    for at, is_alike in zip(inner.tolist(), alike, strict=True):
        is_apart = at - (complexes[-1] if complexes else -_LONGEST_RR_S * rate) > _SHORTEST_RR_S * rate
        (complexes if is_alike and is_apart else noise).append(at)
        if len(complexes) == _BEATS_LEARNED:
            break
    if len(complexes) < _BEATS_LEARNED:
        usual = 27 / 40 * _USUAL_THRESHOLD_MV * design.gain
        return _Recent(usual, usual / 10, _USUAL_RR_S * rate, 0)
    height = float(energy[complexes].mean())
    intervals = np.diff(complexes)
    intervals = intervals[intervals < _LONGEST_RR_S * rate]
    rr = float(intervals.mean()) if len(intervals) else _USUAL_RR_S * rate
    before = min(0, complexes[0] - _SHORTEST_RR_S * rate - 1)
    return _Recent(height, float(energy[noise].mean()) if noise else height / 10, rr, before)


@lru_cache(8)
def _design(rate: float) -> _Design:
    width, radius = int(_WIDTH_S * rate), int(_WIDTH_S / 2 * rate)
    wavelet = _wavelet(width)
    low, high = _BAND_HZ
    sections = scipy.signal.butter(2, _BAND_HZ, "bandpass", fs=rate, output="sos")
    middle = (low + high) / 2
    _, band = scipy.signal.freqz_sos(sections, [middle], fs=rate)
    _, smoothed = scipy.signal.freqz(wavelet, [1], [middle], fs=rate)
    gain = float(2 * abs(band[0]) * 2 * abs(smoothed[0]))
    return _Design(rate, radius, _wavelet(2 * radius), np.convolve(wavelet, wavelet[::-1]), gain)


def _wavelet(points: int) -> np.ndarray:
    """Return the Ricker wavelet, the negative second derivative of a Gaussian."""
    square = ((np.arange(points) - (points - 1) / 2) / _WAVELET_SAMPLES) ** 2
    height = 2 / (np.sqrt(3 * _WAVELET_SAMPLES) * np.pi**0.25)
    return np.asarray(height * (1 - square) * np.exp(-square / 2))
