"""Lines of text about a long recording: rates, rhythms with their times, premature beats and pauses."""

import math
from collections.abc import Sequence

from cnn_gap.holter.episodes import SUSTAINED_S, Episode
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.summary import Burden, PrematureBeats, Summary
from cnn_gap.system.timed_text import clock

#: How many episodes a text names; the files of `predict.py --episodes` have all.
SHOWN_EPISODES = 12

_KINDS = {"V": "ventricular (wide)", "A": "atrial (narrow)"}


def monitoring_text(monitoring: Monitoring) -> str:
    """Return the summary of a long recording and the longest of its episodes that count."""
    summary, episodes = monitoring.summary, [each for each in monitoring.episodes if each.counts]
    burden = (line for each in summary.burden if (line := _burden_line(each, episodes, summary)))
    lines = [*_about(summary), *burden, *map(_premature_line, summary.premature)]
    longest = sorted(episodes, key=lambda each: -each.duration_s)[:SHOWN_EPISODES]
    if longest:
        some = f"the {SHOWN_EPISODES} longest of {len(episodes)} episodes"
        lines.append(f"{some if len(episodes) > SHOWN_EPISODES else 'episodes'}:")
        lines += [f"  {each}" for each in sorted(longest, key=lambda each: each.start_s)]
    return "\n".join(lines)


def _about(summary: Summary) -> list[str]:
    analysed = f"{clock(summary.analysed_s)} of {clock(summary.duration_s)} analysed, {summary.beats} beats"
    if math.isnan(summary.rate_mean):
        return [f"{analysed}: too few for a heart rate"]
    rates = f"{summary.rate_lowest:.0f}, {summary.rate_mean:.0f}, {summary.rate_highest:.0f}"
    pauses = f"{_count(summary.pauses, 'pause')}; longest RR interval {summary.longest_rr_s:.1f} s"
    return [analysed, f"heart rate lowest, mean, highest: {rates}/min", pauses]


def _burden_line(burden: Burden, episodes: Sequence[Episode], summary: Summary) -> str:
    """Return the time of a diagnosis and its episodes that count; empty where none does."""
    own = [each for each in episodes if each.diagnosis.abbreviation == burden.diagnosis]
    if not own:
        return ""
    brief = burden.episodes - len(own)
    shorter = f"; {_count(brief, 'episode')} of less than {SUSTAINED_S:.0f} s" if brief else ""
    several = f"{len(own)} episodes, the longest" if len(own) > 1 else "one episode of"
    name = own[0].diagnosis.name.partition(":")[0]
    return (
        f"{name}: {burden.share:.1%} of {summary.whole_of(burden.diagnosis)}, {several}"
        f" {clock(burden.longest_s)} from {clock(burden.longest_start_s)}{shorter}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _premature_line(beats: PrematureBeats) -> str:
    return (
        f"premature beats, {_KINDS[beats.symbol]}: {beats.count} ({beats.share:.1%}),"
        f" {_count(beats.couplets, 'couplet')}, {_count(beats.runs, 'run')}"
    )
