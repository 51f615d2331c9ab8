"""Explained records as pictures: drawn, and written to files."""

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from cnn_gap.beats.intervals import measure
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.report.layouts import STANDARD, Layout
from cnn_gap.report.lead_figure import plot_leads
from cnn_gap.report.sheet import plot_sheet, sheet_starts
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import replacing
from cnn_gap.system.outputs import FIGURE, MADE_BY, require_replaceable

#: Suffixes of the formats of pictures.
PICTURE_SUFFIXES = (".png", ".svg", ".pdf")

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
    kind = _kind(path)
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
        "pdf.fonttype": 42,
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
    leads: Sequence[str] | None = None,
    *,
    layout: Layout = STANDARD,
    every_page: bool = False,
) -> list[Path]:
    """Draw every class of an explanation: one at `path`, each of several at NAME-ABBREVIATION beside it.

    Parameters
    ----------
    explanation : Explanation
    path : Path
        Ends in one of `PICTURE_SUFFIXES`.
    leads : sequence of str, optional
        Draw these over the map, instead of the twelve-lead sheet.
    layout : Layout
        Of the sheet.
    every_page : bool
        Draw the sheet of the whole record: pages of a PDF, or files that end in -p01, -p02, ...; otherwise
        the page that has the map's maximum.

    Returns
    -------
    list of Path
        The files that were written, in the order of the classes.

    Raises
    ------
    InputError
        If a lead or the suffix is another than those known, or a figure would replace another file.
    """
    path = Path(path)
    _kind(path)
    written: list[Path] = []
    measured = None if leads else measure(explanation.record)
    starts: Sequence[float | None] = sheet_starts(explanation, layout) if every_page and not leads else [None]

    def sheet(explained: ExplainedClass, start: float | None) -> Figure:
        return plot_sheet(explanation, explained, start_s=start, layout=layout, measured=measured)

    for explained, place in zip(explanation.classes, _places(explanation, path), strict=True):
        if leads:
            require_replaceable(place, FIGURE)
            save_figure(plot_leads(explanation, explained, leads), place)
            written.append(place)
        elif len(starts) > 1 and path.suffix.lower() == ".pdf":
            require_replaceable(place, FIGURE)
            save_figure((sheet(explained, start) for start in starts), place)
            written.append(place)
        else:
            for page, start in enumerate(starts, 1):
                at = place if len(starts) == 1 else place.with_stem(f"{place.stem}-p{page:02}")
                require_replaceable(at, FIGURE)
                save_figure(sheet(explained, start), at)
                written.append(at)
    return written


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in PICTURE_SUFFIXES:
        raise InputError(
            f"{path}: pictures are written as {', '.join(PICTURE_SUFFIXES)}; end the name in one of these"
        )
    return kind


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
