"""Windows: a recording of any sampling rate and length becomes the network's input.

Training and prediction use the same preprocessing and differ in the windows that they take of a long record:
`training_starts` takes beginning, middle and end (Lin et al. 2020, section 2.2), `prediction_starts` takes
windows that overlap and cover all of it.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from cnn_gap.signal.continuation import continue_signal
from cnn_gap.signal.filters import zero_phase
from cnn_gap.signal.resampling import bridge, nearest_valid, resample_by
from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import require

#: Leads do not count for the gain if their slope is at most this (mV/s, root mean square), or at most this
#: share of their level per sample: a constant has such slopes after rounding.
SLOPE_FLOOR_MV_S = 1e-3
ROUNDING_SHARE = 1e-6

#: Largest number of samples, at the windows' rate, of a signal in memory: twelve leads take 0.8 GB, and twice
#: that while they are filtered.
LONGEST_SIGNAL_SAMPLES = 1 << 24

#: Ratios of sampling rates are rounded to fractions with at most this denominator: it limits filters' lengths.
LARGEST_DENOMINATOR = 1000


@dataclass(frozen=True)
class Preprocessing:
    """The settings by which windows are made; a model keeps them, so that prediction uses the same as training.

    Attributes
    ----------
    sampling_rate : float
        Of the windows, Hz.
    window_s : float
        Length of a window, s.
    overlap : float
        In prediction, share of a window that the next one repeats, at least 0 and below 1.
    highpass_hz, lowpass_hz : float
        Corner frequencies of zero-phase Butterworth filters of order 2; 0 leaves a filter out.
    clip_mv : float
        Amplitudes are limited to ± this value after the baseline is removed; 0 leaves them unchanged.
    slope_mv_s : tuple of float
        If the median slope of a record's leads (mV/s, root mean square) is outside of these bounds, its gain is
        taken to be wrong. The record is then scaled so that the slope is the geometric mean of the bounds. With
        (0, 0) no record is scaled.
    margin_s : float
        Additional length at both ends of a window, s. It holds the record there or, beyond the record's ends,
        its continuation (`cnn_gap.signal.continuation`). The network sees the margins, but its maps and its
        averages leave them out.
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
        """The highest frequency that windows hold, Hz."""
        return self.lowpass_hz or self.sampling_rate / 2

    @property
    def window_samples(self) -> int:
        """Number of samples of a window without its margins."""
        return round(self.window_s * self.sampling_rate)

    @property
    def margin_samples(self) -> int:
        """Number of samples of each margin."""
        return round(self.margin_s * self.sampling_rate)

    @property
    def input_samples(self) -> int:
        """Number of samples of a window with both margins, as the network gets it."""
        return self.window_samples + 2 * self.margin_samples


@dataclass(frozen=True, eq=False)
class FilteredSignal:
    """A record at the windows' rate, filtered and with a plausible gain; windows are cut from it.

    Attributes
    ----------
    signal : ndarray, shape (samples, leads)
        Finite amplitudes, mV.
    valid : ndarray, shape (samples, leads), bool
        Which samples were recorded; the others are interpolated.
    gain : float
        The factor of the amplitudes; 1 if the record's own gain is plausible.
    """

    signal: np.ndarray
    valid: np.ndarray
    gain: float


@dataclass(frozen=True, eq=False)
class Slopes:
    """The slopes of a recording's leads at the windows' rate, added up part by part; they determine its gain.

    Slopes are used instead of amplitudes because baseline wander hardly changes them. The median over the leads
    is taken, so that a flat lead or an artefact on one lead does not matter.

    Attributes
    ----------
    squares : ndarray, shape (leads,)
        Sums of the squared differences between valid neighbouring samples, mV².
    steps : int
        Number of differences in a lead.
    levels : ndarray, shape (leads,)
        The largest absolute amplitudes, mV.
    """

    squares: np.ndarray
    steps: int
    levels: np.ndarray

    def with_more(self, signal: np.ndarray, valid: np.ndarray) -> "Slopes":
        """Return the slopes with one more part added; its `signal` and `valid` are (samples, leads)."""
        steps = np.diff(signal, axis=0)
        if not valid.all():
            steps = np.where(valid[1:] & valid[:-1], steps, 0)
        squares = self.squares + (steps.astype(np.float64) ** 2).sum(axis=0)
        return Slopes(squares, self.steps + len(steps), np.maximum(self.levels, np.abs(signal).max(axis=0)))

    def gain(self, preprocessing: Preprocessing) -> np.float32:
        """Return the factor that corrects the gain; 1 if the gain is plausible or the signal is too weak."""
        if preprocessing.slope_mv_s == (0, 0) or not self.steps:
            return np.float32(1)
        slopes = preprocessing.sampling_rate * np.sqrt(self.squares / self.steps)
        floor = np.maximum(SLOPE_FLOOR_MV_S, ROUNDING_SHARE * preprocessing.sampling_rate * self.levels)
        slopes = slopes[slopes > floor]
        if not len(slopes):
            return np.float32(1)
        slope, (low, high) = np.median(slopes), preprocessing.slope_mv_s
        return np.float32(1 if low <= slope <= high else np.sqrt(low * high) / slope)


#: Slopes before the first part is added.
NO_SLOPES = Slopes(np.zeros(1), 0, np.zeros(1))


def resampled_length(samples: int, sampling_rate: float, preprocessing: Preprocessing) -> int:
    """Return the number of samples after `resample` of `samples` at `sampling_rate` (Hz)."""
    # Rounded, so that less than half a sample more does not make a record longer than a window.
    return max(1, round(samples * rate_ratio(sampling_rate, preprocessing.sampling_rate)))


def training_starts(samples: int, window_samples: int) -> np.ndarray:
    """Return the first samples of the training windows: one, or beginning, middle and end of a longer record.

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
    """Return the first samples of windows that cover the record evenly and overlap by `overlap` or more."""
    spare = samples - window_samples
    if spare <= 0:
        return np.array([0])
    hop = max(1, round(window_samples * (1 - overlap)))
    return np.linspace(0, spare, ceil(spare / hop) + 1).round().astype(int)


def training_windows(signal: np.ndarray, sampling_rate: float, preprocessing: Preprocessing) -> np.ndarray:
    """Return the windows to train on: one, or beginning, middle and end of a record longer than a window.

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
    """Return the windows that `cut_windows` cuts from a signal; parameters are as in `training_windows`."""
    return cut_windows(prepare_signal(signal, sampling_rate, preprocessing), preprocessing, multiple)


def cut_windows(prepared: FilteredSignal, preprocessing: Preprocessing, multiple: int = 1) -> np.ndarray:
    """Return overlapping windows that cover a whole record, or one window as short as the record.

    Parameters
    ----------
    prepared : FilteredSignal
        Of `prepare_signal`.
    preprocessing : Preprocessing
        As given to `prepare_signal`.
    multiple : int
        A short record is continued until its number of samples is a multiple of this, as the network needs it.

    Returns
    -------
    ndarray, shape (windows, samples, leads), float32
        As `training_windows` returns them, but without zeros around a short record.
    """
    samples, rate = len(prepared.signal), preprocessing.sampling_rate
    starts = prediction_starts(samples, preprocessing.window_samples, preprocessing.overlap)
    margin, short = preprocessing.margin_samples, samples < preprocessing.window_samples
    lacking = -(samples + 2 * margin) % multiple if short else 0
    places = continue_signal(prepared.signal, margin + lacking, rate)[lacking:]
    return _cut(prepared, preprocessing, starts, places)


def cut_starts(prepared: FilteredSignal, preprocessing: Preprocessing, starts: np.ndarray) -> np.ndarray:
    """Return the windows, with margins, whose own first samples are at `starts` of the signal."""
    places = continue_signal(prepared.signal, preprocessing.margin_samples, preprocessing.sampling_rate)
    return _cut(prepared, preprocessing, starts, places)


def prepare_signal(signal: np.ndarray, sampling_rate: float, preprocessing: Preprocessing) -> FilteredSignal:
    """Resample and filter a record, and correct its gain; parameters are as in `training_windows`.

    Raises
    ------
    InputError
        If it has more than `LONGEST_SIGNAL_SAMPLES` at the windows' rate.
    """
    length = resampled_length(len(signal), sampling_rate, preprocessing)
    if length > LONGEST_SIGNAL_SAMPLES:
        hours = len(signal) / sampling_rate / 3600
        most = LONGEST_SIGNAL_SAMPLES / preprocessing.sampling_rate / 3600
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
    """Return the windows that begin at `starts` of `places`, which are indices into the signal."""
    length = min(preprocessing.input_samples, len(places))
    windows = np.empty((len(starts), length, prepared.signal.shape[1]), np.float32)
    for window, start in zip(windows, starts, strict=True):
        part = places[start : start + length]
        window[:] = remove_baseline(prepared.signal[part], prepared.valid[part])
    if preprocessing.clip_mv:
        np.clip(windows, -preprocessing.clip_mv, preprocessing.clip_mv, out=windows)
    return windows


def remove_baseline(piece: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Subtract each lead's linear fit; samples that are not `valid` are not fitted and become 0."""
    # In closed form: NumPy's least-squares solver may start threads that slow the network.
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
    return np.asarray(weights * (piece - level - slope * time))


def _filter(signal: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    for corner, kind in ((preprocessing.highpass_hz, "highpass"), (preprocessing.lowpass_hz, "lowpass")):
        if corner:
            # Long enough for the high-pass filter to settle before the record begins.
            padding = min(len(signal) - 1, round(3 * preprocessing.sampling_rate / corner))
            signal = zero_phase(signal, corner, kind, preprocessing.sampling_rate, padding)
    return signal


def rate_ratio(sampling_rate: float, target_rate: float) -> Fraction:
    """Return the ratio of the target rate to a sampling rate (both Hz), rounded by `LARGEST_DENOMINATOR`.

    Raises
    ------
    InputError
        If the sampling rate is not above 0, or too high.
    """
    if not (np.isfinite(sampling_rate) and sampling_rate > 0):
        raise InputError(f"the sampling rate must be above 0 Hz; received {sampling_rate}")
    ratio = Fraction(target_rate) / Fraction(sampling_rate)
    exact = ratio.limit_denominator(LARGEST_DENOMINATOR)
    if exact == 0:
        raise InputError(f"the sampling rate is too high to be true; received {sampling_rate} Hz")
    return exact
