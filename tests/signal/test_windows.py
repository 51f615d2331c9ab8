"""Windows of any sampling rate and length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_gap.signal.windows import (
    Preprocessing,
    prediction_starts,
    prediction_windows,
    resample,
    resampled_length,
    training_windows,
)
from cnn_gap.system.errors import InputError

RATES = (100, 128, 250, 257, 300, 360, 500, 977, 1000, 500 / 3)


def _sines(seconds, sampling_rate, frequencies=(1.5, 4.0, 11.0)):
    time = np.arange(round(seconds * sampling_rate)) / sampling_rate
    waves = [np.sin(2 * np.pi * frequency * time) for frequency in frequencies]
    return np.stack([sum(waves), *waves], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_gives_the_same_window(rate):
    windows = training_windows(_sines(10, rate), rate, Preprocessing())
    expected = training_windows(_sines(10, 100), 100, Preprocessing())
    assert windows.shape == (1, 1000, 4)
    assert windows.dtype == np.float32
    # Polyphase filters differ from the ideal one near the ends of a record.
    np.testing.assert_allclose(windows[0, 50:-50], expected[0, 50:-50], atol=0.03)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("target", [100.0, 250.0])
def test_the_length_is_known_without_the_signal(rate, target):
    preprocessing = Preprocessing(sampling_rate=target)
    for samples in (1, 37, 5001):
        signal = np.zeros((samples, 2), np.float32)
        assert len(resample(signal, rate, preprocessing)) == resampled_length(samples, rate, preprocessing)


def test_frequencies_above_the_new_rate_do_not_fold_back():
    time = np.arange(10_000) / 1000
    hum = np.sin(2 * np.pi * 90 * time).astype(np.float32)[:, None]
    window = training_windows(hum, 1000, Preprocessing())[0]
    assert np.abs(window[100:-100]).max() < 0.05


def test_a_longer_record_gives_head_middle_and_end():
    signal = _sines(25, 100)
    windows = training_windows(signal, 100, Preprocessing())
    assert len(windows) == 3
    for window, start in zip(windows, (0, 750, 1500), strict=True):
        alone = training_windows(signal[start : start + 1000], 100, Preprocessing())[0]
        np.testing.assert_allclose(window, alone, atol=1e-6)


def test_a_shorter_record_lies_between_zeros():
    window = training_windows(_sines(4, 100) + 1, 100, Preprocessing())[0]
    assert not window[:300].any()
    assert not window[700:].any()
    assert window[300:700].any(axis=0).all()


@given(samples=st.integers(1, 200_000), overlap=st.sampled_from([0.0, 0.3, 0.5, 0.9]))
def test_prediction_windows_cover_the_record(samples, overlap):
    starts = prediction_starts(samples, 1000, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(0, samples - 1000)
    if len(starts) > 1:
        assert np.diff(starts).min() > 0
        assert np.diff(starts).max() <= 1000 * (1 - overlap) + 1


def test_half_an_hour_and_one_second_and_constant_values():
    half_hour = prediction_windows(_sines(1800, 100), 100, Preprocessing())
    assert half_hour.shape == (359, 1000, 4)
    second = prediction_windows(_sines(1, 100), 100, Preprocessing())
    assert second.shape == (1, 100, 4)
    constant = prediction_windows(np.full((5000, 12), 3.25, np.float32), 500, Preprocessing())
    assert np.abs(constant).max() < 1e-5


def test_a_single_sample_is_its_own_baseline():
    assert not prediction_windows(np.ones((1, 12), np.float32), 100, Preprocessing()).any()


def test_the_linear_fit_is_removed():
    signal = _sines(10, 100)
    drift = np.linspace(-3, 8, 1000, dtype=np.float32)[:, None]
    plain, drifting = (training_windows(each, 100, Preprocessing()) for each in (signal, signal + drift))
    np.testing.assert_allclose(drifting, plain, atol=1e-5)


def test_invalid_samples_become_zero_and_leave_the_rest():
    signal = _sines(10, 500) + 5
    gap = signal.copy()
    gap[2000:2100, 1] = np.nan
    gap[:, 2] = np.nan
    expected, window = (training_windows(each, 500, Preprocessing())[0] for each in (signal, gap))
    assert np.isfinite(window).all()
    assert not window[402:418, 1].any()
    assert not window[:, 2].any()
    np.testing.assert_allclose(window[:390, 1], expected[:390, 1], atol=0.1)
    np.testing.assert_allclose(window[:, 0], expected[:, 0], atol=1e-5)


def test_clipping_and_filters():
    signal = _sines(10, 100, frequencies=(1.5, 4.0, 30.0))
    signal[500, 0] = 32
    assert np.abs(training_windows(signal, 100, Preprocessing(clip_mv=5))).max() == 5
    low = training_windows(signal, 100, Preprocessing(lowpass_hz=10))[0]
    assert np.abs(low[100:-100, 3]).max() < 0.05
    assert np.abs(low[100:-100, 2]).max() > 0.9
    high = training_windows(signal, 100, Preprocessing(highpass_hz=15))[0]
    assert np.abs(high[200:-200, 1]).max() < 0.05


@pytest.mark.parametrize(("highpass_hz", "margin_s"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.8)])
@settings(max_examples=50, deadline=None)
@given(
    samples=st.integers(1, 400),
    rate=st.floats(0.5, 5000),
    value=st.sampled_from([0.0, 1e-3, 1.0, 1e3, np.nan]),
    seed=st.integers(0, 99),
)
def test_windows_are_finite_for_any_signal(highpass_hz, margin_s, samples, rate, value, seed):
    rng = np.random.default_rng(seed)
    signal = (rng.normal(size=(samples, 3)) * value).astype(np.float32)
    signal[rng.random(signal.shape) < 0.1] = np.nan
    preprocessing = Preprocessing(highpass_hz=highpass_hz, margin_s=margin_s)
    windows = prediction_windows(signal, rate, preprocessing)
    expected = min(resampled_length(samples, rate, preprocessing), preprocessing.window_samples)
    assert windows.shape[1:] == (expected + 2 * preprocessing.margin_samples, 3)
    assert np.isfinite(windows).all()


@pytest.mark.parametrize("rate", [0, -5, np.nan, np.inf, 1e9])
def test_an_impossible_sampling_rate_is_an_error(rate):
    with pytest.raises(InputError, match="sampling rate"):
        prediction_windows(np.zeros((10, 12), np.float32), rate, Preprocessing())


@pytest.mark.parametrize(
    "settings",
    [
        {"sampling_rate": 0},
        {"window_s": 0},
        {"overlap": 1},
        {"lowpass_hz": 50},
        {"clip_mv": -1},
        {"margin_s": 11},
    ],
)
def test_impossible_settings_are_named(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        Preprocessing(**settings)


MARGINS = Preprocessing(margin_s=0.8)


def test_margins_hold_the_record_around_a_window():
    signal = _sines(20, 100)
    windows = prediction_windows(signal, 100, MARGINS)
    assert windows.shape[:2] == (3, 1160)
    assert MARGINS.input_samples == 1160
    bare = prediction_windows(signal[420:1580], 100, Preprocessing(window_s=11.6))[0]
    np.testing.assert_allclose(windows[1], bare, atol=1e-6)


def test_margins_continue_the_record_beyond_its_ends():
    whole = _sines(12, 100, frequencies=(1.25, 2.5, 5.0))
    window = training_windows(whole[100:1100], 100, MARGINS)[0]
    expected = training_windows(whole[20:1180], 100, Preprocessing(window_s=11.6))[0]
    np.testing.assert_allclose(window, expected, atol=1e-4)


def test_a_short_records_margins_lie_at_its_ends():
    signal = _sines(4, 100)
    window = training_windows(signal, 100, MARGINS)[0]
    assert not window[:300].any()
    assert not window[-300:].any()
    assert np.abs(window[300:380, 0]).max() > 0.5
    np.testing.assert_allclose(window[380:780], signal - signal.mean(axis=0), atol=0.2)


def test_a_short_record_has_a_window_of_its_own_length():
    signal = _sines(4, 100)
    (window,) = prediction_windows(signal, 100, MARGINS)
    np.testing.assert_allclose(window, training_windows(signal, 100, MARGINS)[0, 300:860], atol=1e-6)
    assert window.shape == (560, 4)


@pytest.mark.parametrize(("samples", "expected"), [(401, 408), (400, 400), (999, 1000), (1000, 1000), (3, 8)])
def test_a_short_window_is_a_multiple_and_goes_on_by_its_own_record(samples, expected):
    signal = np.tile(_sines(0.8, 100, (1.25, 2.5, 5.0)), (14, 1))[:samples]
    (window,) = prediction_windows(signal, 100, Preprocessing(), multiple=8)
    assert len(window) == expected
    if samples > 400:  # long enough for a period to be found
        assert np.abs(window[samples:] - window[samples - 80 : len(window) - 80]).max(initial=0) < 0.1


BOUNDS = Preprocessing(slope_mv_s=(5.0, 20.0))


def _slope(window):
    return np.median(100 * np.sqrt(np.mean(np.diff(window, axis=0) ** 2, axis=0)))


@pytest.mark.parametrize("factor", [5.0, 0.05, 1000.0])
def test_a_wrong_gain_is_corrected_to_a_typical_one(factor):
    signal = 0.5 * _sines(10, 100)
    corrected = training_windows(signal * np.float32(factor), 100, BOUNDS)[0]
    assert _slope(corrected) == pytest.approx(10.0, rel=0.01)
    expected = training_windows(signal, 100, Preprocessing())[0] * 10.0 / _slope(signal)
    np.testing.assert_allclose(corrected, expected, atol=1e-3)


def test_a_plausible_gain_is_believed_whatever_one_lead_holds():
    signal = 0.3 * _sines(10, 100)
    np.testing.assert_array_equal(
        training_windows(signal, 100, BOUNDS), training_windows(signal, 100, Preprocessing())
    )
    signal[400, 0] += 32
    signal[:, 3] = 0
    np.testing.assert_array_equal(
        training_windows(signal, 100, BOUNDS), training_windows(signal, 100, Preprocessing())
    )


def test_a_gain_needs_a_signal():
    for signal in (
        np.zeros((1000, 2), np.float32),
        np.full((1, 2), 3, np.float32),
        np.full((50, 2), np.nan, np.float32),
    ):
        assert np.isfinite(training_windows(signal, 100, BOUNDS)).all()


@pytest.mark.parametrize("rate", [100.0, 257.0, 500.0, 1000.0])
@pytest.mark.parametrize("level", [0.0, 1e-3, 3.25, -1000.0])
def test_a_constant_stays_one(level, rate):
    preprocessing = Preprocessing(lowpass_hz=40.0, clip_mv=5.0, slope_mv_s=(3.0, 30.0), margin_s=0.8)
    signal = np.full((round(10 * rate), 12), level, np.float32)
    assert np.abs(prediction_windows(signal, rate, preprocessing)).max() < 1e-3


@pytest.mark.parametrize("bounds", [(1.0,), (3.0, 1.0), (0.0, float("inf")), (-1.0, 2.0)])
def test_impossible_bounds_of_the_gain_are_named(bounds):
    with pytest.raises(InputError, match="slope_mv_s"):
        Preprocessing(slope_mv_s=bounds)
