"""The layout of a sheet: which lead stands where and when, the scale, the heights of rows, and the pages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError

_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")

#: Leads in rows that follow each other in time, in the standard order.
_STANDARD = {
    "3x4": (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")),
    "6x2": (("I", "V1"), ("II", "V2"), ("III", "V3"), ("aVR", "V4"), ("aVL", "V5"), ("aVF", "V6")),
    "12x1": tuple((lead,) for lead in ("I", "II", "III", "aVR", "aVL", "aVF", *_CHEST)),
}

#: The same with the limb leads in Cabrera's order, from left to right; -aVR is aVR turned over.
_CABRERA = {
    "3x4": (("aVL", "II", "V1", "V4"), ("I", "aVF", "V2", "V5"), ("-aVR", "III", "V3", "V6")),
    "6x2": (("aVL", "V1"), ("I", "V2"), ("-aVR", "V3"), ("II", "V4"), ("aVF", "V5"), ("III", "V6")),
    "12x1": tuple((lead,) for lead in ("aVL", "I", "-aVR", "II", "aVF", "III", *_CHEST)),
}

LAYOUTS, SPEEDS, GAINS = tuple(_STANDARD), (25.0, 50.0), (5.0, 10.0, 20.0)

#: A tracing is cut at this distance from its baseline, mm.
REACH_MM = 45.0

#: A record with at most this number of leads has a row for each of them, over the whole time.
FEW_LEADS = 6

_RHYTHM_LEADS = ("II", "V1", *LEADS)  # the first that is recorded
_CLEARLY_MORE = 1.25  # a stretch is shown instead of the beginning if its map is larger by this factor

_THICK = 5.0  # distance of the thick lines of the grid, on which baselines lie, mm
_LEAST = 4.0  # minimum room above and below a baseline, mm


@dataclass(frozen=True)
class LeadPlace:
    """The place of a lead on a page.

    Attributes
    ----------
    name : str
        The lead's, or ``"rhythm"`` for the strip below the rows.
    lead : str
        The lead; ``-aVR`` is aVR turned over.
    row : int
        From the top.
    later_s, seconds : float
        When it begins after the page's start, and for how long it is shown, s.
    """

    name: str
    lead: str
    row: int
    later_s: float
    seconds: float


@dataclass(frozen=True)
class Layout:
    """The rows, scale and order of leads of a sheet.

    Attributes
    ----------
    rows : str
        ``"3x4"`` (over a rhythm strip), ``"6x2"`` or ``"12x1"``.
    speed : float
        25 or 50 mm/s.
    gain : float
        5, 10 or 20 mm/mV.
    cabrera : bool
        Whether the limb leads are in Cabrera's order, aVL I -aVR II aVF III.

    Raises
    ------
    InputError
        If a value is none of these.
    """

    rows: str = "3x4"
    speed: float = 25.0
    gain: float = 10.0
    cabrera: bool = False

    def __post_init__(self) -> None:
        for name, known in (("rows", LAYOUTS), ("speed", SPEEDS), ("gain", GAINS)):
            if getattr(self, name) not in known:
                listed = ", ".join(each if isinstance(each, str) else f"{each:g}" for each in known)
                raise InputError(f"a sheet's {name} must be one of {listed}; received {getattr(self, name)}")

    @property
    def leads(self) -> tuple[tuple[str, ...], ...]:
        """The leads of each row, without a rhythm strip; ``-aVR`` is aVR turned over."""
        return (_CABRERA if self.cabrera else _STANDARD)[self.rows]

    def place_leads(self, recorded: Sequence[bool] | np.ndarray, seconds: float) -> tuple[LeadPlace, ...]:
        """Return where and when the leads of a record are shown on a page.

        Parameters
        ----------
        recorded : sequence of bool, (12,)
            The leads that the record has, in the order of `LEADS`. If they are few, each has a row of its own.
        seconds : float
            The time that a page shows, s.

        Examples
        --------
        >>> [(place.lead, place.row, place.later_s) for place in STANDARD.place_leads([True] * 12, 10)][3:6]
        [('V4', 0, 7.5), ('II', 1, 0.0), ('aVL', 1, 2.5)]
        >>> [place.lead for place in STANDARD.place_leads([True, True] + [False] * 10, 10)]
        ['I', 'II']
        """
        there = {lead for lead, known in zip(LEADS, recorded, strict=True) if known}
        if len(there) <= FEW_LEADS:
            order = (lead for (lead,) in Layout("12x1", cabrera=self.cabrera).leads)
            kept = (lead for lead in order if lead.removeprefix("-") in there)
            return tuple(LeadPlace(lead, lead, row, 0.0, seconds) for row, lead in enumerate(kept))
        places = [
            LeadPlace(lead, lead, row, column * seconds / len(leads), seconds / len(leads))
            for row, leads in enumerate(self.leads)
            for column, lead in enumerate(leads)
        ]
        if self.rows == "3x4":
            places.append(LeadPlace("rhythm", rhythm_lead(recorded), len(self.leads), 0.0, seconds))
        return tuple(places)


def rhythm_lead(recorded: Sequence[bool] | np.ndarray) -> str:
    """Return the lead of the rhythm strip, given which of `LEADS` are recorded: II, V1 or the first one."""
    return next((lead for lead in _RHYTHM_LEADS if recorded[LEADS.index(lead)]), "II")


#: The layout of a sheet unless another is asked for.
STANDARD = Layout()


@dataclass(frozen=True)
class Row:
    """The heights of a row, mm from the sheet's lower edge."""

    top: float
    baseline: float
    bottom: float


def place_rows(extents: Sequence[tuple[float, float]], low: float, high: float) -> list[Row]:
    """Return the heights of rows between two limits (mm), each with the room that its tracings need.

    Parameters
    ----------
    extents : sequence of (float, float)
        How far each row's tracings reach above and below its baseline, mm.
    low, high : float
        The limits. If the tracings need more room than this, rows come nearer to each other and overlap.

    Examples
    --------
    >>> [row.baseline for row in place_rows([(10, 10), (30, 10)], 0, 100)]
    [80.0, 20.0]
    """
    most = (high - low) / 4  # beside the edges, where a row cannot overlap with another
    up, down = (np.maximum(side, _LEAST) for side in np.transpose(extents))
    first, last = high - min(up[0], most), low + min(down[-1], most)
    gaps = down[:-1] + up[1:]
    spare = max(0.0, first - last - gaps.sum()) / (len(gaps) + 1)
    first, last = first - spare / 2, last + spare / 2
    if len(gaps):
        gaps = (gaps + spare) * (first - last) / (gaps + spare).sum()
    baselines = first - np.concatenate([[0.0], np.cumsum(gaps)])
    edges = [high, *(baselines[:-1] - down[:-1] / (down[:-1] + up[1:]) * gaps), low]
    places = _THICK * np.round(baselines / _THICK)
    places[-1] = _THICK * np.ceil(baselines[-1] / _THICK)  # away from the edges
    places[0] = _THICK * np.floor(baselines[0] / _THICK)
    return [Row(*map(float, each)) for each in zip(edges[:-1], places, edges[1:], strict=True)]


def page_starts(seconds: float, shown_s: float) -> list[float]:
    """Return where the pages of a record begin, s.

    The last page ends with the record: it is as long as the others and repeats a part of the page before it. A
    remainder of less than half a second has no page.

    Examples
    --------
    >>> page_starts(10.2, 10), page_starts(25, 10)
    ([0.0], [0.0, 10.0, 15.0])
    """
    count = max(1, math.ceil((seconds - 0.5) / shown_s))
    return [float(min(page * shown_s, max(seconds - shown_s, 0.0))) for page in range(count)]


def event_start(event_s: float, seconds: float, shown_s: float) -> float:
    """Return where a page begins that shows an event, s: at 0 if the first page shows two seconds of it.

    Examples
    --------
    >>> event_start(5, 30, 10), event_start(15, 30, 10), event_start(29, 30, 10)
    (0.0, 14.0, 20.0)
    """
    return 0.0 if event_s + 2 <= shown_s else float(max(min(event_s - 1, seconds - shown_s), 0))


def strongest_start(activation: np.ndarray, sampling_rate: float, shown_s: float) -> float:
    """Return where the stretch of a record begins that holds most of a map, s.

    It is the beginning of the record unless another stretch holds more of the map by `_CLEARLY_MORE`.

    Parameters
    ----------
    activation : ndarray, shape (samples,)
        The map at the record's samples; only values above 0 count.
    sampling_rate : float
        Of the record, Hz.
    shown_s : float
        How long the stretch is, s.

    Examples
    --------
    >>> early, late = np.zeros(3000), np.zeros(3000)
    >>> early[100], late[2900] = 1, 1
    >>> strongest_start(early, 100, 10), strongest_start(late, 100, 10)
    (0.0, 20.0)
    """
    last_s = len(activation) / sampling_rate - shown_s
    if last_s < 0.5:
        return 0.0
    sums = np.concatenate([[0.0], np.cumsum(np.clip(np.nan_to_num(activation), 0, None))])
    starts = np.append(np.arange(0.0, last_s), last_s)  # whole seconds, and the record's end
    first = np.round(starts * sampling_rate).astype(int)
    held = sums[np.minimum(first + round(shown_s * sampling_rate), len(activation))] - sums[first]
    best = int(held.argmax())
    return float(starts[best]) if held[best] > _CLEARLY_MORE * held[0] else 0.0
