"""The ONNX graph of a network, built from its layers so that a runtime computes it fast.

Tensors are (windows, features, 1, steps), the layout that ONNX Runtime convolves in. Batch normalisation, the
shortcut of a residual block and the addition of both become the weights of one convolution.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.model.onnx_graph import Graph, integers, number
from cnn_gap.network.structure import Head, Layer, Structure
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import onnx


def network_graph(structure: Structure, maps: bool = True) -> "onnx.ModelProto":
    """Return the graph of a network, from `windows` (batch, samples, leads) to `probabilities` and `maps`.

    The probabilities have the shape (batch, classes), the activation maps (batch, steps, classes): see
    `cnn_gap.network.activation_maps.with_maps`.

    Parameters
    ----------
    structure : Structure
        Of a network that `cnn_gap.network.architecture.build_network` has built.
    maps : bool
        Whether the maps are an output, too.

    Raises
    ------
    InputError
        If a layer is of an unknown kind or does not fit the others, or the network has no maps.
    """
    head, translation = structure.head, translate(structure)
    graph = translation.graph
    logits = graph.add("Gemm", translation.mean_over_time(head.features), head.kernel, head.bias)
    if head.momentary.any():
        logits = _with_moments(translation, head, logits)
    graph.add("Sigmoid", logits, name="probabilities")
    outputs: dict[str, tuple[str | int, ...]] = {"probabilities": ("batch", structure.outputs)}
    if maps:
        by_feature = graph.add("Squeeze", translation.tensor(head.features), integers(2))
        graph.add("MatMul", graph.add("Transpose", by_feature, perm=[0, 2, 1]), head.kernel, name="maps")
        outputs["maps"] = ("batch", "steps", structure.outputs)
    return graph.model({"windows": ("batch", "samples", structure.channels)}, outputs)


def _with_moments(translation: "Translation", head: Head, logits: str) -> str:
    """Return the logits; a momentary class has the highest mean of its map over some steps as its logit."""
    graph, columns = translation.graph, np.flatnonzero(head.momentary)
    kernel = head.kernel[:, columns].astype(np.float64)[None]
    maps = translation.convolve(Convolution(translation.tensor(head.features), kernel, np.zeros(len(columns))))
    means = graph.add("ReduceMean", maps, axes=[3], keepdims=1)
    moving = graph.add("AveragePool", graph.add("Sub", maps, means), **over_moments(head.moment_steps))
    highest = graph.add("ReduceMax", moving, axes=[2, 3], keepdims=0)
    raised = graph.add("Add", graph.add("Gather", logits, integers(*columns), axis=1), highest)
    places = np.arange(len(head.bias))
    places[columns] = len(head.bias) + np.arange(len(columns))
    return graph.add("Gather", graph.add("Concat", logits, raised, axis=1), integers(*places), axis=1)


def over_moments(steps: int) -> dict[str, Any]:
    """Return the settings of the mean over an odd number of steps around each; beyond the ends are zeros."""
    return {"kernel_shape": [1, steps], "pads": [0, steps // 2, 0, steps // 2], "count_include_pad": 1}


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with "same" padding that is not computed yet.

    Attributes
    ----------
    source : str
        The tensor that it takes.
    kernel : ndarray, shape (samples, features before, features after), float64
    bias : ndarray, shape (features after,), float64
    dilation : int
        Steps from one sample of the kernel to the next.
    """

    source: str
    kernel: np.ndarray
    bias: np.ndarray
    dilation: int = 1

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros before the first step and behind the last one."""
        total = (len(self.kernel) - 1) * self.dilation
        return total // 2, total - total // 2

    def scaled(self, factor: np.ndarray, offset: np.ndarray) -> "Convolution":
        """Return the convolution whose results are multiplied and shifted."""
        return replace(self, kernel=self.kernel * factor, bias=self.bias * factor + offset)

    def plus(self, other: "Convolution") -> "Convolution | None":
        """Return the sum of two convolutions as one, None where they do not take the same."""
        large, small = (self, other) if len(self.kernel) >= len(other.kernel) else (other, self)
        alike = large.dilation == small.dilation or len(small.kernel) == 1
        first, rest = divmod(large.padding[0] - small.padding[0], large.dilation)
        if large.source != small.source or not alike or rest:
            return None
        kernel = large.kernel.copy()
        kernel[first : first + len(small.kernel)] += small.kernel
        return replace(large, kernel=kernel, bias=large.bias + small.bias)


#: The result of a layer: a tensor, several tensors side by side, or a convolution that is not computed yet.
Value = str | tuple[str, ...] | Convolution


@dataclass(frozen=True, eq=False)
class Translation:
    """The graph of a network's layers, and the value of each layer by its name."""

    graph: Graph = field(default_factory=Graph)
    values: dict[str, Value] = field(default_factory=dict)

    def tensor(self, layer: str) -> str:
        """Return the tensor of a layer's result, which is computed if it is not yet."""
        value = self.values[layer]
        if isinstance(value, Convolution):
            value = self.convolve(value)
        elif isinstance(value, tuple):
            value = self.graph.add("Concat", *value, axis=1)
        self.values[layer] = value
        return value

    def mean_over_time(self, layer: str) -> str:
        """Return the tensor of a layer's means over time, (windows, features)."""
        value = self.values[layer]
        parts = value if isinstance(value, tuple) else (self.tensor(layer),)
        means = [self.graph.add("ReduceMean", each, axes=[2, 3], keepdims=0) for each in parts]
        return self.graph.add("Concat", *means, axis=1) if len(means) > 1 else means[0]

    def convolve(self, convolution: Convolution) -> str:
        """Return the tensor of a convolution."""
        before, behind = convolution.padding
        kernel = convolution.kernel.transpose(2, 1, 0)[:, :, None]
        return self.graph.add(
            "Conv",
            convolution.source,
            np.ascontiguousarray(kernel, np.float32),
            convolution.bias.astype(np.float32),
            kernel_shape=[1, len(convolution.kernel)],
            pads=[0, before, 0, behind],
            dilations=[1, convolution.dilation],
        )


def translate(structure: Structure) -> Translation:
    """Return the graph of a network's layers up to its last features.

    Raises
    ------
    InputError
        As `network_graph`.
    """
    translation = Translation()
    names = [layer.name for layer in structure.layers_with_maps]
    for layer in structure.layers[: names.index(structure.head.features) + 1]:
        if layer.kind not in _KINDS:
            raise InputError(f"layer {layer.name}: is of the kind {layer.kind}, which no graph is built of")
        kind = _KINDS[layer.kind]
        if wrong := {key for key, value in kind.settings.items() if _plain(layer.settings.get(key)) != value}:
            expected = {key: kind.settings[key] for key in sorted(wrong)}
            raise InputError(f"layer {layer.name}: a graph is built of a {layer.kind} with {expected} only")
        try:
            translation.values[layer.name] = kind.translate(translation, layer)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"layer {layer.name}: does not fit the layers before it ({error!r})") from error
    return translation


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _windows(found: Translation, layer: Layer) -> Value:
    return found.graph.add("Unsqueeze", found.graph.add("Transpose", "windows", perm=[0, 2, 1]), integers(2))


def _convolution(found: Translation, layer: Layer) -> Value:
    (kernel,), (dilation,) = layer.weights, layer.settings["dilation_rate"]
    if layer.settings["padding"] != "same" and len(kernel) > 1:
        raise ValueError("padding must be 'same'")
    return Convolution(
        found.tensor(layer.inputs[0]), kernel.astype(np.float64), np.zeros(kernel.shape[2]), dilation
    )


def _normalization(found: Translation, layer: Layer) -> Value:
    convolution = found.values[layer.inputs[0]]
    gamma, beta, mean, variance = (each.astype(np.float64) for each in layer.weights)
    factor = gamma / np.sqrt(variance + layer.settings["epsilon"])
    return convolution.scaled(factor, beta - mean * factor)  # type: ignore[union-attr]  # else: does not fit


def _same(found: Translation, layer: Layer) -> Value:
    return found.values[layer.inputs[0]]


def _add(found: Translation, layer: Layer) -> Value:
    first, second = (found.values[name] for name in layer.inputs)
    if isinstance(first, Convolution):
        if first.source == second and first.kernel.shape[1] == first.kernel.shape[2]:
            features = first.kernel.shape[1]
            second = Convolution(first.source, np.eye(features)[None], np.zeros(features))
        if isinstance(second, Convolution) and (together := first.plus(second)):
            return together
    return found.graph.add("Add", *map(found.tensor, layer.inputs))


def _operation(kind: str) -> "Callable[[Translation, Layer], Value]":
    """Return the translation of a layer that ONNX has an operation of, without settings."""
    return lambda found, layer: found.graph.add(kind, *map(found.tensor, layer.inputs))


def _clip(found: Translation, layer: Layer) -> Value:
    bounds = (number(layer.settings[key]) for key in ("x_min", "x_max"))
    return found.graph.add("Clip", found.tensor(layer.inputs[0]), *bounds)


def _max_pooling(found: Translation, layer: Layer) -> Value:
    size = [1, layer.settings["pool_size"][0]]
    if _plain(layer.settings["strides"]) != tuple(size[1:]):
        raise ValueError("strides must be pool_size")
    source = found.tensor(layer.inputs[0])
    return found.graph.add("MaxPool", source, kernel_shape=size, strides=size, auto_pad="SAME_UPPER")


def _average_pooling(found: Translation, layer: Layer) -> Value:
    size = layer.settings["pool_size"]
    if size % 2 == 0:
        raise ValueError("pool_size must be odd")
    pads = [0, size // 2, 0, size // 2]  # zeros, which are not counted
    return found.graph.add("AveragePool", found.tensor(layer.inputs[0]), kernel_shape=[1, size], pads=pads)


def _over_steps(kind: str) -> "Callable[[Translation, Layer], Value]":
    """Return the translation of a mean or a maximum over all steps, which keeps the axis of the steps."""
    return lambda found, layer: found.graph.add(kind, found.tensor(layer.inputs[0]), axes=[3], keepdims=1)


def _global_average(found: Translation, layer: Layer) -> Value:
    return found.graph.add("GlobalAveragePool", found.tensor(layer.inputs[0]))


def _dense(found: Translation, layer: Layer) -> Value:
    """Return the result of a dense layer of squeeze-and-excitation, as a convolution over its only step."""
    kernel, bias = (each.astype(np.float64) for each in layer.weights)
    linear = found.convolve(Convolution(found.tensor(layer.inputs[0]), kernel[None], bias))
    return found.graph.add({"relu": "Relu", "sigmoid": "Sigmoid"}[layer.settings["activation"]], linear)


def _cropping(found: Translation, layer: Layer) -> Value:
    first, last = layer.settings["cropping"]
    end = -last if last else np.iinfo(np.int64).max
    return found.graph.add("Slice", found.tensor(layer.inputs[0]), integers(first), integers(end), integers(3))


def _repeat(found: Translation, layer: Layer) -> Value:
    return found.graph.repeat(found.tensor(layer.inputs[0]), layer.settings["size"])


def _side_by_side(found: Translation, layer: Layer) -> Value:
    return tuple(map(found.tensor, layer.inputs))


@dataclass(frozen=True)
class _Kind:
    """How a kind of layer is translated, and the settings without which it would compute something else."""

    translate: Callable[[Translation, Layer], Value]
    settings: Mapping[str, Any] = field(default_factory=dict)


_PLAIN = {"activation": "linear", "use_bias": False, "strides": (1,), "groups": 1}
_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "InputLayer": _Kind(_windows),
        "Conv1D": _Kind(_convolution, {"data_format": "channels_last", **_PLAIN}),
        "BatchNormalization": _Kind(_normalization, {"axis": -1, "center": True, "scale": True}),
        "ReLU": _Kind(_operation("Relu"), {"max_value": None, "negative_slope": 0, "threshold": 0}),
        "MaxPooling1D": _Kind(_max_pooling, {"padding": "same"}),
        "Dropout": _Kind(_same),
        "SpatialDropout1D": _Kind(_same),
        "Identity": _Kind(_same),
        "Cast": _Kind(_same),
        "Add": _Kind(_add),
        "Subtract": _Kind(_operation("Sub")),
        "Multiply": _Kind(_operation("Mul")),
        "TrueDivide": _Kind(_operation("Div")),
        "Exp": _Kind(_operation("Exp")),
        "Clip": _Kind(_clip),
        "Max": _Kind(_over_steps("ReduceMax"), {"axis": 1, "keepdims": True}),
        "Mean": _Kind(_over_steps("ReduceMean"), {"axis": 1, "keepdims": True}),
        "AveragePool": _Kind(_average_pooling, {"padding": "same", "strides": 1}),
        "Cropping1D": _Kind(_cropping),
        "UpSampling1D": _Kind(_repeat),
        "Concatenate": _Kind(_side_by_side, {"axis": -1}),
        "GlobalAveragePooling1D": _Kind(_global_average, {"keepdims": True}),
        "Dense": _Kind(_dense, {"use_bias": True}),
    }
)
