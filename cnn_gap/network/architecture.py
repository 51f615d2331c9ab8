"""The CNN-GAP: convolution blocks, global average pooling over time and one dense sigmoid layer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import keras
from keras import layers, ops

from cnn_gap.network import Tensor
from cnn_gap.network.augmentation import RandomPaths, augmentation_layers
from cnn_gap.network.map_penalty import Focus, FocusedMaps
from cnn_gap.network.options import Augmentation, FeaturePath, Network
from cnn_gap.system.errors import InputError

#: Softmax inputs are clipped at ± this value: float32 holds e^88.
LARGEST_EXPONENT = 40.0


def build_network(
    network: Network,
    n_leads: int,
    n_classes: int,
    augmentation: Augmentation | None = None,
    sampling_rate: float = 100.0,
    margin: int = 0,
    precision: str = "float32",
    focus: Focus | None = None,
    momentary: Sequence[int] = (),
) -> keras.Model:
    """Return an untrained network for windows of shape (windows, samples, n_leads).

    It takes windows of any number of samples; with paths, of any multiple of `network.multiple`. Its random
    numbers follow `keras.utils.set_random_seed`.

    Parameters
    ----------
    network : Network
        The blocks and paths to build.
    n_leads, n_classes : int
        Number of channels of a window and number of probabilities.
    augmentation : Augmentation, optional
        How the first layers change the windows in training; they change nothing if not given.
    sampling_rate : float
        Of the windows, Hz.
    margin : int
        Number of samples at each end of a window that the blocks see, but whose features are left out. So the
        zeros that a convolution pads with do not reach the features that are averaged.
    precision : str
        One of `cnn_gap.network.options.PRECISIONS`: the number format that the blocks compute in.
    focus : Focus, optional
        The waves on which training asks the maps to have their maxima; without it there is no such penalty.
    momentary : sequence of int
        The classes that may last for a moment: their logit is the highest mean of their map over
        `network.moment_steps` steps, not the mean of all of it.

    Returns
    -------
    keras.Model
        From amplitudes in mV to probabilities of shape (windows, n_classes).

    Raises
    ------
    InputError
        If the margin is not a multiple of the network's stride.
    """
    windows = keras.Input((None, n_leads), name="windows")
    features = windows
    for layer in augmentation_layers(augmentation, sampling_rate) if augmentation else ():
        features = layer(features)
    features = _trunk(features, network, precision)
    margin_steps = _margin_steps(network, margin) if margin else 0
    if network.paths:
        path_dropout = augmentation.path_dropout if augmentation else 0.0
        features = _paths(features, network, margin_steps, precision, path_dropout)
    else:
        features = _crop_and_sharpen(features, network, margin_steps, "margin")
    if network.last_dropout:
        features = layers.SpatialDropout1D(network.last_dropout, name="last_dropout", dtype="float32")(features)
    if focus is None and not momentary:
        pooled = layers.GlobalAveragePooling1D(name="average")(features)
        probabilities = layers.Dense(n_classes, activation="sigmoid", name="probabilities")(pooled)
        return keras.Model(windows, probabilities, name="cnn_gap")
    maps = layers.Dense(n_classes, name="probabilities", dtype="float32")(features)
    logits = _pool(maps, network.moment_steps, momentary)
    if focus is not None:
        focused = FocusedMaps(focus, sampling_rate, network.stride, margin_steps, name="focused_maps")
        logits = focused([logits, maps, windows])
    return keras.Model(windows, layers.Activation("sigmoid", name="sigmoid")(logits), name="cnn_gap")


def copy_weights(source: keras.Model, target: keras.Model, but: Collection[str] = ()) -> None:
    """Give `target` the weights of the layers of the same names in `source`, except those named in `but`."""
    for layer in target.layers:
        if layer.weights and layer.name not in but:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def _pool(maps: Tensor, moment_steps: int, momentary: Sequence[int]) -> Tensor:
    """Return the logits of maps that include the bias: their means or, for `momentary` classes, highest means.

    The highest mean is over `moment_steps` steps; beyond the ends of a window, a map has its mean value.
    """
    logits = layers.GlobalAveragePooling1D(keepdims=True, name="average")(maps)
    if momentary:
        deviations = layers.Subtract(name="deviations")([maps, logits])
        padded = layers.ZeroPadding1D(moment_steps // 2, name="ends")(deviations)
        moving = layers.AveragePooling1D(moment_steps, strides=1, name="moments")(padded)
        highest = layers.GlobalMaxPooling1D(keepdims=True, name="highest")(moving)
        chosen = [float(column in momentary) for column in range(maps.shape[-1])]
        logits = layers.Add(name="highest_means")([logits, layers.Rescaling(chosen, name="momentary")(highest)])
    return layers.Flatten(name="logits")(logits)


def _margin_steps(network: Network, margin: int) -> int:
    if margin % network.stride:
        raise InputError(
            f"preprocessing.margin_s must make a multiple of {network.stride} samples, the network's step;"
            f" received {margin} samples"
        )
    return margin // network.stride


def _trunk(features: Tensor, network: Network, precision: str) -> Tensor:
    """Return the features of the blocks that follow each other."""
    dilations = network.dilation or (1,) * len(network.filters)
    blocks = zip(network.filters, network.kernels, network.pooling, dilations, strict=True)
    for number, numbers in enumerate(blocks, start=1):
        block = _BlockPlan(f"block{number}", *numbers, precision)
        features = _block(features, network, block, first=number == 1)
    return features


def _paths(trunk: Tensor, network: Network, margin_steps: int, precision: str, path_dropout: float) -> Tensor:
    """Return the features of all paths side by side, at the trunk's steps that lie outside of the margins."""
    found = [_path(trunk, network, path, precision) for path in network.paths]
    ends = []
    for path, features in zip(network.paths, found, strict=True):
        gate = None
        if network.gated and features is not found[0]:
            kind = {"name": f"{path.name}_gate", "dtype": precision, "use_bias": False}
            gate = layers.Conv1D(path.filters[-1], 1, **kind)(found[0])
        end = _crop_and_sharpen(features, network, margin_steps, f"{path.name}_margin", gate)
        ends.append(layers.Identity(name=f"{path.name}_path", dtype="float32")(end))
    if len(ends) == 1:
        return ends[0]
    features = layers.Concatenate(name="paths", dtype="float32")(ends)
    if not path_dropout:
        return features
    sizes = tuple(path.filters[-1] for path in network.paths)
    return RandomPaths(sizes, path_dropout, name="random_paths")(features)


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


def _crop_and_sharpen(
    features: Tensor, network: Network, margin_steps: int, name: str, gate: Tensor | None = None
) -> Tensor:
    """Return features as float32 without the steps of the margins, sharpened if `network` says so."""
    features = ops.cast(features, "float32")
    gate = None if gate is None else ops.cast(gate, "float32")
    if network.sharpen and network.sharpen_steps:  # before cropping: a step is compared with the margins, too
        features = sharpen(features, network.sharpen_steps, gate)
    if margin_steps:
        features = layers.Cropping1D(margin_steps, name=name, dtype="float32")(features)
    return sharpen(features) if network.sharpen and not network.sharpen_steps else features


def sharpen(features: Tensor, around: int = 0, gate: Tensor | None = None) -> Tensor:
    """Return features (windows, steps, features), with more weight at the steps where they are higher.

    The weight is the softmax of the feature over the steps, times their number. So the mean over time of the
    result lies between the mean and the maximum of `features`, nearer to the maximum the larger the feature is.
    The network learns each feature's scale, and with it whether the feature means "in how much of the window"
    or "anywhere in the window".

    Parameters
    ----------
    features : tensor
        Not negative.
    around : int
        An odd number of steps. The softmax of a step is then taken over the steps that are less than `around`
        steps away, weighted by a triangle; steps farther away do not change the result. 0: over all steps
        alike.
    gate : tensor, optional
        Of the same shape. It is added to the features in the softmax, so it decides at which steps they count.
    """
    logits = features if gate is None else features + gate
    if not around:
        weights = ops.exp(logits - ops.max(logits, axis=1, keepdims=True))
        return features * weights / ops.mean(weights, axis=1, keepdims=True)
    weights = ops.exp(ops.clip(logits, -LARGEST_EXPONENT, LARGEST_EXPONENT))
    mean = weights
    for _ in range(2):  # a moving mean of a moving mean is weighted by a triangle
        mean = ops.average_pool(mean, around, strides=1, padding="same")
    return features * weights / mean


@dataclass(frozen=True)
class _BlockPlan:
    """The numbers of one block. The names of its layers begin with `name`; they compute in `precision`."""

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
        use_bias=False,  # the batch normalisation adds an offset
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
