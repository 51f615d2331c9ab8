"""The statements of a recording of minutes to days that its early narrow beats make."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cnn_gap.holter.beat_labels import EARLY_NARROW, LabelledBeats
from cnn_gap.holter.episodes import RUN_BEATS, RUN_RATE, stretches
from cnn_gap.reading.reading import Degree, Statement
from cnn_gap.reading.statements import StatementRule
from cnn_gap.system.timed_text import Piece, TimedText

#: From this share of all beats on, early narrow beats make a statement: fewer are usual, and are often others.
#: Beats of slow runs do not count.
MANY = 0.01


def early_statements(rules: Mapping[str, StatementRule], beats: LabelledBeats) -> Iterator[Statement]:
    """Yield a statement of many early narrow beats, and one of their runs of three or more.

    Runs at 100/min or more are probable. Slower ones are often beats of the usual rhythm after a pause or
    a ventricular beat; they make a possible statement if no run is faster.

    Parameters
    ----------
    rules : mapping of str to StatementRule
        By the keys.
    beats : LabelledBeats
        Of the whole recording.
    """
    early = beats.symbols == EARLY_NARROW
    runs = [(first, last) for first, last in stretches(early) if last - first >= RUN_BEATS]
    fast = [run for run in runs if _rate(beats, run) >= RUN_RATE]
    slow = sum(last - first for first, last in set(runs).difference(fast))
    if early.any() and (early.sum() - slow) / len(beats) >= MANY:
        said = f"{early.mean():.1%} of the beats"
        yield _statement(rules["supraventricular_premature"], said, "probable")
    if runs:
        yield _of_runs(rules["supraventricular_run"], beats, fast or runs, "probable" if fast else "possible")


def _of_runs(
    rule: StatementRule, beats: LabelledBeats, runs: Sequence[tuple[int, int]], degree: Degree
) -> Statement:
    longest = max(runs, key=lambda run: run[1] - run[0])
    first, last = longest
    start, end = beats.times_s[[first, last - 1]].tolist()
    times = f"{len(runs)} {'times' if len(runs) > 1 else 'time'}"
    said = f"{times}, the longest {last - first} beats, {_rate(beats, longest):.0f}/min"
    return _statement(rule, said, degree, ("from ", start, " to ", end))


def _rate(beats: LabelledBeats, run: tuple[int, int]) -> float:
    """Return the mean heart rate from the first to the last beat of a run, /min."""
    return 60 / float(np.diff(beats.times_s[slice(*run)]).mean())


def _statement(rule: StatementRule, said: str, degree: Degree, when: tuple[Piece, ...] = ()) -> Statement:
    return Statement(
        rule.key,
        f"{rule.name}, {said}",
        rule.category,
        rule.outputs,
        rule.aha,
        degree,
        None,
        (TimedText(*when),) if when else (),
        "measurement",
        rule.severity,
    )
