"""The probabilities of a recording of minutes to days, computed from the probabilities of its windows.

The probability of most outputs is the mean over the windows. A recording has a rhythm that comes and goes, or
premature beats, even if they are present for a short time only. So their probability is the mean over windows
in which they are present, if that is higher. docs/results/long.md compares this with the mean over all windows.
"""

import numpy as np

from cnn_gap.holter.beat_labels import EARLY_NARROW, VENTRICULAR
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.timeline import Timeline

#: Outputs whose probability is the mean over their longest episode that counts, by the episode's code.
BY_EPISODE = {
    "164889003": ("AF", "AFIB"),
    "164890007": ("AFL", "AFLT"),
    "426761007": ("SVTAC", "PSVT"),
    "10370003": ("PR", "PACE"),
}

#: Outputs whose probability is the mean over the most probable windows that have such a beat, by its label.
BY_BEATS = {VENTRICULAR: ("PVC", "SCP-ECG:PVC"), EARLY_NARROW: ("PAC", "SCP-ECG:PAC")}

#: Largest number of these windows.
MOST_WINDOWS = 3


def record_probabilities(monitoring: Monitoring) -> np.ndarray:
    """Return the probability of each output for the whole recording, (outputs,)."""
    timeline, means = monitoring.timeline, with_premature_beats(monitoring)
    counted = [each for each in monitoring.episodes if each.counts]
    for code, outputs in BY_EPISODE.items():
        own = [each for each in counted if each.diagnosis.code == code]
        if own:
            longest = max(own, key=lambda each: each.duration_s)
            within = timeline.overlapping(longest.start_s, longest.end_s)
            means = _raised(means, timeline, outputs, timeline.probabilities[within].mean(axis=0))
    return means


def with_premature_beats(monitoring: Monitoring) -> np.ndarray:
    """Return each output's mean probability, (outputs,); for premature beats, over windows that have them."""
    timeline, beats = monitoring.timeline, monitoring.beats
    means: np.ndarray = timeline.probabilities.mean(axis=0)
    for symbol, outputs in BY_BEATS.items():
        at = beats.times_s[beats.symbols == symbol]
        having = np.searchsorted(at, timeline.ends_s) > np.searchsorted(at, timeline.starts_s)
        if having.any():
            highest = np.sort(timeline.probabilities[having], axis=0)[-MOST_WINDOWS:]
            means = _raised(means, timeline, outputs, highest.mean(axis=0))
    return means


def _raised(
    means: np.ndarray, timeline: Timeline, outputs: tuple[str, ...], probabilities: np.ndarray
) -> np.ndarray:
    """Return the means; the means of the named outputs are raised to `probabilities` where these are higher."""
    raised = means.copy()
    columns = timeline.columns(*outputs)
    raised[columns] = np.maximum(means[columns], probabilities[columns])
    return raised
