"""Episodes: when a rhythm or a block began, when it ended, and how fast the heart was meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.diagnoses.classes import Diagnosis, known_diagnoses
from cnn_gap.holter.beat_labels import UNKNOWN, VENTRICULAR, LabelledBeats
from cnn_gap.holter.qrs import BLOCK_S, blocks_at
from cnn_gap.holter.timeline import Timeline
from cnn_gap.system.timed_text import clock

#: Heart rates are of the means of this number of successive RR intervals.
RATE_BEATS = 5

#: Smallest number of ventricular beats of a run; its lowest rate, /min, as a ventricular tachycardia (100,
#: rounded, as in the reading's `ventricular_run`) and as an accelerated idioventricular rhythm. A slower run is
#: an idioventricular rhythm.
RUN_BEATS, RUN_RATE, ACCELERATED_RATE = 3, 99.5, 49.5

#: A run is sure from this mean probability of its beats on.
SURE_RUN = 0.9

#: Patterns by code: every second or third beat is ventricular. Smallest number of ventricular beats in one.
PATTERNS = {"11157007": 2, "251180001": 3}
PATTERN_BEATS = 3

#: A rhythm or a block that lasts less than this, s, does not count as an episode in texts and readings
#: (Hindricks et al. 2020, doi:10.1093/eurheartj/ehaa612, of fibrillation); files have them all.
SUSTAINED_S = 30.0

#: Bradycardia is below and tachycardia above these heart rates, /min, for at least `RATE_S`, s.
SLOW, FAST, RATE_S = 50.0, 100.0, 30.0

_STEP = 0.05  # in fibrillation, half of the RR intervals differ from the one before by a larger share
_VENTRICULAR = 0.5  # with a larger share of ventricular beats, the windows' rhythm is dropped
_REACH_S = 8.0  # largest distance of an end from where the windows' probabilities put it
_CONTEXT = 20  # beats before and after an end that are compared
_FEWEST = 4  # of them on each side
_GAIN = 12.0  # by which the logarithm of the likelihood must rise for an end to be moved to a beat


@dataclass(frozen=True)
class Episode:
    """A part of a recording in which a rhythm or a block was present.

    Attributes
    ----------
    diagnosis : Diagnosis
    start_s, end_s : float
        From the recording's start.
    mean_probability : float
        Of the network, or of a run's beats; NaN where only the heart rate shows the episode.
    rate_lowest, rate_mean, rate_highest : float
        Heart rates, /min; NaN with too few beats.
    """

    diagnosis: Diagnosis
    start_s: float
    end_s: float
    mean_probability: float
    rate_lowest: float
    rate_mean: float
    rate_highest: float

    def __str__(self) -> str:
        rate = "" if np.isnan(self.rate_mean) else f", {self.rate_mean:.0f}/min"
        return f"{clock(self.start_s)} to {clock(self.end_s)} {self.diagnosis.name}{rate}"

    def __repr__(self) -> str:
        return f"<{self}>"

    @property
    def duration_s(self) -> float:
        """How long it lasts, s."""
        return self.end_s - self.start_s

    @property
    def weight(self) -> tuple[bool, float]:
        """Sort key of episodes of one kind: False for an uncertain ventricular run, then the length, s."""
        return self.diagnosis.code not in RUNS or self.mean_probability >= SURE_RUN, self.duration_s

    @property
    def counts(self) -> bool:
        """Whether it lasts at least `SUSTAINED_S`, or its kind counts however short it is."""
        return self.duration_s >= SUSTAINED_S or self.diagnosis.code in BRIEF


@dataclass(frozen=True)
class Kind:
    """A diagnosis with episodes in windows: its code, the outputs that mean it, limits of their probability.

    An episode consists of windows with a probability of at least `stays`, one of them of at least `enters`. If
    `beside` are codes and outputs of a second diagnosis, an episode of both together has the one that is more
    probable on average. The ends of a `rhythm` are searched for among the beats.
    """

    code: str
    outputs: tuple[str, ...]
    enters: float = 0.5
    stays: float = 0.4
    rhythm: bool = False
    beside: "tuple[str, tuple[str, ...]] | None" = None


_FIBRILLATION = "164889003"
_ACCELERATED, _IDIOVENTRICULAR = "61277005", "49260003"

#: The codes of a fast run of ventricular beats, and of a slow heart rate.
VENTRICULAR_TACHYCARDIA, BRADYCARDIA = "164895002", "426627000"

#: The kinds of episodes that are found by the windows' probabilities. Their limits were chosen on half of the
#: MIT-BIH Arrhythmia Database.
KINDS = (
    Kind(_FIBRILLATION, ("AF", "AFIB"), rhythm=True, beside=("164890007", ("AFL", "AFLT"))),
    Kind("426761007", ("SVTAC", "PSVT"), rhythm=True),
    Kind("10370003", ("PR", "PACE")),
    Kind("27885002", ("3AVB",)),
    Kind("195042002", ("2AVB",)),
    Kind("270492004", ("IAVB", "1AVB")),
    Kind("164909002", ("LBBB", "CLBBB")),
    Kind("713427006", ("CRBBB", "SCP-ECG:CRBBB")),
)

#: Large waves without QRS complexes, under SNOMED CT's code of ventricular flutter.
LARGE_WAVES = Diagnosis(
    "111288001", "VFL", "Large waves without QRS complexes: consider ventricular flutter or fibrillation"
)

#: Codes of runs of ventricular beats, and of episodes that count however short they are.
RUNS = frozenset({VENTRICULAR_TACHYCARDIA, _ACCELERATED, _IDIOVENTRICULAR})
BRIEF = RUNS | {LARGE_WAVES.code}

#: The Challenge's tables have no code for a tachycardia of any origin; this is SNOMED CT's.
TACHYCARDIA = Diagnosis("3424008", "Tachy", "Tachycardia")


def find_episodes(timeline: Timeline, beats: LabelledBeats, waves: np.ndarray) -> tuple[Episode, ...]:
    """Return the episodes of a recording in order of their start.

    Parameters
    ----------
    timeline : Timeline
    beats : LabelledBeats
    waves : ndarray, shape (blocks,), bool
        The `large_waves` of `cnn_gap.holter.beat_shapes.MeasuredBeats`.
    """
    found = [
        *(episode for kind in KINDS for episode in _of_windows(kind, timeline, beats, waves)),
        *_runs(beats),
        *_patterns(beats),
        *_large_waves(waves, timeline.duration_s),
        *_of_rate(beats, known_diagnoses()[BRADYCARDIA], -SLOW),
        *_of_rate(beats, TACHYCARDIA, FAST),
    ]
    return tuple(sorted(found, key=lambda each: (each.start_s, each.end_s)))


def rates_of(beats: LabelledBeats) -> tuple[float, float, float]:
    """Return the lowest, mean and highest heart rate, /min; NaN with fewer than `RATE_BEATS` RR intervals.

    All three are of means of `RATE_BEATS` intervals: a premature beat and the pause after it, or a couplet and
    its pause, together last as long as usual beats.
    """
    _, means = mean_intervals(beats)
    if not len(means):
        return np.nan, np.nan, np.nan
    return 60 / float(means.max()), 60 / float(means.mean()), 60 / float(means.min())


def mean_intervals(beats: LabelledBeats) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each `RATE_BEATS` successive known RR intervals, s, and where they begin and end.

    Intervals before and after an unknown beat, which may be noise, do not count. If so few count that none are
    successive, all known intervals count, with gaps between them.

    Returns
    -------
    ends : ndarray, shape (means, 2), int
        The beat before the first of the intervals, and the beat after the last.
    means : ndarray, shape (means,)
    """
    known, unknown = ~np.isnan(beats.intervals_s), beats.symbols == UNKNOWN
    certain = _in_groups(np.flatnonzero(known & ~unknown & ~np.roll(unknown, 1)))
    successive = certain[np.ptp(certain, axis=1) == RATE_BEATS - 1]
    windows = successive if len(successive) else _in_groups(np.flatnonzero(known))
    return np.stack([windows[:, 0] - 1, windows[:, -1]], axis=1), beats.intervals_s[windows].mean(axis=1)


def _in_groups(places: np.ndarray) -> np.ndarray:
    """Return each `RATE_BEATS` places that follow each other, (windows, RATE_BEATS)."""
    if len(places) < RATE_BEATS:
        return np.zeros((0, RATE_BEATS), int)
    return np.lib.stride_tricks.sliding_window_view(places, RATE_BEATS)


def stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and the one after the last index of each stretch of true values."""
    changes = np.flatnonzero(np.diff(mask.astype(int), prepend=0, append=0))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))


def _of_windows(kind: Kind, timeline: Timeline, beats: LabelledBeats, waves: np.ndarray) -> Iterator[Episode]:
    """Yield the episodes that the windows' probabilities show; a window within large waves shows no rhythm."""
    main = timeline.of(*kind.outputs)
    other = timeline.of(*kind.beside[1]) if kind.beside else np.zeros(len(main))
    probability = np.maximum(main, other)
    in_waves = waves[blocks_at(timeline.middles_s, len(waves))]
    usable = timeline.usable & ~in_waves if kind.rhythm else timeline.usable
    for first, last in stretches((probability >= kind.stays) & usable):
        if probability[first:last].max() < kind.enters:
            continue
        is_other = kind.beside is not None and other[first:last].mean() > main[first:last].mean()
        start, end = (_end(at, probability, timeline) for at in (first, last))
        if kind.rhythm:
            start = _nearest_change(start, beats, timeline.duration_s, before=1)
            end = _nearest_change(end, beats, timeline.duration_s, before=0)
        if end <= start:
            start, end = timeline.bounds_s[first], timeline.bounds_s[last]
        code = kind.beside[0] if kind.beside and is_other else kind.code
        if kind.rhythm and _contradicted(code, beats.within(start, end)):
            continue
        mean = float((other if is_other else main)[first:last].mean())
        yield _episode(known_diagnoses()[code], float(start), float(end), mean, beats)


def _contradicted(code: str, beats: LabelledBeats) -> bool:
    """Return whether beats contradict a rhythm: fibrillation is irregular, and its beats are mostly narrow."""
    steps = np.abs(np.diff(beats.intervals_s)) / beats.intervals_s[1:]
    steps = steps[~np.isnan(steps)]
    regular = code == _FIBRILLATION and len(steps) >= _FEWEST and float(np.median(steps)) < _STEP
    return regular or (len(beats) > 0 and float((beats.symbols == VENTRICULAR).mean()) > _VENTRICULAR)


def _episode(about: Diagnosis, start: float, end: float, mean: float, beats: LabelledBeats) -> Episode:
    return Episode(about, start, end, mean, *rates_of(beats.within(start, end)))


def _end(at: int, probability: np.ndarray, timeline: Timeline) -> float:
    """Return when the probability between windows `at` - 1 and `at` is 0.5, s; else their bound."""
    bound = float(timeline.bounds_s[at])
    if not 0 < at < len(probability) or not timeline.usable[at - 1] or not timeline.usable[at]:
        return bound
    (before, after), (left, right) = probability[at - 1 : at + 1], timeline.middles_s[at - 1 : at + 1]
    share = (0.5 - before) / (after - before) if before != after else 0.5
    return float(left + share * (right - left)) if 0 <= share <= 1 else bound


def _nearest_change(end: float, beats: LabelledBeats, duration_s: float, before: int) -> float:
    """Return when the RR intervals change near an end, s; the end itself where they do not.

    Before and after the change, the logarithms of the intervals and of their differences are taken to be normal
    distributions; the change is where their likelihood is highest. The time returned is the middle of the first
    interval of the new kind, or of the interval `before` it.
    """
    if not 0 < end < duration_s:
        return end
    middle = int(np.searchsorted(beats.times_s, end))
    first = max(middle - _CONTEXT, 1)
    times, intervals = (each[first - 1 : middle + _CONTEXT] for each in (beats.times_s, beats.intervals_s))
    if len(times) < 2 * _FEWEST + 2 or np.isnan(intervals[1:]).any():
        return end
    steps = np.abs(np.diff(intervals)) / intervals[1:]
    signs = np.stack([np.log(intervals[1:]), np.log(steps + 0.02)], axis=1)[1:]
    times = times[2:]
    near = [
        cut
        for cut in range(_FEWEST, len(signs) - _FEWEST)
        if abs(times[cut] - end) <= _REACH_S  # `cut` is the first beat with intervals of the new kind
    ]
    gains = [_spread(signs) - _spread(signs[:cut]) - _spread(signs[cut:]) for cut in near]
    if not gains or max(gains) <= _GAIN:
        return end
    at = near[int(np.argmax(gains))] - before
    return float(times[at - 1] + times[at]) / 2


def _spread(signs: np.ndarray) -> float:
    """Return the negative logarithm of the likelihood of normal distributions fitted to each column."""
    return float(len(signs) * np.log(signs.std(axis=0) + 0.02).sum())


def _runs(beats: LabelledBeats) -> Iterator[Episode]:
    """Yield the runs of ventricular beats."""
    for first, last in stretches(beats.symbols == VENTRICULAR):
        if last - first >= RUN_BEATS and beats.known[first + 1 : last].all():
            start, end = beats.times_s[first], beats.times_s[last - 1]
            rate = 60 * (last - first - 1) / float(end - start)
            within = 60 / beats.intervals_s[first + 1 : last]
            mean = float(beats.probabilities[first:last].mean())
            about = known_diagnoses()[_run_code(rate)]
            yield Episode(about, float(start), float(end), mean, float(within.min()), rate, float(within.max()))


def _patterns(beats: LabelledBeats) -> Iterator[Episode]:
    """Yield the bigeminies and trigeminies of ventricular beats."""
    for code, step in PATTERNS.items():
        for first, last in alternations(beats.symbols == VENTRICULAR, step):
            if beats.known[first + 1 : last + 1].all():
                start, end = float(beats.times_s[first]), float(beats.times_s[last])
                mean = float(beats.probabilities[first : last + 1 : step].mean())
                yield _episode(known_diagnoses()[code], start, end, mean, beats)


def alternations(which: np.ndarray, step: int) -> list[tuple[int, int]]:
    """Return the first and last index of each stretch in which every `step`-th beat is one of `which`, bool."""
    at = np.flatnonzero(which)
    found = stretches(np.diff(at) == step)
    return [(int(at[first]), int(at[last])) for first, last in found if last - first >= PATTERN_BEATS - 1]


def _run_code(rate: float) -> str:
    if rate >= RUN_RATE:
        return VENTRICULAR_TACHYCARDIA
    return _ACCELERATED if rate >= ACCELERATED_RATE else _IDIOVENTRICULAR


def _large_waves(waves: np.ndarray, duration_s: float) -> Iterator[Episode]:
    """Yield the parts with large waves without QRS complexes."""
    for first, last in stretches(waves):
        end = min(last * BLOCK_S, duration_s)
        yield Episode(LARGE_WAVES, first * BLOCK_S, end, np.nan, np.nan, np.nan, np.nan)


def _of_rate(beats: LabelledBeats, about: Diagnosis, limit: float) -> Iterator[Episode]:
    """Yield the parts with a heart rate above `limit`, or below it if it is negative, /min.

    If couplets alternate with usual beats, most intervals are short, but the mean rate is usual. So the mean
    rate has to be beyond the limit, too.
    """
    if len(beats) < RATE_BEATS:
        return
    smooth = scipy.ndimage.median_filter(np.nan_to_num(beats.intervals_s, nan=0.75), 3 * RATE_BEATS)
    sign = np.sign(limit)
    beyond = sign * 60 / smooth > limit
    for first, last in stretches(beyond & beats.known):
        start, end = float(beats.times_s[max(first - 1, 0)]), float(beats.times_s[last - 1])
        episode = _episode(about, start, end, np.nan, beats)
        if end - start >= RATE_S and sign * episode.rate_mean > limit:
            yield episode
