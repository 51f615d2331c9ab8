"""Means and proportions with 95 % confidence intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Number of bootstrap samples: enough for two digits of an interval's ends.
RESAMPLES = 2000


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
