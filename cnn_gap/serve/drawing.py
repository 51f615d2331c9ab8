"""Draw the page of a record, its report as PDF and its first page as PNG. A worker process does it.

A record is drawn from its maps, a recording of more than three minutes from its explanation by strips.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from cnn_gap.explain.computed_maps import ComputedMaps, MapReader
from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.report.figures import save_figures
from cnn_gap.report.long_figures import save_long_figures
from cnn_gap.report.long_page import long_page
from cnn_gap.report.page import explanation_page
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: The explanation of a short or a long record, from which an answer is drawn.
Drawable = ComputedMaps | LongExplanation

#: A function that draws an answer; the text is the name of the model.
Draw = Callable[[MapReader, Drawable, str], bytes]


def draw_page(reader: MapReader, drawable: Drawable, model: str) -> bytes:
    """Return the record's page."""
    if isinstance(drawable, LongExplanation):
        return long_page(drawable).encode()
    return explanation_page(reader.explanation(drawable)).encode()


def draw_pdf(reader: MapReader, drawable: Drawable, model: str) -> bytes:
    """Return the record's report as PDF: the ECG with its reading, and a page for each finding or strip."""
    return _saved(reader, drawable, model, ".pdf")


def draw_png(reader: MapReader, drawable: Drawable, model: str) -> bytes:
    """Return the ECG with its reading as PNG; of a recording by strips the first page of its report."""
    return _saved(reader, drawable, model, ".png")


def _saved(reader: MapReader, drawable: Drawable, model: str, suffix: str) -> bytes:
    options = SheetOptions(model=model)
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        place = Path(folder) / f"report{suffix}"
        if isinstance(drawable, LongExplanation):
            first, *_ = save_long_figures(drawable, place, options)
        else:
            first, *_ = save_figures(reader.explanation(drawable), place, options)
        return read_bytes(first, LARGEST_SIGNAL_FILE)
