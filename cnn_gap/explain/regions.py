"""Regions: the parts of a record where an activation map speaks for a diagnosis, and is above its level."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnn_gap.system.errors import InputError

_RULES: dict[str, Callable[[np.ndarray, float], float]] = {
    "peak": lambda activation, value: value * activation.max(),
    "sd": lambda activation, value: activation.mean() + value * activation.std(),
    "absolute": lambda activation, value: value,
    "percentile": lambda activation, value: np.percentile(activation, value),
}

#: The values that a rule takes: from the first on and below the second, at which nothing is above the level.
_VALUES = {"peak": (0.0, 1.0), "percentile": (0.0, 100.0), "absolute": (0.0, np.inf), "sd": (-np.inf, np.inf)}


@dataclass(frozen=True)
class Region:
    """An interval of a map above its level: start and end (s from the record's start), mean of the map."""

    start_s: float
    end_s: float
    activation: float


@dataclass(frozen=True)
class Level:
    """The height above which a map is in a region.

    It is never below 0, since a map speaks for its diagnosis above 0 only: a map without a positive value has
    no region.

    Attributes
    ----------
    rule : str
        ``"peak"``: the share `value` of the map's highest value; ``"sd"``: `value` standard deviations above
        the map's mean; ``"absolute"``: `value` in units of the logit; ``"percentile"``: the percentile `value`
        of the map.
    value : float
        Below 1 for ``"peak"``, below 100 for ``"percentile"``; at least 0, but for ``"sd"``.
    """

    rule: str = "peak"
    value: float = 0.25

    def __post_init__(self) -> None:
        if self.rule not in _RULES:
            raise InputError(f"a level's rule must be one of {', '.join(_RULES)}; received {self.rule}")
        lowest, end = _VALUES[self.rule]
        if not np.isfinite(self.value) or not lowest <= self.value < end:
            limits = ["finite", *["at least 0"] * (lowest == 0), *[f"below {end:g}"] * bool(np.isfinite(end))]
            wanted = f"{self.rule} needs a number that is {' and '.join(limits[-2:])}"
            raise InputError(f"a level by {wanted}; received {self.value:g}")

    def of(self, activation: np.ndarray) -> float:
        """Return the height for a map, (samples,), in its units; it is at least 0."""
        return max(0.0, float(_RULES[self.rule](activation.astype(np.float64), self.value)))


#: A quarter of the map's highest value (chosen by `research.region_levels`).
DEFAULT_LEVEL = Level()


def parse_level(text: str) -> Level:
    """Return the level of a text such as ``peak:0.25``, ``sd:1``, ``absolute:2.5`` or ``percentile:90``.

    Raises
    ------
    InputError
        If the text is not a level.
    """
    rule, _, value = text.partition(":")
    try:
        return Level(rule, float(value))
    except ValueError as error:
        raise InputError(
            f"a level is a text such as peak:0.25, sd:1, absolute:2.5, percentile:90; received {text}"
        ) from error


def find_regions(activation: np.ndarray, sampling_rate: float, level: float) -> tuple[Region, ...]:
    """Return the intervals in which a map, (samples,) at `sampling_rate` (Hz), lies above `level`, in order."""
    above = np.concatenate([[False], activation > level, [False]])
    edges = np.flatnonzero(np.diff(above))
    if not len(edges):
        return ()
    # Edges are starts and ends in turn: every second sum is of a region. The last may end where the map does.
    sums = np.add.reduceat(np.append(activation, 0).astype(np.float64), edges)[::2]
    starts, ends = edges[::2], edges[1::2]
    return tuple(
        Region(start / sampling_rate, end / sampling_rate, mean)
        for start, end, mean in zip(
            starts.tolist(), ends.tolist(), (sums / (ends - starts)).tolist(), strict=True
        )
    )
