"""Make probabilities true: how often a diagnosis is there when a network says 70 %."""

import keras
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

#: How strongly a class's scale and offset are held at 1 and 0, in nats: with few positives they hardly move.
SCALE_PENALTY, OFFSET_PENALTY = 10.0, 1.0

#: Probabilities nearer to 0 and 1 count as this near: float32 rounds them to 0 and 1.
NEAREST = 1e-7


def fit_calibration(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a scale and an offset for the logit of each class, (classes,) each, that make probabilities true.

    Platt's scaling (1999, "Probabilistic outputs for support vector machines"): the most likely ones, held near
    1 and 0 where records are few. A scale is positive, so that the order of a class's records stays.

    Parameters
    ----------
    labels : ndarray, shape (records, classes), bool
        Of records that the network was not trained on.
    probabilities : ndarray, shape (records, classes)
    """
    logits = logit(np.clip(probabilities.astype(np.float64), NEAREST, 1 - NEAREST))
    fitted = [_fit_class(truth, each) for truth, each in zip(labels.T, logits.T, strict=True)]
    scales, offsets = np.array(fitted).T
    return scales, offsets


def calibrated(probabilities: np.ndarray, scales: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return probabilities, (..., classes), after their logits were scaled and moved; 0 and 1 stay."""
    with np.errstate(divide="ignore"):
        return expit(scales * logit(probabilities.astype(np.float64)) + offsets)


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
        held = (2 * SCALE_PENALTY * parameters[0], 2 * OFFSET_PENALTY * offset)
        return nats + penalty, np.add(gradient, held)

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=((-2.0, 2.0), (-5.0, 5.0))).x
    return float(np.exp(found[0])), float(found[1])


def scale_logits(network: keras.Model, scales: np.ndarray, offsets: np.ndarray) -> None:
    """Scale and move the logits of a network, and its maps with them: both are in its dense layer alone."""
    dense = network.get_layer("probabilities")
    kernel, bias = dense.get_weights()
    dense.set_weights([kernel * scales, bias * scales + offsets])
