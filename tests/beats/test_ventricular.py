"""Ventricular tachycardia, runs and flutter are found, and only they."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.beats.detection import prepare_for_beats
from cnn_gap.beats.intervals import WIDE_QRS_S, measure
from cnn_gap.beats.ventricular import LARGEST_LEAKAGE, wave_leakage
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.reading.alerts import find_alerts
from cnn_gap.reading.evidence import gather_evidence
from cnn_gap.record import Record
from cnn_gap.simulation import heart_model as model

RATE_HZ, SECONDS = 500.0, 10.0


def simulate(narrow_s=(), wide_s=(), width_s=0.15):
    """Return a record with narrow and wide complexes that begin at these times, s."""
    dipoles = np.zeros((round(RATE_HZ * SECONDS), 3))
    narrow, wide = model.normal_qrs(1.2, 50.0, 0.6), model.ventricular_qrs(2.5, -100.0, -1.5)
    for form, onsets, duration in ((narrow, narrow_s, 0.09), (wide, wide_s, width_s)):
        onsets, whole = np.array(onsets, float), np.ones(len(onsets))
        model.add_waves(dipoles, RATE_HZ, form, onsets, duration * whole, whole)
    noise = np.random.default_rng(0).normal(0, 0.01, (len(dipoles), 8))
    signal = model.to_twelve_leads(model.to_independent_leads(dipoles) + noise)
    return Record("SIMULATED", signal.astype(np.float32), LEADS, RATE_HZ)


def alerts(record):
    return find_alerts(gather_evidence(record, measure(record)), ())


@pytest.mark.parametrize(("rate", "width_s"), [(115, 0.2), (135, 0.2), (160, 0.24), (200, 0.16)])
def test_ventricular_tachycardia_is_wide_and_fast_or_large_waves(rate, width_s):
    measured = measure(simulate(wide_s=np.arange(-1, 11, 60 / rate), width_s=width_s))
    assert measured.large_waves or (
        measured.rate == pytest.approx(rate, abs=3) and measured.qrs_s >= WIDE_QRS_S
    )
    assert measured.pr_s is None


def test_a_run_of_wide_beats_is_found():
    run = 4.2 + np.arange(4) * 60 / 150
    measured = measure(simulate([0.2, 1.0, 1.8, 2.6, 3.4, 6.3, 7.1, 7.9, 8.7], run))
    assert measured.run is not None
    assert measured.run.beats == 4
    assert measured.run.rate == pytest.approx(150, abs=5)


def test_a_pair_is_no_run_and_neither_are_slow_wide_beats():
    pair = measure(simulate([0.2, 1.0, 1.8, 2.6, 3.4, 5.4, 6.2, 7.0, 7.8, 8.6], [4.1, 4.5]))
    slow = measure(simulate([0.2, 0.9, 1.6, 2.3, 3.0, 3.7, 7.6, 8.3, 9.0], [4.6, 5.4, 6.2, 7.0]))
    assert pair.run is None
    assert slow.run is None


def test_narrow_fast_beats_are_no_run():
    fast = [0.2, 1.0, 1.8, 2.6, 3.4, *(3.8 + np.arange(4) * 0.4), 6.0, 6.8, 7.6, 8.4]
    assert measure(simulate(fast)).run is None


def waves(frequency_hz, height_mv=0.8):
    times = np.arange(round(RATE_HZ * SECONDS)) / RATE_HZ
    signal = height_mv * np.sin(2 * np.pi * frequency_hz * times)[:, None] * np.linspace(0.5, 1, len(LEADS))
    return Record("WAVES", signal.astype(np.float32), LEADS, RATE_HZ)


def test_large_waves_alert_without_a_rate():
    evidence = gather_evidence(waves(4.0), measure(waves(4.0)))
    assert "rate" not in evidence.values
    assert any("flutter or fibrillation" in alert for alert in find_alerts(evidence, ()))


@pytest.mark.parametrize("record", [waves(0.5), waves(50.0), waves(4.0, 0.01), waves(0.0)])
def test_movement_hum_small_waves_and_flat_lines_are_no_large_waves(record):
    assert wave_leakage(record, prepare_for_beats(record)) > LARGEST_LEAKAGE


@pytest.mark.parametrize("spread", [1, 5, 25])
def test_noise_gives_no_alert_of_a_rhythm(spread):
    for seed in range(2):
        noise = np.random.default_rng(seed).normal(0, 0.3, (5000, len(LEADS)))
        signal = np.array([np.convolve(lead, np.ones(spread) / np.sqrt(spread), "same") for lead in noise.T]).T
        record = Record("NOISE", signal.astype(np.float32), LEADS, RATE_HZ)
        assert not measure(record).large_waves
        assert measure(record).run is None


def test_simulated_records_have_neither_runs_nor_large_waves():
    for name in ("SIM0003", "SIM0008"):
        measured = measure(read_record(ROOT / "test_data" / f"{name}.hea"))
        assert (measured.run, measured.large_waves) == (None, False)


def test_short_records_are_not_searched():
    record = simulate(np.arange(0.2, 10, 0.8))
    short = replace(record, signal=record.signal[: round(3 * RATE_HZ)])
    assert wave_leakage(short, prepare_for_beats(short)) == 1.0
