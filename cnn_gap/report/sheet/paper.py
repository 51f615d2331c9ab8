"""The paper of a sheet: an A4 page in millimetres from its lower left corner, and its grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox, TransformedBbox

from cnn_gap.report.picture import Picture
from cnn_gap.report.tracings import INK

#: Width and height of the page, mm.
PAGE_MM = (297.0, 210.0)

#: Left and right end of the grid, mm.
LEFT, RIGHT = 13.5, 283.5

#: Left end of the tracings, to the right of the calibration pulse, and their width, mm.
START, WIDTH = LEFT + 15, 250.0
END = START + WIDTH

#: Red, the colour of alerts and of other things that must not be missed.
ALARM = "#c8102e"

#: The text on every page.
RESEARCH = "For research only, not for diagnosis"

_GRID = ((1, "#f7dcda", 0.35), (5, "#eab0ac", 0.7))


@dataclass(frozen=True)
class Field:
    """The heights of a grid, mm: its lower and upper edge, and the lowest line of the tracings."""

    bottom: float
    top: float
    floor: float


@dataclass(frozen=True)
class PageNumber:
    """The number of a page of a report, how many it has, and the model that has made it."""

    number: int = 1
    count: int = 1
    model: str = ""

    def __str__(self) -> str:
        return f"page {self.number} of {self.count}" if self.count > 1 else ""


#: The number of a page that is no part of a report.
ONLY_PAGE = PageNumber()


@dataclass(frozen=True, eq=False)
class Paper:
    """A page that is drawn on in millimetres.

    Attributes
    ----------
    figure : Figure
        The page to scale.
    axes : Axes
        Over the whole page, in mm.
    """

    figure: Figure
    axes: Axes

    @classmethod
    def blank(cls) -> "Paper":
        """Return an empty page."""
        figure = Picture(figsize=(PAGE_MM[0] / 25.4, PAGE_MM[1] / 25.4), layout="none", facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1), label="page")
        axes.set_axis_off()
        axes.set(xlim=(0, PAGE_MM[0]), ylim=(0, PAGE_MM[1]))
        return cls(figure, axes)

    def strokes(self, strokes: Sequence[Sequence[tuple[float, float]]], **style: Any) -> None:
        """Draw lines through points as one path, which keeps vector files small."""
        points = [point for stroke in strokes for point in (*stroke, (math.nan, math.nan))]
        if points:
            self.axes.plot(*zip(*points, strict=True), **style)

    def frame(self, left: float, right: float, low: float, high: float, **style: Any) -> None:
        """Draw a rectangle."""
        self.strokes([[(left, low), (right, low), (right, high), (left, high), (left, low)]], **style)

    def curve(
        self, x: np.ndarray, y: np.ndarray, place: tuple[float, float, float, float], **style: Any
    ) -> None:
        """Draw a curve, cut at the left, lower, right and upper end of its place."""
        (line,) = self.axes.plot(x, y, **style)
        line.set_clip_box(TransformedBbox(Bbox.from_extents(*place), self.axes.transData))

    def image(self, values: np.ndarray, extent: tuple[float, float, float, float], **style: Any) -> None:
        """Draw values as colours in a rectangle of left, right, low and high."""
        self.axes.imshow(values, extent=extent, aspect="auto", **style)
        self.axes.set(xlim=(0, PAGE_MM[0]), ylim=(0, PAGE_MM[1]))

    def text(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """Write a line of text, on its baseline unless `va` says otherwise."""
        self.axes.text(x, y, text, size=size, **{"color": INK, "va": "baseline", "parse_math": False, **style})

    def grid(self, field: Field) -> None:
        """Draw the lines of ECG paper, each millimetre and each five."""
        for step, colour, width in _GRID:
            across = [((x, field.bottom), (x, field.top)) for x in np.arange(LEFT, RIGHT + step / 2, step)]
            heights = np.arange(field.bottom, field.top + step / 2, step)
            up = [((LEFT, y), (RIGHT, y)) for y in heights]
            self.strokes(across + up, color=colour, linewidth=width, zorder=1, solid_capstyle="butt")
