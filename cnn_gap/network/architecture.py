"""The CNN-GAP: convolution blocks, global average pooling over time and one dense sigmoid layer."""

from collections.abc import Collection
from dataclasses import dataclass

import keras
from keras import layers, ops

from cnn_gap.network.augmentation import RandomPaths, augmentation_layers
from cnn_gap.network.map_penalty import Focus, FocusedMaps
from cnn_gap.network.options import Augmentation, FeaturePath, Network
from cnn_gap.network.tensors import Tensor
from cnn_gap.system.errors import InputError

#: The suffix of the name of a path's last layer, whose features are averaged.
PATH_SUFFIX = "_path"

#: Features above this count as much as this in a softmax around each step: float32 holds e^88.
LARGEST_EXPONENT = 40.0


def build_network(
    network: Network,
    leads: int,
    classes: int,
    augmentation: Augmentation | None = None,
    sampling_rate: float = 100.0,
    margin: int = 0,
    precision: str = "float32",
    focus: Focus | None = None,
) -> keras.Model:
    """Return an untrained network for windows of shape (windows, samples, leads), of any number of samples.

    With paths, the number must be a multiple of `network.multiple`.

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
    precision : str
        One of `cnn_gap.network.options.PRECISIONS`: what the blocks compute in.
    focus : Focus, optional
        Where training asks the maps to have their maxima; anywhere if not given.

    Returns
    -------
    keras.Model
        From amplitudes in mV to probabilities of shape (windows, classes).

    Raises
    ------
    InputError
        If the margin is not a multiple of the network's stride.
    """
    windows = keras.Input((None, leads), name="windows")
    features = windows
    for layer in augmentation_layers(augmentation, sampling_rate) if augmentation else ():
        features = layer(features)
    dilations = network.dilation or (1,) * len(network.filters)
    blocks = zip(network.filters, network.kernels, network.pooling, dilations, strict=True)
    for number, numbers in enumerate(blocks, start=1):
        block = _BlockPlan(f"block{number}", *numbers, precision)
        features = _block(features, network, block, first=number == 1)
    steps = _margin_steps(network, margin) if margin else 0
    if network.paths:
        ends = _paths(features, network, steps, precision)
        features = layers.Concatenate(name="paths", dtype="float32")(ends) if len(ends) > 1 else ends[0]
        if augmentation and augmentation.path_dropout and len(ends) > 1:
            sizes = tuple(path.filters[-1] for path in network.paths)
            features = RandomPaths(sizes, augmentation.path_dropout, name="random_paths")(features)
    else:
        features = _end(features, network, steps, "margin")
    if focus is not None:
        focused = FocusedMaps(focus, sampling_rate, network.stride, steps, name="focused_maps")
        return keras.Model(windows, _focused(features, windows, classes, focused), name="cnn_gap")
    pooled = layers.GlobalAveragePooling1D(name="average")(features)
    probabilities = layers.Dense(classes, activation="sigmoid", name="probabilities")(pooled)
    return keras.Model(windows, probabilities, name="cnn_gap")


def _focused(features: Tensor, windows: Tensor, classes: int, focused: FocusedMaps) -> Tensor:
    """Return the probabilities by way of the maps: a dense layer before the mean is as one after it."""
    maps = layers.Dense(classes, name="probabilities", dtype="float32")(features)
    logits = layers.GlobalAveragePooling1D(name="average")(focused([maps, windows]))
    return layers.Activation("sigmoid", name="sigmoid")(logits)


def _margin_steps(network: Network, margin: int) -> int:
    if margin % network.stride:
        raise InputError(
            f"preprocessing.margin_s must make a multiple of {network.stride} samples, the network's step;"
            f" received {margin} samples"
        )
    return margin // network.stride


def _paths(features: Tensor, network: Network, steps: int, precision: str) -> list[Tensor]:
    """Return the features of each path at the trunk's steps, without `steps` of them at both ends."""
    found = [_path(features, network, path, precision) for path in network.paths]
    ends = []
    for path, each in zip(network.paths, found, strict=True):
        gate = None
        if network.gated and each is not found[0]:
            kind = {"name": f"{path.name}_gate", "dtype": precision, "use_bias": False}
            gate = layers.Conv1D(path.filters[-1], 1, **kind)(found[0])
        end = _end(each, network, steps, f"{path.name}_margin", gate)
        ends.append(layers.Identity(name=f"{path.name}{PATH_SUFFIX}", dtype="float32")(end))
    return ends


def _path(features: Tensor, network: Network, path: FeaturePath, precision: str) -> Tensor:
    """Return a path's features at the trunk's steps."""
    if path.pool > 1:
        pool = layers.MaxPooling1D(path.pool, padding="same", name=f"{path.name}_pooling", dtype=precision)
        features = pool(features)
    for number, (filters, kernel) in enumerate(zip(path.filters, path.kernels, strict=True), start=1):
        block = _BlockPlan(f"{path.name}{number}", filters, kernel, precision=precision)
        features = _block(features, network, block)
    if path.pool == 1:
        return features
    return layers.UpSampling1D(path.pool, name=f"{path.name}_repeat", dtype=precision)(features)


def _end(features: Tensor, network: Network, steps: int, name: str, gate: Tensor | None = None) -> Tensor:
    """Return the features that count, float32: without the margins' steps and, if so configured, sharpened."""
    features = ops.cast(features, "float32")
    gate = None if gate is None else ops.cast(gate, "float32")
    near, whole = network.sharpen and network.sharpen_steps > 0, network.sharpen and not network.sharpen_steps
    if near:  # what stands out is told by the margins, too
        features = sharpen(features, network.sharpen_steps, gate)
    features = layers.Cropping1D(steps, name=name, dtype="float32")(features) if steps else features
    return sharpen(features) if whole else features


def sharpen(features: Tensor, around: int = 0, gate: Tensor | None = None) -> Tensor:
    """Return features (windows, steps, features) that count where they stand out in time.

    Each is weighted by the softmax of itself over the steps, times their number. So the mean over time of what
    is returned lies between the mean and the maximum of what is given, nearer to the maximum the larger it is:
    the scale that the network learns for a feature says whether it asks "how much of the time" or "anywhere".

    Parameters
    ----------
    features : tensor
        Not negative.
    around : int
        An odd number of steps: the softmax is of each step among those around it, fewer than so many steps away
        and weighted by a triangle, so that what is farther away does not matter. 0 for all steps alike.
    gate : tensor, optional
        Added to the features in the softmax, of the same shape: says where they may count.
    """
    logits = features if gate is None else features + gate
    if not around:
        weights = ops.exp(logits - ops.max(logits, axis=1, keepdims=True))
        return features * weights / ops.mean(weights, axis=1, keepdims=True)
    weights = ops.exp(ops.clip(logits, -LARGEST_EXPONENT, LARGEST_EXPONENT))
    mean = weights
    for _ in range(2):  # the mean of means is weighted by a triangle
        mean = ops.average_pool(mean, around, strides=1, padding="same")
    return features * weights / mean


def copy_weights(source: keras.Model, target: keras.Model, but: Collection[str] = ()) -> None:
    """Give `target` the weights of the layers of the same names in `source`, except those named in `but`."""
    for layer in target.layers:
        if layer.weights and layer.name not in but:
            layer.set_weights(source.get_layer(layer.name).get_weights())


@dataclass(frozen=True)
class _BlockPlan:
    """What one block is made of."""

    name: str
    filters: int
    kernel: int
    pooling: int = 1
    dilation: int = 1
    precision: str = "float32"


def _block(inputs: Tensor, network: Network, block: _BlockPlan, first: bool = False) -> Tensor:
    """Return a block's features: convolution, normalisation, ReLU, pooling and dropout."""
    name, kind = block.name, {"dtype": block.precision}
    features = _convolve(inputs, block, f"{name}_convolution", f"{name}_normalization", block.kernel)
    if network.squeeze:
        features = _squeeze_and_excite(features, network.squeeze, block)
    if network.residual and not first:
        if inputs.shape[-1] != block.filters:
            inputs = _convolve(inputs, block, f"{name}_shortcut", f"{name}_shortcut_normalization")
        features = layers.Add(name=f"{name}_add", **kind)([features, inputs])
    features = layers.ReLU(name=f"{name}_relu", **kind)(features)
    if block.pooling > 1:
        pool = layers.MaxPooling1D(block.pooling, padding="same", name=f"{name}_pooling", **kind)
        features = pool(features)
    if not network.dropout:
        return features
    return layers.Dropout(network.dropout, name=f"{name}_dropout", **kind)(features)


def _convolve(features: Tensor, block: _BlockPlan, name: str, normalization: str, kernel: int = 1) -> Tensor:
    convolution = layers.Conv1D(
        block.filters,
        kernel,
        padding="same",
        dilation_rate=block.dilation if kernel > 1 else 1,
        use_bias=False,  # the batch normalisation's offset stands in for it
        kernel_initializer="he_normal",
        name=name,
        dtype=block.precision,
    )
    return layers.BatchNormalization(name=normalization, dtype=block.precision)(convolution(features))


def _squeeze_and_excite(features: Tensor, squeeze: int, block: _BlockPlan) -> Tensor:
    filters, name, kind = block.filters, block.name, {"dtype": block.precision}
    weights = layers.GlobalAveragePooling1D(keepdims=True, name=f"{name}_squeeze", **kind)(features)
    weights = layers.Dense(filters // squeeze, activation="relu", name=f"{name}_hidden", **kind)(weights)
    weights = layers.Dense(filters, activation="sigmoid", name=f"{name}_excitation", **kind)(weights)
    return layers.Multiply(name=f"{name}_weigh", **kind)([features, weights])
