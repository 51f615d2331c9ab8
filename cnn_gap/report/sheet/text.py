"""Text on a sheet: paragraphs that are wrapped to a width and written from the top down."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cnn_gap.report.report_text import drawable
from cnn_gap.report.sheet.paper import Paper
from cnn_gap.report.tracings import INK

#: Height of a point, mm, and of a line of text in its size.
POINT_MM, LINE = 25.4 / 72, 1.28

#: Fonts for scripts that Matplotlib's own font lacks; those are used that the machine has.
_FURTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Noto Sans Thai"),
    *("Noto Sans Devanagari", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Microsoft YaHei", "Yu Gothic"),
    *("IPAexGothic", "Malgun Gothic", "Nirmala UI", "PingFang SC", "Hiragino Sans", "Arial Unicode MS"),
)


@dataclass(frozen=True)
class Run:
    """Text in one style."""

    text: str
    weight: str = "normal"
    color: str = INK


@dataclass(frozen=True)
class Paragraph:
    """Runs of text that follow each other, and their size in points."""

    runs: tuple[Run, ...]
    size: float = 9.0


@dataclass(frozen=True)
class Piece:
    """A part of a line: how far from its left end it begins (mm), and its text and style."""

    x: float
    run: Run


@dataclass(frozen=True)
class Line:
    """A line of text and its size in points."""

    pieces: tuple[Piece, ...]
    size: float

    @property
    def height(self) -> float:
        """The height that the line takes, mm."""
        return LINE * POINT_MM * self.size

    @property
    def text(self) -> str:
        """All its words."""
        return " ".join(piece.run.text for piece in self.pieces)


@cache
def families() -> tuple[str, ...]:
    """Return the fonts of a sheet, each for the characters that those before it lack."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in _FURTHER_FONTS if name in known))


@lru_cache(1 << 14)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width of a line of text, mm."""
    style = FontProperties(family=list(families()), size=size, weight=weight)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")  # as when the figure is saved
        points, _, _ = text_to_path.get_text_width_height_descent(text, style, False)
    return float(points) * POINT_MM


def wrap(paragraphs: Iterable[Paragraph], width: float) -> list[Line]:
    """Return the lines of paragraphs that are at most `width` mm wide; a word that is longer is broken."""
    return [line for paragraph in paragraphs for line in _lines(paragraph, width)]


def fit(
    make: Callable[[float], Sequence[Paragraph]], sizes: Sequence[float], width: float, height: float
) -> list[Line]:
    """Return lines in the first size in which they are at most `height` mm high, or in the last one."""
    for size in sizes:
        lines = wrap(make(size), width)
        if sum(line.height for line in lines) <= height:
            break
    return lines


def split(lines: Sequence[Line], height: float) -> tuple[list[Line], list[Line]]:
    """Return the lines that fit into a height, mm, and the others."""
    left = height
    for index, line in enumerate(lines):
        left -= line.height
        if left < 0:
            return list(lines[:index]), list(lines[index:])
    return list(lines), []


def write(paper: Paper, lines: Iterable[Line], x: float, top: float) -> float:
    """Write lines from a height downwards, and return the height below them, mm."""
    for line in lines:
        top -= line.height
        base = top + 0.3 * line.size * POINT_MM
        for piece in line.pieces:
            style = {"weight": piece.run.weight, "color": piece.run.color, "family": list(families())}
            paper.text(x + piece.x, base, piece.run.text, line.size, **style)
    return top


def _lines(paragraph: Paragraph, width: float) -> Iterator[Line]:
    pieces: list[Piece] = []
    end = 0.0  # of the pieces of the line
    for run in paragraph.runs:
        space = text_width("n n", paragraph.size, run.weight) - text_width("nn", paragraph.size, run.weight)
        for word in _words(run, paragraph.size, width):
            wide = text_width(word, paragraph.size, run.weight)
            if pieces and end + space + wide > width:
                yield Line(tuple(pieces), paragraph.size)
                pieces, end = [], 0.0
            at = end + space if pieces else 0.0
            if pieces and (pieces[-1].run.weight, pieces[-1].run.color) == (run.weight, run.color):
                before = pieces.pop()
                word, at = f"{before.run.text} {word}", before.x
            pieces.append(Piece(at, Run(word, run.weight, run.color)))
            end = at + text_width(word, paragraph.size, run.weight)
    yield Line(tuple(pieces), paragraph.size)


def _words(run: Run, size: float, width: float) -> Iterator[str]:
    """Yield the words of a run, in pieces if they are wider than a line."""
    for word in drawable(run.text).split():
        rest = word
        while text_width(rest, size, run.weight) > width:
            count = len(rest)
            while count > 1 and text_width(rest[:count], size, run.weight) > width:
                count -= max(1, count // 20)
            yield rest[:count]
            rest = rest[count:]
        yield rest
