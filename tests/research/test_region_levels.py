"""Levels of regions, compared."""

import numpy as np
import pytest

from cnn_gap.explain.regions import Level
from research.region_levels import figures

#: Two signs of a second each; the map is high on the first, low on the second and beside both.
MAP = np.repeat([0.0, 8.0, 1.0, 3.0], 10)
SIGNS = ((1.0, 1.9), (3.0, 3.9))


@pytest.mark.parametrize(
    ("level", "inside", "met", "regions"),
    [
        (Level("peak", 0.25), 1.0, 1.0, 2),
        (Level("peak", 0.5), 1.0, 0.5, 1),
        (Level("absolute", 0.5), 2 / 3, 1.0, 1),
    ],
)
def test_regions_are_compared_with_the_signs(level, inside, met, regions):
    assert figures([(MAP, 10.0, SIGNS)], level) == [pytest.approx(inside), met, regions]
