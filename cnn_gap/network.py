"""The CNN-GAP: convolution blocks, global average pooling over time and one dense sigmoid layer."""

from dataclasses import dataclass

import keras
from keras import layers

from cnn_gap.augmentation import RandomAmplitude
from cnn_gap.errors import InputError


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
    amplitude : tuple of float
        Bounds of the random amplitude factor in training; (1, 1) for none.
    """

    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    pooling: tuple[int, ...]
    dropout: float = 0.2
    amplitude: tuple[float, ...] = (0.5, 2.5)

    def __post_init__(self):
        for key in ("filters", "kernels", "pooling"):
            values = getattr(self, key)
            if not values or min(values) < 1:
                raise InputError(f"network.{key} must list numbers from 1; received {list(values)}")
            if len(values) != len(self.filters):
                raise InputError(f"network.{key} must have as many entries as filters; received {list(values)}")
        if not 0 <= self.dropout < 1:
            raise InputError(f"network.dropout must be from 0 to below 1; received {self.dropout}")
        if len(self.amplitude) != 2 or not 0 < self.amplitude[0] <= self.amplitude[1] < 1e6:
            raise InputError(f"network.amplitude must be two rising factors; received {list(self.amplitude)}")


def build_network(network: Network, leads: int, classes: int) -> keras.Model:
    """Return an untrained network for windows of shape (windows, samples, leads), of any number of samples.

    Its random numbers follow `keras.utils.set_random_seed`.

    Parameters
    ----------
    network : Network
        Its blocks.
    leads, classes : int
        Channels of a window and probabilities of an answer.

    Returns
    -------
    keras.Model
        From amplitudes in mV to probabilities of shape (windows, classes).
    """
    windows = keras.Input((None, leads), name="windows")
    features = windows
    if network.amplitude != (1, 1):
        features = RandomAmplitude(*network.amplitude, name="random_amplitude")(features)
    blocks = zip(network.filters, network.kernels, network.pooling, strict=True)
    for number, (filters, kernel, pooling) in enumerate(blocks, start=1):
        features = _block(features, f"block{number}", filters, kernel, pooling, network.dropout)
    pooled = layers.GlobalAveragePooling1D(name="average")(features)
    probabilities = layers.Dense(classes, activation="sigmoid", name="probabilities")(pooled)
    return keras.Model(windows, probabilities, name="cnn_gap")


def _block(features, name: str, filters: int, kernel: int, pooling: int, dropout: float):
    # The batch normalisation's offset stands in for the convolution's bias.
    features = layers.Conv1D(
        filters,
        kernel,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_convolution",
    )(features)
    features = layers.BatchNormalization(name=f"{name}_normalization")(features)
    features = layers.ReLU(name=f"{name}_relu")(features)
    if pooling > 1:
        features = layers.MaxPooling1D(pooling, padding="same", name=f"{name}_pooling")(features)
    return layers.Dropout(dropout, name=f"{name}_dropout")(features) if dropout else features
