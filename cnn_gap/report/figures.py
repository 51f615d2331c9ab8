"""Explained records as pictures: drawn, and written to files."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from cnn_gap.beats.intervals import measure
from cnn_gap.explain.explanation import Explanation
from cnn_gap.report.findings import named_findings
from cnn_gap.report.layouts import STANDARD, Layout
from cnn_gap.report.lead_figure import plot_leads
from cnn_gap.report.sheet.map_page import plot_sheet
from cnn_gap.report.sheet.part import record_parts
from cnn_gap.report.sheet.report import SheetOptions, ecg_pages, finding_pages, report_pages
from cnn_gap.system.files import replacing
from cnn_gap.system.outputs import FIGURE, MADE_BY, picture_kind, require_replaceable

#: How sheets are drawn by default.
STANDARD_SHEETS = SheetOptions()

_DPI = 200


def plot(
    explanation: Explanation,
    diagnosis: str | None = None,
    leads: Sequence[str] | None = None,
    *,
    layout: Layout | str = STANDARD,
) -> Figure:
    """Draw a class of an explained record over its map; notebooks show the figure as a picture.

    Parameters
    ----------
    explanation : Explanation
    diagnosis : str, optional
        The class's code or abbreviation; the first class if not given.
    leads : sequence of str, optional
        Draw only these leads, instead of the twelve-lead sheet.
    layout : Layout or str
        Of the sheet: its rows of leads as ``"3x4"``, ``"6x2"`` or ``"12x1"``; a `Layout` sets speed, gain and
        the order of the leads too.

    Raises
    ------
    InputError
        If the class was not explained, or a lead or the layout is unknown.

    Examples
    --------
    >>> import cnn_gap
    >>> explanation = cnn_gap.load_classifier().explain("test_data/SIM0013", classes="PAC")
    >>> figure = cnn_gap.plot(explanation, "PAC")
    >>> [round(float(inches) * 25.4) for inches in figure.get_size_inches()]  # A4 landscape, mm
    [297, 210]
    """
    layout = Layout(layout) if isinstance(layout, str) else layout
    chosen = explanation.classes[0] if diagnosis is None else explanation[diagnosis]
    if leads is not None:
        return plot_leads(explanation, chosen, leads)
    return plot_sheet(explanation, chosen, layout=layout)


def save_figure(figure: Figure | Iterable[Figure], path: Path) -> None:
    """Write a figure as PNG, SVG or PDF by its suffix, whole or not at all, the same bytes each time.

    Text stays text in SVG and PDF. Several figures are the pages of a PDF.

    Raises
    ------
    InputError
        If the suffix is another.
    """
    path = Path(path)
    kind = picture_kind(path)
    made_by = MADE_BY.decode()
    undated: dict[str, str | None] = {
        ".svg": {"Date": None, "Creator": made_by},
        ".pdf": {"CreationDate": None, "Creator": made_by},
    }.get(kind, {"Software": made_by})
    # A user's own settings of Matplotlib must not crop the page or turn text into outlines.
    settings: dict[str, Any] = {
        "savefig.bbox": None,
        "svg.fonttype": "none",
        "svg.hashsalt": "cnn-gap",
        "pdf.fonttype": 3,  # to embed fonts as TrueType takes longer than all the rest
    }
    with replacing(path) as aside, matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")  # a record may be named in any script
        if isinstance(figure, Figure):
            figure.savefig(aside, dpi=_DPI, format=kind[1:], metadata=undated)
            return
        with PdfPages(aside, metadata=undated) as pages:
            for each in figure:
                each.savefig(pages, format="pdf")


def save_figures(
    explanation: Explanation,
    path: Path,
    options: SheetOptions = STANDARD_SHEETS,
    *,
    named: bool = False,
    leads: Sequence[str] | None = None,
) -> list[Path]:
    """Write a record's report to a PDF, or single pages of it to PNG or SVG files.

    A PDF holds the ECG with the reading, and a page for each finding. A PNG or SVG file holds the ECG with the
    reading or, where classes are named, the sheet of a class: one at `path`, each of several at
    NAME-ABBREVIATION beside it.

    Parameters
    ----------
    explanation : Explanation
    path : Path
        Ends in one of `cnn_gap.system.outputs.PICTURE_SUFFIXES`.
    options : SheetOptions
    named : bool
        Whether the classes of the explanation were asked for by name, and each is to be shown.
    leads : sequence of str, optional
        Draw only these over the map of each class, instead of twelve-lead sheets.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    InputError
        If a lead or the suffix is another than those known, or a figure would replace another file.
    """
    path = Path(path)
    kind = picture_kind(path)
    if leads:
        places = zip(explanation.classes, _places(explanation, path), strict=True)
        return [_saved(plot_leads(explanation, explained, leads), place) for explained, place in places]
    if kind == ".pdf":
        require_replaceable(path, FIGURE)
        save_report(explanation, path, options, named=named)
        return [path]
    measured = measure(explanation.record)
    numbered = options.every_page and len(record_parts(explanation.record, options.layout)) > 1
    if not named:
        return list(save_pages(ecg_pages(explanation, options, measured), path, numbered))
    return [
        written
        for finding, place in zip(named_findings(explanation), _places(explanation, path), strict=True)
        for written in save_pages(finding_pages(explanation, finding, options, measured), place, numbered)
    ]


def save_pages(figures: Iterable[Figure], path: Path, numbered: bool) -> Iterator[Path]:
    """Write each figure to a file: the first at a path unless it is numbered, too, others at NAME-p02, ..."""
    for page, figure in enumerate(figures, 1):
        yield _saved(figure, path.with_stem(f"{path.stem}-p{page:02}") if numbered or page > 1 else path)


def _saved(figure: Figure, path: Path) -> Path:
    require_replaceable(path, FIGURE)
    save_figure(figure, path)
    return path


def save_report(explanation: Explanation, path: Path, options: SheetOptions, *, named: bool = False) -> None:
    """Write a record's report to a PDF, whole or not at all; `save_figures` explains the parameters."""
    save_figure(report_pages(explanation, named, options, measure(explanation.record)), path)


def _places(explanation: Explanation, path: Path) -> list[Path]:
    """Return a different path for each class: with its abbreviation in the name where there are several."""
    if len(explanation.classes) == 1:
        return [path]
    places: list[Path] = []
    for explained in explanation.classes:
        short = re.sub(r"[^\w()+-]", "_", explained.diagnosis.abbreviation)
        place = path.with_stem(f"{path.stem}-{short}")
        if place in places:  # a class and a finding may share an abbreviation
            place = path.with_stem(f"{path.stem}-{short}-{explained.diagnosis.system.replace(' ', '_')}")
        places.append(place)
    return places
