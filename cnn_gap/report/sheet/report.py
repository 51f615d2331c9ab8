"""The report of a record: its ECG with the reading, then a page for each finding that has a map."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from cnn_gap.beats.intervals import Measurements
from cnn_gap.beats.ventricular import Run
from cnn_gap.explain.explanation import Explanation
from cnn_gap.report.beginning import beginning
from cnn_gap.report.findings import MappedFinding, named_findings, reading_findings
from cnn_gap.report.layouts import STANDARD, Layout
from cnn_gap.report.sheet.ecg_page import ecg_page, reading_lines, split_reading, text_page
from cnn_gap.report.sheet.map_page import map_page
from cnn_gap.report.sheet.paper import ONLY_PAGE, WIDTH, PageNumber
from cnn_gap.report.sheet.part import Part, record_parts

#: Draws a page, given its number.
DrawPage = Callable[[PageNumber], Figure]


@dataclass(frozen=True)
class SheetOptions:
    """How sheets and reports are drawn.

    Attributes
    ----------
    layout : Layout
    every_page : bool
        Show the whole of a long record, instead of the part with most of the map.
    model : str
        The model's name, for the footer; empty where it is not known.
    """

    layout: Layout = STANDARD
    every_page: bool = False
    model: str = ""


def report_pages(
    explanation: Explanation, named: bool, options: SheetOptions, measured: Measurements
) -> Iterator[Figure]:
    """Yield the pages of a record's report, one at a time.

    Parameters
    ----------
    explanation : Explanation
    named : bool
        Whether its classes were asked for by name: then each has a page, instead of the reading's findings.
    options : SheetOptions
    measured : Measurements
        Of its record.
    """
    findings = named_findings(explanation) if named else reading_findings(explanation)
    pages = _ecg_pages(explanation, options, measured)
    for finding in findings:
        pages += _finding_pages(explanation, finding, options, measured)
    yield from numbered(pages, options)


def ecg_pages(explanation: Explanation, options: SheetOptions, measured: Measurements) -> Iterator[Figure]:
    """Yield the ECG and, where the reading is too long for it, pages of text."""
    return numbered(_ecg_pages(explanation, options, measured), options)


def finding_pages(
    explanation: Explanation, finding: MappedFinding, options: SheetOptions, measured: Measurements
) -> Iterator[Figure]:
    """Yield the pages of a finding: the part of the record with most of its map, or all of it."""
    return (draw(ONLY_PAGE) for draw in _finding_pages(explanation, finding, options, measured))


def numbered(pages: Sequence[DrawPage], options: SheetOptions) -> Iterator[Figure]:
    """Draw pages one at a time, each with its number."""
    for number, draw in enumerate(pages, 1):
        yield draw(PageNumber(number, len(pages), options.model))


def _ecg_pages(explanation: Explanation, options: SheetOptions, measured: Measurements) -> list[DrawPage]:
    first, *more = split_reading(reading_lines(explanation))
    parts = ecg_parts(explanation, options, measured.run)
    pages: list[DrawPage] = [partial(ecg_page, explanation, measured, part, first) for part in parts]
    return [pages[0], *(partial(text_page, explanation, lines) for lines in more), *pages[1:]]


def ecg_parts(explanation: Explanation, options: SheetOptions, run: Run | None = None) -> list[Part]:
    """Return the parts that are shown: all of them, or the one that `beginning` chooses."""
    if options.every_page:
        return [Part(start, options.layout) for start in record_parts(explanation.record, options.layout)]
    first = beginning(explanation, run, WIDTH / options.layout.speed)
    return [Part(first.start_s, options.layout, first.reason)]


def _finding_pages(
    explanation: Explanation, finding: MappedFinding, options: SheetOptions, measured: Measurements
) -> list[DrawPage]:
    def draw(start_s: float | None, page: PageNumber) -> Figure:
        return map_page(
            explanation, finding, start_s=start_s, layout=options.layout, measured=measured, page=page
        )

    starts = record_parts(explanation.record, options.layout) if options.every_page else [None]
    return [partial(draw, start) for start in starts]
