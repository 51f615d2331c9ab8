"""Single leads over the map of a class, as in figures 3 and 4 of Lin et al. 2020."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.leads import LEADS, canonical_lead
from cnn_gap.report.picture import Picture
from cnn_gap.report.report_text import answer, drawable, heading
from cnn_gap.report.tracings import GREY, INK, MM_PER_SECOND, POINTS_PER_SECOND, tracing
from cnn_gap.system.errors import InputError

_LONGEST_S = 48.0  # up to this length records are drawn at 25 mm/s; longer ones are squeezed
_RED = "#c8102e"


def plot_leads(
    explanation: Explanation, explained_class: ExplainedClass, leads: Sequence[str] = ("II",)
) -> Figure:
    """Draw leads over the map of a class, on one time axis of about 25 mm/s if the record is not too long.

    Tracings in the map's regions are red, thicker and shaded; the level of the regions is a dashed line.
    Each lead is drawn around its median; samples that are not valid are gaps.

    Parameters
    ----------
    explanation : Explanation
    explained_class : ExplainedClass
        One of its classes.
    leads : sequence of str
        Names as in `LEADS`, in any case.

    Raises
    ------
    InputError
        If a lead is not one of the twelve, or none is named.
    """
    names = _known_leads(leads)
    record = explanation.record
    size = (
        min(max(record.duration_s, 6.0), _LONGEST_S) * MM_PER_SECOND / 25.4 + 1.0,
        1.7 * (len(names) + 1) + 0.7,
    )
    figure = Picture(figsize=size, layout="constrained", facecolor="white")
    panels = figure.subplots(len(names) + 1, 1, sharex=True)
    for panel, lead in zip(panels, names, strict=False):
        _draw_lead(panel, explanation, explained_class, lead)
    _draw_curve(panels[-1], explanation, explained_class)
    for panel in panels:
        for region in explained_class.regions:
            panel.axvspan(region.start_s, region.end_s, color="#e4e4e4", linewidth=0, zorder=0, label="region")
        panel.spines[["top", "right"]].set_visible(False)
    panels[-1].set(xlabel="time (s)", xlim=(0, record.duration_s))
    title = f"{heading(explained_class)}\n{answer(explained_class)}; record {drawable(record.name)}"
    figure.suptitle(title, fontsize=10, parse_math=False)
    figure.align_ylabels()
    return figure


def _known_leads(leads: Sequence[str]) -> list[str]:
    wanted = [leads] if isinstance(leads, str) else leads
    names = [canonical_lead(lead) for lead in wanted]
    unknown = [name for name in names if name not in LEADS]
    if unknown or not names:
        raise InputError(f"{', '.join(unknown) or 'no lead'}: cannot be drawn; name some of {', '.join(LEADS)}")
    return names


def _draw_lead(axes: Axes, explanation: Explanation, explained: ExplainedClass, lead: str) -> None:
    record = explanation.record
    axes.set_ylabel(f"{lead} (mV)")
    if not record.leads[LEADS.index(lead)]:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "not recorded", color=GREY, ha="center", transform=axes.transAxes)
        return
    seconds = record.duration_s
    times, values = tracing(record, lead, 0, seconds, POINTS_PER_SECOND * min(_LONGEST_S / seconds, 1))
    inside = np.zeros(len(times), bool)
    for region in explained.regions:
        inside |= (times >= region.start_s) & (times <= region.end_s)
    axes.plot(times, values, color=INK, linewidth=0.8, label=lead)
    axes.plot(times, np.where(inside, values, np.nan), color=_RED, linewidth=2, label=f"{lead} in regions")


def _draw_curve(axes: Axes, explanation: Explanation, explained: ExplainedClass) -> None:
    axes.set_ylabel(f"{drawable(explained.diagnosis.abbreviation)} map (logit)", parse_math=False)
    axes.plot(explanation.times, explained.activation, color=INK, linewidth=1.2, label="map")
    axes.axhline(0, color=GREY, linewidth=0.6)
    if math.isfinite(explained.level):
        axes.axhline(explained.level, color=_RED, linewidth=1, linestyle="--", label="level")
        axes.annotate(
            f"level {explained.level:.3g}",
            (1, explained.level),
            xycoords=("axes fraction", "data"),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=_RED,
            annotation_clip=False,
        )
