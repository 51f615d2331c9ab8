"""The networks that `benchmarks.trainings.peers` compares, behind the same few methods.

Ours is the configuration's. The others come from their own packages, the extra `[peers]`: tsai's `xresnet1d101`
with kernels of 5, as Strodthoff et al. 2021 have it (theirs is narrower: 64 channels a block at all depths),
and torch_ecg's `ECG_CRNN` as its configuration for the Challenge of 2020 has it, the filters made for our
sampling rate by its own function.
"""

import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import torch

    from cnn_gap.training.config import Config

#: What is imported of the extra `[peers]`.
PACKAGES = ("torch", "tsai", "torch_ecg")

#: torch_ecg's backbone in its configuration for the Challenge of 2020.
CHALLENGE_BACKBONE = "resnet_nature_comm_bottle_neck_se"


class Predictor(Protocol):
    """A network that has learned: a Keras model is one."""

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        """Return the probabilities (windows, outputs) of windows (windows, samples, leads), float32 mV."""


class Peer(Protocol):
    """A network that learns."""

    @property
    def parameters(self) -> int:
        """How many numbers training changes."""

    def train(self, windows: np.ndarray, labels: np.ndarray, rate: float) -> float:
        """Make a step at this learning rate; return the loss.

        `windows` are (windows, samples, leads) float32 mV, not augmented; `labels` (windows, outputs) float32.
        """

    def predictor(self) -> Predictor:
        """Return what predicts with the present weights, in float32 and without augmentation."""


def start_backends(threads: int) -> None:
    """Start PyTorch, if it is installed, and then Keras, with so many threads each."""
    # Keras's backend reads them when it starts, and PyTorch's libraries when they are loaded.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(threads)
    if find_spec("torch") is not None:
        import torch

        with suppress(ImportError):  # fastai, which tsai builds on, needs it
            import torchvision  # noqa: F401  # it crashes where TensorFlow was loaded before it
        torch.set_num_threads(threads)
    start_keras()


def require_packages() -> None:
    """Make sure that the peers' packages are installed.

    Raises
    ------
    InputError
        If one is missing.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise InputError(
            'the peers come from packages of their own; install them with pip install -e ".[peers]", best in an'
            f" environment of their own; missing: {', '.join(missing)}"
        )


def networks(config: "Config", outputs: int) -> Mapping[str, Callable[[], Peer]]:
    """Return what makes each untrained network, by the name of its row; ours is the first."""
    return {
        "ours": lambda: _KerasPeer(config, outputs),
        "torch_ecg-ECG_CRNN": lambda: _TorchPeer(_challenge_crnn(config, outputs), config),
        "tsai-xresnet1d101": lambda: _TorchPeer(_xresnet(outputs), config),
    }


class _KerasPeer:
    """The configuration's network; it augments by its first layers."""

    def __init__(self, config: "Config", outputs: int):
        import keras

        from cnn_gap.network.architecture import build_network
        from cnn_gap.network.losses import WeightedBinaryCrossentropy

        self._config, self._outputs = config, outputs
        self._network = build_network(
            config.network,
            len(LEADS),
            outputs,
            config.augmentation,
            config.preprocessing.sampling_rate,
            config.preprocessing.margin_samples,
            config.training.precision,
        )
        optimizer = keras.optimizers.AdamW(0.0, weight_decay=config.training.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._network.compile(optimizer, WeightedBinaryCrossentropy(np.ones(outputs)), jit_compile=False)

    @property
    def parameters(self) -> int:
        return sum(int(np.prod(each.shape)) for each in self._network.trainable_variables)

    def train(self, windows: np.ndarray, labels: np.ndarray, rate: float) -> float:
        self._network.optimizer.learning_rate = rate
        self._network.reset_metrics()  # what is returned is otherwise the mean over all steps so far
        return float(self._network.train_on_batch(windows, labels))

    def predictor(self) -> Predictor:
        from cnn_gap.network.architecture import build_network, copy_weights

        margin = self._config.preprocessing.margin_samples
        plain = build_network(self._config.network, len(LEADS), self._outputs, margin=margin)
        copy_weights(self._network, plain)
        return plain


class _TorchPeer:
    """A PyTorch network from (windows, leads, samples) to logits, trained as ours is.

    Its windows are augmented by our own layers, and it computes in bfloat16 where ours does.
    """

    def __init__(self, network: "torch.nn.Module", config: "Config"):
        import torch

        from cnn_gap.network.augmentation import augmentation_layers

        self._network = network
        self._augment = augmentation_layers(config.augmentation, config.preprocessing.sampling_rate)
        self._bfloat16 = config.training.precision == "mixed_bfloat16"
        parameters = [each for each in network.parameters() if each.requires_grad]
        # As ours: normalisation and biases, which are vectors, do not decay.
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.training.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=0.0)

    @property
    def parameters(self) -> int:
        return sum(each.numel() for each in self._network.parameters() if each.requires_grad)

    def train(self, windows: np.ndarray, labels: np.ndarray, rate: float) -> float:
        import torch

        for layer in self._augment:
            windows = layer(windows, training=True)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            logits = self._network(_channels_first(np.asarray(windows)))
        targets = torch.from_numpy(labels)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return float(loss)

    def predictor(self) -> Predictor:
        return self

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        import torch

        self._network.eval()
        with torch.inference_mode():
            return torch.sigmoid(self._network(_channels_first(x))).numpy()


def _channels_first(windows: np.ndarray) -> "torch.Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(windows.transpose(0, 2, 1)))


def _xresnet(outputs: int) -> "torch.nn.Module":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its packages' words on what they import
        from tsai.models.XResNet1d import xresnet1d101

    return xresnet1d101(len(LEADS), outputs, ks=5)


def _challenge_crnn(config: "Config", outputs: int) -> "torch.nn.Module":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch_ecg.model_configs import ECG_CRNN_CONFIG
        from torch_ecg.models import ECG_CRNN
        from torch_ecg.utils.utils_nn import adjust_cnn_filter_lengths

    settings = deepcopy(ECG_CRNN_CONFIG)
    settings.cnn.name, settings.rnn.name, settings.attn.name = CHALLENGE_BACKBONE, "none", "none"
    rate = round(config.preprocessing.sampling_rate)
    settings.cnn[CHALLENGE_BACKBONE] = adjust_cnn_filter_lengths(settings.cnn[CHALLENGE_BACKBONE], rate)
    return ECG_CRNN(classes=list(map(str, range(outputs))), n_leads=len(LEADS), config=settings)
