"""The beats of a recording, part by part: when they are, how large, and how like the usual beat."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

import numpy as np
import scipy

from cnn_gap.beats.ventricular import LARGEST_LEAKAGE, wave_leakages
from cnn_gap.holter.qrs import BLOCK_S, find_qrs
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.pieces import Signal
from cnn_gap.signal.windows import Preprocessing, prepare_signal

#: Beats are measured in at most this many leads, the first of these that are present.
MOST_LEADS = 3
PREFERRED = ("II", "V1", "V5", "I", "V2", "V4", "aVF", "V3", "V6", "III", "aVL", "aVR")

#: Preprocessing of the signal in which beats are measured.
SIGNAL = Preprocessing(sampling_rate=125.0, highpass_hz=0.5, lowpass_hz=40.0)

#: Length of the parts that are read, s, and of the additional signal that is read before and after each part.
PART_S, MARGIN_S = 300.0, 30.0

#: A block's beats can be judged if the signal is at least this many times as high at complexes as between them.
LEAST_CONTRAST = 3.0

#: Large waves without QRS complexes that are no further apart than this, s, are one stretch.
WAVES_APART_S = 10.0

_GAP = round(WAVES_APART_S / BLOCK_S)  # the same in blocks
_BEFORE_S, _AFTER_S = 0.06, 0.08  # the span around the complex that is compared with the usual beat
_SHIFT_S = 0.04  # the largest shift that aligns a beat with the usual one
_REGULAR = (0.85, 1.3)  # RR intervals of usual beats, as shares of their median
_FEWEST = 10  # beats; a usual beat is the median of at least these, or of all
_ALIKE = 0.9  # correlation from which on two beats have one shape
_VALID = 0.9  # share of a block's samples that must be valid
_ROUNDS = 2  # in each, the half of the beats that are least like their median is left out
_SAME_BEAT_S = 0.2  # two complexes at the ends of two parts that are nearer are one


@dataclass(frozen=True, eq=False)
class MeasuredBeats:
    """The beats of a recording in order of time, n beats.

    Attributes
    ----------
    times_s : ndarray, shape (n,)
        From the recording's start.
    likeness : ndarray, shape (n,)
        Correlation with the usual beat around, at most 1.
    size : ndarray, shape (n,)
        Root of the summed squared amplitudes around the complex, as a share of that of the usual beat.
    shapes : ndarray, shape (n,), int
        The number of each beat's shape; beats of one number come within `PART_S` and are alike.
    doubtful : ndarray, shape (n,), bool
        Whether a beat may be missed between the one before and each, by `cnn_gap.holter.qrs`.
    usable : ndarray, shape (blocks,), bool
        Whether beats can be judged in each part of `BLOCK_S` of the recording.
    waves : ndarray, shape (blocks,), bool
        Whether each block belongs to large waves without QRS complexes, by `cnn_gap.beats.ventricular`.
        `large_waves` are the stretches that they make.
    sampling_rate : float
        Of the recording, Hz.
    """

    times_s: np.ndarray
    likeness: np.ndarray
    size: np.ndarray
    shapes: np.ndarray
    doubtful: np.ndarray
    usable: np.ndarray
    waves: np.ndarray
    sampling_rate: float = SIGNAL.sampling_rate

    def __len__(self) -> int:
        return len(self.times_s)

    @cached_property
    def large_waves(self) -> np.ndarray:
        """Whether each block belongs to a stretch of large waves, (blocks,) bool: `waves` with gaps filled."""
        filled = scipy.ndimage.binary_closing(np.pad(self.waves, _GAP), np.ones(_GAP + 1, bool))
        return np.asarray(filled[_GAP : len(filled) - _GAP])


def measure_beats(signal: Signal, gain: float = 1.0) -> MeasuredBeats:
    """Find and measure the beats of a recording; one part after the other is read.

    Parameters
    ----------
    signal : Signal
    gain : float
        The factor that converts its amplitudes to mV.
    """
    duration = signal.samples / signal.sampling_rate
    count = max(1, ceil(duration / PART_S))
    parts = list(_measured_parts(signal, count, duration, gain))
    firsts = np.cumsum([0, *(part.shapes.max(initial=-1) + 1 for part in parts[:-1])])
    numbered = [replace(part, shapes=part.shapes + first) for part, first in zip(parts, firsts, strict=True)]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in numbered])

    apart = np.diff(joined("times_s"), prepend=-np.inf) >= _SAME_BEAT_S
    return MeasuredBeats(
        joined("times_s")[apart],
        joined("likeness")[apart],
        joined("size")[apart],
        joined("shapes")[apart],
        joined("doubtful")[apart],
        joined("usable"),
        joined("waves"),
        signal.sampling_rate,
    )


def _measured_parts(signal: Signal, count: int, duration: float, gain: float) -> Iterator[MeasuredBeats]:
    for number in range(count):
        start, end = number * PART_S, min((number + 1) * PART_S, duration)
        first = round(max(0.0, start - MARGIN_S) * signal.sampling_rate)
        last = min(signal.samples, round((end + MARGIN_S) * signal.sampling_rate))
        part = _measure(signal.part(first, last), first / signal.sampling_rate, gain)
        yield _cut(part, first / signal.sampling_rate, start, end)


def _cut(beats: MeasuredBeats, begin_s: float, start_s: float, end_s: float) -> MeasuredBeats:
    """Return the beats from `start_s` to before `end_s` of a part that begins at `begin_s`."""
    inside = (beats.times_s >= start_s) & (beats.times_s < end_s)
    skipped = round((start_s - begin_s) / BLOCK_S)
    count = ceil((end_s - start_s) / BLOCK_S)
    kept = np.minimum(skipped + np.arange(count), len(beats.usable) - 1)
    return MeasuredBeats(
        beats.times_s[inside],
        beats.likeness[inside],
        beats.size[inside],
        beats.shapes[inside],
        beats.doubtful[inside],
        beats.usable[kept],
        beats.waves[kept],
    )


def _measure(record: Record, begin_s: float, gain: float) -> MeasuredBeats:
    """Find and measure the beats of a part that begins at `begin_s`."""
    rate = SIGNAL.sampling_rate
    columns = [lead for lead in map(LEADS.index, PREFERRED) if record.leads[lead]][:MOST_LEADS]
    blocks = max(1, int(record.duration_s / BLOCK_S))
    if not columns or record.duration_s < BLOCK_S:
        return _no_beats(np.zeros(blocks, bool), np.zeros(blocks, bool))
    scaled = record.signal[:, columns] * np.float32(gain)
    prepared = prepare_signal(scaled, record.sampling_rate, SIGNAL)
    found = find_qrs(prepared.signal, rate)
    valid = np.asarray(prepared.valid.any(axis=1))
    length = round(BLOCK_S * rate)
    whole = valid[: len(found.contrast) * length].reshape(len(found.contrast), -1).mean(axis=1) >= _VALID
    usable = np.asarray((found.contrast >= LEAST_CONTRAST) & whole)
    waves = _waves(prepared.signal, len(usable)) & whole
    judged = usable[np.minimum(found.places // length, len(usable) - 1)]
    places, doubtful = found.places[judged], found.doubtful[judged]
    if not len(places):
        return _no_beats(usable, waves)
    reach = round((_BEFORE_S + _AFTER_S + _SHIFT_S) * rate)
    padded = np.pad(prepared.signal, ((reach, reach), (0, 0)), mode="edge")
    shifts, likeness, size = _compare(padded, places + reach, _usual_beat(padded, places + reach))
    moved = places + shifts
    shapes = _shapes(_cut_out(padded, moved + reach))
    times = begin_s + moved / rate
    return MeasuredBeats(times, likeness, size, shapes, doubtful, usable, waves)


def _no_beats(usable: np.ndarray, waves: np.ndarray) -> MeasuredBeats:
    none = np.zeros(0)
    return MeasuredBeats(none, none, none, np.zeros(0, int), np.zeros(0, bool), usable, waves)


def _waves(signal: np.ndarray, blocks: int) -> np.ndarray:
    """Return which blocks belong to large waves without QRS complexes; a part is two blocks long."""
    low = wave_leakages(signal, SIGNAL.sampling_rate)[: max(blocks - 1, 0)] < LARGEST_LEAKAGE
    waves = np.zeros(blocks, bool)
    waves[: len(low)] |= low
    waves[1 : len(low) + 1] |= low
    return waves


def _usual_beat(padded: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the median of the beats that are not early and like most others, (samples, leads)."""
    intervals = np.diff(places, prepend=places[:1])
    shares = intervals / max(float(np.median(intervals)), 1)
    regular = places[(shares > _REGULAR[0]) & (shares < _REGULAR[1])]
    cut = _cut_out(padded, regular if len(regular) >= _FEWEST else places)
    for _ in range(_ROUNDS):
        usual = np.median(cut, axis=0)
        likeness = np.einsum("bsl,sl->b", cut, usual) / np.maximum(_sizes(cut), 1e-9)
        cut = cut[likeness >= np.median(likeness)]
    return np.asarray(np.median(cut, axis=0))


def _compare(padded: np.ndarray, places: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return for each beat its shift from the usual beat in samples, its likeness and its size."""
    most = round(_SHIFT_S * SIGNAL.sampling_rate)
    size = max(float(np.linalg.norm(usual)), 1e-9)
    best = np.full(len(places), -np.inf)
    shifts, sizes = np.zeros(len(places), int), np.zeros(len(places))
    for shift in range(-most, most + 1):
        cut = _cut_out(padded, places + shift)
        each = _sizes(cut)
        likeness = np.einsum("bsl,sl->b", cut, usual) / np.maximum(each * size, 1e-9)
        better = likeness > best
        best[better], shifts[better], sizes[better] = likeness[better], shift, each[better] / size
    return shifts, best, sizes


def _shapes(cut: np.ndarray) -> np.ndarray:
    """Return the number of each beat's shape; the first beat without one gives the next shape its form."""
    flat = cut.reshape(len(cut), -1) / np.maximum(_sizes(cut), 1e-9)[:, None]
    shapes = np.zeros(len(cut), int)
    left, number = np.arange(len(cut)), 0
    while len(left):
        alike = flat[left] @ flat[left[0]] >= _ALIKE
        alike[0] = True
        shapes[left[alike]] = number
        left, number = left[~alike], number + 1
    return shapes


def _cut_out(padded: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the signal around the places without each lead's mean, (places, samples, leads)."""
    span = np.arange(-round(_BEFORE_S * SIGNAL.sampling_rate), round(_AFTER_S * SIGNAL.sampling_rate))
    cut = padded[places[:, None] + span]
    return np.asarray(cut - cut.mean(axis=1, keepdims=True))


def _sizes(cut: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.square(cut).sum(axis=(1, 2))))
