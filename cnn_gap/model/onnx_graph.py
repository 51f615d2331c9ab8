"""A graph of operations as ONNX has them, put together one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

#: Versions of ONNX's operators and of its files. Both are from 2022, and today's runtimes read them.
OPSET, IR_VERSION = 17, 8

#: The shapes of tensors by their names; a text stands for any number.
Shapes = Mapping[str, Sequence[str | int]]


@dataclass(frozen=True)
class Node:
    """An operation: ONNX's name of it, the tensors that it takes, and the one that it gives."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph that grows: its operations in order, and its constant tensors by their names."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, kind: str, *inputs: str | np.ndarray, name: str = "", **settings: Any) -> str:
        """Add an operation and return the name of its result; an array becomes a constant."""
        output = name or f"{kind.lower()}_{len(self.nodes)}"
        names = []
        for place, each in enumerate(inputs):
            if not isinstance(each, str):
                self.constants[f"{output}_{place}"] = each
            names.append(each if isinstance(each, str) else f"{output}_{place}")
        self.nodes.append(Node(kind, tuple(names), output, settings))
        return output

    def repeat(self, tensor: str, times: int) -> str:
        """Add an operation that repeats each step of a tensor (windows, features, 1, steps)."""
        plain = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor", "mode": "nearest"}
        return self.add("Resize", tensor, "", np.array([1, 1, 1, times], np.float32), **plain)

    def model(self, inputs: Shapes, outputs: Shapes) -> "onnx.ModelProto":
        """Return the graph in ONNX's form, given the float32 tensors that go in and come out."""
        from onnx import TensorProto, helper, numpy_helper

        given, found = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in each.items()]
            for each in (inputs, outputs)
        )
        nodes = [
            helper.make_node(each.kind, each.inputs, [each.output], each.output, **each.settings)
            for each in self.nodes
        ]
        constants = [numpy_helper.from_array(each, name) for name, each in self.constants.items()]
        graph = helper.make_graph(nodes, "cnn_gap", given, found, constants)
        version = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[version], ir_version=IR_VERSION)


def integers(*values: int) -> np.ndarray:
    """Return whole numbers as ONNX takes axes and places."""
    return np.array(values, np.int64)


def number(value: float) -> np.ndarray:
    """Return a number as ONNX takes it."""
    return np.array(value, np.float32)
