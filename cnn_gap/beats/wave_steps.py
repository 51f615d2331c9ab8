"""Find which steps of activation maps lie on which wave of a heartbeat, in tensor code that runs in training.

The steps at which all leads together are steep are taken for a QRS complex. On LUDB, 97 % of the steps that
are found lie in complexes that cardiologists delineated, and none of these complexes is missed
(`tests/beats/test_wave_steps.py`).
"""

from typing import Any

from keras import ops

#: A backend's tensor: Keras has no type for it.
Tensor = Any

#: A step is on a QRS complex if it is at least `STEEP_SHARE` as steep as the steepest step within `NEAR_S` (s).
#: The slopes are averaged over `STEEP_S` (s).
STEEP_SHARE, STEEP_S, NEAR_S = 0.4, 0.06, 1.0

#: P wave and PR interval last up to `P_S` before a complex, ST segment and T wave up to `T_S` after it, s.
P_S, T_S = 0.24, 0.36

#: An early beat lasts from `P_S` before its complex to `BEGINNING_S` after the complex's onset, s; its complex
#: lasts at most `COMPLEX_S`, s.
BEGINNING_S, COMPLEX_S = 0.09, 0.24

#: Complexes that follow each other within `JOINED_S` (s) are one. A beat is early if it comes after less than
#: `EARLY_SHARE` of the window's mean interval; intervals longer than `LONGEST_S` (s) are not counted.
JOINED_S, EARLY_SHARE, LONGEST_S = 0.16, 0.8, 2.0

#: The last axis of `find_wave_steps`.
WAVES = ("P", "QRS", "ST-T", "early beat", "early QRS")


def find_wave_steps(windows: Tensor, sampling_rate: float, stride: int) -> Tensor:
    """Return which steps of windows lie on which wave, float32 0 or 1 of shape (windows, steps, waves).

    Parameters
    ----------
    windows : tensor, shape (windows, samples, leads)
        mV.
    sampling_rate : float
        Of the windows, Hz.
    stride : int
        Number of samples of a step.

    Returns
    -------
    tensor
        In the order of `WAVES`: P waves with the PR interval, QRS complexes, ST segments with T waves, early
        beats from the P wave to the beginning of the complex, and the complexes of early beats.
    """
    second = sampling_rate / stride
    complexes = _find_steep_steps(windows, sampling_rate, stride)
    before = _largest(complexes, ahead=round(P_S * second)) * (1 - complexes)
    after = _largest(complexes, behind=round(T_S * second)) * (1 - complexes)
    early = _find_early_onsets(complexes, second)
    beats = _largest(early, ahead=round(P_S * second), behind=round(BEGINNING_S * second))
    early_complexes = complexes * _largest(early, behind=round(COMPLEX_S * second))
    return ops.concatenate([before, complexes, after, beats, early_complexes], axis=-1)


def _find_steep_steps(windows: Tensor, sampling_rate: float, stride: int) -> Tensor:
    """Return a mask of the steps that are as steep as QRS complexes, (windows, steps, 1)."""
    slopes = ops.pad(windows[:, 2:] - windows[:, :-2], ((0, 0), (1, 1), (0, 0)))
    slope = ops.sqrt(ops.sum(slopes**2, axis=-1, keepdims=True))
    smooth = ops.average_pool(slope, max(1, round(STEEP_S * sampling_rate)), strides=1, padding="same")
    steps = ops.max_pool(smooth, stride, strides=stride, padding="same")
    near = round(NEAR_S * sampling_rate / stride)
    steepest = _largest(steps, ahead=near, behind=near)
    return ops.cast(ops.logical_and(steps > STEEP_SHARE * steepest, steepest > 0), "float32")


def _find_early_onsets(complexes: Tensor, second: float) -> Tensor:
    """Return the first steps of complexes that come early, (windows, steps, 1); `second` is in steps."""
    joined = _largest(complexes, behind=round(JOINED_S * second))
    onsets = joined * (1 - _delay(joined))
    numbers = ops.reshape(ops.cast(1 + ops.arange(ops.shape(complexes)[1]), "float32"), (1, -1, 1))
    last = _delay(_largest(onsets * numbers, behind=round(LONGEST_S * second)))
    known = onsets * ops.cast(last > 0, "float32")
    intervals = known * (numbers - last)
    mean = ops.sum(intervals, axis=1, keepdims=True) / ops.maximum(ops.sum(known, axis=1, keepdims=True), 1)
    return known * ops.cast(intervals < EARLY_SHARE * mean, "float32")


def _largest(values: Tensor, ahead: int = 0, behind: int = 0) -> Tensor:
    """Return the largest value, none negative, from `behind` steps before each step to `ahead` after it."""
    padded = ops.pad(values, ((0, 0), (behind, ahead), (0, 0)))
    return ops.max_pool(padded, behind + ahead + 1, strides=1)


def _delay(values: Tensor) -> Tensor:
    """Return the values one step later."""
    return ops.pad(values[:, :-1], ((0, 0), (1, 0), (0, 0)))
