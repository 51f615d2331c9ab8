"""Windows without a heartbeat, for training: the network is to answer nothing to them.

Loose electrodes, calibration signals and broken converters make constants, ramps, steps, hum and noise. A
network that has seen only hearts answers them by the heart that they resemble most.
"""

from collections.abc import Callable

import numpy as np

#: Largest standard deviation of noise, and amplitude of hum, ramps and steps, mV.
LARGEST_MV = 2.0

#: Smallest of them, mV: the rounding noise of a converter.
SMALLEST_MV = 0.001

#: Mains hum, as it appears at the windows' rate, and slower sines, Hz.
HUM_HZ = (0.3, 50.0)

#: Share of the windows in which one lead alone holds the signal, the others nothing.
ONE_LEAD_SHARE = 0.25

#: Share of the windows whose limb leads fit together, as those of two electrodes' signals do.
LIMB_SHARE = 0.5

Kind = Callable[[int, int, float, np.random.Generator], np.ndarray]


def windows_without_heart(windows: np.ndarray, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return as many windows that hold no heartbeat, (windows, samples, leads) float32 mV.

    Parameters
    ----------
    windows : ndarray, shape (windows, samples, leads), float32
        Hearts' windows, mV: a kind of window without a heart is made of their amplitudes in random order.
    sampling_rate : float
        Of the windows, Hz.
    rng : Generator
        Draws all of it.
    """
    result = np.empty_like(windows)
    for index, window in enumerate(windows):
        choice = rng.integers(len(_KINDS) + 1)
        shuffled = choice == len(_KINDS)
        drawn = rng.permutation(window) if shuffled else _draw(_KINDS[choice], window.shape, sampling_rate, rng)
        result[index] = _on_leads(drawn, rng)
    return result


def _draw(kind: Kind, shape: tuple[int, int], sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return a signal of one kind around a baseline of 0, (samples, leads)."""
    samples, leads = shape
    scale = np.exp(rng.uniform(np.log(SMALLEST_MV), np.log(LARGEST_MV)))
    signal = scale * rng.uniform(0.5, 1, leads) * kind(samples, leads, sampling_rate, rng)
    return signal - signal.mean(axis=0)


def _on_leads(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the signal with limb leads that fit together, or on one lead alone, or as it is."""
    if rng.random() < ONE_LEAD_SHARE:
        alone = np.zeros_like(signal)
        lead = rng.integers(signal.shape[1])
        alone[:, lead] = signal[:, lead]
        return alone
    if signal.shape[1] < 6 or rng.random() > LIMB_SHARE:
        return signal
    first, second = signal[:, 0], signal[:, 1]
    limbs = (first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2)
    return np.concatenate([np.stack(limbs, axis=1), signal[:, 6:]], axis=1)


def _nothing(samples: int, leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    return np.zeros((samples, leads))


def _noise(samples: int, leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(samples, leads))


def _wander(samples: int, leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """A random walk: what loose electrodes drift like."""
    walk = rng.normal(size=(samples, leads)).cumsum(axis=0)
    return walk / np.maximum(np.abs(walk).max(axis=0), 1e-9)


def _ramp(samples: int, leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """A bent ramp, as a converter's that settles: preprocessing takes out a straight one."""
    time = np.linspace(0, 1, samples)[:, None]
    return np.exp(-time * rng.uniform(0, 20, leads)) * rng.choice([-1, 1], leads)


def _hum(samples: int, leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    frequency = np.exp(rng.uniform(*np.log(HUM_HZ)))
    time = np.arange(samples)[:, None] / sampling_rate
    sine = np.sin(2 * np.pi * (frequency * time + rng.random(leads)))
    return np.sign(sine) if rng.random() < 0.25 else sine


def _steps(samples: int, leads: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """A level that jumps now and then, as of a saturated amplifier."""
    jumps = (rng.random((samples, 1)) < rng.uniform(1, 5) / samples) * rng.normal(size=(samples, leads))
    return jumps.cumsum(axis=0)


_KINDS: tuple[Kind, ...] = (_nothing, _noise, _wander, _ramp, _hum, _steps)
