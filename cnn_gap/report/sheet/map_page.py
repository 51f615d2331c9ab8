"""The page of a finding: the record as on ECG paper over the finding's map."""

from collections.abc import Callable

from matplotlib.figure import Figure

from cnn_gap.beats.intervals import Measurements, measure
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.report.beginning import strongest_part
from cnn_gap.report.findings import MappedFinding
from cnn_gap.report.layouts import STANDARD, Layout
from cnn_gap.report.report_text import cautions, codes, measured_values, person, recording, reported
from cnn_gap.report.sheet.leads import draw_leads
from cnn_gap.report.sheet.maps import BAND, draw_map, draw_overview, draw_regions, draw_scale
from cnn_gap.report.sheet.paper import LEFT, ONLY_PAGE, RESEARCH, RIGHT, WIDTH, Field, PageNumber, Paper
from cnn_gap.report.sheet.part import Part, chosen_part, draw_seconds, record_parts
from cnn_gap.report.sheet.text import Paragraph, Run, fit, write
from cnn_gap.report.tracings import GREY

#: The grid of the page, mm.
FIELD = Field(30.0, 170.0, BAND[1])

# Heights of the texts above the grid, mm, and the width that the codes take.
_TITLE_TOP, _FACTS_TOP, _FACTS_LOW, _CODES_WIDTH = 205.5, 193.0, 175.0, 62.0


def plot_sheet(
    explanation: Explanation,
    explained_class: ExplainedClass,
    *,
    start_s: float | None = None,
    layout: Layout = STANDARD,
    measured: Measurements | None = None,
) -> Figure:
    """Draw a page of a record as on ECG paper over the map of a class.

    The figure is an A4 page to scale. By default it has three rows of four leads that follow each other in
    time, over a rhythm strip (lead II; if there is none, V1 or the first recorded lead). Together they last ten
    seconds, so all rows share one time axis and one map. If a record has few leads, each lead has a row of its
    own. Values of the map above 0 are blue, darker where they are higher. They are pale behind the tracings,
    and in full colour in the band below, to which the scale belongs. Brackets mark the regions. A record of
    several pages has an overview on top.

    Parameters
    ----------
    explanation : Explanation
    explained_class : ExplainedClass
        One of its classes.
    start_s : float, optional
        Where to start, s from the record's start. By default the beginning, or the part that holds clearly more
        of the map.
    layout : Layout
        Rows, speed, gain and order of the leads.
    measured : Measurements, optional
        Of the record; measured here if not given.

    Raises
    ------
    InputError
        If `start_s` is outside of the record.
    """
    finding = MappedFinding(explained_class)
    return map_page(explanation, finding, start_s=start_s, layout=layout, measured=measured)


def map_page(
    explanation: Explanation,
    finding: MappedFinding,
    *,
    start_s: float | None = None,
    layout: Layout = STANDARD,
    measured: Measurements | None = None,
    page: PageNumber = ONLY_PAGE,
) -> Figure:
    """Draw the page of a finding, as `plot_sheet` does that of a class."""
    record, explained = explanation.record, finding.explained
    if start_s is None:
        strongest = strongest_part(record, finding, WIDTH / layout.speed)
        part = Part(strongest.start_s, layout, strongest.reason)
    else:
        part = chosen_part(record, layout, start_s)
    paper = Paper.blank()
    paper.grid(FIELD)
    draw_map(paper, explanation, explained, part, FIELD.top)
    rows = draw_leads(paper, record, part, FIELD)
    draw_regions(paper, explained, part, rows)
    draw_seconds(paper, part, record, BAND[0])
    draw_scale(paper, explained, part, FIELD)
    _draw_title(paper, finding, page)
    facts = _facts(explanation, finding, part, measure(record) if measured is None else measured)
    low = _FACTS_LOW if len(record_parts(record, layout)) > 1 else FIELD.top
    write(paper, fit(facts, (9, 8, 7, 6, 5), RIGHT - LEFT, _FACTS_TOP - low), LEFT, _FACTS_TOP)
    if low == _FACTS_LOW:
        draw_overview(paper, explanation, explained, part)
    return paper.figure


def _draw_title(paper: Paper, finding: MappedFinding, page: PageNumber) -> None:
    """Write the finding with its degree and probability at the left, and its codes at the right."""
    coded = codes(finding.explained)
    texts = ((finding.heading, "bold"), (finding.about, "normal"))

    def title(size: float) -> list[Paragraph]:
        sizes = (size, min(size, 10.0))
        return [Paragraph((Run(text, weight),), at) for (text, weight), at in zip(texts, sizes, strict=True)]

    lines = fit(title, (15, 13, 11, 9, 7), RIGHT - LEFT - _CODES_WIDTH, _TITLE_TOP - _FACTS_TOP)
    write(paper, lines, LEFT, _TITLE_TOP)
    paper.text(RIGHT, _TITLE_TOP - 4.5, ", ".join(filter(None, (RESEARCH, str(page)))), 8.5, ha="right")
    paper.text(RIGHT, _TITLE_TOP - 10, coded, min(8.5, 340 / len(coded)), ha="right")


def _facts(
    explanation: Explanation, finding: MappedFinding, part: Part, measured: Measurements
) -> Callable[[float], list[Paragraph]]:
    """Return a function that makes the paragraphs on the record and on the map in a size of text."""
    record, reading = explanation.record, explanation.reading
    about = [f"Record {record.name}", *person(record), *recording(record), part.text(record)]
    said = (
        f"Reported of it: {reported(explanation)}"
        if reading is None
        else f"Reading: {reading.interpretation or reading.summary}"
    )
    shown_at, leads = finding.explained.row[4:]
    where = f"Seconds at which the map shows it: {shown_at.replace('-', '–')}"
    where += f". Leads that contribute most: {leads}" if leads else ""
    values = ", ".join(f"{name} {value}" for name, value in measured_values(measured, explanation))
    texts = (
        Run(", ".join([*about, f"{record.sampling_rate:g} Hz"])),
        Run(f"Measured automatically: {values or 'nothing that can be trusted'}"),
        Run(said),
        Run(where if explanation.answerable else "There is no map: the record cannot be judged"),
        Run(". ".join(cautions(explanation)), color=GREY),
    )

    def paragraphs(size: float) -> list[Paragraph]:
        return [Paragraph((run,), min(size, 7.5) if run.color == GREY else size) for run in texts]

    return paragraphs
