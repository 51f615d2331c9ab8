"""The gradients of logits with respect to a window's amplitudes, computed by Keras's backend."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from cnn_gap.network import Tensor
from cnn_gap.network.fast_layers import crop_steps
from cnn_gap.network.lead_maps import Gradients
from cnn_gap.network.structure import structure_of
from cnn_gap.system.errors import InputError


def logit_gradients(network: keras.Model) -> Gradients:
    """Return a function that computes the gradients of logits with respect to a window's amplitudes (per mV).

    It runs a window through the network once forward and once backward for each class.

    Parameters
    ----------
    network : keras.Model
        As `cnn_gap.network.activation_maps.with_maps` takes it.
    """
    dense = network.get_layer("probabilities")
    if structure_of(network).head.momentary.any():
        end, rows = network.get_layer("sigmoid").input, np.eye(dense.units, dtype=np.float32)
    else:
        end, rows = network.get_layer("average").output, keras.ops.convert_to_numpy(dense.kernel).T
    gradients = _gradients(_up_to(network, end))

    def compute(windows: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        weights = np.repeat(rows[np.asarray(columns)][:, None], len(windows), axis=1)
        return np.asarray(gradients(windows, weights))

    return compute


def _up_to(network: keras.Model, end: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a function that computes a tensor of a network from windows.

    It replaces `Cropping1D` by `keras.ops.slice`, whose gradient TensorFlow computes far faster for twelve
    classes at once.
    """
    crops = [layer for layer in network.layers if isinstance(layer, keras.layers.Cropping1D)]
    if not crops:
        whole = keras.Model(network.input, end)
        return lambda windows: whole(windows, training=False)
    before = keras.Model(network.input, [crop.input for crop in crops])
    behind = keras.Model([crop.output for crop in crops], end)

    def compute(windows: Tensor) -> Tensor:
        uncut = before(windows, training=False)
        uncut = uncut if isinstance(uncut, list | tuple) else [uncut]
        cut = [crop_steps(each, *crop.cropping) for each, crop in zip(uncut, crops, strict=True)]
        return behind(cut, training=False)

    return compute


def _gradients(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function of an argument and several weights: it returns the gradient of each weighted sum.

    Keras has no function for gradients, so each backend's own is used.
    """
    if (backend := keras.backend.backend()) not in ("jax", "tensorflow"):
        raise InputError(
            f"what leads contribute needs Keras on tensorflow or jax; received {backend}: leave it out"
            " (--no-leads), or set KERAS_BACKEND"
        )
    if backend == "jax":
        import jax

        def compute(argument: Tensor, weights: Tensor) -> Tensor:
            _, back = jax.vjp(function, argument)
            return jax.vmap(lambda weight: back(weight)[0])(weights)

        return jax.jit(compute)
    import tensorflow as tf

    def gradients(argument: Tensor, weights: Tensor) -> Tensor:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(argument)
            result = function(argument)
        return tf.vectorized_map(
            lambda weight: tape.gradient(result, argument, output_gradients=weight), weights, warn=False
        )

    traced = tf.function(gradients, reduce_retracing=True)
    return lambda argument, weights: traced(tf.convert_to_tensor(argument), tf.convert_to_tensor(weights))
