"""Pages of full disclosure: one lead of a whole recording, an hour a page, a minute a line."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.holter.beat_labels import EARLY_NARROW, VENTRICULAR, LabelledBeats
from cnn_gap.report.disclosure import DisclosedLead
from cnn_gap.report.recording_times import RecordingTimes
from cnn_gap.report.report_text import person
from cnn_gap.report.sheet.overview import BLUE, shades
from cnn_gap.report.sheet.paper import ALARM, LEFT, RESEARCH, RIGHT, PageNumber, Paper
from cnn_gap.report.tracings import GREY, INK, extremes

#: Length of a page and of a line, s.
PAGE_S, LINE_S = 3600.0, 60.0

#: Lines of a minute, mm on the page: left end, right end, height of the first line, distance between two lines.
_START, _END, _TOP, _STEP = LEFT + 16.0, RIGHT, 196.0, 3.08

_GAIN = 3.0  # mm/mV
_REACH = 4.5  # mm above and below its line at which a tracing is cut
_AROUND_S = (0.2, 0.35)  # the part before and after a premature beat that is coloured

#: Of this many successive samples, the lowest and the highest are drawn: 0.17 mm of paper at 100 Hz.
_JOINED = 4


def disclosure_pages(lead: DisclosedLead, duration_s: float) -> list[float]:
    """Return when the pages begin, s; none if the recording has no lead."""
    return np.arange(0.0, duration_s, PAGE_S).tolist() if lead.name else []


def disclosure_page(
    explanation: LongExplanation, lead: DisclosedLead, start_s: float, page: PageNumber
) -> Figure:
    """Draw an hour of a lead: episodes shaded, ventricular beats red, atrial ones blue."""
    paper = Paper.blank()
    times, monitoring = RecordingTimes(explanation.record.time), explanation.prediction.monitoring
    end_s = min(start_s + PAGE_S, explanation.duration_s)
    _draw_texts(paper, explanation, lead, (start_s, end_s), page)
    if monitoring is not None:
        _draw_shades(paper, shades(monitoring), start_s, end_s)
    places, values = _tracing(lead, start_s, end_s)
    _draw(paper, places, values, start_s, INK)
    if monitoring is not None:
        beats = monitoring.beats.within(start_s, end_s)
        for symbol, colour in ((VENTRICULAR, ALARM), (EARLY_NARROW, BLUE)):
            near = _near(places, beats, symbol)
            if near.any():
                _draw(paper, places, np.where(near, values, np.nan), start_s, colour)
    for line in range(int(np.ceil((end_s - start_s) / LINE_S))):
        paper.text(LEFT, _TOP - _STEP * line - 0.7, times.text(start_s + LINE_S * line), 5.5, color=GREY)
    return paper.figure


def _tracing(lead: DisclosedLead, start_s: float, end_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the times, s, and the amplitudes, mV, of a part: the extremes of every few samples."""
    values = lead.millivolts(start_s, end_s)
    kept = extremes(values, _JOINED)
    return start_s + kept / lead.rate, values[kept]


def _near(places: np.ndarray, beats: LabelledBeats, symbol: str) -> np.ndarray:
    """Return which times are near beats of a kind."""
    edges = np.zeros(len(places) + 1, int)
    times = beats.times_s[beats.symbols == symbol]
    np.add.at(edges, np.searchsorted(places, times - _AROUND_S[0]), 1)
    np.add.at(edges, np.searchsorted(places, times + _AROUND_S[1]), -1)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def _draw(paper: Paper, places: np.ndarray, values: np.ndarray, start_s: float, colour: str) -> None:
    """Draw amplitudes in lines."""
    line = np.floor((places - start_s) / LINE_S + 1e-9)
    x = _START + (_END - _START) * (places - start_s - LINE_S * line) / LINE_S
    y = _TOP - _STEP * line + np.clip(_GAIN * values, -_REACH, _REACH)
    breaks = np.flatnonzero(np.diff(line)) + 1
    x, y = np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan)
    paper.axes.plot(x, y, color=colour, linewidth=0.35, zorder=4)


def _draw_shades(paper: Paper, parts: Sequence[tuple[float, float, str]], start_s: float, end_s: float) -> None:
    """Shade the parts of the lines in which episodes are."""
    for first_s, last_s, colour in parts:
        first, last = max(first_s, start_s) - start_s, min(last_s, end_s) - start_s
        at = first
        while at < last:
            line = int(at // LINE_S)
            until = min(last, (line + 1) * LINE_S)
            left, right = (_START + (_END - _START) * (each - line * LINE_S) / LINE_S for each in (at, until))
            low = _TOP - _STEP * (line + 0.5)
            paper.axes.fill_between([left, right], low, low + _STEP, color=colour, linewidth=0, zorder=1)
            at = until


def _draw_texts(
    paper: Paper, explanation: LongExplanation, lead: DisclosedLead, span: tuple[float, float], page: PageNumber
) -> None:
    times = RecordingTimes(explanation.record.time)
    about = [f"Record {explanation.record.name}", *person(explanation.whole.record), f"lead {lead.name}"]
    paper.text(
        LEFT, 203, f"{', '.join(about)}, {times.text(span[0])} to {times.text(span[1])}", 10, weight="bold"
    )
    paper.text(RIGHT, 203, ", ".join(filter(None, (RESEARCH, str(page)))), 8, ha="right")
    scale = f"a line a minute, {_GAIN:g} mm/mV, from 0.5 Hz on"
    colours = "red: ventricular beats; blue: atrial beats; shaded: episodes (ventricular ones red)"
    paper.text(LEFT, 6, f"{scale}; {colours}", 7.5, color=GREY)
