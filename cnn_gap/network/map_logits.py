"""The logits that maps make: how a network pools them over time. This module does not import Keras."""

import numpy as np


def highest_means(maps: np.ndarray, steps: int) -> np.ndarray:
    """Return the highest mean of maps over a number of successive steps.

    Beyond the ends of a window, a map counts as its mean.

    Parameters
    ----------
    maps : ndarray, shape (windows, steps, classes)
    steps : int
        An odd number.

    Returns
    -------
    ndarray, shape (windows, classes)

    Examples
    --------
    >>> highest_means(np.array([[[0.0], [0.0], [0.0], [9.0], [3.0], [0.0]]]), 3)
    array([[4.]])
    """
    means = maps.mean(axis=1, keepdims=True, dtype=np.float64)
    ends = ((0, 0), (steps // 2 + 1, steps // 2), (0, 0))
    sums = np.cumsum(np.pad(maps - means, ends), axis=1)
    return np.asarray(means[:, 0] + (sums[:, steps:] - sums[:, :-steps]).max(axis=1) / steps)


def logits_of_maps(maps: np.ndarray, momentary: np.ndarray, moment_steps: int) -> np.ndarray:
    """Return the logits without the classes' biases, (windows, classes).

    Parameters
    ----------
    maps : ndarray, shape (windows, steps, classes)
    momentary : ndarray, shape (classes,), bool
    moment_steps : int
        As in `cnn_gap.network.structure.Head`.
    """
    logits: np.ndarray = maps.mean(axis=1, dtype=np.float64)
    if momentary.any():
        logits[:, momentary] = highest_means(maps[:, :, momentary], moment_steps)
    return logits
