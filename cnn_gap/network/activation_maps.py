"""Class activation maps: how much each time step adds to the logit of each class (Zhou et al. 2016)."""

import keras
from keras import layers

from cnn_gap.system.errors import InputError


def with_maps(network: keras.Model) -> keras.Model:
    """Return a model that computes probabilities and class activation maps in one pass.

    The map of class j is ``CAM_j(t) = sum_i w_ij f_i(t)``: f are the features before their mean over time, w is
    the kernel of the dense layer, which takes these means (Lin et al. 2020, section 2.5; Zhou et al. 2016,
    "Learning deep features for discriminative localization"). The map is exact: its mean over time plus the
    dense layer's bias is the logit of the class.

    Parameters
    ----------
    network : keras.Model
        As `cnn_gap.network.architecture.build_network` makes it, with its layers "average" and "probabilities".

    Returns
    -------
    keras.Model
        From windows to probabilities of shape (windows, classes) and maps of shape (windows, steps, classes),
        in units of the logit. It shares the network's layers, but has a copy of the dense layer's kernel: call
        this function again after training.

    Raises
    ------
    InputError
        If the network does not end with these two layers.
    """
    features, dense = _last_features(network), network.get_layer("probabilities")
    # Zeros: a random initialiser would take numbers from the generator that training uses.
    to_maps = layers.Dense(dense.units, use_bias=False, kernel_initializer="zeros", name="maps")
    maps = to_maps(features)
    # Copied with NumPy: in JAX two variables must not share a buffer.
    to_maps.set_weights([keras.ops.convert_to_numpy(dense.kernel).copy()])
    return keras.Model(network.input, (network.output, maps), name="cnn_gap_with_maps")


def map_stride(network: keras.Model) -> int:
    """Return the number of samples of a window from one step of the maps to the next.

    Raises
    ------
    InputError
        If the network does not end as `with_maps` needs it.
    """
    return _field_of(network, _last_features(network))[1]


def receptive_field(network: keras.Model) -> int:
    """Return the number of samples of a window that each value of a map sees through convolutions and pooling.

    Squeeze-and-excitation and `sharpen`, which weigh features by the whole window, are not counted.
    """
    return _field_of(network, _last_features(network))[0]


def window_multiple(network: keras.Model) -> int:
    """Return the longest stride in the network: a window's number of samples must be a multiple of it."""
    return max(step for _, step in _fields(network).values())


def _field_of(network: keras.Model, features: keras.KerasTensor) -> tuple[int, int]:
    """Return the receptive field of `features` and the distance of their steps, in samples of the input."""
    return _fields(network)[id(features)]


def _fields(network: keras.Model) -> dict[int, tuple[int, int]]:
    """Return what `_field_of` returns of every tensor of a network, by its id."""
    fields = {id(network.input): (1, 1)}
    for operation in network.operations:
        if isinstance(operation, layers.InputLayer):
            continue
        inputs = operation.input if isinstance(operation.input, list) else [operation.input]
        samples, step = max(fields[id(each)] for each in inputs)
        if isinstance(operation, layers.Conv1D):
            samples += (operation.kernel_size[0] - 1) * operation.dilation_rate[0] * step
        elif isinstance(operation, layers.MaxPooling1D):
            samples += (operation.pool_size[0] - 1) * step
            step *= operation.strides[0]
        elif isinstance(operation, layers.UpSampling1D):
            step //= operation.size
        fields[id(operation.output)] = (samples, step)
    return fields


def _last_features(network: keras.Model) -> keras.KerasTensor:
    """Return the features whose means over time are the input of the dense layer."""
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
