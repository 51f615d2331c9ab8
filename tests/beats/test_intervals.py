"""Intervals, rate and axis equal those of the simulated heart, and are None where they cannot be measured."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.beats.detection import MEASURED_HZ
from cnn_gap.beats.intervals import measure
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.recordings import QUIET

AF, PVC, SINUS = "164889003", "427172004", "426783006"


def bump(times, start, end, height):
    """Return a smooth wave that begins and ends at known times (s)."""
    inside = (times > start) & (times < end)
    return np.where(inside, height * np.sin(np.pi * (times - start) / (end - start)) ** 2, 0)


def heart(beats, pr=0.16, qrs=0.09, qt=0.4, axis=60.0, rate=500.0, seconds=10.0, p_mv=0.15):
    """Return a record whose QRS complexes begin at known times (s), all waves along one axis (degrees)."""
    times = np.arange(round(seconds * rate)) / rate
    wave = sum(
        bump(times, at - pr, at - pr + 0.1, p_mv)
        + bump(times, at, at + qrs, 1.2)
        + bump(times, at + qt - 0.2, at + qt, 0.3)
        for at in beats
    )
    angles = {"I": 0, "II": 60, "III": 120, "aVR": -150, "aVL": -30, "aVF": 90}
    limbs = [
        np.cos(np.radians(axis - angle)) * (1 if lead[0] == "I" else 0.866) for lead, angle in angles.items()
    ]
    gains = np.array([*limbs, -0.4, -0.2, 0.3, 0.8, 1.0, 0.7])
    return record_from_signal(wave[:, None] * gains, rate, LEADS, name="A1")


REGULAR = np.arange(0.6, 9.5, 0.8)


@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize(("pr", "qrs", "qt"), [(0.16, 0.09, 0.4), (0.24, 0.14, 0.44), (0.13, 0.08, 0.36)])
def test_intervals_are_those_of_the_heart(pr, qrs, qt, rate):
    measured = measure(heart(REGULAR, pr, qrs, qt, rate=rate))
    assert measured.rate == pytest.approx(75, abs=0.2)
    assert measured.rr_range_s == pytest.approx((0.8, 0.8), abs=0.004)
    assert measured.pr_s == pytest.approx(pr, abs=0.015)
    assert measured.qrs_s == pytest.approx(qrs, abs=0.02)
    assert measured.qt_s == pytest.approx(qt, abs=0.025)
    assert measured.qtc_bazett_s == pytest.approx(measured.qt_s / 0.8**0.5, abs=0.001)
    assert measured.qtc_fridericia_s == pytest.approx(measured.qt_s / 0.8 ** (1 / 3), abs=0.001)


@pytest.mark.parametrize("axis", [-60, 0, 60, 120, 179])
def test_axis_is_that_of_the_complexes(axis):
    assert measure(heart(REGULAR, axis=axis)).axis_deg == pytest.approx(axis, abs=2)


def test_every_beat_is_found_where_it_is_and_early_ones_are_not_usual():
    beats = np.array([0.6, 1.4, 2.2, 2.7, 3.8, 4.6, 5.4, 6.2, 7.0, 7.8, 8.6])
    measured = measure(heart(beats))
    np.testing.assert_allclose(measured.beats.times_s - beats, 0.045, atol=0.012)
    assert np.flatnonzero(~measured.beats.usual).tolist() == [3]
    assert measured.rr_range_s == pytest.approx((0.5, 1.1), abs=0.005)
    assert measured.pr_s == pytest.approx(0.16, abs=0.015)


def test_beats_of_another_shape_are_not_usual():
    simulated = simulate_record("A1", [SINUS, PVC], 500.0, 20.0, seed=4, noise=QUIET)
    measured = measure(as_record(simulated))
    ectopic = [(event.start_s + event.end_s) / 2 for event in simulated.events if event.kind == "PVC"]
    assert ectopic
    odd = measured.beats.times_s[~measured.beats.usual]
    assert all(np.abs(odd - time).min() < 0.3 for time in ectopic)
    assert len(odd) <= len(ectopic) + 2


def test_no_pr_interval_without_p_waves():
    assert measure(heart(REGULAR, p_mv=0)).pr_s is None
    for seed in range(3):
        measured = measure(as_record(simulate_record("A1", [AF], 500.0, 10.0, seed=seed)))
        assert measured.pr_s is None
        assert measured.rate is not None


@pytest.mark.parametrize("samples", [1, 2, 100, 999])
def test_short_records_have_fewer_measurements(samples):
    record = heart(REGULAR)
    measured = measure(replace(record, signal=record.signal[:samples]))
    assert measured.qrs_s is None
    assert measured.beats.median is None


@pytest.mark.parametrize("fill", [0.0, 1.5, np.nan])
def test_flat_records_have_no_measurements(fill):
    measured = measure(record_from_signal(np.r_[np.zeros((1, 12)), np.full((5000, 12), fill)], 500.0, LEADS))
    assert measured.rate is None
    assert not len(measured.beats.times_s)


def test_noise_alone_has_no_intervals():
    noise = np.random.default_rng(0).normal(0, 0.3, (5000, 12))
    measured = measure(record_from_signal(noise, 500.0, LEADS))
    assert (measured.pr_s, measured.qrs_s, measured.qt_s) == (None, None, None)


def test_absent_leads_do_not_count():
    record = heart(REGULAR)
    measured = measure(record_from_signal(record.signal[:, [1]], 500.0, ["II"]))
    assert measured.qrs_s == pytest.approx(0.09, abs=0.02)
    assert measured.axis_deg is None
    assert not measured.beats.median[:, 0].any()


def test_median_beat_is_the_beat_without_its_noise():
    clean = heart(REGULAR)
    noisy = replace(
        clean, signal=(clean.signal + np.random.default_rng(1).normal(0, 0.05, clean.signal.shape)).astype("f")
    )
    found, expected = (measure(record).beats for record in (noisy, clean))
    near = slice(found.fiducial - round(0.2 * MEASURED_HZ), found.fiducial + round(0.4 * MEASURED_HZ))
    assert np.abs(found.median[near] - expected.median[near]).mean() < 0.03


def test_a_path_is_measured_as_its_record_and_shown_as_a_table():
    path = ROOT / "test_data" / "SIM0008"
    measured, expected = measure(str(path)), measure(read_record(path))
    assert measured.values == expected.values
    assert dict(measured.values)["QRS"].endswith(" ms")
    page = measured._repr_html_()
    assert page.count("<tr>") == 1 + len(measured.values)
    assert all(f"<td>{name}</td><td>{value}</td>" in page for name, value in measured.values)


def as_record(simulated):
    return Record("A1", simulated.signal, np.ones(12, bool), simulated.sampling_rate)


def test_errors_on_delineated_records_are_within_the_working_partys_tolerances(shared):
    from benchmarks.quality.intervals import TOLERANCES_MS, errors

    found = errors(shared / "ludb", slice(1, None, 6))
    for mark, tolerance in TOLERANCES_MS.items():
        assert len(found[mark]) >= 12
        assert np.std(found[mark], ddof=1) <= tolerance
        assert abs(np.mean(found[mark])) <= 6
