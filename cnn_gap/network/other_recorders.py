"""Training windows as other recorders and moving persons give them: with noise of electrodes, or filtered."""

import numpy as np

from cnn_gap.signal.recorders import electrode_motion, filtered_forwards, muscle, with_electrode_noise

#: The corner of a high-pass filter, Hz, and the signal-to-noise ratio, dB, are drawn from these ranges, the
#: corner evenly on a logarithmic scale.
CORNER_HZ, RATIO_DB = (0.05, 0.7), (14.0, 30.0)


def add_electrode_noise(windows: np.ndarray, share: float, rate: float, rng: np.random.Generator) -> None:
    """Add noise of muscles or of moved electrodes to a share of windows, (windows, samples, 12), in place.

    `rate` is that of the windows, Hz.
    """
    for index in np.flatnonzero(rng.random(len(windows)) < share):
        noise = (muscle, electrode_motion)[rng.integers(2)]
        windows[index] = with_electrode_noise(windows[index], rate, rng, noise, rng.uniform(*RATIO_DB))


def high_pass(windows: np.ndarray, share: float, rate: float, rng: np.random.Generator) -> None:
    """Filter a share of windows, (windows, samples, leads), forwards and in place; `rate` is theirs, Hz."""
    for index in np.flatnonzero(rng.random(len(windows)) < share):
        corner = np.exp(rng.uniform(*np.log(CORNER_HZ)))
        windows[index] = filtered_forwards(windows[index], corner, "highpass", rate)
