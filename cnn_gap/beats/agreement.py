"""Whether two detectors find the same beats: if not, no heart rate and no interval is given.

The first is XQRS in one combination of the leads (`cnn_gap.beats.detection`), the second takes the peaks of the
energy of all leads in the band of the QRS complex.
"""

import numpy as np
import scipy

from cnn_gap.beats.detection import MEASURED_HZ, Beats, filter_beats

#: Both must find this share of the other's beats.
LEAST_SHARED = 0.85

_BAND_HZ = (5.0, 25.0)
_SMOOTHED_S = 0.1
_HEIGHT = 0.35  # of the energy's 98th percentile
_APART_S = 0.24
_NEAR_S = 0.15  # largest distance between two detectors' marks of one beat
_ENDS_S = 0.4  # beats this near to the record's ends are left out, since they may be cut


def detectors_agree(beats: Beats, signal: np.ndarray) -> bool:
    """Tell whether a second detector finds the same beats.

    Parameters
    ----------
    beats : Beats
        At least two.
    signal : ndarray, shape (samples, 12)
        The record as `cnn_gap.beats.detection.prepare_for_beats` returns it.
    """
    last = len(signal) / MEASURED_HZ - _ENDS_S
    first_detector, second_detector = (
        times[(times > _ENDS_S) & (times < last)] for times in (beats.times_s, _energy_peaks(signal))
    )
    if len(first_detector) < 2 or len(second_detector) < 2:
        return len(first_detector) == len(second_detector)
    apart = np.abs(first_detector[:, None] - second_detector)
    shared = (np.mean(apart.min(axis=axis) < _NEAR_S) for axis in (0, 1))
    return bool(min(shared) >= LEAST_SHARED)


def _energy_peaks(signal: np.ndarray) -> np.ndarray:
    """Return the times of the peaks of energy, s."""
    fast = filter_beats(signal, _BAND_HZ, "bandpass")
    size = np.sqrt(
        scipy.ndimage.uniform_filter1d((fast**2).sum(axis=1), round(_SMOOTHED_S * MEASURED_HZ)).clip(0)
    )
    height = _HEIGHT * np.percentile(size, 98)
    peaks, _ = scipy.signal.find_peaks(size, height=height, distance=round(_APART_S * MEASURED_HZ))
    return np.asarray(peaks) / MEASURED_HZ
