"""Whether two detectors find the same beats: if not, no heart rate and no interval is given.

The first is XQRS in one combination of the leads (`cnn_gap.beats.detection`), the second takes the peaks of the
energy of all leads in the band of the QRS complex.
"""

import numpy as np
import scipy

from cnn_gap.beats.detection import BAND_HZ, MEASURED_HZ, Beats, qrs_band

#: Both must find this share of the other's beats.
LEAST_SHARED = 0.85

_SMOOTHED_S = 0.1
_HEIGHT = 0.35  # of the energy's 98th percentile
_APART_S = 0.24
_NEAR_S = 0.15  # largest distance between two detectors' marks of one beat
_LONG_SHARE, _LONG_S = 1.4, 0.9  # a longer interval, as a share of the median one and in s, may hide a beat
_AFTER_S, _BEFORE_S = 0.4, 0.25  # parts of it with the T wave of the beat before and the P wave of the next one
_HIDDEN_SHARE = 0.3  # smallest energy of a hidden beat, as a share of the beats' median energy
_ENDS_S = 0.4  # beats this near to the record's ends are left out, since they may be cut


def detectors_agree(beats: Beats, signal: np.ndarray, band: np.ndarray | None = None) -> bool:
    """Tell whether a second detector finds the same beats.

    Parameters
    ----------
    beats : Beats
        At least two.
    signal : ndarray, shape (samples, 12)
        The record as `cnn_gap.beats.detection.prepare_for_beats` returns it.
    band : ndarray, optional
        Its `cnn_gap.beats.detection.qrs_band`, if it is known.
    """
    energy = _energy(qrs_band(signal) if band is None else band)
    last = len(signal) / MEASURED_HZ - _ENDS_S
    first_detector, second_detector = (
        times[(times > _ENDS_S) & (times < last)] for times in (beats.times_s, _peaks(energy))
    )
    if len(first_detector) < 2 or len(second_detector) < 2:
        return len(first_detector) == len(second_detector)
    apart = np.abs(first_detector[:, None] - second_detector)
    shared = (np.mean(apart.min(axis=axis) < _NEAR_S) for axis in (0, 1))
    return bool(min(shared) >= LEAST_SHARED)


def hides_beat(beats: Beats, band: np.ndarray) -> bool:
    """Tell whether a long interval has energy inside it that could be a beat which both detectors left out.

    Parameters
    ----------
    beats : Beats
        At least two.
    band : ndarray, shape (samples, 12)
        The record's `cnn_gap.beats.detection.qrs_band`.
    """
    energy = _energy(band)
    rr, near = beats.intervals_s, round(_SMOOTHED_S * BAND_HZ)
    places = (beats.times_s * BAND_HZ).round().astype(int)
    usual = np.median([energy[max(at - near, 0) : at + near].max() for at in places])
    long = np.flatnonzero(rr > max(_LONG_SHARE * float(np.median(rr)), _LONG_S))
    after, before = round(_AFTER_S * BAND_HZ), round(_BEFORE_S * BAND_HZ)
    inside = (energy[places[at] + after : places[at + 1] - before].max(initial=0.0) for at in long)
    return any(highest > _HIDDEN_SHARE * usual for highest in inside)


def _energy(band: np.ndarray) -> np.ndarray:
    """Return the root of the smoothed energy of all leads in the band of the QRS complex, mV, at `BAND_HZ`."""
    smoothed = scipy.ndimage.uniform_filter1d((band**2).sum(axis=1), round(_SMOOTHED_S * BAND_HZ))
    return np.asarray(np.sqrt(smoothed.clip(0)))


def _peaks(energy: np.ndarray) -> np.ndarray:
    """Return the times of the peaks of energy, s."""
    height = _HEIGHT * np.percentile(energy, 98)
    peaks, _ = scipy.signal.find_peaks(energy, height=height, distance=round(_APART_S * BAND_HZ))
    return (np.asarray(peaks) + 0.5) / BAND_HZ  # a sample is a mean: this is the middle of its time
