"""When the steps of activation maps are, in windows and in records; Keras is not needed to know."""

import numpy as np

from cnn_gap.signal.windows import Preprocessing, prediction_starts, resampled_length


def step_centres(steps: int, stride: int) -> np.ndarray:
    """Return where the steps of a map lie, in samples from its first one: at the middle of `stride` samples."""
    return stride * np.arange(steps) + (stride - 1) / 2


def record_maps(
    maps: np.ndarray, stride: int, samples: int, sampling_rate: float, preprocessing: Preprocessing
) -> np.ndarray:
    """Return the maps of a record's windows as maps at the record's samples.

    Each value lies at the middle of what it sees, with straight lines between. Where windows overlap, they are
    blended, each by the distance from its nearer end.

    Parameters
    ----------
    maps : ndarray, shape (windows, steps, classes)
        Of the windows that `cnn_gap.signal.windows.prediction_windows` makes of the record.
    stride : int
        Samples of a window between two steps: `cnn_gap.network.activation_maps.map_stride`.
    samples : int
        Length of the record.
    sampling_rate : float
        Of the record, Hz.
    preprocessing : Preprocessing
        What made the windows.

    Returns
    -------
    ndarray, shape (samples, classes), float32
    """
    rate, length = preprocessing.sampling_rate, preprocessing.window_samples
    resampled = resampled_length(samples, sampling_rate, preprocessing)
    starts = prediction_starts(resampled, length, preprocessing.overlap)
    # In samples of the windows, as all that follows; the last ones may lie half a sample beyond them.
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
