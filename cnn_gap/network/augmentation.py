"""Random changes of the training windows, as Keras layers that change nothing in prediction."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from cnn_gap.leads import LEADS
from cnn_gap.network import Shape, Tensor
from cnn_gap.network.options import Augmentation

#: Share of the training windows that each kind of disturbance is added to.
DISTURBED_SHARE = 0.5

#: Lowest and highest frequency of baseline wander, Hz, as breathing and movement cause it.
WANDER_HZ = (0.05, 0.5)

#: Width of a spike in samples: filters widen an impulse about so much.
SPIKE_SAMPLES = 1.5

#: Sets of leads that patches, watches and long-term recorders record and from which no limb leads follow.
FEW_LEADS = (("I",), ("II",), ("V2",), ("V5",), ("II", "V1"), ("II", "V5"))


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
    if augmentation.lead_dropout or augmentation.few_leads:
        layers.append(RandomLeads(augmentation.lead_dropout, augmentation.few_leads, name="random_leads"))
    return layers


class _RandomLayer(keras.layers.Layer):
    """A layer that changes windows of shape (windows, samples, leads) while training.

    A model's file holds the state of the random generator. `options` names the arguments that rebuild a layer.
    """

    options: tuple[str, ...] = ()

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
        options = {name: getattr(self, name) for name in ("seed", *self.options)}
        return {**super().get_config(), **options}

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
        Of the random numbers, also in the other layers.
    """

    options = ("low", "high")

    def __init__(self, low: float = 0.5, high: float = 2.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.low, self.high = low, high

    def change(self, windows: Tensor) -> Tensor:
        """Return the windows, scaled."""
        return windows * self.draw((ops.shape(windows)[0], 1, 1), self.low, self.high)


@keras.saving.register_keras_serializable("cnn_gap")
class RandomPaths(_RandomLayer):
    """Set the features of the last paths to 0 in some windows while training.

    Like nested dropout (Rippel et al. 2014, "Learning ordered representations with nested dropout"), this
    orders the paths: each one learns what it can, and the paths after it learn only what is missing.

    Parameters
    ----------
    sizes : tuple of int
        Number of features of each path, in the order in which they are concatenated.
    share : float
        For each path but the first: share of the windows in which this path and those after it are set to 0.
    seed : int, optional
    """

    options = ("sizes", "share")

    def __init__(self, sizes: tuple[int, ...], share: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.sizes, self.share = tuple(sizes), share

    def change(self, windows: Tensor) -> Tensor:
        """Return the features (windows, steps, features), with the features of the chosen paths set to 0."""
        drawn = self.draw((ops.shape(windows)[0], 1, 1))
        needed = np.repeat(np.arange(len(self.sizes)) * self.share, self.sizes)
        return windows * ops.cast(drawn >= ops.convert_to_tensor(needed, "float32"), windows.dtype)


@keras.saving.register_keras_serializable("cnn_gap")
class RandomDisturbance(_RandomLayer):
    """Add baseline wander, white noise and a spike, each to half of the windows, to the leads with a signal.

    Parameters
    ----------
    wander_mv, noise_mv, spike_mv : float
        Largest amplitude of each, mV; of noise, its largest standard deviation.
    sampling_rate : float
        Of the windows, Hz.
    """

    options = ("wander_mv", "noise_mv", "spike_mv", "sampling_rate")

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
        """Return the windows with the disturbances added."""
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

    def _gain(self, windows: Tensor, largest: float) -> Tensor:
        """Return an amplitude for each window, mV: 0 or up to `largest`."""
        shape = (ops.shape(windows)[0], 1, 1)
        chosen = ops.cast(self.draw(shape) < DISTURBED_SHARE, "float32")
        return chosen * self.draw(shape, 0.0, largest)

    def _wander(self, windows: Tensor) -> Tensor:
        """Return a slow sine whose amplitude, -1 to 1, differs between leads."""
        count, _, n_leads = ops.shape(windows)
        frequency = self.draw((count, 1, 1), *WANDER_HZ) / self.sampling_rate
        phase = self.draw((count, 1, 1), 0.0, 2 * math.pi)
        wave = ops.sin(2 * math.pi * frequency * _samples(windows) + phase)
        return wave * self.draw((count, 1, n_leads), -1.0, 1.0)

    def _noise(self, windows: Tensor) -> Tensor:
        return keras.random.normal(ops.shape(windows), seed=self.seed_generator)

    def _spike(self, windows: Tensor) -> Tensor:
        """Return a narrow bump, upward or downward, at one time on one lead."""
        count, samples, n_leads = ops.shape(windows)
        time = self.draw((count, 1, 1)) * ops.cast(samples, "float32")
        bump = ops.exp(-(((_samples(windows) - time) / SPIKE_SAMPLES) ** 2))
        sign = ops.sign(self.draw((count, 1, 1), -1.0, 1.0))
        lead = keras.random.randint((count,), 0, n_leads, seed=self.seed_generator)
        return bump * sign * ops.expand_dims(ops.one_hot(lead, n_leads), 1)


@keras.saving.register_keras_serializable("cnn_gap")
class RandomLeads(_RandomLayer):
    """Set leads of a share of the windows to 0 while training, as leads that are missing are 0.

    A window loses, equally often: all chest leads; all chest leads but V2 (the 2021 Challenge's sets of six and
    two, and of four and three leads); any one lead; each lead with a probability of one half.

    Parameters
    ----------
    share : float
        Share of the windows that lose leads, from 0 to 1.
    few : float
        Share of other windows, which keep one of `FEW_LEADS`.
    """

    options = ("share", "few")

    def __init__(self, share: float = 0.5, few: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.share, self.few = share, few

    def change(self, windows: Tensor) -> Tensor:
        """Return the windows, some leads set to 0."""
        shape = (ops.shape(windows)[0], len(LEADS))
        lead_masks = (
            ops.convert_to_tensor([float(not lead.startswith("V")) for lead in LEADS]),
            ops.convert_to_tensor([float(not lead.startswith("V") or lead == "V2") for lead in LEADS]),
            1 - ops.one_hot(self._choice(shape[0], len(LEADS)), len(LEADS)),
            ops.cast(self.draw(shape) < 0.5, "float32"),
        )
        options = ops.stack([ops.broadcast_to(each, shape) for each in lead_masks], axis=1)
        choice = ops.one_hot(self._choice(shape[0], len(lead_masks)), len(lead_masks))
        chosen = ops.sum(options * ops.expand_dims(choice, -1), axis=1)
        drawn = self.draw((shape[0], 1))
        kept = ops.where(drawn < self.share, chosen, 1.0)
        if self.few:
            kept = ops.where(drawn >= 1 - self.few, self._few_leads(shape[0]), kept)
        return windows * ops.cast(ops.expand_dims(kept, 1), windows.dtype)

    def _few_leads(self, count: Tensor) -> Tensor:
        """Return one of `FEW_LEADS` for each window, float32 0 or 1 of shape (count, leads)."""
        masks = ops.convert_to_tensor([[float(lead in each) for lead in LEADS] for each in FEW_LEADS])
        return ops.take(masks, self._choice(count, len(FEW_LEADS)), axis=0)

    def _choice(self, count: Tensor, options: int) -> Tensor:
        return keras.random.randint((count,), 0, options, seed=self.seed_generator)


def _samples(windows: Tensor) -> Tensor:
    """Return the sample numbers of windows, float32 of shape (1, samples, 1)."""
    numbers = ops.cast(ops.arange(ops.shape(windows)[1]), "float32")
    return ops.reshape(numbers, (1, -1, 1))
