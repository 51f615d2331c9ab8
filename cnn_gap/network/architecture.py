"""The CNN-GAP: convolution blocks, global average pooling over time and one dense sigmoid layer."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import keras
from keras import layers, ops

from cnn_gap.errors import InputError
from cnn_gap.network.augmentation import Augmentation


@dataclass(frozen=True)
class Network:
    """What the network is made of; one entry a block in each tuple.

    Attributes
    ----------
    filters : tuple of int
        Feature maps of each block's convolution.
    kernels : tuple of int
        Samples that each convolution spans.
    pooling : tuple of int
        Factor of each block's max-pooling over time; 1 for none.
    dropout : float
        Share of features that each block drops in training.
    residual : bool
        Add each block's input to its convolution's output (He et al. 2016), from the second block on.
    dilation : tuple of int
        Step between the samples that each convolution sees; empty for 1 in every block.
    squeeze : int
        Weigh each block's features by squeeze-and-excitation (Hu et al. 2018) with this many times fewer hidden
        units than features; 0 for none.
    sharpen : bool
        Let each of the last features count where it stands out in time: see `sharpen`.
    """

    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    pooling: tuple[int, ...]
    dropout: float = 0.2
    residual: bool = False
    dilation: tuple[int, ...] = ()
    squeeze: int = 0
    sharpen: bool = False

    def __post_init__(self):
        for key in ("filters", "kernels", "pooling", "dilation"):
            values = getattr(self, key)
            if key == "dilation" and not values:
                continue
            if not values or min(values) < 1:
                raise InputError(f"network.{key} must list numbers from 1; received {list(values)}")
            if len(values) != len(self.filters):
                raise InputError(f"network.{key} must have as many entries as filters; received {list(values)}")
        if not 0 <= self.dropout < 1:
            raise InputError(f"network.dropout must be from 0 to below 1; received {self.dropout}")
        if not 0 <= self.squeeze <= min(self.filters):
            raise InputError(f"network.squeeze must be from 0 to the fewest filters; received {self.squeeze}")


def build_network(
    network: Network,
    leads: int,
    classes: int,
    augmentation: Augmentation | None = None,
    sampling_rate: float = 100.0,
    margin: int = 0,
) -> keras.Model:
    """Return an untrained network for windows of shape (windows, samples, leads), of any number of samples.

    Its random numbers follow `keras.utils.set_random_seed`.

    Parameters
    ----------
    network : Network
        Its blocks.
    leads, classes : int
        Channels of a window and probabilities of an answer.
    augmentation : Augmentation, optional
        What its first layers do to the windows in training; nothing if not given.
    sampling_rate : float
        Of the windows, Hz.
    margin : int
        Samples at both ends of each window that the blocks see and whose features do not count, so that zeros
        which a convolution pads with do not either.

    Returns
    -------
    keras.Model
        From amplitudes in mV to probabilities of shape (windows, classes).

    Raises
    ------
    InputError
        If the features' steps do not divide the margin.
    """
    windows = keras.Input((None, leads), name="windows")
    features = windows
    for layer in augmentation.layers(sampling_rate) if augmentation else ():
        features = layer(features)
    for number in range(1, len(network.filters) + 1):
        features = _block(features, network, number)
    if margin:
        features = layers.Cropping1D(_margin_steps(network, margin), name="margin")(features)
    if network.sharpen:
        features = sharpen(features)
    pooled = layers.GlobalAveragePooling1D(name="average")(features)
    probabilities = layers.Dense(classes, activation="sigmoid", name="probabilities")(pooled)
    return keras.Model(windows, probabilities, name="cnn_gap")


def _margin_steps(network: Network, margin: int) -> int:
    stride = math.prod(network.pooling)
    if margin % stride:
        raise InputError(f"preprocessing.margin_s must be a multiple of {stride} samples; received {margin}")
    return margin // stride


def sharpen(features):
    """Return features (windows, steps, features) that count where they stand out in time.

    Each is weighted by the softmax of itself over the steps, times their number. So the mean over time of what
    is returned lies between the mean and the maximum of what is given, nearer to the maximum the larger it is:
    the scale that the network learns for a feature says whether it asks "how much of the time" or "anywhere".
    """
    weights = ops.exp(features - ops.max(features, axis=1, keepdims=True))
    return features * weights / ops.mean(weights, axis=1, keepdims=True)


def copy_weights(source: keras.Model, target: keras.Model, but: Collection[str] = ()) -> None:
    """Give `target` the weights of the layers of the same names in `source`, except those named in `but`."""
    for layer in target.layers:
        if layer.weights and layer.name not in but:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def _block(inputs, network: Network, number: int):
    """Return block `number`'s features: convolution, normalisation, ReLU, pooling and dropout."""
    filters, kernel, pooling = (
        values[number - 1] for values in (network.filters, network.kernels, network.pooling)
    )
    dilation = network.dilation[number - 1] if network.dilation else 1
    name = f"block{number}"
    features = _convolve(inputs, filters, f"{name}_convolution", f"{name}_normalization", kernel, dilation)
    if network.squeeze:
        features = _squeeze_and_excite(features, network.squeeze, name)
    if network.residual and number > 1:
        if inputs.shape[-1] != filters:
            inputs = _convolve(inputs, filters, f"{name}_shortcut", f"{name}_shortcut_normalization")
        features = layers.Add(name=f"{name}_add")([features, inputs])
    features = layers.ReLU(name=f"{name}_relu")(features)
    if pooling > 1:
        features = layers.MaxPooling1D(pooling, padding="same", name=f"{name}_pooling")(features)
    return layers.Dropout(network.dropout, name=f"{name}_dropout")(features) if network.dropout else features


def _convolve(features, filters: int, name: str, normalization: str, kernel: int = 1, dilation: int = 1):
    convolution = layers.Conv1D(
        filters,
        kernel,
        padding="same",
        dilation_rate=dilation,
        use_bias=False,  # the batch normalisation's offset stands in for it
        kernel_initializer="he_normal",
        name=name,
    )
    return layers.BatchNormalization(name=normalization)(convolution(features))


def _squeeze_and_excite(features, squeeze: int, name: str):
    filters = features.shape[-1]
    weights = layers.GlobalAveragePooling1D(keepdims=True, name=f"{name}_squeeze")(features)
    weights = layers.Dense(filters // squeeze, activation="relu", name=f"{name}_hidden")(weights)
    weights = layers.Dense(filters, activation="sigmoid", name=f"{name}_excitation")(weights)
    return layers.Multiply(name=f"{name}_weigh")([features, weights])
