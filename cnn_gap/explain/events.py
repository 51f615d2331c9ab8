"""The events of a recording of minutes to days, such as a pause, and the strips of ten seconds that show them.

A strip is as long as a window of the network. Maps are computed for strips alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from cnn_gap.holter.beat_labels import EARLY_NARROW, NORMAL, PACED, VENTRICULAR, LabelledBeats
from cnn_gap.holter.episodes import (
    BRADYCARDIA,
    KINDS,
    LARGE_WAVES,
    PATTERNS,
    RUN_BEATS,
    TACHYCARDIA,
    VENTRICULAR_TACHYCARDIA,
    Episode,
    alternations,
    mean_intervals,
    stretches,
)
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import pauses
from cnn_gap.system.timed_text import clock

#: The largest number of strips of a recording, and of events of one kind that are listed.
MOST_STRIPS, MOST_LISTED = 60, 100

#: Number of single beats, and of pairs, that are listed, evenly spread: there may be thousands of them.
SAMPLES = 4

#: Time from the start of a strip to its event, s; an event that is short enough is in the strip's middle.
BEFORE_S = 2.0

_USUAL, _RATE, _PAUSE = "Usual rhythm", "Heart rate", "Pause"

#: The names of premature beats: alone, in pairs, in runs and in bigeminy; empty where they are episodes.
_PREMATURE = {
    VENTRICULAR: ("Premature ventricular beat", "Ventricular couplet", "", ""),
    EARLY_NARROW: ("Premature atrial beat", "Atrial couplet", "Atrial run", "Atrial bigeminy"),
}

_OF_RATE = (BRADYCARDIA, TACHYCARDIA.code)
_PVC, _PAC = ("PVC",), ("PAC",)
_BY_WINDOWS = {kind.code: kind.outputs for kind in KINDS}


@dataclass(frozen=True)
class _Kind:
    """A kind of events: the largest number of its strips, and the network's outputs for it."""

    strips: int = 2
    outputs: tuple[str, ...] = ()


#: Below and above these mean heart rates, /min, a slow and a fast heart rate are as urgent as pauses: the
#: reading's alerts have the same limits.
SLOWEST, FASTEST = 39.5, 150.5

#: Kinds of events by a diagnosis's code or a name of this module, the most urgent first; others come last.
_KINDS = {
    LARGE_WAVES.code: _Kind(6),
    VENTRICULAR_TACHYCARDIA: _Kind(12, _PVC),
    _PAUSE: _Kind(6),
    "27885002": _Kind(3),  # third-degree AV block
    "195042002": _Kind(3),  # second-degree AV block
    "61277005": _Kind(4, _PVC),  # accelerated idioventricular rhythm
    "49260003": _Kind(4, _PVC),  # idioventricular rhythm
    "426761007": _Kind(6),  # supraventricular tachycardia
    "164889003": _Kind(8),  # atrial fibrillation
    "164890007": _Kind(6, ("AFL", "AFLT")),  # atrial flutter
    "Ventricular couplet": _Kind(4, _PVC),
    "11157007": _Kind(3, (*_PVC, "BIGU")),  # ventricular bigeminy
    "251180001": _Kind(2, (*_PVC, "TRIGU")),  # ventricular trigeminy
    "Atrial run": _Kind(4, _PAC),
    "Atrial couplet": _Kind(2, _PAC),
    "Atrial bigeminy": _Kind(2, (*_PAC, "BIGU")),
    "Premature ventricular beat": _Kind(4, _PVC),
    "Premature atrial beat": _Kind(4, _PAC),
    _RATE: _Kind(3),
    TACHYCARDIA.code: _Kind(2, ("STach", "STACH")),
    BRADYCARDIA: _Kind(2, ("SB", "SBRAD", "Brady")),
    "10370003": _Kind(),  # pacing
    "164909002": _Kind(),  # left bundle branch block
    "713427006": _Kind(),  # right bundle branch block
    "270492004": _Kind(),  # first-degree AV block
    _USUAL: _Kind(2, ("NSR", "SR")),
}


@dataclass(frozen=True)
class Event:
    """An episode, a pause, premature beats, an extreme heart rate or usual beats of a recording.

    Attributes
    ----------
    key : str
        Its kind: a diagnosis's code, or a name for a kind that is no diagnosis.
    kind : str
        The kind's name for a reader.
    title : str
        What happens, such as ``"Atrial fibrillation, 3:14, 87/min"``.
    start_s, end_s : float
        From the recording's start.
    of_kind : int
        How many events of its kind the recording has; they are not all listed.
    """

    key: str
    kind: str
    title: str
    start_s: float
    end_s: float
    of_kind: int = 1

    @property
    def outputs(self) -> tuple[str, ...]:
        """The network's outputs for it, by their abbreviations; empty if there are none."""
        return _kind(self.key).outputs or _BY_WINDOWS.get(self.key, ())


@dataclass(frozen=True)
class Strip:
    """Ten seconds of a recording: when they begin, s, and the event for which they were chosen."""

    start_s: float
    event: Event

    def shows(self, event: Event, seconds: float) -> bool:
        """Tell whether a strip of a length in seconds shows an event, or half a strip of its beginning."""
        end = min(event.end_s, event.start_s + seconds / 2)
        return self.start_s <= event.start_s and end <= self.start_s + seconds


def find_events(monitoring: Monitoring) -> tuple[Event, ...]:
    """Return the events of a recording: the most urgent kinds first, in each kind those to be seen first.

    They are the episodes that count, pauses, single premature beats, couplets, runs and bigeminy, the lowest
    and the highest heart rate, the longest RR interval, and a part with the usual rhythm.
    """
    found = [
        *_episodes(monitoring.episodes),
        *_pauses(monitoring.beats),
        *(each for symbol in _PREMATURE for each in _premature(symbol, monitoring.beats)),
        *_rates(monitoring.beats),
        *_usual(monitoring.beats),
    ]
    order: dict[str, float] = {key: place for place, key in enumerate(_KINDS)}
    for each in monitoring.episodes:
        if each.diagnosis.code in _OF_RATE and each.counts and not SLOWEST <= each.rate_mean <= FASTEST:
            order[each.diagnosis.code] = order[_PAUSE] + 0.5
    return tuple(sorted(found, key=lambda each: order.get(each.key, len(order))))


def choose_strips(
    events: Sequence[Event], duration_s: float, seconds: float, most: int = MOST_STRIPS
) -> tuple[Strip, ...]:
    """Return the strips of a recording, in the order of the events; an event that a strip shows gets no strip.

    If there are more events than `most` strips can show, each kind gets a strip for its first event before any
    kind gets a second one.
    """
    strips: dict[int, Strip] = {}
    for place in _by_turns(events):
        event = events[place]
        if len(strips) < most and not any(strip.shows(event, seconds) for strip in strips.values()):
            strips[place] = Strip(_start(event, duration_s, seconds), event)
    return tuple(strips[place] for place in sorted(strips))


def most_urgent(events: Sequence[Event], most: int) -> list[int]:
    """Return the places of at most `most` events, in order; each kind has one before any kind has two."""
    return sorted(_by_turns(events)[:most])


def _kind(key: str) -> _Kind:
    return _KINDS.get(key, _Kind())


def _by_turns(events: Sequence[Event]) -> list[int]:
    """Return the places of events: each kind's first, then each kind's second, up to its number of strips."""
    counts = dict.fromkeys((event.key for event in events), 0)
    ranked = []
    for place, event in enumerate(events):
        if counts[event.key] < _kind(event.key).strips:
            ranked.append((counts[event.key], place))
        counts[event.key] += 1
    return [place for _, place in sorted(ranked)]


def _start(event: Event, duration_s: float, seconds: float) -> float:
    """Return when the strip of an event begins, s."""
    length = event.end_s - event.start_s
    before = (seconds - length) / 2 if length < seconds - 2 * BEFORE_S else BEFORE_S
    return float(min(max(event.start_s - before, 0.0), max(duration_s - seconds, 0.0)))


def _episodes(episodes: Iterable[Episode]) -> Iterator[Event]:
    """Yield the episodes that count: the longest, fastest and first of each diagnosis, then the others.

    Of runs of ventricular beats the sure ones come before the others.
    """
    kinds: dict[str, list[Episode]] = {}
    for each in episodes:
        if each.counts or each.diagnosis.code in PATTERNS:
            kinds.setdefault(each.diagnosis.code, []).append(each)
    for code, own in kinds.items():
        by_weight = sorted(own, key=lambda each: each.weight, reverse=True)
        fastest = max(own, key=lambda each: np.nan_to_num(each.rate_mean))
        for each in list(dict.fromkeys([by_weight[0], fastest, own[0], *by_weight]))[:MOST_LISTED]:
            name = each.diagnosis.name.partition(":")[0]
            yield Event(code, name, f"{name}, {_about(each)}", each.start_s, each.end_s, len(own))


def _about(episode: Episode) -> str:
    """Return the length and the mean rate of an episode."""
    brief = f"{episode.duration_s:.1f} s" if episode.duration_s < 10 else clock(episode.duration_s)
    return brief if np.isnan(episode.rate_mean) else f"{brief}, {episode.rate_mean:.0f}/min"


def _pauses(beats: LabelledBeats) -> Iterator[Event]:
    """Yield the pauses, the longest first; where there are none, the longest RR interval."""
    intervals = np.nan_to_num(beats.intervals_s)
    if not len(beats) or not intervals.max() > 0:
        return
    longest = int(intervals.argmax())
    paused = pauses(beats)
    for at in paused[:MOST_LISTED]:
        yield Event(_PAUSE, _PAUSE, f"Pause of {intervals[at]:.1f} s", *_span(beats, at - 1, at), len(paused))
    if not len(paused):
        title = f"Longest RR interval, {intervals[longest]:.1f} s"
        yield Event(_RATE, _RATE, title, *_span(beats, longest - 1, longest))


def _premature(symbol: str, beats: LabelledBeats) -> Iterator[Event]:
    """Yield samples of premature beats: alone and in pairs, and of bigeminy and runs the longest."""
    single, couplet, run, bigeminy = _PREMATURE[symbol]
    which = beats.symbols == symbol
    groups = [(first, last - 1) for first, last in stretches(which)]
    lengths = np.array([last - first + 1 for first, last in groups], int)
    yield from _samples(beats, single, [groups[at] for at in np.flatnonzero(lengths == 1)])
    yield from _samples(beats, couplet, [groups[at] for at in np.flatnonzero(lengths == 2)])
    runs = sorted(
        (each for each in groups if each[1] - each[0] + 1 >= RUN_BEATS), key=lambda each: each[0] - each[1]
    )
    for first, last in runs[:MOST_LISTED] if run else []:
        start, end = _span(beats, first, last)
        title = f"{run}, {last - first + 1} beats, {60 * (last - first) / max(end - start, 0.1):.0f}/min"
        yield Event(run, run, title, start, end, len(runs))
    turns = sorted(alternations(which, 2) if bigeminy else [], key=lambda each: each[0] - each[1])
    for first, last in turns[:MOST_LISTED]:
        start, end = _span(beats, first, last)
        yield Event(bigeminy, bigeminy, f"{bigeminy}, {clock(end - start)}", start, end, len(turns))


def _samples(beats: LabelledBeats, name: str, groups: Sequence[tuple[int, int]]) -> Iterator[Event]:
    """Yield some of a kind's groups of beats, given by their first and last beat."""
    chosen = np.unique(np.linspace(0, len(groups) - 1, min(SAMPLES, len(groups))).round().astype(int))
    for at in chosen.tolist():
        yield Event(name, name, f"{name}, {at + 1} of {len(groups)}", *_span(beats, *groups[at]), len(groups))


def _rates(beats: LabelledBeats) -> Iterator[Event]:
    """Yield the beats around the lowest and the highest heart rate."""
    ends, means = mean_intervals(beats)
    if not len(means):
        return
    for name, at in (("Highest", int(means.argmin())), ("Lowest", int(means.argmax()))):
        title = f"{name} heart rate, {60 / means[at]:.0f}/min"
        yield Event(_RATE, _RATE, title, *_span(beats, *ends[at].tolist()))


def _usual(beats: LabelledBeats) -> Iterator[Event]:
    """Yield the ten beats, all usual ones, whose heart rate is nearest to the median."""
    count = 10
    usual = np.isin(beats.symbols, (NORMAL, PACED)) & beats.known
    if len(beats) < count or not usual.any():
        return
    whole = scipy.ndimage.minimum_filter1d(usual.astype(int), count, origin=-(count // 2), mode="constant")
    starts = np.flatnonzero(whole[: len(beats) - count + 1])
    if not len(starts):
        return
    times = beats.times_s
    rates = 60 * (count - 1) / (times[starts + count - 1] - times[starts])
    at = int(starts[np.argmin(np.abs(rates - np.median(rates)))])
    title = f"{_USUAL}, {60 * (count - 1) / (times[at + count - 1] - times[at]):.0f}/min"
    yield Event(_USUAL, _USUAL, title, *_span(beats, at, at + count - 1))


def _span(beats: LabelledBeats, first: int, last: int) -> tuple[float, float]:
    return float(beats.times_s[first]), float(beats.times_s[last])
