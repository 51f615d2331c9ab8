"""The overview of a whole recording on a page: heart rate, rhythms, beats, pauses and quality over time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from cnn_gap.beats.beat_list import PAUSE_S
from cnn_gap.holter.beat_labels import EARLY_NARROW, VENTRICULAR, LabelledBeats
from cnn_gap.holter.episodes import stretches
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.qrs import BLOCK_S
from cnn_gap.report.recording_tables import URGENT
from cnn_gap.report.recording_times import RecordingTimes
from cnn_gap.report.sheet.paper import ALARM, LEFT, PAGE_MM, RIGHT, Paper
from cnn_gap.report.tracings import GREY, INK

#: Dark and pale blue, the colours of episodes and heart rates that are not urgent.
BLUE, PALE = "#1f6fb4", "#b9cfe6"

#: Width of the names of lanes, and height of a lane, mm.
NAMES, LANE = 38.0, 4.0

_WIDE, _LONGEST = 27, 36  # letters of a lane's name in the usual size, and in a smaller one
_SHADES = ("#eaf1f8", "#fbe3e6")  # behind tracings: of an episode that is not urgent, and of one that is
_COLUMNS = 900  # in which the rates are added up
_STEPS_S = (60, 120, 300, 600, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)
_MOST_TICKS = 13
_RATES = (0.002, 0.998)  # quantiles between which the axis lies at least
_LEAST = 0.0006  # of the recording's length: the shortest bar


def draw_monitoring(
    paper: Paper, monitoring: Monitoring, times: RecordingTimes, low: float, high: float
) -> None:
    """Draw the overview between two heights, mm."""
    lanes = _lanes(monitoring)
    rates_low = low + 6 + LANE * len(lanes)
    axes = _axes(paper, monitoring, rates_low + 1, high)
    _draw_rates(axes, monitoring.beats, monitoring.timeline.duration_s)
    paper.text(LEFT, high - 3, "Heart rate, /min", 7.5)
    below = _axes(paper, monitoring, low + 6, rates_low)
    below.set(ylim=(len(lanes), 0), yticks=[])
    for row, (name, parts, colour) in enumerate(lanes):
        below.broken_barh(parts, (row + 0.2, 0.6), facecolors=colour)
        paper.text(LEFT, rates_low - LANE * row - 2.9, name, 7 if len(name) <= _WIDE else 5.5)
    _draw_times(below, monitoring.timeline.duration_s, times)
    axes.set_xticks(below.get_xticks(), labels=[])


def _axes(paper: Paper, monitoring: Monitoring, low: float, high: float) -> Axes:
    """Return axes of the recording's time, s, between two heights, mm."""
    left, width = LEFT + NAMES, RIGHT - LEFT - NAMES
    place = (left / PAGE_MM[0], low / PAGE_MM[1], width / PAGE_MM[0], (high - low) / PAGE_MM[1])
    axes = paper.figure.add_axes(place)
    axes.set_xlim(0, monitoring.timeline.duration_s)
    axes.tick_params(labelsize=7, width=0.6, length=2, color=GREY)
    axes.grid(visible=True, axis="x", color="#d5d9de", linewidth=0.5)
    for spine in axes.spines.values():
        spine.set(edgecolor=GREY, linewidth=0.6)
    return axes


def _draw_rates(axes: Axes, beats: LabelledBeats, duration_s: float) -> None:
    """Draw the lowest, mean and highest heart rate of each column."""
    known = beats.known
    if not known.any():
        axes.set_yticks([])
        return
    rates, column = 60 / beats.intervals_s[known], _COLUMNS * beats.times_s[known] / duration_s
    column = np.minimum(column.astype(int), _COLUMNS - 1)
    lowest, highest = np.full(_COLUMNS, np.inf), np.full(_COLUMNS, -np.inf)
    np.minimum.at(lowest, column, rates)
    np.maximum.at(highest, column, rates)
    count = np.bincount(column, minlength=_COLUMNS)
    there = count > 0
    mean = 60 * count[there] / np.bincount(column, 60 / rates, _COLUMNS)[there]
    centres = (np.flatnonzero(there) + 0.5) / _COLUMNS * duration_s
    axes.vlines(centres, lowest[there], highest[there], color=PALE, linewidth=0.7)
    axes.plot(centres, mean, ".", color=INK, markersize=1.2)
    low, high = np.quantile(rates, _RATES)
    axes.set_ylim(20 * np.floor(low / 20), max(20 * np.ceil(high / 20), 20 * np.floor(low / 20) + 60))
    axes.grid(visible=True, axis="y", color="#d5d9de", linewidth=0.5)


def _lanes(monitoring: Monitoring) -> list[tuple[str, list[tuple[float, float]], str]]:
    """Return the name of each lane, its parts as starts and lengths, s, and its colour."""
    beats, usable = monitoring.beats, monitoring.measured.usable
    duration = monitoring.timeline.duration_s
    lanes: list[tuple[str, list[tuple[float, float]], str]] = []
    for code in dict.fromkeys(each.diagnosis.code for each in monitoring.episodes):
        own = [each for each in monitoring.episodes if each.diagnosis.code == code]
        parts = [(each.start_s, max(each.duration_s, _LEAST * duration)) for each in own]
        colour = ALARM if code in URGENT else BLUE
        lanes.append((_short(own[0].diagnosis.name), parts, colour))
    for name, which, colour in (
        ("Ventricular beats", beats.symbols == VENTRICULAR, ALARM),
        ("Atrial beats", beats.symbols == EARLY_NARROW, BLUE),
        ("Pauses", np.nan_to_num(beats.intervals_s) >= PAUSE_S, INK),
    ):
        lanes.append((name, _ticks(beats.times_s[which], duration), colour))
    lost = [(first * BLOCK_S, (last - first) * BLOCK_S) for first, last in stretches(~usable)]
    return [*lanes, ("Not analysed", lost, GREY)]


def _ticks(times_s: np.ndarray, duration_s: float) -> list[tuple[float, float]]:
    """Return a bar for each place that has beats, of the shortest length: there may be many beats."""
    width = _LEAST * duration_s
    places = np.unique((times_s / width).astype(int))
    return [(float(place * width), width) for place in places.tolist()]


def _short(name: str) -> str:
    text = name.partition(":")[0]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _draw_times(axes: Axes, duration_s: float, times: RecordingTimes) -> None:
    step = next((each for each in _STEPS_S if duration_s / each <= _MOST_TICKS), _STEPS_S[-1])
    shift = (times.seconds_of_day or 0.0) % step
    ticks = np.arange(step - shift if shift else 0.0, duration_s, step)
    axes.set_xticks(ticks, labels=[_tick_text(times, at) for at in ticks.tolist()])


def _tick_text(times: RecordingTimes, seconds: float) -> str:
    text = times.text(seconds)
    return text.replace(":00", "", 1) if times.start is not None and text[5:8] == ":00" else text


def shades(monitoring: Monitoring) -> Sequence[tuple[float, float, str]]:
    """Return the start and end of each episode, s, and the colour behind its tracing."""
    urgent_last = sorted(monitoring.episodes, key=lambda each: each.diagnosis.code in URGENT)
    return [(each.start_s, each.end_s, _SHADES[each.diagnosis.code in URGENT]) for each in urgent_last]
