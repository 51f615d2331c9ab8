"""Windows of recordings that are too long for the memory; they equal the windows of the whole signal.

A window depends on the samples around it, as far as the filters and the continuation at the record's ends
reach. Only the gain depends on the whole record, so it is measured first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import Protocol

import numpy as np

from cnn_gap.record import Record
from cnn_gap.signal.windows import (
    NO_SLOPES,
    FilteredSignal,
    Preprocessing,
    cut_starts,
    prediction_starts,
    prepare_signal,
    rate_ratio,
    resampled_length,
    training_starts,
)

#: Number of windows that are cut at once, and samples, at the windows' rate, of a piece.
WINDOWS_CUT_AT_ONCE = 32
PIECE_SAMPLES = 1 << 16

#: Length of the additional signal that is read on both sides of a piece: at least `REACH_S` (s), and at least
#: `REACH_PERIODS` periods of each filter's corner frequency.
REACH_S = 5.0
REACH_PERIODS = 6.0


class Signal(Protocol):
    """A recording that can be read part by part."""

    @property
    def samples(self) -> int:
        """Number of samples of each lead."""

    @property
    def sampling_rate(self) -> float:
        """In Hz."""

    def part(self, first: int, last: int) -> Record:
        """Return the samples from `first` to before `last`."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a recording: as it was read, and filtered for windows to be cut from it."""

    record: Record
    prepared: FilteredSignal


def pieces(signal: Signal, preprocessing: Preprocessing) -> Iterator[Piece]:
    """Yield a recording piece by piece in order of time, each with a gain of 1."""
    length = resampled_length(signal.samples, signal.sampling_rate, preprocessing)
    # All of the same length: a remainder may be too short for its quality to be assessed.
    bounds = np.linspace(0, length, ceil(length / PIECE_SAMPLES) + 1).astype(int).tolist()
    for first, last in pairwise(bounds):
        yield read_piece(signal, preprocessing, first, min(last + 1, length))


def gain_of(signal: Signal, preprocessing: Preprocessing) -> float:
    """Return the factor that corrects the gain of a whole recording; 1 if the gain is plausible."""
    slopes = NO_SLOPES
    for piece in pieces(signal, preprocessing):
        slopes = slopes.with_more(piece.prepared.signal, piece.prepared.valid)
    return float(slopes.gain(preprocessing))


def long_prediction_windows(signal: Signal, preprocessing: Preprocessing, gain: float) -> Iterator[np.ndarray]:
    """Yield the windows of `cnn_gap.signal.windows.prediction_windows`, `WINDOWS_CUT_AT_ONCE` at a time."""
    length = resampled_length(signal.samples, signal.sampling_rate, preprocessing)
    starts = prediction_starts(length, preprocessing.window_samples, preprocessing.overlap)
    for group in range(0, len(starts), WINDOWS_CUT_AT_ONCE):
        yield windows_at(signal, preprocessing, gain, starts[group : group + WINDOWS_CUT_AT_ONCE])


def long_training_windows(signal: Signal, preprocessing: Preprocessing) -> np.ndarray:
    """Return the windows of `cnn_gap.signal.windows.training_windows`: head, middle and end."""
    gain = gain_of(signal, preprocessing)
    length = resampled_length(signal.samples, signal.sampling_rate, preprocessing)
    starts = training_starts(length, preprocessing.window_samples)
    return np.concatenate(
        [windows_at(signal, preprocessing, gain, starts[at : at + 1]) for at in range(len(starts))]
    )


def read_piece(signal: Signal, preprocessing: Preprocessing, first: int, last: int) -> Piece:
    """Return the samples `first` to `last` - 1, counted at the windows' rate, with a gain of 1."""
    ratio = rate_ratio(signal.sampling_rate, preprocessing.sampling_rate)
    corners = [corner for corner in (preprocessing.highpass_hz, preprocessing.lowpass_hz) if corner]
    reach_s = max([REACH_S, *(REACH_PERIODS / corner for corner in corners)])
    reach = ceil(reach_s * preprocessing.sampling_rate)
    # The piece begins where a sample at the record's rate and one at the windows' rate have the same time.
    blocks = max(0, first - reach) // ratio.numerator
    stored_first = blocks * ratio.denominator
    stored_last = min(signal.samples, ceil((last + reach) / ratio))
    record = signal.part(stored_first, stored_last)
    ungained = replace(preprocessing, slope_mv_s=(0.0, 0.0))
    prepared = prepare_signal(record.signal, signal.sampling_rate, ungained)
    skipped = blocks * ratio.numerator
    part = slice(first - skipped, last - skipped)
    # Lengths with half a sample are rounded to even numbers, so a piece may lack its last sample.
    rounding = ((0, last - first - len(prepared.signal[part])), (0, 0))
    held, valid = (np.pad(each[part], rounding, "edge") for each in (prepared.signal, prepared.valid))
    return Piece(record, FilteredSignal(held, valid, 1.0))


def windows_at(signal: Signal, preprocessing: Preprocessing, gain: float, starts: np.ndarray) -> np.ndarray:
    """Return the windows of a recording that begin at some samples, counted at the windows' rate, in order."""
    length = resampled_length(signal.samples, signal.sampling_rate, preprocessing)
    margin = preprocessing.margin_samples
    first = max(0, int(starts[0]) - margin)
    last = min(length, int(starts[-1]) + preprocessing.window_samples + margin)
    prepared = read_piece(signal, preprocessing, first, last).prepared
    scaled = FilteredSignal(prepared.signal * np.float32(gain), prepared.valid, gain)
    return cut_starts(scaled, preprocessing, starts - first)
