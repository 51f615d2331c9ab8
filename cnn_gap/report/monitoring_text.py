"""What happened when in a long recording, as lines of text."""

import math

from cnn_gap.holter.episodes import Episode
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import Burden, PrematureBeats, Summary

#: How many episodes a text names; the files of `predict.py --episodes` have all.
SHOWN_EPISODES = 12

_KINDS = {"V": "ventricular (wide)", "A": "atrial (narrow)"}


def monitoring_text(monitoring: Monitoring) -> str:
    """Return the summary of a long recording and its longest episodes."""
    summary, episodes = monitoring.summary, monitoring.episodes
    lines = [*_about(summary), *map(_burden_line, summary.burden), *map(_premature_line, summary.premature)]
    longest = sorted(episodes, key=lambda each: -each.duration_s)[:SHOWN_EPISODES]
    if longest:
        some = f"the {SHOWN_EPISODES} longest of {len(episodes)} episodes"
        lines.append(f"{some if len(episodes) > SHOWN_EPISODES else 'episodes'}:")
        lines += [f"  {_episode_line(each)}" for each in sorted(longest, key=lambda each: each.start_s)]
    return "\n".join(lines)


def clock(seconds: float) -> str:
    """Return a time in a recording.

    Examples
    --------
    >>> clock(914.4), clock(3725)
    ('15:14', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _about(summary: Summary) -> list[str]:
    analysed = f"{clock(summary.analysed_s)} of {clock(summary.duration_s)} analysed, {summary.beats} beats"
    if math.isnan(summary.rate_mean):
        return [f"{analysed}: too few for a heart rate"]
    rates = f"{summary.rate_lowest:.0f}, {summary.rate_mean:.0f}, {summary.rate_highest:.0f}"
    pauses = f"{summary.pauses} pauses; longest RR interval {summary.longest_rr_s:.1f} s"
    return [analysed, f"heart rate lowest, mean, highest: {rates}/min", pauses]


def _burden_line(burden: Burden) -> str:
    several = f"{burden.episodes} episodes, the longest" if burden.episodes > 1 else "one episode of"
    return (
        f"{burden.diagnosis}: {burden.share:.1%} of the time, {several} {clock(burden.longest_s)}"
        f" from {clock(burden.longest_start_s)}"
    )


def _premature_line(beats: PrematureBeats) -> str:
    return (
        f"premature beats, {_KINDS[beats.symbol]}: {beats.count} ({beats.share:.1%}),"
        f" {beats.couplets} couplets,"
        f" {beats.runs} runs"
    )


def _episode_line(episode: Episode) -> str:
    rate = "" if math.isnan(episode.rate_mean) else f", {episode.rate_mean:.0f}/min"
    return f"{clock(episode.start_s)} to {clock(episode.end_s)} {episode.diagnosis.name}{rate}"
