"""Runtimes that compute probabilities: Keras, or OpenVINO, which is faster in bfloat16."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import keras

RUNTIMES = ("auto", "keras", "openvino")
PRECISIONS = ("float32", "bfloat16")

#: From windows (windows, samples, leads), mV, to probabilities (windows, outputs), or a list of arrays.
Compute = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Runtime:
    """The library and the arithmetic that compute probabilities.

    Attributes
    ----------
    name : str
        "keras", "openvino", or "auto": OpenVINO for bfloat16, Keras for float32, in which both are as fast.
    precision : str
        "float32", or "bfloat16", which is less exact, and faster on processors that have it.

    Examples
    --------
    >>> Runtime().resolved
    'keras'
    """

    name: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for what, value, known in (
            ("runtime", self.name, RUNTIMES),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise InputError(f"the {what} must be one of {', '.join(known)}; received {value!r}")
        if self.resolved == "keras" and self.precision == "bfloat16":
            raise InputError("Keras predicts in float32; leave out bfloat16, or choose the runtime openvino")
        if self.resolved == "openvino" and find_spec("openvino") is None:
            raise InputError("OpenVINO is not installed; pip install 'cnn-gap[fast]'")

    @property
    def resolved(self) -> str:
        """The runtime's name, never "auto"."""
        if self.name != "auto":
            return self.name
        return "openvino" if self.precision == "bfloat16" else "keras"


def start_runtime(network: "keras.Model", runtime: Runtime) -> Compute:
    """Return a function that computes a network's probabilities.

    Raises
    ------
    InputError
        If the processor has no bfloat16, or Keras's backend is one that OpenVINO does not convert from.
    """
    return _openvino(network, runtime.precision) if runtime.resolved == "openvino" else network.predict_on_batch


def _openvino(network: "keras.Model", precision: str) -> Compute:
    import keras

    # OpenVINO sends usage statistics to its makers over the network if this module can be imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    if (backend := keras.backend.backend()) != "tensorflow":
        raise InputError(f"OpenVINO converts networks of Keras's backend tensorflow; received {backend}")
    core = openvino.Core()
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bfloat16" and "BF16" not in capabilities:
        raise InputError(f"this processor has no bfloat16, only {', '.join(capabilities)}; leave out bfloat16")
    settings = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "LATENCY",  # all cores on one batch: batches come one after the other
    }
    compiled = core.compile_model(_converted(network), "CPU", settings)
    return lambda windows: compiled(np.ascontiguousarray(windows))[0]


def _converted(network: "keras.Model") -> Any:
    """Return the network as OpenVINO's model, for any number of windows and samples."""
    import openvino
    import tensorflow as tf

    windows = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="windows")
    function = tf.function(lambda given: network(given, training=False), input_signature=[windows])
    return openvino.convert_model(function.get_concrete_function())
