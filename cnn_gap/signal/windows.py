"""Turn a recording of any sampling rate and length into the network's windows.

Training and prediction share these functions; only the choice of windows differs: `training_starts` gives the
head, middle and end of a long record (Lin et al. 2020, section 2.2), `prediction_starts` covers all of it.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from cnn_gap.signal.continuation import continued
from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.resampling import bridge, nearest_valid, resample_by
from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import require

#: Slopes (mV/s, root mean square) up to this are no heart's, nor up to this share of a lead's level a sample:
#: rounding makes such slopes of a constant. No gain is corrected by them.
SLOPE_FLOOR_MV_S = 1e-3
ROUNDING = 1e-6

#: The most samples at the windows' rate that a signal in memory may become: 0.8 GB of twelve leads, and as much
#: again while they are made.
LONGEST_SIGNAL_SAMPLES = 1 << 24

#: Sampling rates are taken as ratios with at most this denominator, so that any rate has a polyphase filter.
LARGEST_DENOMINATOR = 1000


@dataclass(frozen=True)
class Preprocessing:
    """How windows are made; stored with the model, so that prediction repeats what training did.

    Attributes
    ----------
    sampling_rate : float
        Of the windows, Hz.
    window_s : float
        Length of a window, s.
    overlap : float
        Share of a window that the next one repeats in prediction, at least 0 and below 1.
    highpass_hz, lowpass_hz : float
        Corner frequencies of zero-phase Butterworth filters of order 2; 0 leaves a filter out.
    clip_mv : float
        Amplitudes are limited to ± this value after the baseline is removed; 0 leaves them as they are.
    slope_mv_s : tuple of float
        A record whose leads typically change more slowly or faster than these bounds (mV/s, root mean square)
        is taken to have a wrong gain and scaled to their geometric mean; (0, 0) believes every gain.
    margin_s : float
        What a window holds beyond its length on both sides, s: the record there or, beyond the record's ends,
        what `cnn_gap.signal.continuation` makes of it. The network sees it and has no answers for it.
    """

    sampling_rate: float = 100.0
    window_s: float = 10.0
    overlap: float = 0.5
    highpass_hz: float = 0.0
    lowpass_hz: float = 0.0
    clip_mv: float = 0.0
    slope_mv_s: tuple[float, ...] = (0.0, 0.0)
    margin_s: float = 0.0

    def __post_init__(self) -> None:
        self._require(0 < self.sampling_rate < float("inf"), "sampling_rate", "above 0 Hz")
        self._require(1 <= self.window_s * self.sampling_rate < 1e7, "window_s", "at least a sample")
        self._require(0 <= self.overlap < 1, "overlap", "from 0 to below 1")
        nyquist = self.sampling_rate / 2
        for key in ("highpass_hz", "lowpass_hz"):
            self._require(0 <= getattr(self, key) < nyquist, key, f"from 0 to below {nyquist} Hz")
        self._require(0 <= self.clip_mv < 1e6, "clip_mv", "from 0 to below 1e6 mV")
        self._require(0 <= self.margin_s <= self.window_s, "margin_s", "from 0 to window_s")
        bounds = self.slope_mv_s
        rising = len(bounds) == 2 and (bounds == (0, 0) or 0 < bounds[0] < bounds[1] < float("inf"))
        self._require(rising, "slope_mv_s", "two rising bounds above 0, or two zeros")

    def _require(self, condition: bool, key: str, expected: str) -> None:
        require(condition, f"preprocessing.{key}", expected, getattr(self, key))

    @property
    def highest_hz(self) -> float:
        """What windows hold nothing above, Hz."""
        return self.lowpass_hz or self.sampling_rate / 2

    @property
    def window_samples(self) -> int:
        """Samples of a window without its margins."""
        return round(self.window_s * self.sampling_rate)

    @property
    def margin_samples(self) -> int:
        """Samples of each margin."""
        return round(self.margin_s * self.sampling_rate)

    @property
    def input_samples(self) -> int:
        """Samples of a window and both margins: what the network gets."""
        return self.window_samples + 2 * self.margin_samples


@dataclass(frozen=True, eq=False)
class FilteredSignal:
    """A record as windows are cut from it: at their rate, filtered and with a plausible gain.

    Attributes
    ----------
    signal : ndarray, shape (samples, leads)
        Finite amplitudes, mV.
    valid : ndarray, shape (samples, leads), bool
        Which samples were recorded.
    gain : float
        What the amplitudes were multiplied by; 1 where the record's own gain is plausible.
    """

    signal: np.ndarray
    valid: np.ndarray
    gain: float


@dataclass(frozen=True, eq=False)
class Slopes:
    """How fast the leads of a recording change, at the windows' rate; by parts, so that it may be a long one.

    Slopes rather than amplitudes, so that wander counts little, and the median of the leads, so that neither a
    silent lead nor an artefact on one of them counts.

    Attributes
    ----------
    squares : ndarray, shape (leads,)
        Sums of the squared steps from one valid sample to the next, mV².
    steps : int
        How many steps there are in a lead.
    levels : ndarray, shape (leads,)
        The highest amplitudes, mV.
    """

    squares: np.ndarray
    steps: int
    levels: np.ndarray

    def with_more(self, signal: np.ndarray, valid: np.ndarray) -> "Slopes":
        """Return the slopes of these and of a signal (samples, leads) with them, whose samples are `valid`."""
        steps = np.diff(signal, axis=0)
        if not valid.all():
            steps = np.where(valid[1:] & valid[:-1], steps, 0)
        squares = self.squares + (steps.astype(np.float64) ** 2).sum(axis=0)
        return Slopes(squares, self.steps + len(steps), np.maximum(self.levels, np.abs(signal).max(axis=0)))

    def gain(self, preprocessing: Preprocessing) -> np.float32:
        """Return what corrects an implausible gain, 1 where it is plausible or a signal too faint."""
        if preprocessing.slope_mv_s == (0, 0) or not self.steps:
            return np.float32(1)
        slopes = preprocessing.sampling_rate * np.sqrt(self.squares / self.steps)
        floor = np.maximum(SLOPE_FLOOR_MV_S, ROUNDING * preprocessing.sampling_rate * self.levels)
        slopes = slopes[slopes > floor]
        if not len(slopes):
            return np.float32(1)
        slope, (low, high) = np.median(slopes), preprocessing.slope_mv_s
        return np.float32(1 if low <= slope <= high else np.sqrt(low * high) / slope)


#: Of a recording of which nothing was seen yet.
NO_SLOPES = Slopes(np.zeros(1), 0, np.zeros(1))


def resampled_length(samples: int, sampling_rate: float, preprocessing: Preprocessing) -> int:
    """Return how many samples `resample` makes of `samples` at `sampling_rate` (Hz)."""
    # Rounded: a tail of less than half a sample must not make a record longer than a window.
    return max(1, round(samples * rate_ratio(sampling_rate, preprocessing.sampling_rate)))


def training_starts(samples: int, window_samples: int) -> np.ndarray:
    """Return the first samples of the training windows: one, or head, middle and end of a longer record.

    Parameters
    ----------
    samples : int
        Length of the record at the windows' sampling rate.
    window_samples : int
        Length of a window.
    """
    spare = samples - window_samples
    return np.unique([0, spare // 2, spare]) if spare > 0 else np.array([0])


def prediction_starts(samples: int, window_samples: int, overlap: float) -> np.ndarray:
    """Return the first samples of evenly spread windows over the record that overlap by at least `overlap`."""
    spare = samples - window_samples
    if spare <= 0:
        return np.array([0])
    hop = max(1, round(window_samples * (1 - overlap)))
    return np.linspace(0, spare, ceil(spare / hop) + 1).round().astype(int)


def training_windows(signal: np.ndarray, sampling_rate: float, preprocessing: Preprocessing) -> np.ndarray:
    """Return the windows to train on: one, or head, middle and end of a record longer than a window.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads), float32
        Amplitudes in mV, NaN where invalid.
    sampling_rate : float
        Of the signal, Hz.
    preprocessing : Preprocessing
        The windows' rate, length and filters.

    Returns
    -------
    ndarray, shape (windows, input_samples, leads), float32
        Finite amplitudes in mV around a baseline of 0; zeros around a record that is shorter than a window.
    """
    prepared = prepare_signal(signal, sampling_rate, preprocessing)
    starts = training_starts(len(prepared.signal), preprocessing.window_samples)
    cut = cut_starts(prepared, preprocessing, starts)
    missing = preprocessing.input_samples - cut.shape[1]
    return np.pad(cut, ((0, 0), (missing // 2, missing - missing // 2), (0, 0)))


def prediction_windows(
    signal: np.ndarray, sampling_rate: float, preprocessing: Preprocessing, multiple: int = 1
) -> np.ndarray:
    """Return the windows that `cut_windows` cuts from a signal; parameters as in `training_windows`."""
    return cut_windows(prepare_signal(signal, sampling_rate, preprocessing), preprocessing, multiple)


def cut_windows(prepared: FilteredSignal, preprocessing: Preprocessing, multiple: int = 1) -> np.ndarray:
    """Return overlapping windows over a whole record, or one that is as short as the record.

    Parameters
    ----------
    prepared : FilteredSignal
        Of `prepare_signal`.
    preprocessing : Preprocessing
        The same.
    multiple : int
        Samples whose multiple the network takes. What a short record lacks to it follows as beyond its end.

    Returns
    -------
    ndarray, shape (windows, samples, leads), float32
        As `training_windows` has them, but for short records.
    """
    samples, rate = len(prepared.signal), preprocessing.sampling_rate
    starts = prediction_starts(samples, preprocessing.window_samples, preprocessing.overlap)
    margin, short = preprocessing.margin_samples, samples < preprocessing.window_samples
    lacking = -(samples + 2 * margin) % multiple if short else 0
    places = continued(prepared.signal, margin + lacking, rate)[lacking:]
    return _cut(prepared, preprocessing, starts, places)


def cut_starts(prepared: FilteredSignal, preprocessing: Preprocessing, starts: np.ndarray) -> np.ndarray:
    """Return the windows that begin, with their margins, so many samples after a margin before the signal."""
    places = continued(prepared.signal, preprocessing.margin_samples, preprocessing.sampling_rate)
    return _cut(prepared, preprocessing, starts, places)


def prepare_signal(signal: np.ndarray, sampling_rate: float, preprocessing: Preprocessing) -> FilteredSignal:
    """Return a record as windows are cut from it; parameters as in `training_windows`.

    Raises
    ------
    InputError
        If it has too many samples at the windows' rate for memory.
    """
    length = resampled_length(len(signal), sampling_rate, preprocessing)
    if length > LONGEST_SIGNAL_SAMPLES:
        hours, most = (
            len(signal) / sampling_rate / 3600,
            LONGEST_SIGNAL_SAMPLES / preprocessing.sampling_rate / 3600,
        )
        raise InputError(
            f"a record of {hours:.1f} hours is too long to be prepared at once; at most {most:.1f} are"
        )
    valid = np.isfinite(signal)
    complete = valid.all()
    filled = signal if complete else bridge(signal, valid)
    resampled = _filter(resample(filled, sampling_rate, preprocessing), preprocessing)
    valid = np.ones(resampled.shape, bool) if complete else nearest_valid(valid, len(resampled))
    gain = NO_SLOPES.with_more(resampled, valid).gain(preprocessing)
    return FilteredSignal(resampled * gain, valid, float(gain))


def resample(signal: np.ndarray, sampling_rate: float, preprocessing: Preprocessing) -> np.ndarray:
    """Return the signal (samples, leads) at the windows' rate by an anti-aliased polyphase filter."""
    ratio = rate_ratio(sampling_rate, preprocessing.sampling_rate)
    return resample_by(signal, ratio)[: resampled_length(len(signal), sampling_rate, preprocessing)]


def _cut(
    prepared: FilteredSignal, preprocessing: Preprocessing, starts: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Return the windows that begin at the `starts` of `places`, the samples that follow each other."""
    length = min(preprocessing.input_samples, len(places))
    windows = np.empty((len(starts), length, prepared.signal.shape[1]), np.float32)
    for window, start in zip(windows, starts, strict=True):
        part = places[start : start + length]
        window[:] = remove_baseline(prepared.signal[part], prepared.valid[part])
    if preprocessing.clip_mv:
        np.clip(windows, -preprocessing.clip_mv, preprocessing.clip_mv, out=windows)
    return windows


def remove_baseline(piece: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Subtract each lead's linear fit; samples that are not `valid` take no part in it and become 0."""
    # In closed form: a least-squares solver starts threads that contend with the network's.
    piece = piece.astype(np.float64)
    if valid is None or valid.all():
        time = (np.arange(len(piece)) - (len(piece) - 1) / 2)[:, None]
        piece -= piece.sum(axis=0) / len(piece)
        piece -= (time * piece).sum(axis=0) / max((time**2).sum(), 1) * time
        return piece
    weights = valid.astype(np.float64)
    count = np.maximum(weights.sum(axis=0), 1)
    time = np.arange(len(piece))[:, None] - (np.arange(len(piece)) @ weights) / count
    level = (weights * piece).sum(axis=0) / count
    spread = (weights * time**2).sum(axis=0)
    slope = (weights * time * (piece - level)).sum(axis=0) / np.where(spread > 0, spread, 1)
    return weights * (piece - level - slope * time)


def _filter(signal: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    for corner, kind in ((preprocessing.highpass_hz, "highpass"), (preprocessing.lowpass_hz, "lowpass")):
        if corner:
            # Long enough for the high-pass filter's start to settle outside the record.
            padding = min(len(signal) - 1, round(3 * preprocessing.sampling_rate / corner))
            signal = zero_phase(signal, corner, kind, preprocessing.sampling_rate, padding)
    return signal


def rate_ratio(sampling_rate: float, target_rate: float) -> Fraction:
    """Return the ratio of two rates (Hz) as `resample` takes it.

    Raises
    ------
    InputError
        If the first is no rate, or too high.
    """
    if not (np.isfinite(sampling_rate) and sampling_rate > 0):
        raise InputError(f"the sampling rate must be above 0 Hz; received {sampling_rate}")
    ratio = Fraction(target_rate) / Fraction(sampling_rate)
    exact = ratio.limit_denominator(LARGEST_DENOMINATOR)
    if exact == 0:
        raise InputError(f"the sampling rate is too high to be true; received {sampling_rate} Hz")
    return exact
