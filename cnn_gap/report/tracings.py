"""The tracings of pictures: the samples that are drawn, and their colours."""

import math

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.record import Record

#: Maximum number of points a second of a tracing on the sheet: 20 to the millimetre.
POINTS_PER_SECOND = 500.0

#: Length of a second on paper, mm.
MM_PER_SECOND = 25.0

INK, GREY = "#101010", "#6b6b6b"


def tracing(
    record: Record, lead: str, start: float, seconds: float, density: float = POINTS_PER_SECOND
) -> tuple[np.ndarray, np.ndarray]:
    """Return the times (s) of a part of a record and a lead's voltages (mV) there around their median.

    ``-aVR`` is aVR turned over.

    They are NaN where they are not valid, and throughout if the lead is not recorded. Of more than `density`
    samples a second the lowest and highest of each few are kept, so that a pacemaker's spikes stay as high.
    """
    first = max(math.floor(start * record.sampling_rate), 0)
    last = math.ceil((start + seconds) * record.sampling_rate) + 1
    column = LEADS.index(lead.removeprefix("-"))
    values = record.signal[first:last, column] * (-1 if lead.startswith("-") else 1)
    drawn = np.isfinite(values) & record.leads[column]
    middle = np.median(values[drawn]) if drawn.any() else 0.0
    kept = extremes(values, 2 * math.ceil(record.sampling_rate / density))
    return (first + kept) / record.sampling_rate, np.where(drawn, values - middle, np.nan)[kept]


def extremes(values: np.ndarray, size: int) -> np.ndarray:
    """Return the indices of the lowest and the highest of every `size` values, NaN before both; up to 2 all."""
    if size <= 2:
        return np.arange(len(values))
    whole = len(values) - len(values) % size
    cells = values[:whole].reshape(-1, size)
    pairs = np.sort([cells.argmin(axis=1), cells.argmax(axis=1)], axis=0) + np.arange(0, whole, size)
    return np.concatenate([pairs.T.ravel(), np.arange(whole, len(values))])
