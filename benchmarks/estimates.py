"""Means and proportions with 95 % confidence intervals, and logistic regression."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

#: Number of bootstrap samples: enough for two digits of an interval's ends.
RESAMPLES = 2000

#: The weight of the squared coefficients of standardised signs in a logistic regression.
PENALTY = 0.5


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % confidence interval; nan where it is unknown."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        if math.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def proportion(hits: Sequence[bool]) -> Estimate:
    """Return the share of hits with Wilson's interval."""
    if not len(hits):
        return UNKNOWN
    test = stats.binomtest(int(np.sum(hits)), len(hits))
    interval = test.proportion_ci(method="wilson")
    return Estimate(float(test.statistic), float(interval.low), float(interval.high))


def mean(values: Sequence[float]) -> Estimate:
    """Return the mean of the values that are not nan, with the percentile interval of a bootstrap."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return UNKNOWN
    if len(known) == 1:
        return Estimate(float(known[0]), math.nan, math.nan)
    result = stats.bootstrap(
        (known,), np.mean, n_resamples=RESAMPLES, batch=100, method="percentile", rng=np.random.default_rng(0)
    )
    interval = result.confidence_interval
    return Estimate(float(known.mean()), float(interval.low), float(interval.high))


def fit_logistic(signs: np.ndarray, true: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the constant and the coefficients, (signs,), of a logistic regression on signs (cases, signs)."""
    average, spread = signs.mean(axis=0), signs.std(axis=0)
    inputs = np.column_stack([np.ones(len(signs)), (signs - average) / spread])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = inputs @ weights
        penalised = np.concatenate([[0], weights[1:]])
        value = np.logaddexp(0, np.where(true, -logits, logits)).sum() + PENALTY * penalised @ penalised
        return value, inputs.T @ (special.expit(logits) - true) + 2 * PENALTY * penalised

    weights = optimize.minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x
    coefficients = weights[1:] / spread
    return float(weights[0] - average @ coefficients), coefficients
