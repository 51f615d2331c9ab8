"""The layers of a network with their order, settings and weights, for which Keras is not needed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer or an operation between layers.

    Attributes
    ----------
    name : str
    kind : str
        The name of Keras's class, such as "Conv1D".
    inputs : tuple of str
        The layers whose results it takes, in order.
    settings : mapping
        Of Keras's class, such as "kernel_size".
    weights : tuple of ndarray
        In Keras's order and shapes.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]
    weights: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class Structure:
    """The layers of a network, each after those that it takes; the last one gives the probabilities."""

    layers: tuple[Layer, ...]

    @property
    def channels(self) -> int:
        """Number of leads of a window."""
        return int(self.layers[0].settings["batch_shape"][-1])

    @property
    def outputs(self) -> int:
        """Number of probabilities."""
        return int(self.layers[-1].weights[-1].shape[-1])

    @property
    def last_features(self) -> str:
        """The layer whose means over time are the input of the dense layer.

        Raises
        ------
        InputError
            If the network does not end with the layers "average" and "probabilities": then it has no maps.
        """
        kinds = {"average": "GlobalAveragePooling1D", "probabilities": "Dense"}
        for name, kind in kinds.items():
            if not any((layer.name, layer.kind) == (name, kind) for layer in self.layers):
                raise InputError(f"activation maps need a network with a layer {name} of type {kind}")
        average, dense = self.layers[-2:]
        if (average.name, dense.name, dense.inputs) != ("average", "probabilities", ("average",)):
            raise InputError(
                "activation maps need a network that ends with the layers average and probabilities"
            )
        return average.inputs[0]

    @property
    def layers_with_maps(self) -> tuple[Layer, ...]:
        """The layers, of a network that has maps.

        Raises
        ------
        InputError
            If it has none, or a layer repeats more steps than the windows have.
        """
        _ = self.map_stride
        return self.layers

    @property
    def map_stride(self) -> int:
        """Number of samples of a window from one step of the maps to the next."""
        return self._fields[self.last_features][1]

    @property
    def receptive_field(self) -> int:
        """Number of samples of a window that each value of a map sees through convolutions and pooling.

        Squeeze-and-excitation and `cnn_gap.network.architecture.sharpen`, which weigh features by the whole
        window, are not counted.
        """
        return self._fields[self.last_features][0]

    @property
    def window_multiple(self) -> int:
        """The longest stride in the network: a window's number of samples must be a multiple of it."""
        return max(step for _, step in self._fields.values())

    @cached_property
    def _fields(self) -> dict[str, tuple[int, int]]:
        """The receptive field of each layer's result and the distance of its steps, in samples of the input."""
        fields: dict[str, tuple[int, int]] = {}
        for layer in self.layers:
            if late := [name for name in layer.inputs if name not in fields]:
                raise InputError(f"layer {layer.name}: takes {late[0]}, which does not come before it")
            samples, step = max((fields[name] for name in layer.inputs), default=(1, 1))
            settings = layer.settings
            if layer.kind == "Conv1D":
                samples += (settings["kernel_size"][0] - 1) * settings["dilation_rate"][0] * step
            elif layer.kind == "MaxPooling1D":
                samples += (settings["pool_size"][0] - 1) * step
                step *= settings["strides"][0]
            elif layer.kind == "UpSampling1D":
                step //= settings["size"]
                if not step:
                    raise InputError(
                        f"layer {layer.name}: must not repeat more steps than were pooled before it"
                    )
            fields[layer.name] = (samples, step)
        return fields


def structure_of(network: "keras.Model") -> Structure:
    """Return the structure of a network, with its weights of now."""
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    return read_structure(network.get_config(), weights)


def read_structure(config: Mapping[str, Any], weights: Mapping[str, Sequence[np.ndarray]]) -> Structure:
    """Return the structure of a functional model of Keras.

    Parameters
    ----------
    config : mapping
        Its configuration, with "layers".
    weights : mapping
        The arrays of each layer that has some, by the layer's name.
    """
    return Structure(tuple(_layer(each, weights) for each in config["layers"]))


def _layer(entry: Mapping[str, Any], weights: Mapping[str, Sequence[np.ndarray]]) -> Layer:
    name, nodes = entry["name"], entry["inbound_nodes"]
    inputs = tuple(_inputs(nodes[0]["args"])) if nodes else ()
    return Layer(name, entry["class_name"], inputs, entry["config"], tuple(weights.get(name, ())))


def _inputs(arguments: object) -> Iterator[str]:
    """Yield the names of the layers whose results are among a node's arguments."""
    if isinstance(arguments, list | tuple):
        for each in arguments:
            yield from _inputs(each)
    elif isinstance(arguments, dict) and arguments.get("class_name") == "__keras_tensor__":
        yield str(arguments["config"]["keras_history"][0])
