"""The calibration pulse that devices append is cut off, and an ECG is not."""

import numpy as np
import pytest

from cnn_gap.io.calibration_pulse import calibration_pulse
from cnn_gap.io.records import read_record
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.files import DIALECTS, SimulatedRecord, write_simulated
from cnn_gap.simulation.vendor_files import UNIT_UV
from cnn_gap.simulation.writers import WRITERS


def pulse(rate, leads, before=0.1, high=0.2, after=0.1, noise=0.0):
    """Return a pulse as Philips writes it, with values that are a count off as in its files."""
    counts = [round(length * rate) for length in (before, high, after)]
    signal = np.repeat(np.array([0.0, 1.0, 0.0]), counts)[:, None].repeat(leads, axis=1)
    return signal + noise * np.random.default_rng(0).integers(-1, 2, signal.shape)


@pytest.fixture(scope="module")
def ecg():
    return simulate_record("S1", ["426783006"], 500.0, 10.0, seed=2)


@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("before", [False, True])
def test_a_pulse_is_found_to_the_sample(rate, before):
    heart = simulate_record("S1", ["426783006"], rate, 10.0, seed=2).signal + 0.06
    added = pulse(rate, 12, noise=0.005)
    signal = np.concatenate([added, heart] if before else [heart, added])
    found = calibration_pulse(signal, rate)
    np.testing.assert_array_equal(signal[found.kept], heart)
    assert found.note == f"left out: a calibration pulse of 0.4 s at the {'beginning' if before else 'end'}"


def test_leads_that_the_device_computed_do_not_hide_it(ecg):
    signal = np.concatenate([ecg.signal, pulse(500.0, 12, noise=0.005)])
    signal[5000:, 2:6] = signal[5000:, :1] * np.array([0, -1, 0.5, 0.5])
    assert calibration_pulse(signal, 500.0).kept == slice(0, 5000)


def test_leads_that_are_not_connected_do_not_hide_it(ecg):
    signal = np.concatenate([ecg.signal, pulse(500.0, 12)])
    signal[:, 4], signal[:, 5] = 0, np.nan
    assert calibration_pulse(signal, 500.0).kept == slice(0, 5000)


@pytest.mark.parametrize(
    "added",
    [
        np.zeros((200, 12)),
        pulse(500.0, 12) * np.linspace(0.5, 1.5, 12),
        pulse(500.0, 12, high=0.02),
        pulse(500.0, 12, high=2.0),
    ],
)
def test_what_is_no_pulse_stays(ecg, added):
    assert calibration_pulse(np.concatenate([ecg.signal, added]), 500.0) is None


@pytest.mark.parametrize(
    "name", ["Philips Sierra XML", "HL7 aECG", "DICOM", "SCP-ECG", "EDF", "CSV", "ISHNE", "MFER"]
)
def test_it_is_cut_in_each_format(ecg, tmp_path, name):
    signal = np.concatenate([ecg.signal, pulse(500.0, 12)]).astype(np.float32)
    longer = SimulatedRecord(**{**vars(ecg), "signal": signal})
    record = read_record(WRITERS[name](tmp_path, longer))
    filled = 1.0 if name == "EDF" else 0.4  # which has whole seconds
    assert record.notes == (f"left out: a calibration pulse of {filled:g} s at the end",)
    np.testing.assert_allclose(record.signal, ecg.signal, atol=0.501 * UNIT_UV / 1000)


@pytest.mark.parametrize("dialect", [DIALECTS[0], DIALECTS[8], DIALECTS[10]], ids=["mat", "few leads", "dat"])
def test_it_is_cut_in_wfdb_whose_header_counts_it(ecg, tmp_path, dialect):
    signal = np.concatenate([ecg.signal, pulse(500.0, 12)]).astype(np.float32)
    write_simulated(tmp_path, SimulatedRecord(**{**vars(ecg), "signal": signal}), dialect)
    record = read_record(tmp_path / "S1.hea")
    assert record.notes[-1] == "left out: a calibration pulse of 0.4 s at the end"
    np.testing.assert_allclose(record.signal[:, 0], ecg.signal[:, 0], atol=0.006)


def test_it_is_cut_where_zeros_at_the_end_are_left_out(ecg, tmp_path):
    signal = np.concatenate([ecg.signal, pulse(500.0, 12)]).astype(np.float32)
    record = read_record(WRITERS["HDF5"](tmp_path, SimulatedRecord(**{**vars(ecg), "signal": signal})))
    assert record.notes[-1] == "left out: a calibration pulse of 0.3 s at the end"
    np.testing.assert_allclose(record.signal, ecg.signal, atol=1e-6)
