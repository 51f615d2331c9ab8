"""Swapped electrodes are found in simulated records, and in none without a swap."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.beats.electrodes import CHEST_SWAPS, LIMB_SWAPS, find_swapped_electrodes, swap_chest, swap_limbs
from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_record


@pytest.fixture(scope="module")
def record():
    return read_record(ROOT / "test_data" / "SIM0008.hea")


@pytest.mark.parametrize("name", LIMB_SWAPS)
def test_swapping_limb_electrodes_twice_changes_nothing(name):
    beat = np.random.default_rng(0).normal(size=(50, 12))
    beat[:, 2] = beat[:, 1] - beat[:, 0]
    beat[:, 3:6] = np.stack(
        [-(beat[:, 0] + beat[:, 1]) / 2, beat[:, 0] - beat[:, 1] / 2, beat[:, 1] - beat[:, 0] / 2], axis=1
    )
    np.testing.assert_allclose(swap_limbs(swap_limbs(beat, name), name), beat, atol=1e-12)


def test_leads_stay_consistent_under_a_swap_of_limb_electrodes():
    beat = np.random.default_rng(1).normal(size=(50, 12))
    beat[:, 2] = beat[:, 1] - beat[:, 0]
    for name in LIMB_SWAPS:
        swapped = swap_limbs(beat, name)
        np.testing.assert_allclose(swapped[:, 2], swapped[:, 1] - swapped[:, 0], atol=1e-12)


@pytest.mark.parametrize("pair", CHEST_SWAPS)
def test_swapping_chest_electrodes_twice_changes_nothing(pair):
    beat = np.random.default_rng(0).normal(size=(50, 12))
    assert not np.array_equal(swap_chest(beat, pair), beat)
    np.testing.assert_array_equal(swap_chest(swap_chest(beat, pair), pair), beat)


def test_swapped_arms_are_found_and_right_ones_are_not(record):
    swapped = replace(record, signal=swap_limbs(record.signal, "right and left arm").astype(np.float32))
    assert find_swapped_electrodes(record, measure(record)) == ""
    assert find_swapped_electrodes(swapped, measure(swapped)) == "right and left arm"


def test_a_record_without_all_leads_is_not_judged(record):
    mask = np.array(record.leads)
    mask[7] = False
    partial = replace(record, leads=mask)
    assert find_swapped_electrodes(partial, measure(partial)) == ""
