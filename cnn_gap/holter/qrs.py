"""QRS complexes of recordings of hours, in one or more leads, by energy relative to that of the beats around.

A complex is where the energy in the QRS band is near to that of most complexes of the surrounding 22 s, so the
height of the complexes may change from hour to hour. Leads are weighted by how far complexes stand out in them.
wfdb's XQRS, which measures beats elsewhere, takes four minutes for a day and finds fewer of them: see
docs/results/long.md.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.signal.filters import zero_phase

#: Length of a block in which the highest and a low energy are taken, s, and the number of blocks whose medians
#: say how high complexes and the parts between them are.
BLOCK_S, BLOCKS = 2.0, 11

_BAND_HZ = (8.0, 20.0)
_MEAN_S = 0.1  # energies are averaged over this time
_BETWEEN = 40  # the percentile of the energies in a block that is between complexes
_COMPLEX, _FAINT = 0.4, 0.2  # heights of complexes as shares of the usual height; of those searched again
_CLIP = 2.0  # an artefact counts as this many usual heights at most
_APART_S = 0.3  # smallest distance of two complexes
_GAP, _NEIGHBOURS = 1.5, 15  # an RR interval above 1.5 times the median of 15 neighbours is searched again
# A complex may be missed in an RR interval above 1.2 times this median, if a peak in it has 0.3 of the usual
# height. The peak must be 0.45 s after the complex before it, since T waves are nearer.
_LONG, _DOUBTFUL, _AFTER_T_S = 1.2, 0.3, 0.45
_HIDDEN = 2.0  # a block is hidden where this times its energy between complexes is above their height
_FAINTEST_MV = 1e-3  # no heart has lower energies


@dataclass(frozen=True, eq=False)
class Complexes:
    """The QRS complexes of a signal.

    Attributes
    ----------
    places : ndarray, shape (complexes,), int
        In samples.
    doubtful : ndarray, shape (complexes,), bool
        Whether a complex may be missed between the one before and each: the interval is long, and something in
        it is too low for a complex, but higher than T and P waves are in the band.
    contrast : ndarray, shape (blocks,)
        How many times as high as between complexes the signal is at complexes, in each block of `BLOCK_S`.
    """

    places: np.ndarray
    doubtful: np.ndarray
    contrast: np.ndarray


def find_qrs(signal: np.ndarray, sampling_rate: float) -> Complexes:
    """Find the QRS complexes of a signal.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        In mV, without baseline; at least a block long.
    sampling_rate : float
        Hz, at least 50.
    """
    padding = min(len(signal) - 1, round(2 * sampling_rate))
    fast = zero_phase(signal, _BAND_HZ, "bandpass", sampling_rate, padding)
    mean = round(_MEAN_S * sampling_rate)
    energy = np.sqrt(np.maximum(scipy.ndimage.uniform_filter1d(fast**2, mean, axis=0, mode="nearest"), 0))
    length = round(BLOCK_S * sampling_rate)
    blocks = _blocks(energy, length)
    high = _around(blocks.max(axis=1))
    own = np.percentile(blocks, _BETWEEN, axis=1)
    contrast = high / np.maximum(_around(own), 1e-9)
    stands_out = np.where(high > _FAINTEST_MV, np.maximum(contrast - 1, 0), 0)
    weights = stands_out / np.maximum(stands_out.sum(axis=1, keepdims=True), 1e-9)
    scale = _per_sample(np.maximum(high, _FAINTEST_MV), length, len(signal))
    share = np.minimum(energy / scale, _CLIP) * _per_sample(weights, length, len(signal))
    height = share.sum(axis=1)
    places = _choose(height, sampling_rate)
    hidden = (high <= _FAINTEST_MV) | (own * _HIDDEN > high)
    doubtful = _doubtful(height, places, sampling_rate)
    return Complexes(places, doubtful, np.where(hidden, 0, contrast).max(axis=1))


def blocks_at(times_s: np.ndarray, count: int) -> np.ndarray:
    """Return in which of a recording's blocks times, s, are, int; after the last whole block, in that one."""
    return np.asarray(np.minimum((times_s / BLOCK_S).astype(int), count - 1))


def _blocks(energy: np.ndarray, length: int) -> np.ndarray:
    """Return the energies in whole blocks, (blocks, length, leads)."""
    count = max(1, len(energy) // length)
    return energy[: count * length].reshape(count, -1, energy.shape[1])


def _around(values: np.ndarray) -> np.ndarray:
    """Return the medians over the surrounding blocks, (blocks, leads)."""
    return np.asarray(scipy.ndimage.median_filter(values, (BLOCKS, 1), mode="reflect"))


def _per_sample(values: np.ndarray, length: int, samples: int) -> np.ndarray:
    """Return the values of blocks, (blocks, leads), interpolated for each sample, (samples, leads)."""
    middles = (np.arange(len(values)) + 0.5) * length
    return np.stack([np.interp(np.arange(samples), middles, lead) for lead in values.T], axis=1)


def _choose(height: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return the peaks of a height (samples,) that are complexes, in samples."""
    apart = round(_APART_S * sampling_rate)
    peaks, _ = scipy.signal.find_peaks(height, height=_FAINT, distance=apart)
    high = height[peaks] >= _COMPLEX
    found, faint = peaks[high], peaks[~high]
    missed = []
    for gap in _long_intervals(found, _GAP):
        within = faint[(faint > found[gap] + apart) & (faint < found[gap + 1] - apart)]
        if len(within):
            missed.append(within[np.argmax(height[within])])
    return np.sort(np.concatenate([found, np.array(missed, int)]))


def _doubtful(height: np.ndarray, places: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return for each complex whether one may be missed before it, bool of shape (complexes,)."""
    doubtful = np.zeros(len(places), bool)
    after, before = round(_AFTER_T_S * sampling_rate), round(_APART_S * sampling_rate)
    for at in _long_intervals(places, _LONG):
        within = height[places[at] + after : places[at + 1] - before]
        peaks, _ = scipy.signal.find_peaks(within, height=_DOUBTFUL)
        doubtful[at + 1] = len(peaks) > 0
    return doubtful


def _long_intervals(places: np.ndarray, share: float) -> np.ndarray:
    """Return which intervals are longer than this share of the median of those around, int; of one, none is."""
    if len(places) < 3:
        return np.zeros(0, int)
    intervals = np.diff(places)
    usual = scipy.ndimage.median_filter(intervals, _NEIGHBOURS, mode="nearest")
    return np.flatnonzero(intervals > share * usual)
