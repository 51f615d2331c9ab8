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
    last = len(signal) / MEASURED_HZ - _ENDS_S
    peaks_s = _energy_peaks(qrs_band(signal) if band is None else band)
    first_detector, second_detector = (
        times[(times > _ENDS_S) & (times < last)] for times in (beats.times_s, peaks_s)
    )
    if len(first_detector) < 2 or len(second_detector) < 2:
        return len(first_detector) == len(second_detector)
    apart = np.abs(first_detector[:, None] - second_detector)
    shared = (np.mean(apart.min(axis=axis) < _NEAR_S) for axis in (0, 1))
    return bool(min(shared) >= LEAST_SHARED)


def _energy_peaks(band: np.ndarray) -> np.ndarray:
    """Return the times of the peaks of energy, s."""
    energy = (band**2).sum(axis=1)
    size = np.sqrt(scipy.ndimage.uniform_filter1d(energy, round(_SMOOTHED_S * BAND_HZ)).clip(0))
    height = _HEIGHT * np.percentile(size, 98)
    peaks, _ = scipy.signal.find_peaks(size, height=height, distance=round(_APART_S * BAND_HZ))
    return (np.asarray(peaks) + 0.5) / BAND_HZ
