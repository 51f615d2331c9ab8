"""The twelve-lead sheet: an explained record as on ECG paper.

It has the format and scale of a routine recording: 25 mm/s, 10 mm/mV and a calibration pulse, as the
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

from cnn_gap.ecg.headers import LEADS
from cnn_gap.ecg.records import Record
from cnn_gap.errors import InputError
from cnn_gap.prediction.explanation import ExplainedClass, Explanation
from cnn_gap.reports.tracings import GREY, INK, SPEED, tracing
from cnn_gap.reports.words import answer, heading, person, printable

#: What a millivolt measures on the sheet, mm.
GAIN = 10.0

#: How much of a record the sheet shows, and each lead of its three rows, s.
SHEET_S = 10.0
COLUMN_S = 2.5

#: Times between the colours of the sheet's map, s: finer than paper shows.
MAP_STEP_S = 0.01

_ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
_RHYTHM_LEADS = ("II", "V1", *LEADS)  # the first that is recorded

# Places on the sheet, mm from its lower left corner. The page is A4, the grid 270 mm by 140 mm.
_PAGE = (297.0, 210.0)
_LEFT, _RIGHT, _BOTTOM, _TOP = 13.5, 283.5, 30.0, 170.0
_START = _LEFT + 15  # where the tracings begin, behind the calibration pulse
_END = _START + SPEED * SHEET_S
_BASELINES = (150.0, 120.0, 90.0)
_RHYTHM_BASELINE = 60.0
_BAND = (37.5, 42.5)
_BAR = (70.0, 18.0)  # width and lower edge of the scale
_HALF_ROW = 15.0
_REACH = 25.0  # how far a tracing may leave its baseline, into its neighbours' rows as on paper

_COLOURS = matplotlib.colormaps["Blues"]  # the darker the more, so legible in grey and to all eyes
_BLANK = (1, 1, 1, 0)
_PALE = 0.5  # opacity of the map behind tracings
_REGION = "#08306b"
_GRID = ((1, "#f7dcda", 0.35), (5, "#eab0ac", 0.7))


@dataclass(frozen=True)
class _Panel:
    """A lead's place on the sheet (left end and 0 mV, mm) and what of it is shown (s)."""

    lead: str
    left: float
    baseline: float
    start_s: float
    seconds: float


def plot_sheet(
    explanation: Explanation, explained_class: ExplainedClass, *, start_s: float | None = None
) -> Figure:
    """Draw ten seconds of a record as on ECG paper, with the map of a class behind.

    The figure is an A4 page on which 1 s is 25 mm and 1 mV is 10 mm. Three rows of four leads follow each other
    in time, 2.5 s each, over a rhythm strip of ten (lead II, or V1 or the first recorded if there is none), so
    that all rows share one time axis and one map. What speaks for the class is blue, the darker the more:
    pale behind the tracings, in full in the band below, to which the scale belongs. Brackets mark the regions.
    Each lead is drawn around the median of what is shown; what would leave the neighbouring rows is cut.
    Samples that are not valid are gaps.

    Parameters
    ----------
    explanation : Explanation
    explained_class : ExplainedClass
        One of its classes.
    start_s : float, optional
        Where to start, s from the record's start. By default the map's maximum is in the middle, as far as the
        record's ends allow; records of up to ten seconds start at 0.

    Raises
    ------
    InputError
        If `start_s` is outside of the record.
    """
    record = explanation.record
    start = _sheet_start(explanation, explained_class, start_s)
    figure = Figure(figsize=(_PAGE[0] / 25.4, _PAGE[1] / 25.4), layout="none", facecolor="white")
    page = _bare_axes(figure, (0, 0, *_PAGE), "page")
    page.set(xlim=(0, _PAGE[0]), ylim=(0, _PAGE[1]))
    _draw_grid(page)
    _draw_map(page, explanation, explained_class, start)
    _draw_regions(page, explained_class, start)
    _draw_time(page, start, record.duration_s)
    for panel in _panels(record, start):
        _draw_panel(figure, page, panel, record, tracing(record, panel.lead, start, SHEET_S))
    _draw_scale(figure, page, explained_class)
    _draw_title(page, explanation, explained_class, start)
    return figure


def _sheet_start(explanation: Explanation, explained: ExplainedClass, start_s: float | None) -> float:
    seconds = explanation.record.duration_s
    if start_s is None:
        highest = np.argmax(np.nan_to_num(explained.activation, nan=-np.inf))
        return min(max(explanation.times[highest] - SHEET_S / 2, 0.0), max(seconds - SHEET_S, 0.0))
    if not 0 <= start_s < seconds:
        raise InputError(
            f"{explanation.record.name}: has {seconds:g} s; a sheet cannot start at {start_s:g} s of it"
        )
    return float(start_s)


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


def _draw_grid(page: Axes) -> None:
    for step, colour, width in _GRID:
        across = [((x, _BOTTOM), (x, _TOP)) for x in np.arange(_LEFT, _RIGHT + step / 2, step)]
        up = [((_LEFT, y), (_RIGHT, y)) for y in np.arange(_BOTTOM, _TOP + step / 2, step)]
        _strokes(page, across + up, color=colour, linewidth=width, zorder=1, solid_capstyle="butt")


def _colour_scale(explained: ExplainedClass) -> Normalize:
    """Return the colours' scale: 0 to the maximum of the whole record, so that sheets of it compare."""
    highest = np.nan_to_num(explained.activation, nan=-np.inf).max()
    return Normalize(0, highest if highest > 0 else 1)


def _draw_map(page: Axes, explanation: Explanation, explained: ExplainedClass, start: float) -> None:
    times = start + MAP_STEP_S * (np.arange(round(SHEET_S / MAP_STEP_S)) + 0.5)
    shown = np.interp(times, explanation.times, explained.activation, left=np.nan, right=np.nan)[None]
    scale: dict[str, Any] = {"norm": _colour_scale(explained), "aspect": "auto"}
    behind = (_START, _END, _RHYTHM_BASELINE - _HALF_ROW, _BASELINES[0] + _HALF_ROW)
    clear = _COLOURS.with_extremes(under=_BLANK, bad=_BLANK)
    page.imshow(shown, extent=behind, cmap=clear, alpha=_PALE, zorder=0, **scale)
    opaque = _COLOURS.with_extremes(under="white", bad="white")
    page.imshow(shown, extent=(_START, _END, *_BAND), cmap=opaque, zorder=2, label="map", **scale)
    low, high = _BAND
    frame = [(_START, low), (_END, low), (_END, high), (_START, high), (_START, low)]
    _strokes(page, [frame], color=GREY, linewidth=0.6, zorder=3)
    page.set(xlim=(0, _PAGE[0]), ylim=(0, _PAGE[1]))


def _draw_regions(page: Axes, explained: ExplainedClass, start: float) -> None:
    brackets = []
    for region in explained.regions:
        left, right = (
            _START + SPEED * min(max(at - start, 0.0), SHEET_S) for at in (region.start_s, region.end_s)
        )
        if left < right:
            brackets += [
                [(left, top - 2), (left, top), (right, top), (right, top - 2)]
                for top in (each + _HALF_ROW - 0.7 for each in (*_BASELINES, _RHYTHM_BASELINE))
            ]
    _strokes(page, brackets, color=_REGION, linewidth=1.3, zorder=3, label="regions", solid_joinstyle="miter")


def _draw_time(page: Axes, start: float, seconds: float) -> None:
    last = min(start + SHEET_S, seconds)
    whole = range(math.ceil(start), math.floor(last + 1e-9) + 1)
    places = {second: _START + SPEED * (second - start) for second in whole}
    low = _BAND[0]
    _strokes(page, [((x, low), (x, low - 3)) for x in places.values()], color=GREY, linewidth=0.6, zorder=3)
    for second, x in places.items():
        page.text(x, low - 5, f"{second} s", size=7.5, color=INK, ha="center", va="center")


def _panels(record: Record, start: float) -> Iterator[_Panel]:
    for baseline, row in zip(_BASELINES, _ROWS, strict=True):
        for column, lead in enumerate(row):
            later = column * COLUMN_S
            yield _Panel(lead, _START + SPEED * later, baseline, start + later, COLUMN_S)
    rhythm = next((lead for lead in _RHYTHM_LEADS if record.leads[LEADS.index(lead)]), "II")
    yield _Panel(rhythm, _START, _RHYTHM_BASELINE, start, SHEET_S)


def _draw_panel(
    figure: Figure, page: Axes, panel: _Panel, record: Record, shown: tuple[np.ndarray, np.ndarray]
) -> None:
    above = min(_REACH, _TOP - panel.baseline)
    below = min(_REACH, panel.baseline - _BAND[1])
    width = SPEED * panel.seconds
    name = "rhythm" if panel.seconds == SHEET_S else panel.lead
    axes = _bare_axes(figure, (panel.left, panel.baseline - below, width, above + below), name)
    axes.set(xlim=(panel.start_s, panel.start_s + panel.seconds), ylim=(-below / GAIN, above / GAIN))
    axes.plot(*shown, color=INK, linewidth=0.9, solid_joinstyle="round")
    missing = _missing(record, panel, *shown)
    colour = GREY if missing else INK
    page.text(panel.left + 1.5, panel.baseline + 9, panel.lead, size=10, weight="bold", color=colour)
    middle = panel.left + width / 2
    page.text(middle, panel.baseline, missing, size=9, color=GREY, ha="center", va="center", zorder=4)
    _draw_marks(page, panel)


def _missing(record: Record, panel: _Panel, times: np.ndarray, values: np.ndarray) -> str:
    """Return why a panel has no tracing, empty if it has one or the record is over."""
    if not record.leads[LEADS.index(panel.lead)]:
        return "not recorded"
    inside = values[(times >= panel.start_s) & (times < panel.start_s + panel.seconds)]
    return "no valid samples" if inside.size and np.isnan(inside).all() else ""


def _draw_marks(page: Axes, panel: _Panel) -> None:
    """Draw the calibration pulse (1 mV, 0.2 s) before a row, or what separates a lead from the one before."""
    x, y = panel.left, panel.baseline
    if x > _START:
        ticks = [((x, y - 7), (x, y - 4)), ((x, y + 4), (x, y + 7))]
        _strokes(page, ticks, color=INK, linewidth=0.8, zorder=3)
        return
    high, wide = y + GAIN, 0.2 * SPEED
    rise, fall = x - 5.0 - wide, x - 5.0
    pulse = [(rise - 2.5, y), (rise, y), (rise, high), (fall, high), (fall, y), (fall + 2.5, y)]
    _strokes(page, [pulse], color=INK, linewidth=0.9, zorder=3, label="calibration")


def _draw_scale(figure: Figure, page: Axes, explained: ExplainedClass) -> None:
    top = _BOTTOM - 3.0
    note = f"{SPEED:g} mm/s, {GAIN:g} mm/mV"
    page.text(_LEFT, top, note, size=9, weight="bold", color=INK, va="top")
    legend = (
        "Blue: what speaks for the diagnosis at this time, in full in the band and pale behind the tracings;\n"
        "no colour: nothing does, or something speaks against it. Brackets: regions above the level of "
        f"{explained.level:.3g}."
    )
    page.text(_LEFT, top - 6, legend, size=7.5, color=INK, va="top", linespacing=1.5)
    (width, low), left = _BAR, _END - _BAR[0]
    bar = _bare_axes(figure, (left, low, width, 4), "scale")
    bar.set_axis_on()
    scale = _colour_scale(explained)
    nowhere = not np.any(explained.activation > 0)
    ends: dict[str, Any] = {
        "orientation": "horizontal",
        "ticks": [0] if nowhere else [0, scale.vmax],
        "format": "%.3g",
    }
    drawn = figure.colorbar(ScalarMappable(scale, _COLOURS), cax=bar, **ends)
    drawn.solids.set_edgecolor("face")  # else some viewers show seams
    drawn.outline.set(edgecolor=GREY, linewidth=0.6)
    bar.tick_params(labelsize=7.5, width=0.6, length=2, color=GREY)
    caption: dict[str, Any] = {"size": 7.5, "color": INK, "ha": "center"}
    what = "activation (logit): nowhere above 0" if nowhere else "activation (units of the logit)"
    page.text(left + width / 2, low - 1.6, what, va="top", **caption)
    if 0 < explained.level < scale.vmax:
        bar.plot([explained.level] * 2, [0, 1.5], color=_REGION, linewidth=1.5, clip_on=False)
        x = left + width * explained.level / scale.vmax
        page.text(x, low + 6.6, f"level {explained.level:.3g}", **caption)


def _draw_title(page: Axes, explanation: Explanation, explained: ExplainedClass, start: float) -> None:
    record = explanation.record
    seconds = record.duration_s
    part = f"{start:.4g} s to {min(start + SHEET_S, seconds):.4g} s of {seconds:.4g} s"
    rate = f"{record.sampling_rate:g} Hz"
    about = ", ".join([f"Record {printable(record.name)}", *person(record), part, rate])
    codes = f"SNOMED CT {', '.join(explained.codes)}"
    style: dict[str, Any] = {"color": INK, "va": "baseline", "parse_math": False}
    page.text(_LEFT, 195, heading(explained), size=16, weight="bold", **style)
    page.text(_LEFT, 186.5, answer(explained), size=12, **style)
    page.text(_RIGHT, 186.5, codes, size=9, ha="right", **style)
    page.text(_LEFT, 178, about, size=9, **style)
