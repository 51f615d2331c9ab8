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


def test_without_beats_there_is_neither_a_rate_nor_a_swap():
    evidence = Evidence({"rate": 70.0, "qrs_ms": 90.0, "sine_waves": 1.0}, ("II",), "V1 and V2", ("V6",), 8.0)
    kept = evidence.without_beats()
    assert (kept.values, kept.elevated, kept.swapped, kept.missing) == ({"large_waves": 1.0}, (), "", ("V6",))


@pytest.mark.parametrize(("swapped", "kept"), [("right and left arm", False), ("V1 and V2", True), ("", True)])
def test_the_axis_is_not_believed_where_limb_electrodes_are_swapped(monkeypatch, record, swapped, kept):
    monkeypatch.setattr("cnn_gap.reading.evidence.find_swapped_electrodes", lambda *_: swapped)
    assert ("axis_deg" in gather_evidence(record, measure(record)).values) is kept
