"""Regions: where a map stands out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_gap.explain.regions import DEFAULT_LEVEL, Level, Region, find_regions, parse_level
from cnn_gap.system.errors import InputError

MAP = np.array([0.0, 0.0, 4.0, 6.0, 0.0, 0.0, 8.0], np.float32)


def test_regions_are_contiguous_and_reach_the_ends():
    assert find_regions(MAP, 10.0, 3.0) == (Region(0.2, 0.4, 5.0), Region(0.6, 0.7, 8.0))
    assert find_regions(MAP, 10.0, -1.0) == (Region(0.0, 0.7, pytest.approx(18 / 7)),)


@pytest.mark.parametrize("level", ["peak:0.25", "peak:0", "sd:1", "sd:-1", "percentile:90", "absolute:0"])
@pytest.mark.parametrize("highest", [0.0, -5.0])
def test_a_map_that_nowhere_speaks_for_the_diagnosis_has_no_region(highest, level):
    against = highest - np.arange(50, dtype=np.float32)
    assert find_regions(against, 100.0, parse_level(level).of(against)) == ()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (DEFAULT_LEVEL, 2.0),
        (Level("peak", 0.5), 4.0),
        (Level("sd", 1), MAP.mean() + MAP.std()),
        (Level("sd", 0), MAP.mean()),
        (Level("absolute", 2.5), 2.5),
        (Level("percentile", 50), 0.0),
        (Level("percentile", 90), 6.8),
        (Level("sd", -3), 0.0),
    ],
)
def test_levels(level, expected):
    assert level.of(MAP) == pytest.approx(expected, rel=1e-6)


def test_levels_as_text():
    assert parse_level("peak:0.25") == DEFAULT_LEVEL
    assert parse_level("sd:1") == Level("sd", 1)
    assert parse_level("absolute:2.5") == Level("absolute", 2.5)
    assert parse_level("percentile:90") == Level("percentile", 90)


@pytest.mark.parametrize(
    "text", ["", "sd", "sd:", "sd:x", "median:1", "sd:nan", "percentile:101", "peak:1.1", "sd:1:2"]
)
def test_what_is_no_level_is_refused(text):
    with pytest.raises(InputError, match="level"):
        parse_level(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("peak:1", "at least 0 and below 1; received 1"),
        ("percentile:100", "at least 0 and below 100; received 100"),
        ("absolute:-2.5", "finite and at least 0; received -2.5"),
        ("sd:inf", "that is finite; received inf"),
    ],
)
def test_a_level_at_which_nothing_speaks_for_a_diagnosis_is_refused(text, wanted):
    with pytest.raises(InputError, match=wanted):
        parse_level(text)


@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=80), st.floats(-10, 10))
def test_regions_are_exactly_the_samples_above_the_level(values, level):
    activation = np.array(values, np.float32)
    inside = np.zeros(len(activation), bool)
    for region in find_regions(activation, 1.0, level):
        part = slice(round(region.start_s), round(region.end_s))
        inside[part] = True
        assert region.activation == pytest.approx(activation[part].mean(dtype=np.float64))
    np.testing.assert_array_equal(inside, activation > level)
