"""A penalty of training: a map should have its maximum on the waves that show its diagnosis.

The average over time does not say where a network finds what it finds: it may as well take a bundle branch
block from the T wave that follows the complex. Ross et al. 2017 ("Right for the right reasons: training
differentiable models by constraining their explanations") constrain gradients. Here the maps are constrained,
which are the answer itself: their mean over time is the logit.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
from keras import ops

from cnn_gap.network.tensors import Shape, Tensor

#: What a QRS complex is: where the leads together are this steep, of the steepest within `NEAR_S` of it. Of the
#: steps of LUDB that this finds 97 % lie in complexes that cardiologists delineated, and none is missed
#: (`tests/network/test_map_penalty.py`).
STEEP_SHARE, STEEP_S, NEAR_S = 0.4, 0.06, 1.0

#: The P wave with the PR interval lies up to so long before a complex, ST segment and T wave after one, s.
P_S, T_S = 0.24, 0.36

#: Of an early beat's complex, with its P wave, counts the beginning; a complex lasts up to so long, s.
BEGINNING_S, COMPLEX_S = 0.09, 0.24

#: Complexes this near to each other are one, s. A beat is early after less than `EARLY_SHARE` of the mean
#: interval. Only intervals of up to `LONGEST_S` count.
JOINED_S, EARLY_SHARE, LONGEST_S = 0.16, 0.8, 2.0

#: How peaked a map is taken to be: its standard deviation in the exponent of a softmax over time.
PEAKEDNESS = 2.0

#: What `wave_steps` finds, in order.
WAVES = ("P", "QRS", "ST-T", "early beat", "early QRS")


@dataclass(frozen=True)
class Focus:
    """On which waves the maps of a network are to have their maxima.

    Attributes
    ----------
    waves : tuple of str
        For each class one of `WAVES`, or "" for any place, as
        `cnn_gap.diagnoses.target_waves.target_waves` returns them.
    weight : float
        Of the penalty.
    """

    waves: tuple[str, ...]
    weight: float


@keras.saving.register_keras_serializable("cnn_gap")
class FocusedMaps(keras.layers.Layer):
    """Return maps as they are, and add to the loss of training what of them lies beside the waves.

    The penalty of a map is the negative logarithm of the share of its softmax over time that lies on the waves,
    weighted by the probability that the network gives the class; it is averaged over windows and classes.

    Parameters
    ----------
    focus : Focus
        What shows each class, and the penalty's weight.
    sampling_rate : float
        Of the windows, Hz.
    stride, margin : int
        Samples of a window between two steps of a map, and steps of both ends that the maps do not have.
    """

    def __init__(self, focus: Focus, sampling_rate: float, stride: int, margin: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.focus, self.sampling_rate, self.stride, self.margin = focus, sampling_rate, stride, margin

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Return the maps.

        Parameters
        ----------
        inputs : maps and windows
            Maps of shape (windows, steps, classes) whose mean over time is the logit, and the windows, mV.
        training : bool
            Whether to add the penalty.
        """
        maps, windows = inputs
        if training:
            self.add_loss(self.focus.weight * self.penalty(maps, windows))
        return maps

    def penalty(self, maps: Tensor, windows: Tensor) -> Tensor:
        """Return the mean penalty, a scalar."""
        steps = wave_steps(windows, self.sampling_rate, self.stride)
        steps = steps[:, self.margin : self.margin + ops.shape(maps)[1]]
        total = 0.0
        for number, wave in enumerate(WAVES):
            chosen = [index for index, each in enumerate(self.focus.waves) if each == wave]
            if chosen:
                found = ops.take(maps, chosen, axis=-1)
                total = total + ops.sum(_penalties(found, steps[:, :, number : number + 1]))
        return total / ops.cast(ops.shape(maps)[0] * len(self.focus.waves), "float32")

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the maps' shape."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild the layer."""
        return {
            **super().get_config(),
            "focus": asdict(self.focus),
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "margin": self.margin,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FocusedMaps":
        """Return the layer that `get_config` describes."""
        focus = config["focus"]
        return cls(**{**config, "focus": Focus(tuple(focus["waves"]), focus["weight"])})


def _penalties(maps: Tensor, steps: Tensor) -> Tensor:
    """Return the weighted penalty of each map, (windows, classes): 0 where a window has no such wave."""
    spread = ops.stop_gradient(ops.std(maps, axis=1, keepdims=True))
    peaked = PEAKEDNESS * maps / (spread + keras.config.epsilon())
    inside = ops.logsumexp(ops.where(steps > 0, peaked, -1e9), axis=1)
    beside = ops.logsumexp(peaked, axis=1) - inside
    probabilities = ops.stop_gradient(ops.sigmoid(ops.mean(maps, axis=1)))
    return ops.where(ops.max(steps, axis=1) > 0, probabilities * beside, 0.0)


def wave_steps(windows: Tensor, sampling_rate: float, stride: int) -> Tensor:
    """Return which steps of windows lie on which wave, float32 0 or 1 of shape (windows, steps, waves).

    Parameters
    ----------
    windows : tensor, shape (windows, samples, leads)
        mV.
    sampling_rate : float
        Hz.
    stride : int
        Samples of a step.

    Returns
    -------
    tensor
        In the order of `WAVES`: P waves with the PR interval, QRS complexes, ST segments with T waves, early
        beats from the P wave to the complex, and their complexes alone.
    """
    second = sampling_rate / stride
    complexes = _steep_steps(windows, sampling_rate, stride)
    before = _largest(complexes, ahead=round(P_S * second)) * (1 - complexes)
    after = _largest(complexes, behind=round(T_S * second)) * (1 - complexes)
    early = _early_onsets(complexes, second)
    beats = _largest(early, ahead=round(P_S * second), behind=round(BEGINNING_S * second))
    early_complexes = complexes * _largest(early, behind=round(COMPLEX_S * second))
    return ops.concatenate([before, complexes, after, beats, early_complexes], axis=-1)


def _steep_steps(windows: Tensor, sampling_rate: float, stride: int) -> Tensor:
    """Return which steps are steep, as those of QRS complexes are, (windows, steps, 1)."""
    slopes = ops.pad(windows[:, 2:] - windows[:, :-2], ((0, 0), (1, 1), (0, 0)))
    slope = ops.sqrt(ops.sum(slopes**2, axis=-1, keepdims=True))
    smooth = ops.average_pool(slope, max(1, round(STEEP_S * sampling_rate)), strides=1, padding="same")
    steps = ops.max_pool(smooth, stride, strides=stride, padding="same")
    near = round(NEAR_S * sampling_rate / stride)
    steepest = _largest(steps, ahead=near, behind=near)
    return ops.cast(ops.logical_and(steps > STEEP_SHARE * steepest, steepest > 0), "float32")


def _early_onsets(complexes: Tensor, second: float) -> Tensor:
    """Return where complexes begin that come early, (windows, steps, 1)."""
    joined = _largest(complexes, behind=round(JOINED_S * second))
    onsets = joined * (1 - _delayed(joined))
    numbers = ops.reshape(ops.cast(1 + ops.arange(ops.shape(complexes)[1]), "float32"), (1, -1, 1))
    last = _delayed(_largest(onsets * numbers, behind=round(LONGEST_S * second)))
    known = onsets * ops.cast(last > 0, "float32")
    intervals = known * (numbers - last)
    mean = ops.sum(intervals, axis=1, keepdims=True) / ops.maximum(ops.sum(known, axis=1, keepdims=True), 1)
    return known * ops.cast(intervals < EARLY_SHARE * mean, "float32")


def _largest(values: Tensor, ahead: int = 0, behind: int = 0) -> Tensor:
    """Return the largest value, none negative, from `behind` steps before each step to `ahead` after it."""
    padded = ops.pad(values, ((0, 0), (behind, ahead), (0, 0)))
    return ops.max_pool(padded, behind + ahead + 1, strides=1)


def _delayed(values: Tensor) -> Tensor:
    """Return the values one step later."""
    return ops.pad(values[:, :-1], ((0, 0), (1, 0), (0, 0)))
