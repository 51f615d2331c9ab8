"""The twelve-lead sheet: an explained record as on ECG paper.

It has the format and scale of a routine recording: by default 25 mm/s, 10 mm/mV and a calibration pulse, as the
recommendations for standardised ECGs have them (Kligfield et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180200).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cnn_gap.beats.intervals import Measurements, measure
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.report.layouts import REACH_MM, STANDARD, Layout, Row, page_starts, place_rows, rhythm_lead
from cnn_gap.report.picture import Picture
from cnn_gap.report.report_text import (
    answer,
    cautions,
    codes,
    drawable,
    heading,
    measured_values,
    person,
    recording,
    reported,
)
from cnn_gap.report.tracings import GREY, INK, tracing
from cnn_gap.system.errors import InputError

#: Time between two colours of the sheet's map, s: 0.25 mm of paper.
MAP_STEP_S = 0.01

# Places on the sheet, mm from its lower left corner. The page is A4, the grid 270 mm by 140 mm.
_PAGE = (297.0, 210.0)
_LEFT, _RIGHT, _BOTTOM, _TOP = 13.5, 283.5, 30.0, 170.0
_START = _LEFT + 15  # where the tracings begin, behind the calibration pulse
_WIDTH = 250.0
_END = _START + _WIDTH
_BAND = (37.5, 42.5)
_BAR = (70.0, 18.0)  # width and lower edge of the scale
_OVERVIEW = (171.2, 174.0)
_MANY_ROWS = 4  # more have brackets over the first one alone
_MOST_PULSES = 6  # more rows than this have one calibration pulse, and names before them

_COLOURS = matplotlib.colormaps["Blues"]  # darker is more: legible in grey and with any colour vision
_BLANK = (1, 1, 1, 0)
_MAP_STYLE: dict[str, Any] = {"norm": Normalize(0, 100), "aspect": "auto"}
_PALE = 0.5  # opacity of the map behind tracings
_REGION = "#08306b"
_CUT = "#c8102e"
_GRID = ((1, "#f7dcda", 0.35), (5, "#eab0ac", 0.7))


@dataclass(frozen=True)
class _Part:
    """The part of a record that a sheet shows: its start (s) and the layout."""

    start_s: float
    layout: Layout

    @property
    def seconds(self) -> float:
        """The length of the part, s."""
        return _WIDTH / self.layout.speed

    def x(self, time: float) -> float:
        """Return the place of a time, mm from the left, or the nearer end of the tracings."""
        return _START + self.layout.speed * min(max(time - self.start_s, 0.0), self.seconds)


@dataclass(frozen=True, eq=False)
class _Panel:
    """A lead's place on the sheet: left end (mm), row, start and length (s), and its times and voltages."""

    name: str
    lead: str
    left: float
    row: int
    start_s: float
    seconds: float
    times: np.ndarray
    values: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """The voltages that are shown, mV."""
        return self.values[(self.times >= self.start_s) & (self.times < self.start_s + self.seconds)]


def plot_sheet(
    explanation: Explanation,
    explained_class: ExplainedClass,
    *,
    start_s: float | None = None,
    layout: Layout = STANDARD,
    measured: Measurements | None = None,
) -> Figure:
    """Draw a page of a record as on ECG paper over the map of a class.

    The figure is an A4 page to scale, by default three rows of four leads that follow each other in time over a
    rhythm strip (lead II, or V1 or the first recorded if there is none), ten seconds in all, so that all rows
    share one time axis and one map. Values of the map above 0 are blue, darker where they are higher: pale
    behind the tracings, in full in the band below, to which the scale belongs. Brackets mark the regions. Each
    lead is drawn around the median of the part, and rows have the room that their tracings need; red triangles
    mark where a tracing is cut. Samples that are not valid are gaps. A record of several pages has an overview
    above the grid.

    Parameters
    ----------
    explanation : Explanation
    explained_class : ExplainedClass
        One of its classes.
    start_s : float, optional
        Where to start, s from the record's start. By default the page that has the map's maximum.
    layout : Layout
        Rows, speed, gain and order of the leads.
    measured : Measurements, optional
        Of the record; measured here if not given.

    Raises
    ------
    InputError
        If `start_s` is outside of the record.
    """
    record = explanation.record
    part = _part(explanation, explained_class, start_s, layout)
    figure = Picture(figsize=(_PAGE[0] / 25.4, _PAGE[1] / 25.4), layout="none", facecolor="white")
    page = _bare_axes(figure, (0, 0, *_PAGE), "page")
    page.set(xlim=(0, _PAGE[0]), ylim=(0, _PAGE[1]))
    panels = list(_panels(record, part))
    pulse = layout.gain if len(layout.leads) <= _MOST_PULSES else 0.0
    rows = place_rows(_extents(panels, layout.gain, pulse), _BAND[1], _TOP)
    _draw_grid(page)
    _draw_map(page, explanation, explained_class, part)
    _draw_regions(page, explained_class, part, rows)
    _draw_time(page, part, record.duration_s)
    for panel in panels:
        _draw_panel(figure, page, panel, rows[panel.row], record, layout)
    _draw_scale(figure, page, explained_class, layout)
    _draw_title(page, explanation, explained_class, part, measure(record) if measured is None else measured)
    if len(page_starts(record.duration_s, part.seconds)) > 1:
        _draw_overview(page, explanation, explained_class, part)
    return figure


def sheet_starts(explanation: Explanation, layout: Layout) -> list[float]:
    """Return where the pages of a record's sheet begin, s."""
    return page_starts(explanation.record.duration_s, _WIDTH / layout.speed)


def _part(explanation: Explanation, explained: ExplainedClass, start_s: float | None, layout: Layout) -> _Part:
    seconds = explanation.record.duration_s
    if start_s is None:
        starts = sheet_starts(explanation, layout)
        highest = explanation.times[np.argmax(np.nan_to_num(explained.activation, nan=-np.inf))]
        return _Part(max(start for start in starts if start <= highest), layout)
    if not 0 <= start_s < seconds:
        raise InputError(
            f"{explanation.record.name}: has {seconds:g} s; a sheet cannot start at {start_s:g} s of it"
        )
    return _Part(float(start_s), layout)


def _bare_axes(figure: Figure, place: tuple[float, float, float, float], label: str) -> Axes:
    """Add axes without a frame at left, bottom, width and height (mm)."""
    left, bottom, width, height = place
    across, up = _PAGE
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up), label=label)
    axes.set_axis_off()
    return axes


def _strokes(page: Axes, strokes: Sequence[Sequence[tuple[float, float]]], **style: Any) -> None:
    """Draw lines through points (mm) as one path, which keeps vector files small."""
    points = [point for stroke in strokes for point in (*stroke, (math.nan, math.nan))]
    if points:
        page.plot(*zip(*points, strict=True), **style)


def _frame(page: Axes, left: float, right: float, low: float, high: float, **style: Any) -> None:
    _strokes(page, [[(left, low), (right, low), (right, high), (left, high), (left, low)]], **style)


def _panels(record: Record, part: _Part) -> Iterator[_Panel]:
    rows = part.layout.leads
    for number, row in enumerate(rows):
        seconds = part.seconds / len(row)
        for column, lead in enumerate(row):
            yield _panel(record, part, lead, lead, number, column * seconds, seconds)
    if part.layout.has_rhythm:
        rhythm = rhythm_lead(record)
        yield _panel(record, part, "rhythm", rhythm, len(rows), 0.0, part.seconds)


def _panel(record: Record, part: _Part, name: str, lead: str, row: int, later: float, seconds: float) -> _Panel:
    times, values = tracing(record, lead, part.start_s, part.seconds)
    start = part.start_s + later
    return _Panel(name, lead, part.x(start), row, start, seconds, times, values)


def _extents(panels: Sequence[_Panel], gain: float, pulse: float) -> list[tuple[float, float]]:
    """Return how far each row reaches above and below its baseline, by its tracings or a pulse's height, mm."""
    rows = []
    for row in range(panels[-1].row + 1):
        shown = np.concatenate([panel.inside for panel in panels if panel.row == row])
        reached = gain * shown[np.isfinite(shown)]
        up, down = reached.max(initial=pulse), -reached.min(initial=0.0)
        rows.append((min(up, REACH_MM) + 1, min(down, REACH_MM) + 1))
    return rows


def _draw_grid(page: Axes) -> None:
    for step, colour, width in _GRID:
        across = [((x, _BOTTOM), (x, _TOP)) for x in np.arange(_LEFT, _RIGHT + step / 2, step)]
        up = [((_LEFT, y), (_RIGHT, y)) for y in np.arange(_BOTTOM, _TOP + step / 2, step)]
        _strokes(page, across + up, color=colour, linewidth=width, zorder=1, solid_capstyle="butt")


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


def _draw_map(page: Axes, explanation: Explanation, explained: ExplainedClass, part: _Part) -> None:
    steps = np.arange(round(part.seconds / MAP_STEP_S)) + 0.5
    shown = _shares(explanation, explained, part.start_s + MAP_STEP_S * steps)
    clear = _COLOURS.with_extremes(under=_BLANK, bad=_BLANK)
    page.imshow(shown, extent=(_START, _END, _BAND[1], _TOP), cmap=clear, alpha=_PALE, zorder=0, **_MAP_STYLE)
    opaque = _COLOURS.with_extremes(under="white", bad="white")
    page.imshow(shown, extent=(_START, _END, *_BAND), cmap=opaque, zorder=2, label="map", **_MAP_STYLE)
    _frame(page, _START, _END, *_BAND, color=GREY, linewidth=0.6, zorder=3)
    page.set(xlim=(0, _PAGE[0]), ylim=(0, _PAGE[1]))


def _draw_regions(page: Axes, explained: ExplainedClass, part: _Part, rows: Sequence[Row]) -> None:
    marked = rows if len(rows) <= _MANY_ROWS else rows[:1]
    brackets = []
    for region in explained.regions:
        left, right = part.x(region.start_s), part.x(region.end_s)
        if left < right:
            brackets += [
                [(left, top - 2), (left, top), (right, top), (right, top - 2)]
                for top in (row.top - 0.7 for row in marked)
            ]
    _strokes(page, brackets, color=_REGION, linewidth=1.3, zorder=3, label="regions", solid_joinstyle="miter")


def _draw_time(page: Axes, part: _Part, seconds: float) -> None:
    last = min(part.start_s + part.seconds, seconds)
    whole = range(math.ceil(part.start_s), math.floor(last + 1e-9) + 1)
    low = _BAND[0]
    places = {second: part.x(second) for second in whole}
    _strokes(page, [((x, low), (x, low - 3)) for x in places.values()], color=GREY, linewidth=0.6, zorder=3)
    for second, x in places.items():
        page.text(x, low - 5, f"{second} s", size=7.5, color=INK, ha="center", va="center")


def _draw_panel(figure: Figure, page: Axes, panel: _Panel, row: Row, record: Record, layout: Layout) -> None:
    above, below = min(REACH_MM, _TOP - row.baseline), min(REACH_MM, row.baseline - _BAND[1])
    width = layout.speed * panel.seconds
    axes = _bare_axes(figure, (panel.left, row.baseline - below, width, above + below), panel.name)
    limits = (-below / layout.gain, above / layout.gain)
    axes.set(xlim=(panel.start_s, panel.start_s + panel.seconds), ylim=limits)
    axes.plot(panel.times, panel.values, color=INK, linewidth=0.9, solid_joinstyle="round")
    _mark_cuts(page, panel, row, limits, layout)
    missing = _missing(record, panel)
    many = len(layout.leads) > _MOST_PULSES
    x, y = (_LEFT + 1, row.baseline - 1) if many else (panel.left + 1.5, _name_height(row))
    style: dict[str, Any] = {"weight": "bold", "color": GREY if missing else INK, "zorder": 5}
    style["bbox"] = {"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 0.6}
    page.text(x, y, panel.lead.replace("-", "−"), size=9 if many else 10, **style)
    middle = panel.left + width / 2
    page.text(middle, row.baseline, missing, size=9, color=GREY, ha="center", va="center", zorder=4)
    _draw_marks(page, panel, row, layout)


def _name_height(row: Row) -> float:
    return max(row.baseline + 2, min(row.baseline + 9, row.top - 3.6))


def _mark_cuts(page: Axes, panel: _Panel, row: Row, limits: tuple[float, float], layout: Layout) -> None:
    """Draw a triangle at each time that a tracing begins to leave its place."""
    for edge, sign, marker in ((limits[1], 1, "^"), (limits[0], -1, "v")):
        shown = (panel.times >= panel.start_s) & (panel.times < panel.start_s + panel.seconds)
        beyond = shown & (np.nan_to_num(sign * (panel.values - edge)) > 0)
        begins = np.flatnonzero(beyond & ~np.concatenate([[False], beyond[:-1]]))
        if len(begins):
            x = panel.left + layout.speed * (panel.times[begins] - panel.start_s)
            y = np.full(len(begins), row.baseline + layout.gain * edge - sign)
            style: dict[str, Any] = {"markersize": 4.5, "color": _CUT, "linestyle": "none", "zorder": 6}
            page.plot(x, y, marker=marker, label=f"{panel.name} is cut", **style)


def _missing(record: Record, panel: _Panel) -> str:
    """Return the reason why a panel has no tracing; empty if it has one or is behind the record's end."""
    if not record.leads[LEADS.index(panel.lead.removeprefix("-"))]:
        return "not recorded"
    return "no valid samples" if panel.inside.size and np.isnan(panel.inside).all() else ""


def _draw_marks(page: Axes, panel: _Panel, row: Row, layout: Layout) -> None:
    """Draw the calibration pulse (1 mV, 0.2 s) before a row, or the line between a lead and the one before."""
    x, y = panel.left, row.baseline
    if x > _START:
        ticks = [((x, y - 7), (x, y - 4)), ((x, y + 4), (x, y + 7))]
        _strokes(page, ticks, color=INK, linewidth=0.8, zorder=3)
        return
    high, wide = y + layout.gain, 0.2 * layout.speed
    if len(layout.leads) > _MOST_PULSES and row.bottom > _BAND[1]:
        return  # of many rows only the last one has a pulse
    fall = x - 2.5
    rise = fall - wide
    pulse = [(rise - 2, y), (rise, y), (rise, high), (fall, high), (fall, y), (fall + 2, y)]
    _strokes(page, [pulse], color=INK, linewidth=0.9, zorder=3, label="calibration")


def _draw_scale(figure: Figure, page: Axes, explained: ExplainedClass, layout: Layout) -> None:
    top = _BOTTOM - 3.0
    note = f"{layout.speed:g} mm/s, {layout.gain:g} mm/mV" + (
        ", limb leads by Cabrera" if layout.cabrera else ""
    )
    page.text(_LEFT, top, note, size=9, weight="bold", color=INK, va="top")
    speaks, level = _speaks_for(explained), 100 * explained.level / _highest(explained)
    brackets = (
        f"where the map is above {level:.0f} % of its highest value"
        if speaks
        else "where the least speaks against it"
    )
    legend = (
        "Blue: what speaks for the diagnosis at this time, in full in the band and pale behind the tracings.\n"
        f"No colour: nothing does, or something speaks against it{'' if speaks else ', as everywhere here'}.\n"
        f"Brackets: {brackets}. Red triangles: the tracing is cut."
    )
    page.text(_LEFT, top - 5.5, legend, size=7.5, color=INK, va="top", linespacing=1.45)
    _draw_colour_bar(figure, page, level if speaks else None)


def _draw_colour_bar(figure: Figure, page: Axes, level: float | None) -> None:
    """Draw the colours of the map in percent of its highest value, with a mark at the regions' level."""
    (width, low), left = _BAR, _END - _BAR[0]
    bar = _bare_axes(figure, (left, low, width, 4), "scale")
    bar.set_axis_on()
    ends: dict[str, Any] = {"orientation": "horizontal", "ticks": [0, 50, 100], "format": "%g %%"}
    drawn = figure.colorbar(ScalarMappable(Normalize(0, 100), _COLOURS), cax=bar, **ends)
    drawn.solids.set_edgecolor("face")  # else some viewers show seams
    drawn.outline.set(edgecolor=GREY, linewidth=0.6)
    bar.tick_params(labelsize=7.5, width=0.6, length=2, color=GREY)
    caption: dict[str, Any] = {"size": 7.5, "color": INK, "ha": "center"}
    meaning = "nothing speaks for the diagnosis" if level is None else "share of the map's highest value"
    page.text(left + width / 2, low - 5.2, meaning, va="top", **caption)
    if level is not None and 0 < level < 100:
        bar.plot([level] * 2, [0, 1.5], color=_REGION, linewidth=1.5, clip_on=False)
        page.text(left + width * level / 100, low + 6.6, f"regions from {level:.0f} %", **caption)


def _draw_title(
    page: Axes, explanation: Explanation, explained: ExplainedClass, part: _Part, measured: Measurements
) -> None:
    record = explanation.record
    facts = [f"Record {drawable(record.name)}", *person(record), *recording(record), _shown(explanation, part)]
    about = ", ".join([*facts, f"{record.sampling_rate:g} Hz", f"reported of it: {reported(explanation)}"])
    style: dict[str, Any] = {"color": INK, "va": "baseline", "parse_math": False}
    page.text(_LEFT, 200.5, heading(explained), size=15, weight="bold", **style)
    page.text(_LEFT, 194.5, answer(explained), size=11, **style)
    page.text(_RIGHT, 194.5, codes(explained), size=8.5, ha="right", **style)
    page.text(_RIGHT, 200.5, "For research only, not for diagnosis", size=8.5, ha="right", **style)
    page.text(_LEFT, 189, about, size=_fitting(about, 9), **style)
    values = measured_values(measured, explanation)
    listed = "   ".join(f"{name} {value}" for name, value in values) or "nothing that can be trusted"
    page.text(_LEFT, 184, f"Measured automatically:  {listed}", size=9, **style)
    noted = drawable(". ".join(cautions(explanation)))
    page.text(_LEFT, 178.8, noted, size=_fitting(noted, 7.5), **{**style, "color": GREY})


def _fitting(text: str, largest: float) -> float:
    """Return the size at which a line fits the sheet's width, points."""
    return min(largest, 1500 / max(len(text), 1))


def _shown(explanation: Explanation, part: _Part) -> str:
    """Return the text on which part of the record is shown."""
    seconds = explanation.record.duration_s
    end = min(part.start_s + part.seconds, seconds)
    span = f"{part.start_s:.4g} s to {end:.4g} s of {seconds:.4g} s"
    starts = sheet_starts(explanation, part.layout)
    if len(starts) == 1 or part.start_s not in starts:
        return span
    return f"page {starts.index(part.start_s) + 1} of {len(starts)}: {span}"


def _draw_overview(page: Axes, explanation: Explanation, explained: ExplainedClass, part: _Part) -> None:
    """Draw the whole record's map as a strip, with the part that is shown in a frame."""
    seconds = explanation.record.duration_s
    times = (np.arange(2000) + 0.5) / 2000 * seconds
    opaque = _COLOURS.with_extremes(under="white", bad="white")
    shown = _shares(explanation, explained, times)
    page.imshow(
        shown,
        extent=(_START, _END, *_OVERVIEW),
        cmap=opaque,
        zorder=2,
        label="overview",
        **_MAP_STYLE,
    )
    page.set(xlim=(0, _PAGE[0]), ylim=(0, _PAGE[1]))
    _frame(page, _START, _END, *_OVERVIEW, color=GREY, linewidth=0.6, zorder=3)
    first, last = (
        _START + _WIDTH * min(at / seconds, 1.0) for at in (part.start_s, part.start_s + part.seconds)
    )
    low, high = _OVERVIEW
    _frame(page, first, last, low - 0.4, high + 0.4, color=_CUT, linewidth=1.4, zorder=4, label="shown")
    page.text(_LEFT, (low + high) / 2, "whole", size=7.5, color=INK, va="center")
    page.text(_END + 1, (low + high) / 2, f"{seconds:.4g} s", size=7.5, color=INK, va="center")
