"""The first page of a report: the twelve leads as a hospital prints them, under the reading."""

from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure

from cnn_gap.beats.intervals import Measurements
from cnn_gap.explain.explanation import Explanation
from cnn_gap.reading.interpret import UNKNOWN_TO_THE_MODEL
from cnn_gap.reading.reading import Reading, alert_lines, group_not_assessed
from cnn_gap.report.findings import about
from cnn_gap.report.report_text import measured_values, network_limits, person, recording
from cnn_gap.report.sheet.leads import draw_column_times, draw_leads, is_cut
from cnn_gap.report.sheet.paper import ALARM, LEFT, RESEARCH, RIGHT, Field, PageNumber, Paper
from cnn_gap.report.sheet.part import Part, draw_seconds
from cnn_gap.report.sheet.text import Line, Paragraph, Run, fit, split, wrap, write
from cnn_gap.report.tracings import GREY
from cnn_gap.system.version import __version__

#: The grid of the page, mm.
FIELD = Field(20.0, 155.0, 20.0)

# The texts above the grid, mm: their upper and lower end, the width of the left column, where the right one
# begins, and how far values stand from their names.
_TOP, _LOW = 205.0, 158.5
_NARROW = 70.0
_RIGHT_COLUMN = LEFT + _NARROW + 5
_VALUES = 28.0

_SMALL = 7.5


def ecg_page(
    explanation: Explanation, measured: Measurements, part: Part, lines: Sequence[Line], page: PageNumber
) -> Figure:
    """Draw the leads of a part of a record to scale, under the lines of its reading and its measurements.

    Parameters
    ----------
    explanation : Explanation
    measured : Measurements
        Of its record.
    part : Part
    lines : sequence of Line
        Of the reading: what `reading_lines` returns and `split_reading` leaves for this page.
    page : PageNumber
    """
    record = explanation.record
    paper = Paper.blank()
    paper.grid(FIELD)
    draw_leads(paper, record, part, FIELD)
    draw_column_times(paper, record, part, FIELD.top + 0.8)
    draw_seconds(paper, part, record, FIELD.bottom)
    _draw_person(paper, explanation, measured)
    write(paper, lines, _RIGHT_COLUMN, _TOP)
    scale = f"{part.layout.speed:g} mm/s   {part.layout.gain:g} mm/mV   no filter   {record.sampling_rate:g} Hz"
    cut = "   red triangles: the tracing is cut" if is_cut(paper) else ""
    _draw_footer(paper, f"{scale}   {part.text(record)}{cut}", explanation, page)
    return paper.figure


def text_page(explanation: Explanation, lines: Sequence[Line], page: PageNumber) -> Figure:
    """Draw a page of the lines that the pages before have no room for."""
    paper = Paper.blank()
    about = wrap(_facts(explanation, 9.0), RIGHT - LEFT)
    write(paper, lines, LEFT, write(paper, about, LEFT, _TOP) - 4)
    _draw_footer(paper, "continued from the page before", explanation, page)
    return paper.figure


def reading_lines(explanation: Explanation) -> list[Line]:
    """Return the lines of a reading: conclusion, alerts, statements, quality, and diagnoses not assessed."""
    return wrap(reading_paragraphs(explanation), RIGHT - _RIGHT_COLUMN)


def split_reading(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines of the first page, then the lines of each page of text that follows."""
    first, rest = split(lines, _TOP - _LOW)
    if not rest:
        return [first]
    kept, more = split(lines, _TOP - _LOW - 4)
    pages = [[*kept, *wrap([Paragraph((Run("Continued on the next page", "bold"),), _SMALL)], _NARROW)]]
    while more:
        shown, more = split(more, _TOP - FIELD.bottom - 25)
        pages.append(shown)
    return pages


def reading_paragraphs(explanation: Explanation) -> list[Paragraph]:
    """Return the paragraphs of `reading_lines`."""
    reading = explanation.reading
    if reading is None:
        return [Paragraph((Run("No reading was made of this record."),))]
    interpretable = reading.conclusion != "not interpretable"
    verdict = f"{reading.conclusion.capitalize()} ECG:" if interpretable else "Not interpretable:"
    said = [Paragraph((Run(verdict, "bold"), Run(reading.reason)), 12)]
    said += [Paragraph((Run(alert, "bold", ALARM),), 10) for alert in alert_lines(reading)]
    said += [
        Paragraph((Run(str(each), "bold"), Run(f"({about(each)})", color=GREY))) for each in reading.statements
    ]
    notes = [note for note in (*reading.notes, *explanation.notes) if note != reading.reason]
    limits = (*_sentences(notes), *_withheld(reading))
    return said + [Paragraph((Run(text, color=GREY),), _SMALL) for text in limits]


def _sentences(texts: Iterable[str]) -> list[str]:
    """Return texts that differ as one paragraph of sentences; none if there are none."""
    sentences = [f"{text[:1].upper()}{text[1:]}" for text in dict.fromkeys(texts)]
    return [". ".join(sentences) + "."] if sentences else []


def _withheld(reading: Reading) -> list[str]:
    """Return the statements that cannot be made of the record, those with the same reason together."""
    withheld = (text for text in reading.not_assessed if text not in UNKNOWN_TO_THE_MODEL)
    grouped = "; ".join(group_not_assessed(withheld))
    return [f"Not assessed: {grouped}."] if grouped else []


def _facts(explanation: Explanation, size: float) -> list[Paragraph]:
    record = explanation.record
    name = Paragraph((Run(record.name or "unnamed", "bold"),), size)
    others = (", ".join(person(record)) or "age and sex unknown", *recording(record))
    return [name, *(Paragraph((Run(each),), min(size, 8.5)) for each in others)]


def _draw_person(paper: Paper, explanation: Explanation, measured: Measurements) -> None:
    """Write the person and the time of the recording, and the measured values below."""
    values = measured_values(measured, explanation)
    rows = [Paragraph((Run(name),), 8.5) for name, _ in values] or [
        Paragraph((Run("Nothing was measured that can be trusted."),), 8.5)
    ]
    lines = wrap(rows, _NARROW)
    top = _LOW + sum(line.height for line in lines)
    facts = fit(lambda size: _facts(explanation, size), (13, 11, 9, 7, 6, 5), _NARROW, _TOP - top)
    write(paper, facts, LEFT, _TOP)
    write(paper, lines, LEFT, top)
    write(paper, wrap([Paragraph((Run(value),), 8.5) for _, value in values], _NARROW), LEFT + _VALUES, top)


def _draw_footer(paper: Paper, shown: str, explanation: Explanation, page: PageNumber) -> None:
    """Write scale and part, and the version and the model that made the reading."""
    model = f", model {page.model}" if page.model else ""
    computed = (
        f"cnn-gap {__version__}{model}. Probabilities are calibrated for the hospital whose records the model"
        f" learned from; at others they are no certainty, even if they are high. {RESEARCH}."
    )
    limits = ". ".join(network_limits(explanation))
    unknown = f"Unknown to the model: {', '.join(UNKNOWN_TO_THE_MODEL)}. {limits}"
    paper.text(LEFT, 10.2, shown, 8.5, weight="bold")
    paper.text(RIGHT, 10.2, str(page), 8.5, ha="right")
    width = RIGHT - LEFT
    lines = wrap([Paragraph((Run(computed),), _SMALL)], width)
    lines += fit(lambda size: [Paragraph((Run(unknown, color=GREY),), size)], (6.5, 6, 5), width, 4)
    write(paper, lines, LEFT, 9)
