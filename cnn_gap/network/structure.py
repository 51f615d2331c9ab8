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
class Head:
    """How the probabilities of a network are made of its last features.

    Attributes
    ----------
    features : str
        The layer whose features the maps are made of.
    kernel : ndarray, shape (features, classes)
    bias : ndarray, shape (classes,)
    momentary : ndarray, shape (classes,), bool
        The classes whose logit is the highest mean of their map over `moment_steps` steps; the logit of the
        others is the mean of the whole map. Beyond the ends of a window, a map has its mean value.
    moment_steps : int
        An odd number; 0 where no class is momentary.
    """

    features: str
    kernel: np.ndarray
    bias: np.ndarray
    momentary: np.ndarray
    moment_steps: int = 0


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
        return len(self.head.bias)

    @cached_property
    def head(self) -> Head:
        """The part of the network behind its last features.

        Raises
        ------
        InputError
            If the network does not end as `cnn_gap.network.architecture.build_network` ends it: then it has no
            maps.
        """
        for kinds in (_PLAIN_END, _END_WITH_MOMENTS):
            last = {layer.kind: layer for layer in self.layers[-len(kinds) :]}
            named = {layer.name for layer in last.values()} >= {"average", "probabilities"}
            if named and last.keys() == set(kinds):
                try:
                    return _head(last)
                except (KeyError, TypeError, ValueError) as error:
                    raise InputError(f"the last layers of the network do not fit ({error!r})") from error
        received = ", ".join(f"{layer.name} ({layer.kind})" for layer in self.layers[-2:])
        raise InputError(
            "activation maps need a network that ends with the layers average (GlobalAveragePooling1D) and"
            f" probabilities (Dense), or with moments besides; received one that ends with {received}"
        )

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
        return self._fields[self.head.features][1]

    @property
    def receptive_field(self) -> int:
        """Number of samples of a window that each value of a map sees through convolutions and pooling.

        Squeeze-and-excitation and `cnn_gap.network.architecture.sharpen`, which weigh features by the whole
        window, are not counted.
        """
        return self._fields[self.head.features][0]

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


#: The kinds of a network's last layers: where no class is momentary, and where some are.
_PLAIN_END = ("GlobalAveragePooling1D", "Dense")
_END_WITH_MOMENTS = (
    "Dense",
    "GlobalAveragePooling1D",
    "Subtract",
    "ZeroPadding1D",
    "AveragePooling1D",
    "GlobalMaxPooling1D",
    "Rescaling",
    "Add",
    "Flatten",
    "Activation",
)


def _head(last: Mapping[str, Layer]) -> Head:
    """Return the head of the network from its last layers, given by their kinds.

    Raises
    ------
    InputError
        If they are not connected as `cnn_gap.network.architecture.build_network` connects them.
    """
    dense, average = last["Dense"], last["GlobalAveragePooling1D"]
    kernel, bias = dense.weights
    if "Rescaling" not in last:
        _require_inputs(dense, average)
        return Head(average.inputs[0], kernel, bias, np.zeros(len(bias), bool))
    deviations, ends, moments, highest, chosen, total, logits, sigmoid = (
        last[kind] for kind in _END_WITH_MOMENTS[2:]
    )
    for taking, *taken in (
        (average, dense),
        (deviations, dense, average),
        (ends, deviations),
        (moments, ends),
        (highest, moments),
        (chosen, highest),
        (total, average, chosen),
        (logits, total),
        (sigmoid, logits),
    ):
        _require_inputs(taking, *taken)
    momentary, (steps,) = np.asarray(chosen.settings["scale"], bool), moments.settings["pool_size"]
    if momentary.shape != bias.shape or steps % 2 == 0 or tuple(ends.settings["padding"]) != (steps // 2,) * 2:
        raise InputError(
            f"layers {ends.name}, {moments.name} and {chosen.name}: must fit an odd number of steps and the"
            f" {len(bias)} classes; received {steps} steps, {ends.settings['padding']} zeros and a scale of"
            f" shape {momentary.shape}"
        )
    return Head(dense.inputs[0], kernel, bias, momentary, steps)


def _require_inputs(layer: Layer, *taken: Layer) -> None:
    names = tuple(each.name for each in taken)
    if layer.inputs != names:
        raise InputError(
            f"activation maps need a network whose layer {layer.name} takes {', '.join(names)}; received one"
            f" that takes {', '.join(layer.inputs)}"
        )


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
