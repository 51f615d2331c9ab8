"""Which lead speaks for a class, and when, by gradient × input: class activation maps have no lead axis."""

import math
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
from scipy.ndimage import uniform_filter1d

from cnn_gap.network.fast_layers import sliced
from cnn_gap.network.map_times import step_centres
from cnn_gap.network.tensors import Tensor
from cnn_gap.system.errors import InputError

#: Time over which gradient × input is averaged, s: it changes its sign from one sample to the next.
SMOOTHED_S = 0.3

#: Gradients that are computed at once.
_BATCH = 32

#: Given windows (windows, samples, leads) and the columns of classes, returns the gradients of their logits,
#: (columns, windows, samples, leads).
Gradients = Callable[[np.ndarray, Sequence[int]], np.ndarray]


def logit_gradients(network: keras.Model) -> Gradients:
    """Return a function that computes gradients of logits by a window's amplitudes (logit per mV).

    A window goes through the network once, and back once a class.

    Parameters
    ----------
    network : keras.Model
        As `cnn_gap.network.activation_maps.with_maps` takes it.
    """
    features = _features(network)
    rows = keras.ops.convert_to_numpy(network.get_layer("probabilities").kernel).T
    gradients = _gradients(features)

    def of(windows: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        weights = np.repeat(rows[np.asarray(columns)][:, None], len(windows), axis=1)
        return np.asarray(gradients(windows, weights))

    return of


def _features(network: keras.Model) -> Callable[[Tensor], Tensor]:
    """Return what computes a network's averaged features.

    TensorFlow takes far longer for the gradient of `Cropping1D`, of twelve classes at once, than for that of
    `keras.ops.slice`, which stands in for it here.
    """
    average = network.get_layer("average").output
    crops = [layer for layer in network.layers if isinstance(layer, keras.layers.Cropping1D)]
    if not crops:
        whole = keras.Model(network.input, average)
        return lambda windows: whole(windows, training=False)
    before = keras.Model(network.input, [crop.input for crop in crops])
    behind = keras.Model([crop.output for crop in crops], average)

    def features(windows: Tensor) -> Tensor:
        uncut = before(windows, training=False)
        cut = [sliced(each, *crop.cropping) for each, crop in zip(uncut, crops, strict=True)]
        return behind(cut, training=False)

    return features


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
    samples = windows.shape[1] - 2 * margin
    centres = np.minimum(step_centres(math.ceil(samples / stride), stride), samples - 1)
    before, behind = np.floor(centres).astype(int), np.ceil(centres).astype(int)
    size = max(1, round(SMOOTHED_S * sampling_rate))
    found = np.empty((len(columns), len(windows), len(centres), windows.shape[2]), np.float32)
    for several, own in _batches(len(columns), len(windows)):  # all of a long record would not fit in memory
        products = windows[own] * gradients(windows[own], columns[several])
        smooth = uniform_filter1d(products[:, :, margin : margin + samples], size, axis=2, mode="nearest")
        found[several, own] = samples * (smooth[:, :, before] + smooth[:, :, behind]) / 2
    return found.transpose(1, 2, 0, 3)


def _batches(columns: int, windows: int) -> Iterator[tuple[slice, slice]]:
    """Yield which columns and windows are computed together, at most `_BATCH` pairs at a time."""
    for first in range(0, columns, _BATCH):
        several = min(_BATCH, columns - first)
        step = _BATCH // several
        for window in range(0, windows, step):
            yield slice(first, first + several), slice(window, window + step)


def _gradients(function: Callable) -> Callable:
    """Return what computes a function's gradients by its argument, weighted by each of several weights.

    Keras has no function for it.
    """
    if (backend := keras.backend.backend()) not in ("jax", "tensorflow"):
        raise InputError(
            f"what leads contribute needs Keras on tensorflow or jax; received {backend}: leave it out"
            " (--no-leads), or set KERAS_BACKEND"
        )
    if backend == "jax":
        import jax

        @jax.jit
        def of(argument: Tensor, weights: Tensor) -> Tensor:
            _, back = jax.vjp(function, argument)
            return jax.vmap(lambda weight: back(weight)[0])(weights)

        return of
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def gradients(argument: Tensor, weights: Tensor) -> Tensor:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(argument)
            result = function(argument)
        return tf.vectorized_map(
            lambda weight: tape.gradient(result, argument, output_gradients=weight), weights, warn=False
        )

    return lambda argument, weights: gradients(tf.convert_to_tensor(argument), tf.convert_to_tensor(weights))
