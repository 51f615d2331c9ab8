"""The figures of a long recording as rows of tables, for its page and its PDF."""

import math
from dataclasses import dataclass

import numpy as np

from cnn_gap.beats.beat_list import PAUSE_S
from cnn_gap.holter.beat_labels import EARLY_NARROW, VENTRICULAR
from cnn_gap.holter.episodes import LARGE_WAVES, VENTRICULAR_TACHYCARDIA, mean_intervals, rates_of
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import pauses
from cnn_gap.system.timed_text import clock

#: Codes of the episodes that are shown in red.
URGENT = (LARGE_WAVES.code, VENTRICULAR_TACHYCARDIA)

RHYTHM_COLUMNS = ("Rhythm or block", "Episodes", "Time", "Share", "Longest", "Fastest")
PREMATURE_COLUMNS = (
    "Premature beats",
    "Beats",
    "Share",
    "Single",
    "Couplets",
    "Runs",
    "Longest run",
    "Bigeminy",
)
HOUR_COLUMNS = ("From", "Beats", "Lowest", "Mean", "Highest", "Ventricular", "Atrial", "Pauses", "Not analysed")

_PREMATURE = {VENTRICULAR: "Ventricular (wide)", EARLY_NARROW: "Atrial (narrow)"}

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Figure:
    """A figure of a recording: its name, its value as text, and when it was, s, if it has a time."""

    name: str
    value: str
    time_s: float | None = None


def figures(monitoring: Monitoring) -> list[Figure]:
    """Return the time analysed, beats, heart rates with their times, pauses and the longest interval."""
    summary = monitoring.summary
    share = summary.analysed_s / summary.duration_s if summary.duration_s else 0.0
    found = [
        Figure("Analysed", f"{clock(summary.analysed_s)} of {clock(summary.duration_s)} ({share:.1%})"),
        Figure("Beats", f"{summary.beats:,}"),
    ]
    if not math.isnan(summary.rate_mean):
        lowest, highest = _extremes(monitoring)
        found += [
            Figure("Mean heart rate", f"{summary.rate_mean:.0f}/min"),
            Figure("Lowest heart rate", f"{summary.rate_lowest:.0f}/min", lowest),
            Figure("Highest heart rate", f"{summary.rate_highest:.0f}/min", highest),
            Figure(f"Pauses of {PAUSE_S:g} s and more", str(summary.pauses)),
            Figure("Longest RR interval", f"{summary.longest_rr_s:.1f} s", summary.longest_rr_start_s),
        ]
    return found


def rhythm_rows(monitoring: Monitoring) -> list[tuple[str, ...]]:
    """Return the cells of `RHYTHM_COLUMNS` of each diagnosis that has an episode that counts."""
    rows: list[tuple[str, ...]] = []
    for burden in monitoring.summary.burden:
        own = [each for each in monitoring.episodes if each.diagnosis.abbreviation == burden.diagnosis]
        if not any(each.counts for each in own):
            continue
        fastest = "" if math.isnan(burden.fastest_rate) else f"{burden.fastest_rate:.0f}/min"
        rows.append(
            (
                own[0].diagnosis.name.partition(":")[0],
                str(burden.episodes),
                duration(burden.time_s),
                f"{burden.share:.1%}",
                duration(burden.longest_s),
                fastest,
            )
        )
    return rows


def premature_rows(monitoring: Monitoring) -> list[tuple[str, ...]]:
    """Return the cells of `PREMATURE_COLUMNS` for wide and for narrow premature beats."""
    return [
        (
            _PREMATURE[each.symbol],
            f"{each.count:,}",
            f"{each.share:.1%}",
            f"{each.single:,}",
            str(each.couplets),
            str(each.runs),
            f"{each.longest_run} beats" if each.longest_run > 2 else "",
            duration(each.bigeminy_s) if each.bigeminy_s else "",
        )
        for each in monitoring.summary.premature
    ]


def hour_rows(monitoring: Monitoring) -> list[tuple[float, tuple[str, ...]]]:
    """Return the start of each hour, s, and the cells of `HOUR_COLUMNS` behind the first."""
    rows = []
    timeline, lengths = monitoring.timeline, np.diff(monitoring.timeline.bounds_s)
    for start in np.arange(0.0, timeline.duration_s, _HOUR_S).tolist():
        beats = monitoring.beats.within(start, start + _HOUR_S)
        rates = ("" if math.isnan(rate) else f"{rate:.0f}" for rate in rates_of(beats))
        inside = (timeline.middles_s >= start) & (timeline.middles_s < start + _HOUR_S)
        lost = float(lengths[inside & ~timeline.usable].sum())
        counts = (
            int((beats.symbols == VENTRICULAR).sum()),
            int((beats.symbols == EARLY_NARROW).sum()),
            len(pauses(beats)),
        )
        rows.append((start, (f"{len(beats):,}", *rates, *map(str, counts), clock(lost) if lost else "")))
    return rows


def duration(seconds: float) -> str:
    """Return a length of time: in seconds where it is short.

    Examples
    --------
    >>> duration(2.23), duration(205)
    ('2.2 s', '3:25')
    """
    return f"{seconds:.1f} s" if seconds < 10 else clock(seconds)


def _extremes(monitoring: Monitoring) -> tuple[float, float]:
    """Return when the heart rate was lowest and when it was highest, s: when the RR intervals begin."""
    ends, means = mean_intervals(monitoring.beats)
    lowest, highest = (float(monitoring.beats.times_s[ends[at, 0]]) for at in (means.argmax(), means.argmin()))
    return lowest, highest
