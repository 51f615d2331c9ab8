"""A penalty in training: a map should have its maximum on the waves that show its diagnosis.

The probability is the same wherever a map has its maximum, so a network may read a bundle branch block from the
T wave after the complex. Ross et al. 2017 ("Right for the right reasons: training differentiable models by
constraining their explanations") penalise gradients; here the maps themselves are penalised, of which the
logits are means over time.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
from keras import ops

from cnn_gap.beats.wave_steps import WAVES, find_wave_steps
from cnn_gap.network import Shape, Tensor

#: In the softmax over time, a map is scaled to this standard deviation.
SOFTMAX_SPREAD = 2.0


@dataclass(frozen=True)
class Focus:
    """The waves on which the maps of a network should have their maxima.

    Attributes
    ----------
    waves : tuple of str
        For each class one of `cnn_gap.beats.wave_steps.WAVES`, or "" for any place, as
        `cnn_gap.diagnoses.target_waves.target_waves` returns them.
    weight : float
        Of the penalty in the loss.
    """

    waves: tuple[str, ...]
    weight: float


@keras.saving.register_keras_serializable("cnn_gap")
class FocusedMaps(keras.layers.Layer):
    """Return logits unchanged, and in training add a penalty to the loss for maps that lie outside the waves.

    The penalty of a map is the negative logarithm of the share of its softmax over time that lies on the waves,
    multiplied by the probability that the network gives the class. It is averaged over windows and classes.

    Parameters
    ----------
    focus : Focus
        The waves of each class, and the penalty's weight.
    sampling_rate : float
        Of the windows, Hz.
    stride, margin : int
        Number of samples of a window from one step of a map to the next, and number of steps at each end of a
        window that the maps do not have.
    """

    def __init__(self, focus: Focus, sampling_rate: float, stride: int, margin: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.focus, self.sampling_rate, self.stride, self.margin = focus, sampling_rate, stride, margin

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Return the logits.

        Parameters
        ----------
        inputs : logits, maps and windows
            Logits of shape (windows, classes), the maps that they are made of, (windows, steps, classes), and
            the windows, mV.
        training : bool
            Whether to add the penalty.
        """
        logits, maps, windows = inputs
        if training:
            self.add_loss(self.focus.weight * self.penalty(logits, maps, windows))
        return logits

    def penalty(self, logits: Tensor, maps: Tensor, windows: Tensor) -> Tensor:
        """Return the mean penalty of maps and windows, a scalar without the weight."""
        probabilities = ops.stop_gradient(ops.sigmoid(logits))
        steps = find_wave_steps(windows, self.sampling_rate, self.stride)
        steps = steps[:, self.margin : self.margin + ops.shape(maps)[1]]
        total = 0.0
        for number, wave in enumerate(WAVES):
            chosen = [index for index, each in enumerate(self.focus.waves) if each == wave]
            if chosen:
                found = _penalties(ops.take(maps, chosen, axis=-1), steps[:, :, number : number + 1])
                total = total + ops.sum(ops.take(probabilities, chosen, axis=-1) * found)
        return total / ops.cast(ops.shape(maps)[0] * len(self.focus.waves), "float32")

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the logits' shape."""
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
    """Return the penalty of each map, (windows, classes): 0 where a window has no such wave."""
    spread = ops.stop_gradient(ops.std(maps, axis=1, keepdims=True))
    peaked = SOFTMAX_SPREAD * maps / (spread + keras.config.epsilon())
    inside = ops.logsumexp(ops.where(steps > 0, peaked, -1e9), axis=1)
    penalty = ops.logsumexp(peaked, axis=1) - inside
    return ops.where(ops.max(steps, axis=1) > 0, penalty, 0.0)
