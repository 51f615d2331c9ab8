"""The part of a record that a page shows."""

import math
from dataclasses import dataclass

from cnn_gap.record import Record
from cnn_gap.report.layouts import Layout, page_starts
from cnn_gap.report.sheet.paper import START, WIDTH, Paper
from cnn_gap.report.tracings import GREY
from cnn_gap.system.errors import InputError


@dataclass(frozen=True)
class Part:
    """The part of a record that a page shows.

    Attributes
    ----------
    start_s : float
        Where it begins, s.
    layout : Layout
    reason : str
        Why this part of a longer record is shown, as in ``"the beginning"``.
    """

    start_s: float
    layout: Layout
    reason: str = ""

    @property
    def seconds(self) -> float:
        """The length of the part, s."""
        return WIDTH / self.layout.speed

    def x(self, time: float) -> float:
        """Return the place of a time, mm from the left, or the nearer end of the tracings."""
        return START + self.layout.speed * min(max(time - self.start_s, 0.0), self.seconds)

    def text(self, record: Record) -> str:
        """Return a text that says which part of a record is shown."""
        end = min(self.start_s + self.seconds, record.duration_s)
        span = f"{self.start_s:.4g} s to {end:.4g} s of {record.duration_s:.4g} s"
        starts = record_parts(record, self.layout)
        if len(starts) == 1:
            return span
        if self.reason:
            return f"{span}, {self.reason}"
        if self.start_s not in starts:
            return span
        return f"part {starts.index(self.start_s) + 1} of {len(starts)}: {span}"


def record_parts(record: Record, layout: Layout) -> list[float]:
    """Return where the pages of a record begin, s."""
    return page_starts(record.duration_s, WIDTH / layout.speed)


def chosen_part(record: Record, layout: Layout, start_s: float) -> Part:
    """Return the part of a record that begins at a given time.

    Raises
    ------
    InputError
        If that is outside of the record.
    """
    if not 0 <= start_s < record.duration_s:
        raise InputError(
            f"{record.name}: has {record.duration_s:g} s; a sheet cannot start at {start_s:g} s of it"
        )
    return Part(float(start_s), layout)


def first_part(layout: Layout) -> Part:
    """Return the beginning of a record."""
    return Part(0.0, layout, "the beginning")


def draw_seconds(paper: Paper, part: Part, record: Record, low: float) -> None:
    """Draw a mark and a number for each second below a height, mm."""
    last = min(part.start_s + part.seconds, record.duration_s)
    places = {second: part.x(second) for second in range(math.ceil(part.start_s), math.floor(last + 1e-9) + 1)}
    paper.strokes([((x, low), (x, low - 3)) for x in places.values()], color=GREY, linewidth=0.6, zorder=3)
    for second, x in places.items():
        paper.text(x, low - 5, f"{second} s", 7.5, ha="center", va="center")
