"""The leads of a sheet: tracings, names, calibration pulses, and marks where a tracing is cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.report.layouts import REACH_MM, LeadPlace, Row, place_rows
from cnn_gap.report.sheet.paper import ALARM, LEFT, START, Field, Paper
from cnn_gap.report.sheet.part import Part
from cnn_gap.report.tracings import GREY, INK, tracing

_SPIKES = 0.002  # share of a lead's samples that spikes may be
_MOST_PULSES = 6  # more rows than this have one calibration pulse, and names before them


@dataclass(frozen=True, eq=False)
class _Panel:
    """A lead on the page: its place, the part's, and its times (s) and voltages (mV)."""

    place: LeadPlace
    part: Part
    times: np.ndarray
    values: np.ndarray

    @property
    def start_s(self) -> float:
        """The time at which the lead begins, s from the record's start."""
        return self.part.start_s + self.place.later_s

    @property
    def left(self) -> float:
        """Its left end, mm."""
        return self.part.x(self.start_s)

    @property
    def width(self) -> float:
        """Its width, mm."""
        return self.part.layout.speed * self.place.seconds

    @property
    def shown(self) -> np.ndarray:
        """The slice of samples that are shown."""
        return (self.times >= self.start_s) & (self.times < self.start_s + self.place.seconds)


def draw_leads(paper: Paper, record: Record, part: Part, field: Field) -> list[Row]:
    """Draw the leads of a part of a record in rows, and return their heights.

    Each lead is drawn around the median of the part, and rows have the room that their tracings need. Red
    triangles mark where a tracing is cut. Samples that are not valid are gaps.
    """
    panels = list(_panels(record, part))
    rows_count = panels[-1].place.row + 1
    pulse = part.layout.gain if rows_count <= _MOST_PULSES else 0.0
    rows = place_rows(_extents(panels, part.layout.gain, pulse), field.floor, field.top)
    for panel in panels:
        row = rows[panel.place.row]
        _draw_tracing(paper, panel, row, field)
        _draw_name(paper, panel, row, record, many=rows_count > _MOST_PULSES)
        if panel.left > START:
            _draw_parting(paper, panel, row)
        elif rows_count <= _MOST_PULSES or row is rows[-1]:  # of many rows only the last has a pulse
            _draw_pulse(paper, panel, row)
    return rows


def draw_column_times(paper: Paper, record: Record, part: Part, height: float) -> None:
    """Write over the columns which time each shows."""
    places = part.layout.place_leads(record.leads, part.seconds)
    for later, seconds in sorted({(each.later_s, each.seconds) for each in places if not each.row}):
        start = part.start_s + later
        paper.text(part.x(start), height, f"{start:.4g}–{start + seconds:.4g} s", 6.5, color=GREY)


def is_cut(paper: Paper) -> bool:
    """Tell whether a tracing on a page is cut."""
    return any("is cut" in str(line.get_label()) for line in paper.axes.lines)


def _panels(record: Record, part: Part) -> Iterator[_Panel]:
    for place in part.layout.place_leads(record.leads, part.seconds):
        yield _Panel(place, part, *tracing(record, place.lead, part.start_s, part.seconds))


def _extents(panels: Sequence[_Panel], gain: float, pulse: float) -> list[tuple[float, float]]:
    """Return how far each row reaches above and below its baseline, by its tracings or a pulse's height, mm.

    Spikes of a few samples take no room of their own.
    """
    rows = [(pulse, 0.0)] * (panels[-1].place.row + 1)
    for panel in panels:
        shown = panel.values[panel.shown & np.isfinite(panel.values)]
        if len(shown):
            low, high = gain * np.quantile(shown, (_SPIKES, 1 - _SPIKES))
            up, down = rows[panel.place.row]
            rows[panel.place.row] = max(up, float(high)), max(down, -float(low))
    return [(min(up, REACH_MM) + 1, min(down, REACH_MM) + 1) for up, down in rows]


def _draw_tracing(paper: Paper, panel: _Panel, row: Row, field: Field) -> None:
    layout = panel.part.layout
    low, high = max(row.baseline - REACH_MM, field.floor), min(row.baseline + REACH_MM, field.top)
    x = panel.left + layout.speed * (panel.times - panel.start_s)
    y = row.baseline + layout.gain * panel.values
    place = (panel.left, low, panel.left + panel.width, high)
    inside = np.flatnonzero(panel.shown)
    drawn = slice(max(inside[0] - 1, 0), inside[-1] + 2) if len(inside) else slice(0)
    style: dict[str, Any] = {"color": INK, "linewidth": 0.9, "zorder": 4, "solid_joinstyle": "round"}
    paper.curve(x[drawn], y[drawn], place, label=panel.place.name, **style)
    for edge, sign, marker in ((high, 1, "^"), (low, -1, "v")):
        beyond = panel.shown & (np.nan_to_num(sign * (y - edge)) > 0)
        begins = np.flatnonzero(beyond & ~np.concatenate([[False], beyond[:-1]]))
        if len(begins):
            style = {"markersize": 4.5, "color": ALARM, "linestyle": "none", "zorder": 6, "marker": marker}
            heights = np.full(len(begins), edge - sign)
            paper.axes.plot(x[begins], heights, label=f"{panel.place.name} is cut", **style)


def _draw_name(paper: Paper, panel: _Panel, row: Row, record: Record, many: bool) -> None:
    missing = _missing(record, panel)
    height = max(row.baseline + 2, min(row.baseline + 9, row.top - 3.6))
    x, y = (LEFT + 0.2, row.baseline - 1) if many else (panel.left + 1.5, height)
    style: dict[str, Any] = {"weight": "bold", "color": GREY if missing else INK, "zorder": 3}
    style["bbox"] = {"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 0.6}
    paper.text(x, y, panel.place.lead.replace("-", "−"), 9 if many else 10, **style)
    if missing:
        middle = panel.left + panel.width / 2
        paper.text(middle, row.baseline, missing, 9, color=GREY, ha="center", va="center", zorder=4)


def _missing(record: Record, panel: _Panel) -> str:
    """Return the reason why a panel has no tracing; empty if it has one or is behind the record's end."""
    if not record.leads[LEADS.index(panel.place.lead.removeprefix("-"))]:
        return "not recorded"
    inside = panel.values[panel.shown]
    return "no valid samples" if inside.size and np.isnan(inside).all() else ""


def _draw_parting(paper: Paper, panel: _Panel, row: Row) -> None:
    """Draw the line between a lead and the one before."""
    x, y = panel.left, row.baseline
    ticks = [((x, y - 7), (x, y - 4)), ((x, y + 4), (x, y + 7))]
    paper.strokes(ticks, color=INK, linewidth=0.8, zorder=3)


def _draw_pulse(paper: Paper, panel: _Panel, row: Row) -> None:
    """Draw the calibration pulse (1 mV, 0.2 s) before a row."""
    layout, y = panel.part.layout, row.baseline
    high, fall = y + layout.gain, panel.left - 2.5
    rise = fall - 0.2 * layout.speed
    pulse = [(rise - 2, y), (rise, y), (rise, high), (fall, high), (fall, y), (fall + 2, y)]
    paper.strokes([pulse], color=INK, linewidth=0.9, zorder=3, label="calibration")
