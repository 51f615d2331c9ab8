"""Class activation maps: how much each step of time speaks for each class (Zhou et al. 2016)."""

import keras
from keras import layers

from cnn_gap.errors import InputError

_LONG = 1_000_000  # samples; far more than a step of any map spans


def with_maps(network: keras.Model) -> keras.Model:
    """Return a model that computes probabilities and class activation maps in one pass.

    The map of class j is ``CAM_j(t) = sum_i w_ij f_i(t)``: the last feature maps f before their mean over time,
    weighted as the dense layer weights these means (Lin et al. 2020, section 2.5; Zhou et al. 2016, "Learning
    deep features for discriminative localization"). So it is exact: its mean over time plus the dense layer's
    bias is the logit of the class.

    Parameters
    ----------
    network : keras.Model
        As `cnn_gap.network.build_network` makes it, with its layers "average" and "probabilities".

    Returns
    -------
    keras.Model
        From windows to probabilities of shape (windows, classes) and maps of shape (windows, steps, classes),
        in units of the logit. It shares the network's weights, but for its copy of the dense layer's kernel:
        make a new one after training.

    Raises
    ------
    InputError
        If the network does not end with these two layers.
    """
    features, dense = _last_features(network), network.get_layer("probabilities")
    # Zeros, lest the initial weights take from the random numbers that a training repeats.
    to_maps = layers.Dense(dense.units, use_bias=False, kernel_initializer="zeros", name="maps")
    maps = to_maps(features)
    # By way of NumPy: JAX must not get one buffer as two variables.
    to_maps.set_weights([keras.ops.convert_to_numpy(dense.kernel).copy()])
    return keras.Model(network.input, (network.output, maps), name="cnn_gap_with_maps")


def map_stride(network: keras.Model) -> int:
    """Return how many samples of a window lie between two steps of the maps.

    Raises
    ------
    InputError
        If the network does not end as `with_maps` needs it.
    """
    features = keras.Model(network.input, _last_features(network))
    _, steps, _ = features.compute_output_shape((1, _LONG, network.input_shape[-1]))
    return round(_LONG / steps)


def _last_features(network: keras.Model) -> keras.KerasTensor:
    """Return the feature maps whose means over time are all that the dense layer gets."""
    kinds = {"average": layers.GlobalAveragePooling1D, "probabilities": layers.Dense}
    average, dense = (_layer(network, name, kind) for name, kind in kinds.items())
    if dense.input is not average.output or network.output is not dense.output:
        raise InputError("activation maps need a network that ends with the layers average and probabilities")
    return average.input


def _layer(network: keras.Model, name: str, kind: type[layers.Layer]) -> layers.Layer:
    found = next((layer for layer in network.layers if layer.name == name), None)
    if not isinstance(found, kind):
        raise InputError(f"activation maps need a network with a layer {name} of type {kind.__name__}")
    return found
