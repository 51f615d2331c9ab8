"""Measurements for the reading: leads that are flat or noisy do not count."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.reading.evidence import Evidence, gather_evidence

CHEST = LEADS[6:]


@pytest.fixture(scope="module")
def record():
    return read_record(ROOT / "test_data" / "SIM0008.hea")


def with_chest(record, values):
    signal = np.array(record.signal)
    signal[:, 6:] = values
    return replace(record, signal=signal)


def test_flat_and_noisy_leads_count_as_missing_and_leave_the_rate(record):
    rate = measure(record).rate
    noise = np.random.default_rng(0).normal(0, 0.5, (len(record.signal), 6))
    for changed in (with_chest(record, 0.0), with_chest(record, noise)):
        evidence = gather_evidence(changed, measure(changed))
        assert evidence.missing == CHEST
        assert evidence.values["rate"] == pytest.approx(rate, abs=1)
        assert "sokolow_lyon_mv" not in evidence.values


def second_half(values):
    def changed(chest):
        return np.concatenate([chest[: len(chest) // 2], np.full_like(chest[len(chest) // 2 :], values)])

    return changed


def wander(chest):
    return np.repeat(0.3 * np.sin(np.linspace(0, 20, len(chest)))[:, None], 6, axis=1)


def faint_noise(chest):
    return np.random.default_rng(0).normal(0, 0.01, chest.shape)


@pytest.mark.parametrize(
    ("change", "silent"),
    [
        (second_half(0.0), False),
        (second_half(np.nan), False),
        (wander, True),
        (faint_noise, True),
        (lambda chest: 0.02 * chest, True),
    ],
)
def test_leads_that_are_off_for_long_or_show_no_heartbeats_count_as_missing(record, change, silent):
    changed = with_chest(record, change(np.array(record.signal[:, 6:])))
    evidence = gather_evidence(changed, measure(changed))
    assert evidence.missing == CHEST
    assert evidence.silent == (CHEST if silent else ())
    assert not evidence.swapped
    assert "rate" in evidence.values


@pytest.mark.parametrize(("age", "above"), [(34.0, 31.0), (np.nan, 37.0), (300.0, 87.0), (2.0, None)])
def test_a_rate_is_above_that_of_a_sinus_rhythm_by_age(record, age, above):
    measured = replace(measure(record), rate=217.0)
    assert gather_evidence(replace(record, age=age), measured).values.get("rate_above_sinus") == above


def test_without_beats_there_is_neither_a_rate_nor_a_swap():
    values = {"rate": 70.0, "qrs_ms": 90.0, "sine_waves": 1.0}
    evidence = Evidence(values, ("II",), "V1 and V2", ("V6",), duration_s=8.0)
    kept = evidence.without_beats()
    assert (kept.values, kept.elevated, kept.swapped, kept.missing) == ({"large_waves": 1.0}, (), "", ("V6",))


@pytest.mark.parametrize(("swapped", "kept"), [("right and left arm", False), ("V1 and V2", True), ("", True)])
def test_the_axis_is_not_believed_where_limb_electrodes_are_swapped(monkeypatch, record, swapped, kept):
    monkeypatch.setattr("cnn_gap.reading.evidence.find_swapped_electrodes", lambda *_: swapped)
    assert ("axis_deg" in gather_evidence(record, measure(record)).values) is kept
