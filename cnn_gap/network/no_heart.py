"""Training windows without a heartbeat, for which the network should answer nothing.

Loose electrodes, calibration signals and broken converters record constants, ramps, steps, hum and noise. A
network that was trained only on windows with heartbeats answers such signals with the diagnosis that they
resemble most.
"""

from collections.abc import Callable

import numpy as np

from cnn_gap.signal.recorders import limb_leads

#: Largest and smallest standard deviation of noise and amplitude of hum, ramps and steps, mV. The smallest is
#: the rounding noise of a converter.
LARGEST_MV, SMALLEST_MV = 2.0, 0.001

#: Lowest and highest frequency of hum, Hz.
HUM_HZ = (0.3, 50.0)

#: Share of the windows in which only one lead has a signal.
ONE_LEAD_SHARE = 0.25

#: Share of the others whose limb leads obey Einthoven's and Goldberger's equations.
LIMB_SHARE = 0.5

#: A function of samples, leads, sampling rate (Hz) and generator that returns a signal (samples, leads).
Drawing = Callable[[int, int, float, np.random.Generator], np.ndarray]


def windows_without_heart(windows: np.ndarray, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return the same number of windows without a heartbeat, (windows, samples, leads) float32 mV.

    Parameters
    ----------
    windows : ndarray, shape (windows, samples, leads), float32
        Windows with a heartbeat, mV. One seventh of the result are their amplitudes in random order.
    sampling_rate : float
        Of the windows, Hz.
    rng : Generator
        Draws all random numbers.
    """
    result = np.empty_like(windows)
    for index, window in enumerate(windows):
        choice = rng.integers(len(_DRAWINGS) + 1)
        if choice == len(_DRAWINGS):
            drawn = rng.permutation(window)
        else:
            drawn = _draw(_DRAWINGS[choice], window.shape, sampling_rate, rng)
        result[index] = _change_leads(drawn, rng)
    return result


def _draw(
    drawing: Drawing, shape: tuple[int, int], sampling_rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a signal of one kind around a baseline of 0, (samples, leads)."""
    samples, n_leads = shape
    scale = np.exp(rng.uniform(np.log(SMALLEST_MV), np.log(LARGEST_MV)))
    signal = scale * rng.uniform(0.5, 1, n_leads) * drawing(samples, n_leads, sampling_rate, rng)
    return np.asarray(signal - signal.mean(axis=0))


def _change_leads(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the signal on one lead alone, or with limb leads that follow from I and II, or unchanged."""
    if rng.random() < ONE_LEAD_SHARE:
        alone = np.zeros_like(signal)
        lead = rng.integers(signal.shape[1])
        alone[:, lead] = signal[:, lead]
        return alone
    if signal.shape[1] < 6 or rng.random() > LIMB_SHARE:
        return signal
    return np.concatenate([limb_leads(signal[:, 0], signal[:, 1]), signal[:, 6:]], axis=1)


def _nothing(samples: int, n_leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    return np.zeros((samples, n_leads))


def _noise(samples: int, n_leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(samples, n_leads))


def _wander(samples: int, n_leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return a random walk, as the drift of loose electrodes."""
    walk = rng.normal(size=(samples, n_leads)).cumsum(axis=0)
    return np.asarray(walk / np.maximum(np.abs(walk).max(axis=0), 1e-9))


def _ramp(samples: int, n_leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return an exponential, as of a converter that settles; preprocessing removes a straight ramp."""
    time = np.linspace(0, 1, samples)[:, None]
    return np.asarray(np.exp(-time * rng.uniform(0, 20, n_leads)) * rng.choice([-1, 1], n_leads))


def _hum(samples: int, n_leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    frequency = np.exp(rng.uniform(*np.log(HUM_HZ)))
    time = np.arange(samples)[:, None] / sampling_rate
    sine = np.asarray(np.sin(2 * np.pi * (frequency * time + rng.random(n_leads))))
    return np.sign(sine) if rng.random() < 0.25 else sine


def _steps(samples: int, n_leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return a level with about 1 to 5 jumps, as of a saturated amplifier."""
    jumps = (rng.random((samples, 1)) < rng.uniform(1, 5) / samples) * rng.normal(size=(samples, n_leads))
    return jumps.cumsum(axis=0)


_DRAWINGS: tuple[Drawing, ...] = (_nothing, _noise, _wander, _ramp, _hum, _steps)
