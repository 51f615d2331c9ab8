"""Runtimes that compute probabilities and maps: ONNX Runtime, OpenVINO (also in bfloat16), or Keras."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.model.gradient_graph import gradient_graph
from cnn_gap.model.network_graph import network_graph
from cnn_gap.model.trained_network import TrainedNetwork
from cnn_gap.network.lead_maps import Gradients
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

RUNTIMES = ("auto", "onnx", "openvino", "keras")
PRECISIONS = ("float32", "bfloat16")

#: Windows that Keras or OpenVINO compute at once: larger batches are no faster on a processor.
LARGEST_BATCH = 64

#: Windows that a thread computes at once in ONNX Runtime: the features of more windows do not fit into the
#: processor's cache.
WINDOWS_PER_THREAD = 8

#: From windows (windows, samples, leads), mV, to the outputs: probabilities (windows, classes) and, where they
#: are asked for, maps (windows, steps, classes).
Compute = Callable[[np.ndarray], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Runtime:
    """The library and the arithmetic that compute probabilities.

    Attributes
    ----------
    name : str
        "onnx", "openvino", "keras", or "auto": OpenVINO for bfloat16, ONNX Runtime for float32.
    precision : str
        "float32", or "bfloat16", which is less exact, and faster on processors that have it.

    Examples
    --------
    >>> Runtime().resolved
    'onnx'
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
        if self.resolved != "openvino" and self.precision == "bfloat16":
            raise InputError(
                f"{self.name} predicts in float32; leave out bfloat16, or choose the runtime openvino"
            )
        if self.resolved == "openvino" and find_spec("openvino") is None:
            raise InputError("OpenVINO is not installed; pip install 'cnn-gap[fast]'")

    @property
    def resolved(self) -> str:
        """The runtime's name, never "auto"."""
        if self.name != "auto":
            return self.name
        return "openvino" if self.precision == "bfloat16" else "onnx"


def start_runtime(network: TrainedNetwork, runtime: Runtime, maps: bool = False) -> Compute:
    """Return a function that computes a network's probabilities, and its activation maps where `maps` says so.

    Raises
    ------
    InputError
        If the runtime cannot compute the network, or the processor has no bfloat16.
    """
    if runtime.resolved == "keras":
        return _keras(network, maps)
    graph = network_graph(network.structure, maps).SerializeToString()
    start = _onnx if runtime.resolved == "onnx" else partial(_openvino, precision=runtime.precision)
    with _naming(network.source, runtime.resolved):
        compute = start(graph)

    def compute_or_name(windows: np.ndarray) -> tuple[np.ndarray, ...]:
        with _naming(network.source, runtime.resolved):
            return compute(windows)

    return compute_or_name


@contextmanager
def _naming(source: str, runtime: str) -> Iterator[None]:
    """Raise an `InputError` instead of any error that a runtime raises."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[-200:]
        raise InputError(f"{source}: cannot be computed by {runtime} ({reason})") from error


def _onnx(graph: bytes) -> Compute:
    session, threads = _session(graph), thread_count()
    pool = ThreadPoolExecutor(threads, "onnx")

    def compute(windows: np.ndarray) -> tuple[np.ndarray, ...]:
        size = min(WINDOWS_PER_THREAD, -(-len(windows) // threads))
        parts = [windows[start : start + size] for start in range(0, len(windows), size)]
        found = list(pool.map(lambda part: session.run(None, {"windows": part}), parts))
        return tuple(map(np.concatenate, zip(*found, strict=True)))

    return compute


def start_gradients(network: TrainedNetwork, runtime: Runtime) -> Gradients:
    """Return a function that computes the gradients of logits with respect to windows' amplitudes (per mV).

    ONNX Runtime computes them where the runtime is not Keras.

    Raises
    ------
    InputError
        If the runtime cannot compute them.
    """
    if runtime.resolved == "keras":
        model = network.keras  # starts Keras, which the module of the gradients imports
        from cnn_gap.network.gradients import logit_gradients

        return logit_gradients(model)
    with _naming(network.source, "onnx"):
        session = _session(gradient_graph(network.structure).SerializeToString())
    head = network.structure.head
    pool = ThreadPoolExecutor(thread_count(), "gradients")

    def compute(windows: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        given = {"weights": np.ascontiguousarray(head.kernel.T[list(columns)])}
        if head.momentary.any():
            given["momentary"] = head.momentary[list(columns)].astype(np.float32)[:, None, None, None]

        def of_window(window: np.ndarray) -> np.ndarray:
            (found,) = session.run(None, {"windows": window[None], **given})
            return np.asarray(found)

        with _naming(network.source, "onnx"):
            return np.stack(list(pool.map(of_window, windows)), axis=1)

    return compute


def _session(graph: bytes) -> "InferenceSession":
    # ONNX Runtime sends usage statistics to its makers over the network unless this is set before its import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # where it was imported before
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # threads compute different windows
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def thread_count() -> int:
    """Return how many threads compute: one a core, or `OMP_NUM_THREADS`, which other libraries know, too."""
    import joblib

    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else int(joblib.cpu_count())


def _openvino(graph: bytes, precision: str) -> Compute:
    # OpenVINO sends usage statistics to its makers over the network if this module can be imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    core = openvino.Core()
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bfloat16" and "BF16" not in capabilities:
        raise InputError(f"this processor has no bfloat16, only {', '.join(capabilities)}; leave out bfloat16")
    settings = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "LATENCY",  # all cores on one batch: batches come one after the other
    }
    compiled = core.compile_model(core.read_model(graph), "CPU", settings)
    return _in_batches(lambda windows: tuple(compiled(np.ascontiguousarray(windows)).to_tuple()))


def _keras(network: TrainedNetwork, maps: bool) -> Compute:
    model = network.keras  # starts Keras, which the module of the maps imports
    if not maps:
        return _in_batches(lambda windows: (model.predict_on_batch(windows),))
    from cnn_gap.network.activation_maps import with_maps

    return _in_batches(with_maps(model).predict_on_batch)


def _in_batches(compute: Callable[[np.ndarray], Sequence[Any]]) -> Compute:
    """Return a function that pads windows to batches of 1, 2, 4, ... `LARGEST_BATCH`.

    Keras and OpenVINO compile the network for each new batch size.
    """

    def compute_all(windows: np.ndarray) -> tuple[np.ndarray, ...]:
        results = []
        for start in range(0, len(windows), LARGEST_BATCH):
            batch = windows[start : start + LARGEST_BATCH]
            size = 1 << (len(batch) - 1).bit_length()
            padded = np.pad(batch, ((0, size - len(batch)), (0, 0), (0, 0)))
            results.append([each[: len(batch)] for each in compute(padded)])
        return tuple(map(np.concatenate, zip(*results, strict=True)))

    return compute_all
