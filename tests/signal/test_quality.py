"""The quality of a record: when it is refused, and which notes it gets."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.signal.quality import assess_quality, unusable_leads
from cnn_gap.signal.windows import Preprocessing, prepare_signal
from cnn_gap.simulation import simulate_record

PREPROCESSING = Preprocessing(lowpass_hz=40.0, clip_mv=5.0, slope_mv_s=(3.0, 30.0), margin_s=0.8)


def _quality(signal, rate=500.0, leads=LEADS):
    return _quality_of(record_from_signal(np.asarray(signal, np.float32), rate, leads))


def _quality_of(record):
    return assess_quality(record, prepare_signal(record.signal, record.sampling_rate, PREPROCESSING), 100.0)


def _heart(seconds=10.0, code="426783006", seed=1):
    signal = simulate_record("heart", [code], 500.0, max(seconds, 5.0), seed=seed).signal
    return signal[: round(500 * seconds)]


@pytest.mark.parametrize("code", ["426783006", "164889003", "164909002", "426177001", "427084000", "10370003"])
@pytest.mark.parametrize("seconds", [2.5, 10.0, 60.0])
def test_a_heart_is_answered_without_a_note(code, seconds):
    quality = _quality(_heart(seconds, code))
    assert quality.answerable
    assert not quality.notes


def _no_heart():
    rng = np.random.default_rng(0)
    time = np.linspace(0, 10, 5000)[:, None] * np.ones(12)
    return {
        "zeros": np.zeros((5000, 12)),
        "a level": np.full((5000, 12), 1000.0),
        "a ramp": time,
        "noise": rng.normal(size=(5000, 12)),
        "rounding noise": 0.005 * rng.integers(-1, 2, (5000, 12)),
        "hum": np.sin(100 * np.pi * time),
        "a slow sine": np.sin(2 * np.pi * time),
        "a step": (time > 4).astype(float),
        "shuffled heart": rng.permutation(rng.permuted(_heart(), axis=0)),
        "saturated": np.sign(np.sin(2 * np.pi * time)),
    }


@pytest.mark.parametrize("signal", _no_heart().values(), ids=_no_heart())
def test_what_holds_no_heart_is_not_answered(signal):
    quality = _quality(signal)
    assert not quality.answerable
    assert quality.notes[0].startswith("nothing is answered")


def test_too_short_a_record_is_not_answered():
    quality = _quality(_heart()[:250])
    assert not quality.answerable
    assert "0.5 s" in quality.notes[0]


def test_flat_off_saturated_invalid_and_missing_leads_are_named():
    signal = _heart().astype(np.float64)
    signal[:, 6] = 1.5
    signal[1000:3000, 7] = 0.25
    signal[:, 8] = np.clip(signal[:, 8], None, np.quantile(signal[:, 8], 0.8))
    signal[:1000, 9] = np.nan
    quality = _quality(signal[:, :11], leads=LEADS[:11])
    assert quality.answerable
    assert quality.notes == (
        "missing: lead V6",
        "flat: lead V1",
        "lead V2 was off for 4.0 s",
        "lead V3 is at its limit in 19% of its samples",
        "lead V4 is not valid in 20% of its samples",
    )


def test_what_the_reader_found_of_names_is_told():
    quality = _quality(_heart()[:, :4], leads=["I", "II", "II", "V9"])
    assert "lead II is given twice: the first counts" in quality.notes
    assert "left out, as none of the twelve leads: V9" in quality.notes


@pytest.mark.parametrize("factor", [1e-3, 0.05, 20.0])
def test_a_corrected_gain_is_told(factor):
    quality = _quality(_heart() * factor)
    assert quality.answerable
    assert "implausible amplitudes were multiplied" in quality.notes[0]


def test_no_real_ecg_is_refused(shared):
    for folder in ("challenge", "ludb", "cpsc2018"):
        for path in find_records(shared / folder):
            assert _quality_of(read_record(path)).answerable, path


def test_real_ecgs_of_four_seconds_and_single_leads_are_answered(shared):
    for path in find_records(shared / "ludb")[:30]:
        record = read_record(path)
        short = replace(record, signal=record.signal[: round(4 * record.sampling_rate)])
        one = record_from_signal(record.signal[:, 1:2], record.sampling_rate, ["II"])
        assert _quality_of(short).answerable
        assert _quality_of(one).answerable


@pytest.mark.parametrize("samples", [1, 2, 3, 10, 20, 40, 41, 50, 199])
@pytest.mark.parametrize("rate", [100.0, 257.0, 1000.0])
def test_records_of_a_moment_are_judged_too_short(samples, rate):
    signal = np.random.default_rng(samples).normal(size=(samples, 12)).astype(np.float32)
    quality = _quality_of(record_from_signal(signal, rate, LEADS))
    assert not quality.answerable
    assert "less than 2 s" in quality.notes[0]


def test_a_noisy_lead_is_named_and_a_wrong_gain_is_no_noise():
    record = read_record(ROOT / "test_data" / "SIM0008.hea")
    noise = np.zeros_like(record.signal)
    noise[:, LEADS.index("V3")] = np.random.default_rng(0).normal(0, 0.3, len(noise))
    noisy = replace(record, signal=record.signal + noise)
    assert np.flatnonzero(unusable_leads(noisy)).tolist() == [LEADS.index("V3")]
    assert not unusable_leads(replace(record, signal=record.signal * 20)).any()
