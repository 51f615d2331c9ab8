"""Random changes of the training windows, as Keras layers that do nothing in prediction."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from cnn_gap.leads import LEADS
from cnn_gap.network.options import Augmentation
from cnn_gap.network.tensors import Shape, Tensor

#: Share of the training windows that each kind of disturbance meets.
DISTURBED_SHARE = 0.5

#: Baseline wander follows breath and movement, Hz.
WANDER_HZ = (0.05, 0.5)

#: Spread of a spike over its neighbouring samples, in samples: what filters leave of an impulse.
SPIKE_SAMPLES = 1.5


def augmentation_layers(augmentation: Augmentation, sampling_rate: float) -> list[keras.layers.Layer]:
    """Return the layers that change windows at `sampling_rate` (Hz) in training, in order."""
    layers: list[keras.layers.Layer] = []
    if augmentation.amplitude != (1, 1):
        low, high = augmentation.amplitude
        layers.append(RandomAmplitude(low, high, name="random_amplitude"))
    if augmentation.wander_mv or augmentation.noise_mv or augmentation.spike_mv:
        disturbance = RandomDisturbance(
            augmentation.wander_mv,
            augmentation.noise_mv,
            augmentation.spike_mv,
            sampling_rate,
            name="random_disturbance",
        )
        layers.append(disturbance)
    if augmentation.lead_dropout:
        layers.append(RandomLeads(augmentation.lead_dropout, name="random_leads"))
    return layers


class _RandomLayer(keras.layers.Layer):
    """A layer that changes windows of shape (windows, samples, leads) while training.

    The generator's state is saved with the layer, so that resumed training goes on with it.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, windows: Tensor, training: bool = False) -> Tensor:
        """Return windows of the same shape, changed if `training`."""
        return ops.cast(self.change(windows), windows.dtype) if training else windows

    def change(self, windows: Tensor) -> Tensor:
        """Return changed windows of the same shape."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "seed": self.seed}

    def draw(self, shape: Shape, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return uniform random numbers."""
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)


@keras.saving.register_keras_serializable("cnn_gap")
class RandomAmplitude(_RandomLayer):
    """Multiply each window by one random factor while training (Lin et al. 2020, section 2.2: 0.5 to 2.5).

    Parameters
    ----------
    low, high : float
        Bounds of the uniformly drawn factor.
    seed : int, optional
        Of the factors.
    """

    def __init__(self, low: float = 0.5, high: float = 2.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.low, self.high = low, high

    def change(self, windows: Tensor) -> Tensor:
        """Return the windows, scaled."""
        return windows * self.draw((ops.shape(windows)[0], 1, 1), self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "low": self.low, "high": self.high}


@keras.saving.register_keras_serializable("cnn_gap")
class RandomPaths(_RandomLayer):
    """Let some windows see the features of the first paths alone while training.

    As nested dropout does (Rippel et al. 2014, "Learning ordered representations with nested dropout"), it
    orders the paths: what a path can find is learned there, and those after it add what it cannot.

    Parameters
    ----------
    sizes : tuple of int
        Features of each path, as they lie beside each other.
    share : float
        Of the windows, for each path but the first, that see only the paths before it.
    seed : int, optional
        Of the choice.
    """

    def __init__(self, sizes: tuple[int, ...], share: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.sizes, self.share = tuple(sizes), share

    def change(self, windows: Tensor) -> Tensor:
        """Return features of shape (windows, steps, features), with zeros where a window does not see them."""
        drawn = self.draw((ops.shape(windows)[0], 1, 1))
        needed = np.repeat(np.arange(len(self.sizes)) * self.share, self.sizes)
        return windows * ops.cast(drawn >= ops.convert_to_tensor(needed, "float32"), windows.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "sizes": self.sizes, "share": self.share}


@keras.saving.register_keras_serializable("cnn_gap")
class RandomDisturbance(_RandomLayer):
    """Add baseline wander, white noise and a spike to leads that hold a signal, each to half of the windows.

    Parameters
    ----------
    wander_mv, noise_mv, spike_mv : float
        Largest amplitude of each, mV.
    sampling_rate : float
        Of the windows, Hz.
    seed : int, optional
        Of everything.
    """

    def __init__(
        self,
        wander_mv: float = 0.0,
        noise_mv: float = 0.0,
        spike_mv: float = 0.0,
        sampling_rate: float = 100.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        self.wander_mv, self.noise_mv, self.spike_mv = wander_mv, noise_mv, spike_mv
        self.sampling_rate = sampling_rate

    def change(self, windows: Tensor) -> Tensor:
        """Return the windows with what disturbs them."""
        present = ops.cast(ops.max(ops.abs(windows), axis=1, keepdims=True) > 0, "float32")
        disturbed = ops.cast(windows, "float32")
        for amplitude, shape in (
            (self.wander_mv, self._wander),
            (self.noise_mv, self._noise),
            (self.spike_mv, self._spike),
        ):
            if amplitude:
                disturbed = disturbed + present * self._gain(windows, amplitude) * shape(windows)
        return disturbed

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {
            **super().get_config(),
            "wander_mv": self.wander_mv,
            "noise_mv": self.noise_mv,
            "spike_mv": self.spike_mv,
            "sampling_rate": self.sampling_rate,
        }

    def _gain(self, windows: Tensor, largest: float) -> Tensor:
        """Return an amplitude for each window, mV: none, or up to `largest`."""
        shape = (ops.shape(windows)[0], 1, 1)
        chosen = ops.cast(self.draw(shape) < DISTURBED_SHARE, "float32")
        return chosen * self.draw(shape, 0.0, largest)

    def _wander(self, windows: Tensor) -> Tensor:
        """Return a slow sine of another amplitude, -1 to 1, on each lead."""
        count, _, leads = ops.shape(windows)
        frequency = self.draw((count, 1, 1), *WANDER_HZ) / self.sampling_rate
        phase = self.draw((count, 1, 1), 0.0, 2 * math.pi)
        wave = ops.sin(2 * math.pi * frequency * _samples(windows) + phase)
        return wave * self.draw((count, 1, leads), -1.0, 1.0)

    def _noise(self, windows: Tensor) -> Tensor:
        return keras.random.normal(ops.shape(windows), seed=self.seed_generator)

    def _spike(self, windows: Tensor) -> Tensor:
        """Return a narrow bump, upward or downward, at one time of one lead."""
        count, samples, leads = ops.shape(windows)
        time = self.draw((count, 1, 1)) * ops.cast(samples, "float32")
        bump = ops.exp(-(((_samples(windows) - time) / SPIKE_SAMPLES) ** 2))
        sign = ops.sign(self.draw((count, 1, 1), -1.0, 1.0))
        return bump * sign * ops.expand_dims(self._one_lead(count, leads), 1)

    def _one_lead(self, count: Tensor, leads: int) -> Tensor:
        return ops.one_hot(keras.random.randint((count,), 0, leads, seed=self.seed_generator), leads)


@keras.saving.register_keras_serializable("cnn_gap")
class RandomLeads(_RandomLayer):
    """Silence leads of a share of the windows, as missing leads are 0.

    A window loses, equally often: all chest leads; all chest leads but V2 (the 2021 Challenge's sets of six and
    two, and of four and three leads); any one lead; each lead by even chance.

    Parameters
    ----------
    share : float
        Of the windows, from 0 to 1.
    seed : int, optional
        Of the choice.
    """

    def __init__(self, share: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.share = share

    def change(self, windows: Tensor) -> Tensor:
        """Return the windows with leads of 0."""
        shape = (ops.shape(windows)[0], len(LEADS))
        sets = (
            ops.convert_to_tensor([float(not lead.startswith("V")) for lead in LEADS]),
            ops.convert_to_tensor([float(not lead.startswith("V") or lead == "V2") for lead in LEADS]),
            1 - ops.one_hot(self._choice(shape[0], len(LEADS)), len(LEADS)),
            ops.cast(self.draw(shape) < 0.5, "float32"),
        )
        options = ops.stack([ops.broadcast_to(each, shape) for each in sets], axis=1)
        choice = ops.one_hot(self._choice(shape[0], len(sets)), len(sets))
        chosen = ops.sum(options * ops.expand_dims(choice, -1), axis=1)
        kept = ops.where(self.draw((shape[0], 1)) < self.share, chosen, 1.0)
        return windows * ops.cast(ops.expand_dims(kept, 1), windows.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "share": self.share}

    def _choice(self, count: Tensor, options: int) -> Tensor:
        return keras.random.randint((count,), 0, options, seed=self.seed_generator)


def _samples(windows: Tensor) -> Tensor:
    """Return the sample numbers of windows, float32 of shape (1, samples, 1)."""
    numbers = ops.cast(ops.arange(ops.shape(windows)[1]), "float32")
    return ops.reshape(numbers, (1, -1, 1))
