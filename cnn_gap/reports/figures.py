"""Explained records as pictures: drawn, and written to files."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from cnn_gap.errors import InputError
from cnn_gap.files import replacing
from cnn_gap.prediction.explanation import Explanation
from cnn_gap.reports.lead_figure import plot_leads
from cnn_gap.reports.sheet import plot_sheet

#: What pictures are written as.
SUFFIXES = (".png", ".svg", ".pdf")

_DPI = 200


def plot(explanation: Explanation, diagnosis: str | None = None, leads: Sequence[str] | None = None) -> Figure:
    """Draw a class of an explained record over its map.

    Parameters
    ----------
    explanation : Explanation
    diagnosis : str, optional
        The class's code or abbreviation; the first class if not given.
    leads : sequence of str, optional
        Draw only these; the whole twelve-lead sheet if not given.

    Raises
    ------
    InputError
        If the class was not explained, or a lead is unknown.

    Examples
    --------
    >>> import cnn_gap
    >>> explanation = cnn_gap.load_classifier().explain("test_data/SIM0013", classes="PAC")
    >>> figure = cnn_gap.plot(explanation, "PAC")
    >>> [round(float(inches) * 25.4) for inches in figure.get_size_inches()]  # A4 landscape, mm
    [297, 210]
    """
    chosen = explanation.classes[0] if diagnosis is None else explanation[diagnosis]
    return plot_sheet(explanation, chosen) if leads is None else plot_leads(explanation, chosen, leads)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, SVG or PDF by its suffix, whole or not at all, the same bytes each time.

    Text stays text in SVG and PDF.

    Raises
    ------
    InputError
        If the suffix is another.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(f"{path}: pictures are written as {', '.join(SUFFIXES)}; end the name in one of these")
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(kind)
    # A user's own settings must not crop the page, which would change nothing but its size, or draw text.
    settings: dict[str, Any] = {
        "savefig.bbox": None,
        "svg.fonttype": "none",
        "svg.hashsalt": "cnn-gap",
        "pdf.fonttype": 42,
    }
    with replacing(path) as aside, matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")  # a record may be named in any script
        figure.savefig(aside, dpi=_DPI, format=kind[1:], metadata=undated)


def save_figures(explanation: Explanation, path: Path, leads: Sequence[str] | None = None) -> list[Path]:
    """Draw every class of an explanation, the first at `path`, each further one at NAME-ABBREVIATION beside it.

    Parameters
    ----------
    explanation : Explanation
    path : Path
        Ends in one of `SUFFIXES`.
    leads : sequence of str, optional
        Draw these over the map, instead of the twelve-lead sheet.

    Returns
    -------
    list of Path
        What was written, in the order of the classes.

    Raises
    ------
    InputError
        If a lead or the suffix is another than those known.
    """
    path = Path(path)
    written: list[Path] = []
    for explained in explanation.classes:
        figure = plot_leads(explanation, explained, leads) if leads else plot_sheet(explanation, explained)
        place = path.with_stem(f"{path.stem}-{explained.diagnosis.abbreviation}") if written else path
        save_figure(figure, place)
        written.append(place)
    return written
