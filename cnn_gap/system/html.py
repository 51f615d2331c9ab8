"""Small HTML tables, which notebooks show in the place of text."""

from collections.abc import Iterable, Sequence
from html import escape


def html_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", notes: Iterable[str] = ()
) -> str:
    """Return a table with a caption above it and notes below; all texts are escaped.

    Examples
    --------
    >>> html_table(["Lead"], [["<II>"]], "A1")
    '<table><caption>A1</caption><thead><tr><th>Lead</th></tr></thead><tbody><tr><td>&lt;II&gt;</td></tr></tbody></table>'
    """
    lines = "".join(_row("td", cells) for cells in rows)
    table = f"<thead>{_row('th', headings)}</thead><tbody>{lines}</tbody>" if lines else ""
    notes_below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f"<table><caption>{escape(caption)}</caption>{table}</table>{notes_below}"


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
