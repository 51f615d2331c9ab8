"""The times of the steps of activation maps in windows and in records. This module does not import Keras."""

import numpy as np

from cnn_gap.signal.windows import Preprocessing, prediction_starts, resampled_length


def step_centres(steps: int, stride: int) -> np.ndarray:
    """Return the centres of a map's steps, in samples from the first: the middle of `stride` samples each."""
    return stride * np.arange(steps) + (stride - 1) / 2


def record_maps(
    maps: np.ndarray, stride: int, samples: int, sampling_rate: float, preprocessing: Preprocessing
) -> np.ndarray:
    """Return the maps of a record's windows, interpolated to the record's samples.

    Between the centres of the steps values are interpolated linearly. Where windows overlap, the result is the
    mean of their values, weighted by the distance of each from the nearer end of its window.

    Parameters
    ----------
    maps : ndarray, shape (windows, steps, classes)
        Of the windows that `cnn_gap.signal.windows.prediction_windows` cuts from the record.
    stride : int
        Number of samples of a window from one step to the next: `cnn_gap.network.activation_maps.map_stride`.
    samples : int
        Length of the record.
    sampling_rate : float
        Of the record, Hz.
    preprocessing : Preprocessing
        Of the windows.

    Returns
    -------
    ndarray, shape (samples, classes), float32
    """
    rate, length = preprocessing.sampling_rate, preprocessing.window_samples
    resampled = resampled_length(samples, sampling_rate, preprocessing)
    starts = prediction_starts(resampled, length, preprocessing.overlap)
    # From here on, times are in samples of the windows. The record may end half a sample after its last window.
    times = np.minimum(np.arange(samples) * (rate / sampling_rate), resampled - 0.5)
    steps = step_centres(maps.shape[1], stride)
    total, weights = np.zeros((samples, maps.shape[2])), np.zeros(samples)
    for window, start in zip(maps, starts, strict=True):
        part = slice(*np.searchsorted(times, (start, start + length)))
        inside = times[part] - start
        weight = np.minimum(inside, length - inside) + 1
        values = np.stack([np.interp(inside, steps, column) for column in window.T], axis=1)
        total[part] += weight[:, None] * values
        weights[part] += weight
    return (total / weights[:, None]).astype(np.float32)
