"""Figures of a recording: time analysed, burden of rhythms, rates, pauses and premature beats."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cnn_gap.beats.beat_list import PAUSE_S
from cnn_gap.holter.beat_labels import EARLY_NARROW, VENTRICULAR, LabelledBeats
from cnn_gap.holter.episodes import LARGE_WAVES, RUNS, Episode, alternations, rates_of, stretches
from cnn_gap.holter.timeline import Timeline


@dataclass(frozen=True)
class Burden:
    """The episodes of one diagnosis: number, time, share of the time analysed, the longest, the fastest rate.

    Of runs of ventricular beats the fastest rate is the mean rate of the fastest run. Most of the time with
    large waves is not analysed, so its share is that of the whole recording.
    """

    diagnosis: str
    episodes: int
    time_s: float
    share: float
    longest_s: float
    longest_start_s: float
    fastest_rate: float


@dataclass(frozen=True)
class PrematureBeats:
    """The premature beats of one kind.

    Attributes
    ----------
    symbol : str
        "V" (wide) or "A" (narrow).
    count : int
    share : float
        Of all beats.
    single, couplets, runs : int
        Beats alone, pairs, and three or more in a row.
    longest_run : int
        Beats.
    bigeminy_s : float
        Time from the first to the last of three or more premature beats, of which every second beat is one.
    per_hour : tuple of int
        In each hour of the recording.
    """

    symbol: str
    count: int
    share: float
    single: int
    couplets: int
    runs: int
    longest_run: int
    bigeminy_s: float
    per_hour: tuple[int, ...]


@dataclass(frozen=True)
class Summary:
    """A recording in numbers.

    Attributes
    ----------
    duration_s, analysed_s, not_analysed_s : float
        Of the recording; in which beats could be judged, and could not.
    beats : int
    rate_lowest, rate_mean, rate_highest : float
        Heart rates, /min, of means of five RR intervals.
    pauses : int
        RR intervals of at least `PAUSE_S`.
    longest_rr_s, longest_rr_start_s : float
        The longest known RR interval, and when it began; NaN where none is known.
    burden : tuple of Burden
        Of each diagnosis that has an episode, the longest time first.
    premature : tuple of PrematureBeats
        Wide ones, then narrow ones.
    """

    duration_s: float
    analysed_s: float
    not_analysed_s: float
    beats: int
    rate_lowest: float
    rate_mean: float
    rate_highest: float
    pauses: int
    longest_rr_s: float
    longest_rr_start_s: float
    burden: tuple[Burden, ...]
    premature: tuple[PrematureBeats, ...]

    def whole_of(self, diagnosis: str) -> str:
        """Return the whole of a diagnosis's share: "the time", or "the time analysed" if that is shorter."""
        differs = self.analysed_s < 0.99 * self.duration_s and diagnosis != LARGE_WAVES.abbreviation
        return "the time analysed" if differs else "the time"

    def burden_of(self, diagnosis: str) -> float:
        """Return the share of the time analysed with a diagnosis, by its abbreviation; 0 without an episode."""
        return next((each.share for each in self.burden if each.diagnosis == diagnosis), 0.0)

    def count_of(self, symbol: str) -> int:
        """Return the number of premature beats of one kind, "V" or "A"."""
        return next((each.count for each in self.premature if each.symbol == symbol), 0)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON can hold it; numbers that are not known are None."""
        known = {key: _known(value) for key, value in asdict(self).items()}
        return known | {
            key: [_all_known(each) for each in asdict(self)[key]] for key in ("burden", "premature")
        }


def pauses(beats: LabelledBeats) -> np.ndarray:
    """Return the places of the beats that end a pause, the longest pause first."""
    intervals = np.nan_to_num(beats.intervals_s)
    longest = np.argsort(-intervals, kind="stable")
    return np.asarray(longest[intervals[longest] >= PAUSE_S])


def summarise(timeline: Timeline, beats: LabelledBeats, episodes: Sequence[Episode]) -> Summary:
    """Return a recording's summary."""
    analysed = float(np.diff(timeline.bounds_s)[timeline.usable].sum())
    lowest, mean, highest = rates_of(beats)
    intervals = np.nan_to_num(beats.intervals_s, nan=0.0)
    longest = int(np.argmax(intervals)) if len(beats) and intervals.max() > 0 else None
    return Summary(
        duration_s=timeline.duration_s,
        analysed_s=analysed,
        not_analysed_s=timeline.duration_s - analysed,
        beats=len(beats),
        rate_lowest=lowest,
        rate_mean=mean,
        rate_highest=highest,
        pauses=len(pauses(beats)),
        longest_rr_s=np.nan if longest is None else float(intervals[longest]),
        longest_rr_start_s=np.nan if longest is None else float(beats.times_s[longest - 1]),
        burden=_burdens(episodes, analysed, timeline.duration_s),
        premature=tuple(_premature(s, beats, timeline.duration_s) for s in (VENTRICULAR, EARLY_NARROW)),
    )


def _burdens(episodes: Sequence[Episode], analysed: float, duration: float) -> tuple[Burden, ...]:
    burdens = []
    for name in dict.fromkeys(each.diagnosis.abbreviation for each in episodes):
        own = [each for each in episodes if each.diagnosis.abbreviation == name]
        time = sum(each.duration_s for each in own)
        longest = max(own, key=lambda each: each.duration_s)
        runs = own[0].diagnosis.code in RUNS
        fastest = float(np.fmax.reduce([each.rate_mean if runs else each.rate_highest for each in own]))
        whole = duration if name == LARGE_WAVES.abbreviation else analysed
        share = time / whole if whole else np.nan
        burdens.append(Burden(name, len(own), time, share, longest.duration_s, longest.start_s, fastest))
    return tuple(sorted(burdens, key=lambda each: -each.time_s))


def _premature(symbol: str, beats: LabelledBeats, duration: float) -> PrematureBeats:
    which = beats.symbols == symbol
    lengths = [last - first for first, last in stretches(which)]
    hours = np.histogram(beats.times_s[which] / 3600, np.arange(int(duration // 3600) + 2))[0]
    return PrematureBeats(
        symbol=symbol,
        count=int(which.sum()),
        share=float(which.mean()) if len(beats) else np.nan,
        single=lengths.count(1),
        couplets=lengths.count(2),
        runs=sum(length > 2 for length in lengths),
        longest_run=max(lengths, default=0),
        bigeminy_s=float(sum(np.ptp(beats.times_s[list(ends)]) for ends in alternations(which, 2))),
        per_hour=tuple(hours.tolist()),
    )


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value


def _all_known(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _known(value) for key, value in values.items()}
