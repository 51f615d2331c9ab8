"""Draw the page of a record, its report as PDF and its first page as PNG. A worker process does it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from cnn_gap.explain.computed_maps import ComputedMaps, MapReader
from cnn_gap.report.figures import save_figures
from cnn_gap.report.page import explanation_page
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: Draws an answer from the maps of a record; the text is the name of the model.
Draw = Callable[[MapReader, ComputedMaps, str], bytes]


def draw_page(reader: MapReader, computed: ComputedMaps, model: str) -> bytes:
    """Return the record's page."""
    return explanation_page(reader.explanation(computed)).encode()


def draw_pdf(reader: MapReader, computed: ComputedMaps, model: str) -> bytes:
    """Return the record's report as PDF: the ECG with its reading, and a page for each finding."""
    return _saved(reader, computed, model, ".pdf")


def draw_png(reader: MapReader, computed: ComputedMaps, model: str) -> bytes:
    """Return the ECG with its reading as PNG."""
    return _saved(reader, computed, model, ".png")


def _saved(reader: MapReader, computed: ComputedMaps, model: str, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        place = Path(folder) / f"report{suffix}"
        first, *_ = save_figures(reader.explanation(computed), place, SheetOptions(model=model))
        return read_bytes(first, LARGEST_SIGNAL_FILE)
