"""Calibration: of the records that get a probability of 70 %, 70 % should have the diagnosis."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

if TYPE_CHECKING:
    import keras

#: Weights, in nats, of the squared log scale and the squared offset in the loss: with few positives, scale and
#: offset stay near 1 and 0.
SCALE_PENALTY, OFFSET_PENALTY = 10.0, 1.0

#: Probabilities are clipped to this distance from 0 and 1, since float32 may round them to 0 and 1.
SMALLEST_DISTANCE = 1e-7


def fit_calibration(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a scale and an offset for the logit of each class, (classes,) each, that calibrate probabilities.

    They are fitted by maximum likelihood (Platt 1999, "Probabilistic outputs for support vector machines") with
    a penalty that keeps them near 1 and 0 if there are few records. Scales are positive, so that the order of a
    class's probabilities stays the same.

    Parameters
    ----------
    labels : ndarray, shape (records, classes), bool
        Of records that the network was not trained on.
    probabilities : ndarray, shape (records, classes)
    """
    logits = logit(np.clip(probabilities.astype(np.float64), SMALLEST_DISTANCE, 1 - SMALLEST_DISTANCE))
    fitted = [_fit_class(truth, each) for truth, each in zip(labels.T, logits.T, strict=True)]
    scales, offsets = np.array(fitted).T
    return scales, offsets


def calibrate(probabilities: np.ndarray, scales: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return probabilities, (..., classes), with their logits scaled and shifted; 0 and 1 stay."""
    with np.errstate(divide="ignore"):
        return np.asarray(expit(scales * logit(probabilities.astype(np.float64)) + offsets))


def _fit_class(labels: np.ndarray, logits: np.ndarray) -> tuple[float, float]:
    if not labels.any() or labels.all():
        return 1.0, 0.0

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offset = np.exp(parameters[0]), parameters[1]
        moved = scale * logits + offset
        error = expit(moved) - labels
        nats = np.logaddexp(0, moved).sum() - moved[labels].sum()
        penalty = SCALE_PENALTY * parameters[0] ** 2 + OFFSET_PENALTY * offset**2
        gradient = (error @ (scale * logits), error.sum())
        penalty_gradient = (2 * SCALE_PENALTY * parameters[0], 2 * OFFSET_PENALTY * offset)
        return nats + penalty, np.add(gradient, penalty_gradient)

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=((-2.0, 2.0), (-5.0, 5.0))).x
    return float(np.exp(found[0])), float(found[1])


def scale_logits(network: "keras.Model", scales: np.ndarray, offsets: np.ndarray) -> None:
    """Scale and shift the logits of a network, and its maps with them: both follow from its dense layer."""
    dense = network.get_layer("probabilities")
    kernel, bias = dense.get_weights()
    dense.set_weights([kernel * scales, bias * scales + offsets])
