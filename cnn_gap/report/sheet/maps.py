"""The map on a sheet: its colours behind the tracings and in a band, its regions, its scale and an overview."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.report.layouts import Row
from cnn_gap.report.sheet.paper import ALARM, END, LEFT, PAGE_MM, START, WIDTH, Field, Paper
from cnn_gap.report.sheet.part import Part
from cnn_gap.report.tracings import GREY, INK

#: Time between two colours of the sheet's map, s: 0.25 mm of paper.
MAP_STEP_S = 0.01

#: Lower and upper edge of the band with the map, mm.
BAND = (37.5, 42.5)

_BAR = (70.0, 18.0)  # width and lower edge of the scale
_OVERVIEW = (171.2, 174.0)
_MANY_ROWS = 4  # more have brackets over the first one alone

_COLOURS = matplotlib.colormaps["Blues"]  # darker is more: legible in grey and with any colour vision
_BLANK = (1, 1, 1, 0)
_CLEAR = _COLOURS.with_extremes(under=_BLANK, bad=_BLANK)
_OPAQUE = _COLOURS.with_extremes(under="white", bad="white")
_SCALE = Normalize(0, 100)
_PALE = 0.5  # opacity of the map behind tracings
_REGION = "#08306b"


def draw_map(paper: Paper, explanation: Explanation, explained: ExplainedClass, part: Part, top: float) -> None:
    """Draw a map pale behind the tracings, up to a height in mm, and in full in the band below them."""
    steps = np.arange(round(part.seconds / MAP_STEP_S)) + 0.5
    shown = _shares(explanation, explained, part.start_s + MAP_STEP_S * steps)
    paper.image(shown, (START, END, BAND[1], top), cmap=_CLEAR, norm=_SCALE, alpha=_PALE, zorder=0)
    paper.image(shown, (START, END, *BAND), cmap=_OPAQUE, norm=_SCALE, zorder=2, label="map")
    paper.frame(START, END, *BAND, color=GREY, linewidth=0.6, zorder=3)


def draw_regions(paper: Paper, explained: ExplainedClass, part: Part, rows: Sequence[Row]) -> None:
    """Draw a bracket over each row where a region is; of many rows over the first alone."""
    marked = rows if len(rows) <= _MANY_ROWS else rows[:1]
    brackets = []
    for region in explained.regions:
        left, right = part.x(region.start_s), part.x(region.end_s)
        if left < right:
            brackets += [
                [(left, top - 2), (left, top), (right, top), (right, top - 2)]
                for top in (row.top - 0.7 for row in marked)
            ]
    paper.strokes(brackets, color=_REGION, linewidth=1.3, zorder=3, label="regions", solid_joinstyle="miter")


def draw_scale(paper: Paper, explained: ExplainedClass, part: Part, field: Field) -> None:
    """Draw the legend of colours and marks, below the grid."""
    top, layout = field.bottom - 3.0, part.layout
    note = f"{layout.speed:g} mm/s, {layout.gain:g} mm/mV" + (
        ", limb leads by Cabrera" if layout.cabrera else ""
    )
    paper.text(LEFT, top, note, 9, weight="bold", va="top")
    speaks, level = _speaks_for(explained), 100 * explained.level / _highest(explained)
    brackets = f"Brackets: where the map is above {level:.0f} % of its highest value. " if speaks else ""
    legend = (
        "Blue: what speaks for the diagnosis at this time, in full in the band and pale behind the tracings.\n"
        f"No colour: nothing does, or something speaks against it{'' if speaks else ', as everywhere here'}.\n"
        f"{brackets}Red triangles: the tracing is cut."
    )
    paper.text(LEFT, top - 5.5, legend, 7.5, va="top", linespacing=1.45)
    _draw_colour_bar(paper, level if speaks else None)


def draw_overview(paper: Paper, explanation: Explanation, explained: ExplainedClass, part: Part) -> None:
    """Draw the whole record's map as a strip, with the part that is shown in a frame."""
    seconds = explanation.record.duration_s
    times = (np.arange(2000) + 0.5) / 2000 * seconds
    shown = _shares(explanation, explained, times)
    paper.image(shown, (START, END, *_OVERVIEW), cmap=_OPAQUE, norm=_SCALE, zorder=2, label="overview")
    paper.frame(START, END, *_OVERVIEW, color=GREY, linewidth=0.6, zorder=3)
    first, last = (START + WIDTH * min(at / seconds, 1.0) for at in (part.start_s, part.start_s + part.seconds))
    low, high = _OVERVIEW
    paper.frame(first, last, low - 0.4, high + 0.4, color=ALARM, linewidth=1.4, zorder=4, label="shown")
    paper.text(LEFT, (low + high) / 2, "whole", 7.5, va="center")
    paper.text(END + 1, (low + high) / 2, f"{seconds:.4g} s", 7.5, va="center")


def _highest(explained: ExplainedClass) -> float:
    """Return the map's maximum over the whole record, to which all its pages are scaled; 1 if not above 0."""
    highest = float(np.nan_to_num(explained.activation, nan=-np.inf).max())
    return highest if highest > 0 else 1.0


def _speaks_for(explained: ExplainedClass) -> bool:
    return bool(np.any(explained.activation > 0))


def _shares(explanation: Explanation, explained: ExplainedClass, times: np.ndarray) -> np.ndarray:
    """Return the map at some times in percent of its maximum, NaN outside of the record, as a row."""
    shown: np.ndarray = np.interp(times, explanation.times, explained.activation, left=np.nan, right=np.nan)
    return 100 * shown[None] / _highest(explained)


def _draw_colour_bar(paper: Paper, level: float | None) -> None:
    """Draw the colours of the map in percent of its highest value, with a mark at the regions' level."""
    (width, low), left = _BAR, END - _BAR[0]
    place = (left / PAGE_MM[0], low / PAGE_MM[1], width / PAGE_MM[0], 4 / PAGE_MM[1])
    bar = paper.figure.add_axes(place, label="scale")
    ends: dict[str, Any] = {"orientation": "horizontal", "ticks": [0, 50, 100], "format": "%g %%"}
    drawn = paper.figure.colorbar(ScalarMappable(_SCALE, _COLOURS), cax=bar, **ends)
    drawn.solids.set_edgecolor("face")  # else some viewers show seams
    drawn.outline.set(edgecolor=GREY, linewidth=0.6)
    bar.tick_params(labelsize=7.5, width=0.6, length=2, color=GREY)
    caption: dict[str, Any] = {"color": INK, "ha": "center"}
    meaning = "nothing speaks for the diagnosis" if level is None else "share of the map's highest value"
    paper.text(left + width / 2, low - 5.2, meaning, 7.5, va="top", **caption)
    if level is not None and 0 < level < 100:
        bar.plot([level] * 2, [0, 1.5], color=_REGION, linewidth=1.5, clip_on=False)
        paper.text(left + width * level / 100, low + 6.6, f"regions from {level:.0f} %", 7.5, **caption)
