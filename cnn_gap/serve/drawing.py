"""What a worker draws: the page of a record, and its sheets."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cnn_gap.explain.computed_maps import ComputedMaps, MapReader
from cnn_gap.report.figures import save_figures
from cnn_gap.report.page import explanation_page
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: Draws an answer from the maps of a record.
Draw = Callable[[MapReader, ComputedMaps], bytes]


def draw_page(reader: MapReader, computed: ComputedMaps) -> bytes:
    """Return the record's page."""
    return explanation_page(reader.explanation(computed)).encode()


def draw_pdf(reader: MapReader, computed: ComputedMaps) -> bytes:
    """Return the sheet of the most probable answered class as PDF."""
    return _sheet(reader, computed, ".pdf")


def draw_png(reader: MapReader, computed: ComputedMaps) -> bytes:
    """Return the sheet of the most probable answered class as PNG."""
    return _sheet(reader, computed, ".png")


def _sheet(reader: MapReader, computed: ComputedMaps, suffix: str) -> bytes:
    answered = reader.explanation(computed).answered
    explanation = replace(answered, classes=answered.classes[:1])
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        (path,) = save_figures(explanation, Path(folder) / f"sheet{suffix}", every_page=suffix == ".pdf")
        return read_bytes(path, LARGEST_SIGNAL_FILE)
