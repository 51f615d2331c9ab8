"""Long recordings as pictures, written to files."""

from pathlib import Path

from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.report.figures import save_figure, save_pages
from cnn_gap.report.sheet.long_report import long_report_pages, summary_pages
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.system.outputs import FIGURE, picture_kind, require_replaceable


def save_long_figures(explanation: LongExplanation, path: Path, options: SheetOptions) -> list[Path]:
    """Write the report of a recording to a PDF, or its first page to a PNG or SVG file.

    What the first page has no room for goes to NAME-p02 and so on. Returns the files that were written.

    Raises
    ------
    InputError
        If the suffix is another than those known, or a figure would replace another file.
    """
    path = Path(path)
    if picture_kind(path) == ".pdf":
        require_replaceable(path, FIGURE)
        save_long_report(explanation, path, options)
        return [path]
    return list(save_pages(summary_pages(explanation, options), path, numbered=False))


def save_long_report(explanation: LongExplanation, path: Path, options: SheetOptions) -> None:
    """Write the report of a recording to a PDF, whole or not at all."""
    save_figure(long_report_pages(explanation, options), path)
