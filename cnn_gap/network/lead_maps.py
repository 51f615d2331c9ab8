"""How much each lead adds to the logit of a class at each time, by gradient × input.

Class activation maps have no axis of leads, so they do not show this. This module does not import Keras.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.ndimage import uniform_filter1d

from cnn_gap.network.map_times import step_centres

#: Gradient × input is averaged over this time, s, because its sign changes from one sample to the next.
SMOOTHED_S = 0.3

#: Number of gradients that are computed at once.
_GRADIENTS_PER_BATCH = 32

#: A function of windows (windows, samples, leads) and the columns of classes that returns the gradients of the
#: classes' logits, (columns, windows, samples, leads).
Gradients = Callable[[np.ndarray, Sequence[int]], np.ndarray]


def lead_maps(
    gradients: Gradients,
    windows: np.ndarray,
    columns: Sequence[int],
    margin: int,
    stride: int,
    sampling_rate: float,
) -> np.ndarray:
    """Return how much each lead adds to the logits of classes at the steps of their maps.

    This is gradient × input (Shrikumar et al. 2017, "Learning important features through propagating activation
    differences"), averaged over `SMOOTHED_S`. To first order, its mean over time, summed over the leads, is
    what the amplitudes add to the logit.

    Parameters
    ----------
    gradients : callable
        Of `logit_gradients`.
    windows : ndarray, shape (windows, margin + samples + margin, leads), float32
        The network's windows, mV.
    columns : sequence of int
        Indices of the classes.
    margin : int
        Number of samples at each end of a window that belong to no step.
    stride : int
        Number of samples from one step to the next.
    sampling_rate : float
        Of the windows, Hz.

    Returns
    -------
    ndarray, shape (windows, steps, len(columns), leads), float32
        In units of the logit.
    """
    samples = windows.shape[1] - 2 * margin
    centres = np.minimum(step_centres(math.ceil(samples / stride), stride), samples - 1)
    before, behind = np.floor(centres).astype(int), np.ceil(centres).astype(int)
    size = max(1, round(SMOOTHED_S * sampling_rate))
    found = np.empty((len(columns), len(windows), len(centres), windows.shape[2]), np.float32)
    for several, own in _batches(len(columns), len(windows)):  # a long record's gradients do not fit in memory
        products = windows[own] * gradients(windows[own], columns[several])
        smooth = uniform_filter1d(products[:, :, margin : margin + samples], size, axis=2, mode="nearest")
        found[several, own] = samples * (smooth[:, :, before] + smooth[:, :, behind]) / 2
    return found.transpose(1, 2, 0, 3)


def _batches(columns: int, windows: int) -> Iterator[tuple[slice, slice]]:
    """Yield slices of columns and windows that are computed together: `_GRADIENTS_PER_BATCH` pairs at most."""
    for first in range(0, columns, _GRADIENTS_PER_BATCH):
        several = min(_GRADIENTS_PER_BATCH, columns - first)
        step = _GRADIENTS_PER_BATCH // several
        for window in range(0, windows, step):
            yield slice(first, first + several), slice(window, window + step)
