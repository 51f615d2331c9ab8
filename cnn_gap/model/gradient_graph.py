"""The ONNX graph of the gradients of a network's logits, by reverse-mode differentiation of its own graph.

It takes one window. The gradients of several classes have the axis of the windows, so that what was computed
forward once is multiplied with all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.model.network_graph import over_moments, translate
from cnn_gap.model.onnx_graph import Graph, Node, integers, number
from cnn_gap.network.structure import Head, Structure

if TYPE_CHECKING:
    import onnx

#: ONNX's code of float32.
_FLOAT = 1


def gradient_graph(structure: Structure) -> "onnx.ModelProto":
    """Return the graph of gradients, from `windows` (1, samples, leads) and `weights` (classes, features).

    Its output `gradients` (classes, samples, leads) has the gradients, per mV, of logits whose columns of the
    dense layer's kernel are `weights`. If the network has momentary classes, `momentary` (classes, 1, 1, 1)
    goes in, too: 1 for each of these, 0 for others.

    Raises
    ------
    InputError
        As `cnn_gap.model.network_graph.network_graph`.
    """
    head, translation = structure.head, translate(structure)
    graph, features = translation.graph, translation.tensor(head.features)
    gradients = _Gradients(graph)
    forward = list(graph.nodes)
    gradients.add(features, _of_features(gradients, head, features))
    for node in reversed(forward):
        gradients.go_through(node)
    graph.add("Identity", gradients.of["windows"], name="gradients")
    inputs: dict[str, tuple[str | int, ...]] = {
        "windows": (1, "samples", structure.channels),
        "weights": ("classes", len(head.kernel)),
    }
    if head.momentary.any():
        inputs["momentary"] = ("classes", 1, 1, 1)
    return graph.model(inputs, {"gradients": ("classes", "samples", structure.channels)})


def _of_features(gradients: "_Gradients", head: Head, features: str) -> str:
    """Return the gradients of logits with respect to the last features: the weights, shared over the steps."""
    graph = gradients.graph
    weights = graph.add("Unsqueeze", "weights", integers(2, 3))
    spread = gradients.over_all_steps(weights, features)
    if not head.momentary.any():
        return spread
    by_step = graph.add("MatMul", "weights", graph.add("Squeeze", features, integers(0, 2)))
    maps = graph.add("Unsqueeze", by_step, integers(1, 2))  # (classes, 1, 1, steps)
    pooling = over_moments(head.moment_steps)
    deviations = graph.add("Sub", maps, graph.add("ReduceMean", maps, axes=[3], keepdims=1))
    moving = graph.add("AveragePool", deviations, **pooling)
    highest = graph.add("Equal", moving, graph.add("ReduceMax", moving, axes=[3], keepdims=1))
    marks = graph.add("Cast", highest, to=_FLOAT)
    one = graph.add("Div", marks, graph.add("ReduceSum", marks, integers(3), keepdims=1))
    shares = graph.add("AveragePool", one, **pooling)
    more = graph.add("Sub", shares, graph.add("ReduceMean", shares, axes=[3], keepdims=1))
    gathered = graph.add("Mul", graph.add("Mul", weights, more), "momentary")
    return graph.add("Add", spread, gathered)


@dataclass(frozen=True, eq=False)
class _Gradients:
    """The gradients with respect to the tensors of a graph, to which their computation is added."""

    graph: Graph
    of: dict[str, str] = field(default_factory=dict)
    features: dict[str, int] = field(default_factory=dict)
    constant_in_time: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for node in self.graph.nodes:
            given = [name for name in node.inputs if name and name not in self.graph.constants]
            if node.kind == "Conv":
                self.features[node.output] = len(self.graph.constants[node.inputs[1]])
            elif node.kind == "Concat":
                self.features[node.output] = sum(self.features[name] for name in given)
            else:
                self.features[node.output] = self.features.get(given[0], 0)
            if node.kind in _OVER_STEPS or all(name in self.constant_in_time for name in given):
                self.constant_in_time.add(node.output)

    def add(self, tensor: str, gradient: str) -> None:
        """Add a part of the gradient with respect to a tensor."""
        known = self.of.get(tensor)
        self.of[tensor] = gradient if known is None else self.graph.add("Add", known, gradient)

    def go_through(self, node: Node) -> None:
        """Add the gradients with respect to an operation's inputs, if its result has a gradient."""
        gradient = self.of.get(node.output)
        if gradient is not None:
            _RULES[node.kind](self, node, gradient)

    def add_to_factor(self, tensor: str, gradient: str) -> None:
        """Add a gradient with respect to a tensor that may have one step for all."""
        if tensor in self.constant_in_time:
            gradient = self.graph.add("ReduceSum", gradient, integers(3), keepdims=1)
        self.add(tensor, gradient)

    def where(self, gradient: str, first: str, second: str | np.ndarray, kind: str = "Equal") -> str:
        """Return a gradient where a comparison of two tensors holds, 0 elsewhere."""
        mask = self.graph.add("Cast", self.graph.add(kind, first, second), to=_FLOAT)
        return self.graph.add("Mul", gradient, mask)

    def steps(self, tensor: str) -> str:
        """Return the number of steps of a tensor, as a whole number in an array."""
        return self.graph.add("Gather", self.graph.add("Shape", tensor), integers(3))

    def over_all_steps(self, gradient: str, tensor: str) -> str:
        """Return the gradient with respect to a tensor whose mean over time has this one."""
        count = self.graph.add("Cast", self.steps(tensor), to=_FLOAT)
        return self.graph.add("Expand", self.graph.add("Div", gradient, count), self.graph.add("Shape", tensor))


def _convolution(found: _Gradients, node: Node, gradient: str) -> None:
    kernel = found.graph.constants[node.inputs[1]]
    settings = dict(node.settings)
    _, before, _, behind = settings["pads"]
    backwards = np.ascontiguousarray(kernel.transpose(1, 0, 2, 3)[..., ::-1])
    settings["pads"] = [0, behind, 0, before]
    found.add(node.inputs[0], found.graph.add("Conv", gradient, backwards, **settings))


def _relu(found: _Gradients, node: Node, gradient: str) -> None:
    found.add(node.inputs[0], found.where(gradient, node.output, number(0), "Greater"))


def _sigmoid(found: _Gradients, node: Node, gradient: str) -> None:
    slope = found.graph.add("Mul", node.output, found.graph.add("Sub", number(1), node.output))
    found.add(node.inputs[0], found.graph.add("Mul", gradient, slope))


def _max_pooling(found: _Gradients, node: Node, gradient: str) -> None:
    """Give the gradient to the first largest value of each part, as TensorFlow does."""
    graph, source, size = found.graph, node.inputs[0], node.settings["kernel_shape"][1]
    repeated = graph.repeat(gradient, size)
    steps, whole = found.steps(source), found.steps(repeated)
    missing = graph.add("Sub", whole, steps)
    before = graph.add("Div", missing, integers(2))
    pads = graph.add(
        "Concat", integers(0, 0, 0), before, integers(0, 0, 0), graph.add("Sub", missing, before), axis=0
    )
    padded = graph.add("Pad", source, pads, number(float(np.finfo(np.float32).min)))
    parts = graph.add("Reshape", padded, integers(0, 0, -1, size))
    first = graph.add("ArgMax", parts, axis=3, keepdims=0)
    marks = graph.add("OneHot", first, integers(size), np.array([0, 1], np.float32))
    chosen = graph.add("Mul", repeated, graph.add("Reshape", marks, integers(0, 0, 1, -1)))
    end = graph.add("Add", before, steps)
    found.add(source, graph.add("Slice", chosen, before, end, integers(3)))


def _repeat(found: _Gradients, node: Node, gradient: str) -> None:
    size = int(found.graph.constants[node.inputs[2]][3])
    mean = found.graph.add("AveragePool", gradient, kernel_shape=[1, size], strides=[1, size])
    found.add(node.inputs[0], found.graph.add("Mul", mean, number(size)))


def _average_pooling(found: _Gradients, node: Node, gradient: str) -> None:
    """Add the moving mean of the gradient, which is divided by the share of each mean that is no padding."""
    graph, settings = found.graph, {**node.settings, "count_include_pad": 1}
    shape = graph.add("Concat", integers(1, 1, 1), found.steps(node.inputs[0]), axis=0)
    ones = graph.add("Expand", number(1), shape)
    share = graph.add("AveragePool", ones, **settings)
    found.add(node.inputs[0], graph.add("AveragePool", graph.add("Div", gradient, share), **settings))


def _exponential(found: _Gradients, node: Node, gradient: str) -> None:
    found.add(node.inputs[0], found.graph.add("Mul", gradient, node.output))


def _clip(found: _Gradients, node: Node, gradient: str) -> None:
    found.add(node.inputs[0], found.where(gradient, node.inputs[0], node.output))


def _sum(found: _Gradients, node: Node, gradient: str) -> None:
    for name in node.inputs:
        found.add_to_factor(name, gradient)


def _difference(found: _Gradients, node: Node, gradient: str) -> None:
    found.add_to_factor(node.inputs[0], gradient)
    found.add_to_factor(node.inputs[1], found.graph.add("Neg", gradient))


def _product(found: _Gradients, node: Node, gradient: str) -> None:
    for name, other in (node.inputs, node.inputs[::-1]):
        found.add_to_factor(name, found.graph.add("Mul", gradient, other))


def _quotient(found: _Gradients, node: Node, gradient: str) -> None:
    numerator, denominator = node.inputs
    part = found.graph.add("Div", gradient, denominator)
    found.add_to_factor(numerator, part)
    found.add_to_factor(denominator, found.graph.add("Neg", found.graph.add("Mul", part, node.output)))


def _maximum(found: _Gradients, node: Node, gradient: str) -> None:
    source = node.inputs[0]
    mask = found.graph.add("Cast", found.graph.add("Equal", source, node.output), to=_FLOAT)
    share = found.graph.add("Div", mask, found.graph.add("ReduceSum", mask, integers(3), keepdims=1))
    found.add(source, found.graph.add("Mul", gradient, share))


def _mean(found: _Gradients, node: Node, gradient: str) -> None:
    if not node.settings.get("keepdims", 1):
        gradient = found.graph.add("Unsqueeze", gradient, integers(2, 3))
    found.add(node.inputs[0], found.over_all_steps(gradient, node.inputs[0]))


def _slice(found: _Gradients, node: Node, gradient: str) -> None:
    first, end = (int(found.graph.constants[name][0]) for name in node.inputs[1:3])
    pads = integers(0, 0, 0, first, 0, 0, 0, max(-end, 0))
    found.add(node.inputs[0], found.graph.add("Pad", gradient, pads))


def _concatenation(found: _Gradients, node: Node, gradient: str) -> None:
    start = 0
    for name in node.inputs:
        end = start + found.features[name]
        found.add(name, found.graph.add("Slice", gradient, integers(start), integers(end), integers(1)))
        start = end


def _unsqueeze(found: _Gradients, node: Node, gradient: str) -> None:
    found.add(node.inputs[0], found.graph.add("Squeeze", gradient, integers(2)))


def _transpose(found: _Gradients, node: Node, gradient: str) -> None:
    found.add(node.inputs[0], found.graph.add("Transpose", gradient, perm=[0, 2, 1]))


#: Operations that make one step of all.
_OVER_STEPS = frozenset(("GlobalAveragePool", "ReduceMax", "ReduceMean"))

_RULES: Mapping[str, Callable[[_Gradients, Node, str], None]] = MappingProxyType(
    {
        "Add": _sum,
        "AveragePool": _average_pooling,
        "Clip": _clip,
        "Concat": _concatenation,
        "Conv": _convolution,
        "Div": _quotient,
        "Exp": _exponential,
        "GlobalAveragePool": _mean,
        "MaxPool": _max_pooling,
        "Mul": _product,
        "ReduceMax": _maximum,
        "ReduceMean": _mean,
        "Relu": _relu,
        "Resize": _repeat,
        "Sigmoid": _sigmoid,
        "Slice": _slice,
        "Sub": _difference,
        "Transpose": _transpose,
        "Unsqueeze": _unsqueeze,
    }
)
