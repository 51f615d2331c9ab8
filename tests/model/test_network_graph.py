"""The ONNX graph gives the same outputs as Keras, for every network that a configuration can describe."""

from dataclasses import replace

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from drawn_networks import NETWORKS, drawn_network, drawn_windows

from cnn_gap.model.network_graph import Convolution, network_graph
from cnn_gap.model.runtimes import Runtime, start_runtime
from cnn_gap.model.trained_network import TrainedNetwork, in_memory
from cnn_gap.network.activation_maps import with_maps
from cnn_gap.network.structure import Structure, structure_of
from cnn_gap.system.errors import InputError


def _require_equal(found, network, windows):
    probabilities, maps = map(keras.ops.convert_to_numpy, with_maps(network)(windows, training=False))
    np.testing.assert_allclose(found[0], probabilities, atol=1e-5)
    np.testing.assert_allclose(found[1], maps, rtol=1e-4, atol=1e-4 * np.abs(maps).max())


@pytest.mark.parametrize("kind", NETWORKS)
def test_onnx_runtime_gives_what_keras_gives(kind):
    network = drawn_network(kind)
    onnx.checker.check_model(network_graph(structure_of(network)), full_check=True)
    windows = drawn_windows(9, 600)
    _require_equal(start_runtime(in_memory(network), Runtime("onnx"), maps=True)(windows), network, windows)


def test_openvino_gives_what_keras_gives():
    pytest.importorskip("openvino", reason="the extra cnn-gap[fast] is not installed")
    network, windows = drawn_network("gated"), drawn_windows(3, 400)
    _require_equal(start_runtime(in_memory(network), Runtime("openvino"), maps=True)(windows), network, windows)


def test_probabilities_alone_are_the_same():
    network, windows = in_memory(drawn_network("gated")), drawn_windows(9, 400)
    (alone,) = start_runtime(network, Runtime("onnx"))(windows)
    np.testing.assert_array_equal(alone, start_runtime(network, Runtime("onnx"), maps=True)(windows)[0])


def test_windows_get_what_each_gets_alone():
    compute = start_runtime(in_memory(drawn_network("gated")), Runtime("onnx"), maps=True)
    windows = drawn_windows(21, 400)
    probabilities, maps = compute(windows)
    for index in (0, 8, 20):
        alone = compute(windows[index : index + 1])
        np.testing.assert_allclose(probabilities[index], alone[0][0], atol=1e-6)
        np.testing.assert_allclose(maps[index], alone[1][0], rtol=1e-5, atol=1e-5)


def test_a_block_with_a_shortcut_is_one_convolution():
    graph = network_graph(structure_of(drawn_network("residual"))).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("Conv") == 3
    assert "Add" not in kinds and "BatchNormalization" not in kinds


@pytest.mark.parametrize(
    ("large", "small", "dilation"), [(5, 1, 1), (5, 3, 1), (4, 1, 1), (7, 1, 2), (4, 2, 3)]
)
def test_the_sum_of_two_convolutions_is_one(large, small, dilation):
    random = np.random.default_rng(0)

    def drawn(samples):
        kernel = random.normal(size=(samples, 3, 4))
        return Convolution("x", kernel, random.normal(size=4), dilation if samples > 1 else 1)

    def result(convolution, signal):
        before, behind = convolution.padding
        padded = np.pad(signal, ((before, behind), (0, 0)))
        parts = [
            padded[place * convolution.dilation :][: len(signal)] @ each
            for place, each in enumerate(convolution.kernel)
        ]
        return sum(parts) + convolution.bias

    first, second, signal = drawn(large), drawn(small), random.normal(size=(30, 3))
    for together in (first.plus(second), second.plus(first)):
        np.testing.assert_allclose(result(together, signal), result(first, signal) + result(second, signal))


def test_convolutions_of_different_things_stay_two():
    kernel, bias = np.ones((4, 2, 2)), np.zeros(2)
    first = Convolution("x", kernel, bias, 2)
    assert first.plus(Convolution("y", kernel, bias, 2)) is None
    assert first.plus(Convolution("x", kernel, bias, 1)) is None
    assert first.plus(Convolution("x", kernel[:1], bias)) is None  # its sample lies between two of the first


def _changed(structure: Structure, name: str, **changes) -> Structure:
    layers = [replace(each, **changes) if each.name == name else each for each in structure.layers]
    return Structure(tuple(layers))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "Lambda"}, "is of the kind Lambda, which no graph is built of"),
        ({"weights": ()}, "does not fit the layers before it"),
        ({"inputs": ()}, "does not fit the layers before it"),
        ({"inputs": ("block3_relu",)}, "block2_convolution: takes block3_relu, which does not come before it"),
    ],
)
def test_layers_that_are_no_networks_are_named(changes, reason):
    structure = _changed(structure_of(drawn_network("plain")), "block2_convolution", **changes)
    with pytest.raises(InputError, match=reason):
        network_graph(structure)


def test_settings_that_would_compute_something_else_are_named():
    structure = structure_of(drawn_network("plain"))
    layer = next(each for each in structure.layers if each.name == "block2_relu")
    structure = _changed(structure, layer.name, settings={**layer.settings, "negative_slope": 0.1})
    with pytest.raises(
        InputError, match=r"block2_relu: a graph is built of a ReLU with {'negative_slope': 0} only"
    ):
        network_graph(structure)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("momentary", {"settings": {"scale": [1.0, 0.0]}}, r"received 7 steps, .* a scale of shape \(2,\)"),
        ("ends", {"settings": {"padding": [2, 3]}}, r"received 7 steps, \[2, 3\] zeros"),
        ("moments", {"settings": {}}, r"the last layers of the network do not fit \(KeyError\('pool_size'\)\)"),
        ("probabilities", {"weights": ()}, "the last layers of the network do not fit"),
        ("highest", {"inputs": ("ends",)}, "layer highest takes moments; received one that takes ends"),
    ],
)
def test_last_layers_that_do_not_fit_each_other_are_named(name, changes, reason):
    with pytest.raises(InputError, match=reason):
        network_graph(_changed(structure_of(drawn_network("moments")), name, **changes))


def test_weights_that_do_not_fit_are_named_with_their_file():
    structure = structure_of(drawn_network("plain"))
    broken = _changed(structure, "block2_convolution", weights=(np.ones((4, 7, 8), np.float32),))
    with pytest.raises(InputError, match=r"model\.keras: cannot be computed by onnx"):
        start_runtime(TrainedNetwork("model.keras", broken, lambda: None), Runtime())(drawn_windows(1, 40))


def test_steps_are_never_more_than_samples():
    structure = structure_of(drawn_network("paths"))
    layer = next(each for each in structure.layers if each.kind == "UpSampling1D")
    structure = _changed(structure, layer.name, settings={**layer.settings, "size": 1 << 20})
    with pytest.raises(InputError, match="rhythm_repeat: must not repeat more steps than were pooled"):
        network_graph(structure)


def test_the_graph_holds_its_weights_and_nothing_from_elsewhere():
    model = network_graph(structure_of(drawn_network("gated")))
    assert {each.domain for each in model.opset_import} == {""}
    assert not any(each.external_data for each in model.graph.initializer)
    assert onnxruntime.InferenceSession(model.SerializeToString()).get_inputs()[0].shape == [
        "batch",
        "samples",
        12,
    ]


def test_a_network_without_maps_is_named():
    windows = keras.Input((None, 12))
    network = keras.Model(windows, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling1D()(windows)))
    with pytest.raises(InputError, match="activation maps need a network that ends with the layers average"):
        network_graph(structure_of(network))
