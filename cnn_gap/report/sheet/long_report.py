"""The PDF of a long recording: report, events, the most urgent strips, and one whole lead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from cnn_gap.beats.intervals import Measurements, measure
from cnn_gap.explain.events import Event, most_urgent
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.long_explanation import ExplainedStrip, LongExplanation
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.report.disclosure import disclose
from cnn_gap.report.findings import MappedFinding
from cnn_gap.report.recording_tables import (
    PREMATURE_COLUMNS,
    RHYTHM_COLUMNS,
    figures,
    premature_rows,
    rhythm_rows,
)
from cnn_gap.report.recording_times import RecordingTimes
from cnn_gap.report.report_text import person, recording
from cnn_gap.report.sheet.disclosure_page import disclosure_page, disclosure_pages
from cnn_gap.report.sheet.ecg_page import ecg_page, reading_lines, reading_paragraphs, split_reading, text_page
from cnn_gap.report.sheet.map_page import map_page
from cnn_gap.report.sheet.overview import LANE, draw_monitoring
from cnn_gap.report.sheet.paper import LEFT, RESEARCH, RIGHT, PageNumber, Paper
from cnn_gap.report.sheet.part import first_part
from cnn_gap.report.sheet.report import DrawPage, SheetOptions, numbered
from cnn_gap.report.sheet.text import Line, Paragraph, Run, fit, split, wrap, write
from cnn_gap.report.tracings import GREY

#: The largest number of strips that have a page, and of events in a column of the list.
MOST_STRIP_PAGES, COLUMN_ROWS = 24, 36

# Heights of the first page, mm: texts from the top down to at least the overview.
_TOP, _OVERVIEW_TOP, _LOW = 204.0, 105.0, 12.0
_MIDDLE = LEFT + 118.0  # where the figures begin, right of the reading
_SCALES = (1.0, 0.9, 0.8)  # of the reading's text, until it fits
_LIMITS_TOP = 33.0  # top of the text on what was not assessed, below the events
_EVENT_COLUMNS = (LEFT, LEFT + 138.0)


def long_report_pages(explanation: LongExplanation, options: SheetOptions) -> Iterator[Figure]:
    """Yield the pages of a long recording's report, one at a time."""
    lead = disclose(explanation.record)
    summary, strips = _summary_pages(explanation), _strips(explanation, options)
    before, numbers = len(summary) + len(_event_groups(explanation)), {}
    for place, drawn in strips.items():
        numbers[place] = before + 1
        before += len(drawn)
    pages: list[DrawPage] = [
        *summary,
        *_event_pages(explanation, numbers),
        *(page for drawn in strips.values() for page in drawn),
        *(
            partial(disclosure_page, explanation, lead, start)
            for start in disclosure_pages(lead, explanation.duration_s)
        ),
    ]
    for figure in numbered(pages, options):
        yield figure
        figure.clear()  # a day has many pages, and figures are freed late, by the garbage collector


def summary_pages(explanation: LongExplanation, options: SheetOptions) -> Iterator[Figure]:
    """Yield the first page of the report, and further pages for text that it has no room for."""
    return numbered(_summary_pages(explanation), options)


def _summary_pages(explanation: LongExplanation) -> list[DrawPage]:
    """Return the first page, and further pages for text that it has no room for."""
    alone = explanation.prediction.monitoring is None
    width = (RIGHT if alone else _MIDDLE - 6) - LEFT
    height = _TOP - 12 - (_LOW + 5 if alone else _OVERVIEW_TOP + 2)
    said, _ = _paragraphs(explanation)

    def scaled(scale: float) -> list[Paragraph]:
        return [replace(each, size=scale * each.size) for each in said]

    first, rest = split(fit(scaled, _SCALES, width, height), height)
    pages: list[DrawPage] = [partial(_summary_page, explanation, first)]
    while rest:
        shown, rest = split(rest, _TOP - _LOW - 12)
        pages.append(partial(_text_page, explanation, shown))
    return pages


def _paragraphs(explanation: LongExplanation) -> tuple[list[Paragraph], list[Paragraph]]:
    """Return the paragraphs of the reading, and the paragraphs on diagnoses that were not assessed."""
    whole, times = explanation.whole, RecordingTimes(explanation.record.time)
    reading = times.in_reading(whole.reading)
    every = reading_paragraphs(replace(whole, reading=reading))
    if reading is None:
        return every, []
    said = reading_paragraphs(replace(whole, reading=replace(reading, not_assessed=())))
    return said, every[len(said) :]


def _summary_page(explanation: LongExplanation, lines: Sequence[Line], page: PageNumber) -> Figure:
    """Draw the reading, the figures and the overview of a recording."""
    paper, monitoring = _page(explanation, page), explanation.prediction.monitoring
    write(paper, lines, LEFT, _TOP - 10)
    if monitoring is not None:
        times = RecordingTimes(explanation.record.time)
        _draw_figures(paper, monitoring, times)
        lanes = len({each.diagnosis.code for each in monitoring.episodes}) + 4
        high = min(_OVERVIEW_TOP, _LOW + 65 + LANE * lanes)
        draw_monitoring(paper, monitoring, times, _LOW, high)
    return paper.figure


def _text_page(explanation: LongExplanation, lines: Sequence[Line], page: PageNumber) -> Figure:
    paper = _page(explanation, page)
    write(paper, lines, LEFT, _TOP - 10)
    return paper.figure


def _page(explanation: LongExplanation, page: PageNumber) -> Paper:
    """Return a page with who was recorded and when on top."""
    paper, whole = Paper.blank(), explanation.whole
    about = [*person(whole.record), *recording(whole.record), f"{explanation.record.sampling_rate:g} Hz"]
    paper.text(LEFT, _TOP - 4, f"Record {explanation.record.name}", 13, weight="bold")
    paper.text(LEFT + 70, _TOP - 4, ", ".join(about), 9)
    paper.text(RIGHT, _TOP - 4, ", ".join(filter(None, (RESEARCH, str(page)))), 8.5, ha="right")
    return paper


def _draw_figures(paper: Paper, monitoring: Monitoring, times: RecordingTimes) -> None:
    """Write the figures and the tables of rhythms and premature beats right of the reading."""
    height = _TOP - 12
    for each in figures(monitoring):
        at = "" if each.time_s is None else f" at {times.text(each.time_s)}"
        height -= 4.2
        paper.text(_MIDDLE, height, each.name, 8.5, color=GREY)
        paper.text(_MIDDLE + 42, height, f"{each.value}{at}", 8.5, weight="bold")
    for columns, rows, ends in (
        (RHYTHM_COLUMNS, rhythm_rows(monitoring), (0, 72, 92, 110, 130, 152)),
        (PREMATURE_COLUMNS, premature_rows(monitoring), (0, 47, 62, 77, 96, 110, 132, 152)),
    ):
        height -= 4
        for row, cells in enumerate((columns, *rows) if rows else ()):
            height -= 4.2
            for cell, end in zip(cells, ends, strict=True):
                style = {"weight": "bold" if not row else "normal", "ha": "right" if end else "left"}
                paper.text(_MIDDLE + end, height, cell, 7.5, **style)


def _event_groups(explanation: LongExplanation) -> list[tuple[Event, ...]]:
    """Return the events of each page of the list, which has at least one."""
    size = COLUMN_ROWS * len(_EVENT_COLUMNS)
    groups = [explanation.events[first : first + size] for first in range(0, len(explanation.events), size)]
    return groups or [()]


def _event_pages(explanation: LongExplanation, numbers: Mapping[int, int]) -> list[DrawPage]:
    """Return the pages of the list of events; the last page also lists the diagnoses that were not assessed.

    `numbers` are the pages of the strips that have one, by the strips' places.
    """
    groups = _event_groups(explanation)
    return [partial(_event_page, explanation, numbers, group) for group in groups]


def _event_page(
    explanation: LongExplanation, numbers: Mapping[int, int], events: Sequence[Event], page: PageNumber
) -> Figure:
    paper, times = _page(explanation, page), RecordingTimes(explanation.record.time)
    heading = "Events, the most urgent first, with the page that shows their ten seconds"
    paper.text(LEFT, _TOP - 12, heading if events else "No events", 10, weight="bold")
    for place, event in enumerate(events):
        left = _EVENT_COLUMNS[place // COLUMN_ROWS]
        height = _TOP - 18 - 4.2 * (place % COLUMN_ROWS)
        strip = explanation.strip_of(event)
        number = None if strip is None else numbers.get(strip)
        mark = "" if number is None else f" (page {number})"
        paper.text(left, height, times.text(event.start_s), 8, color=GREY)
        (line, *_) = wrap([Paragraph((Run(f"{event.title}{mark}"),), 8)], 108)
        write(paper, [line], left + 24, height + line.height - 1)
    if events == explanation.events[len(explanation.events) - len(events) :]:
        _, limits = _paragraphs(explanation)
        sized = partial(_sized, limits)
        write(paper, fit(sized, (7.5, 6.5, 5.5), RIGHT - LEFT, _LIMITS_TOP - 8), LEFT, _LIMITS_TOP)
    return paper.figure


def _sized(paragraphs: Sequence[Paragraph], size: float) -> list[Paragraph]:
    return [replace(each, size=size) for each in paragraphs]


def _strips(explanation: LongExplanation, options: SheetOptions) -> dict[int, list[DrawPage]]:
    """Return the pages of each of the most urgent strips by its place, with the map of its event, if any."""
    chosen = most_urgent([each.strip.event for each in explanation.strips], MOST_STRIP_PAGES)
    return {place: _strip_pages(explanation.strips[place], options) for place in chosen}


def _strip_pages(each: ExplainedStrip, options: SheetOptions) -> list[DrawPage]:
    explanation, measured = each.explanation, measure(each.explanation.record)
    if each.shown is not None:
        finding = MappedFinding(each.shown, event=each.strip.event.title)
        return [partial(_finding_page, explanation, finding, options, measured)]
    named = replace(explanation.record, name=f"{explanation.record.name}: {each.strip.event.title}")
    reading = explanation.reading
    said = None if reading is None else replace(reading, notes=(), not_assessed=())  # page 1 has them
    shown = replace(explanation, record=named, reading=said, notes=())
    first, *more = split_reading(reading_lines(shown))
    part = first_part(options.layout)
    return [
        partial(ecg_page, shown, measured, part, first),
        *(partial(text_page, shown, lines) for lines in more),
    ]


def _finding_page(
    explanation: Explanation,
    finding: MappedFinding,
    options: SheetOptions,
    measured: Measurements,
    page: PageNumber,
) -> Figure:
    return map_page(explanation, finding, layout=options.layout, measured=measured, page=page)
