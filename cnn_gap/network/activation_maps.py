"""Class activation maps: how much each time step adds to the logit of each class (Zhou et al. 2016)."""

import keras
from keras import layers

from cnn_gap.network.structure import structure_of


def with_maps(network: keras.Model) -> keras.Model:
    """Return a model that computes probabilities and class activation maps in one pass.

    The map of class j is ``CAM_j(t) = sum_i w_ij f_i(t)``: f are the features before their mean over time, w is
    the kernel of the dense layer, which takes these means (Lin et al. 2020, section 2.5; Zhou et al. 2016,
    "Learning deep features for discriminative localization"). The map is exact: its mean over time plus the
    dense layer's bias is the logit of the class; of a momentary class, its highest mean over some steps is.

    Parameters
    ----------
    network : keras.Model
        As `cnn_gap.network.architecture.build_network` makes it.

    Returns
    -------
    keras.Model
        From windows to probabilities of shape (windows, classes) and maps of shape (windows, steps, classes),
        in units of the logit. It shares the network's layers, but has a copy of the dense layer's kernel: call
        this function again after training.

    Raises
    ------
    InputError
        If the network has no such maps.
    """
    momentary = structure_of(network).head.momentary.any()  # refuses a network without maps
    dense = network.get_layer("probabilities")
    features = dense.input if momentary else network.get_layer("average").input
    # Zeros: a random initialiser would take numbers from the generator that training uses.
    to_maps = layers.Dense(dense.units, use_bias=False, kernel_initializer="zeros", name="maps")
    maps = to_maps(features)
    # Copied with NumPy: in JAX two variables must not share a buffer.
    to_maps.set_weights([keras.ops.convert_to_numpy(dense.kernel).copy()])
    return keras.Model(network.input, (network.output, maps), name="cnn_gap_with_maps")
