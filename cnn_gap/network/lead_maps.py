"""Which lead speaks for a class, and when, by gradient × input: class activation maps have no lead axis."""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
from scipy.ndimage import uniform_filter1d

from cnn_gap.network.activation_maps import step_centres
from cnn_gap.network.tensors import Tensor

#: Time over which gradient × input is averaged, s: it changes its sign from one sample to the next.
SMOOTHED_S = 0.3

#: Windows whose gradients are computed at once.
_BATCH = 32

#: Returns the gradients of the logits of windows (windows, samples, leads), a class (its column) a window.
Gradients = Callable[[np.ndarray, Sequence[int]], np.ndarray]


def logit_gradients(network: keras.Model) -> Gradients:
    """Return a function that computes gradients of logits by a window's amplitudes (logit per mV).

    Parameters
    ----------
    network : keras.Model
        As `cnn_gap.network.activation_maps.with_maps` takes it.
    """
    features = keras.Model(network.input, network.get_layer("average").output)
    kernel = keras.ops.convert_to_numpy(network.get_layer("probabilities").kernel)

    def total_logit(windows: Tensor, weights: Tensor) -> Tensor:
        return keras.ops.sum(features(windows, training=False) * weights)

    gradient = _gradient(total_logit)
    return lambda windows, columns: np.asarray(gradient(windows, kernel.T[np.asarray(columns)]))


def lead_maps(
    gradients: Gradients,
    windows: np.ndarray,
    columns: Sequence[int],
    margin: int,
    stride: int,
    sampling_rate: float,
) -> np.ndarray:
    """Return what each lead adds to the logits of classes at the steps of their maps.

    Gradient × input, averaged over `SMOOTHED_S` (Shrikumar et al. 2017, "Learning important features through
    propagating activation differences"). To the first order, its mean over time and sum over leads is what the
    amplitudes add to the logit.

    Parameters
    ----------
    gradients : callable
        Of `logit_gradients`.
    windows : ndarray, shape (windows, margin + samples + margin, leads), float32
        The network's windows, mV.
    columns : sequence of int
        The classes.
    margin : int
        Samples of a window that belong to no step.
    stride : int
        Samples between two steps.
    sampling_rate : float
        Of the windows, Hz.

    Returns
    -------
    ndarray, shape (windows, steps, len(columns), leads), float32
        In units of the logit.
    """
    pairs = [(window, column) for window in range(len(windows)) for column in columns]
    samples = windows.shape[1] - 2 * margin
    centres = np.minimum(step_centres(math.ceil(samples / stride), stride), samples - 1)
    before, behind = np.floor(centres).astype(int), np.ceil(centres).astype(int)
    size = max(1, round(SMOOTHED_S * sampling_rate))
    found = np.empty((len(pairs), len(centres), windows.shape[2]), np.float32)
    for start in range(0, len(pairs), _BATCH):  # all gradients of a long record would not fit in memory
        own, chosen = np.array(pairs[start : start + _BATCH]).T
        products = (windows[own] * gradients(windows[own], chosen))[:, margin : margin + samples]
        smooth = uniform_filter1d(products, size, axis=1, mode="nearest")
        found[start : start + _BATCH] = samples * (smooth[:, before] + smooth[:, behind]) / 2
    return found.reshape(len(windows), len(columns), len(centres), -1).swapaxes(1, 2)


def _gradient(function: Callable) -> Callable:
    """Return the gradient of a function by its first argument: Keras has no function for it."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(jax.grad(function))
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def gradient(first: Tensor, second: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(first)
            total = function(first, second)
        return tape.gradient(total, first)

    return lambda first, second: gradient(tf.convert_to_tensor(first), tf.convert_to_tensor(second))
