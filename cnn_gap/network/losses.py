"""Losses for multi-label training, written with `keras.ops` so that every Keras backend runs them.

Each is a `keras.losses.Loss` of labels and probabilities of shape (records, classes).
"""

import keras
from keras import ops
from numpy.typing import ArrayLike

from cnn_gap.network import Tensor

#: Probabilities are clipped to this distance from 0 and 1, where the logarithm's gradient is not finite.
EPSILON = 1e-7


class MacroObs(keras.losses.Loss):
    """The negative soft Challenge score, averaged over the batch (Lin et al. 2020, section 2.4).

    For a record with labels t and probabilities p, N = Σ_c [(1 − t_c)·p_c + t_c] is the soft number of classes
    that are labelled or answered. The score is Σ_jk t_j·p_k·W_jk / N: with probabilities of 0 and 1 it is the
    numerator of the Challenge metric.

    Parameters
    ----------
    weights : array-like, shape (C, C)
        The reward for answering the column's class where the row's class is true. The loss uses only the first
        C columns of labels and probabilities; the columns after them are findings.
    """

    def __init__(self, weights: ArrayLike, name: str = "macro_obs") -> None:
        super().__init__(name=name)
        self._weights = ops.convert_to_tensor(weights, dtype="float32")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return each record's negative score, shape (records,)."""
        scored = self._weights.shape[0]
        labels, probabilities = ops.cast(y_true, y_pred.dtype)[:, :scored], y_pred[:, :scored]
        count = ops.sum((1 - labels) * probabilities + labels, axis=-1)
        # The sum of t_j·p_k·W_jk over j and k, without building the outer products.
        score = ops.sum(ops.matmul(labels, self._weights) * probabilities, axis=-1)
        return -score / ops.maximum(count, EPSILON)


class WeightedBinaryCrossentropy(keras.losses.Loss):
    """Binary cross-entropy whose positive terms are weighted by class, averaged over records and classes.

    Parameters
    ----------
    positive_weights : array-like, shape (C,)
        The weight of each class's positive terms. Negatives / positives of the training records gives both the
        same weight (the paper's WCE); 1 gives the plain binary cross-entropy.
    """

    def __init__(self, positive_weights: ArrayLike, name: str = "weighted_binary_crossentropy") -> None:
        super().__init__(name=name)
        self._positive_weights = ops.convert_to_tensor(positive_weights, dtype="float32")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return each record's loss, shape (records,)."""
        labels = ops.cast(y_true, y_pred.dtype)
        probabilities = ops.clip(y_pred, EPSILON, 1 - EPSILON)
        positive = self._positive_weights * labels * ops.log(probabilities)
        negative = (1 - labels) * ops.log(1 - probabilities)
        return -ops.mean(positive + negative, axis=-1)


class WeightedSum(keras.losses.Loss):
    """A loss plus `weight` times a second one."""

    def __init__(
        self, first: keras.losses.Loss, second: keras.losses.Loss, weight: float, name: str = "weighted_sum"
    ) -> None:
        super().__init__(name=name)
        self._first, self._second, self._weight = first, second, weight

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return each record's loss, shape (records,)."""
        return self._first.call(y_true, y_pred) + self._weight * self._second.call(y_true, y_pred)
