"""The page of a long recording: figures, an overview, the events, one whole lead, and strips with their maps.

The page is one file that loads nothing. The ten seconds of a strip are shown by the page of a short record
(`cnn_gap.report.page`), in a frame inside it.
"""

from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import numpy as np

from cnn_gap.beats.intervals import measure
from cnn_gap.explain.events import Event
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.long_explanation import ExplainedStrip, LongExplanation
from cnn_gap.holter.beat_labels import LabelledBeats
from cnn_gap.holter.episodes import stretches
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.qrs import BLOCK_S
from cnn_gap.io.long_records import LongRecord
from cnn_gap.leads import LEADS
from cnn_gap.report.disclosure import MOST_SAMPLES, DisclosedLead, disclose
from cnn_gap.report.page import (
    Links,
    links_html,
    measured_html,
    page_choices,
    page_data,
    page_lines,
    sheet_layouts,
)
from cnn_gap.report.page_frame import embedded, framed
from cnn_gap.report.page_reading import alerts_html, limits_html, reading_html, time_button, with_buttons
from cnn_gap.report.recording_tables import (
    HOUR_COLUMNS,
    PREMATURE_COLUMNS,
    RHYTHM_COLUMNS,
    URGENT,
    figures,
    hour_rows,
    premature_rows,
    rhythm_rows,
)
from cnn_gap.report.recording_times import RecordingTimes
from cnn_gap.report.report_text import drawable, measured_values, person, recording
from cnn_gap.report.typical_beats import typical_beats
from cnn_gap.report.typical_figures import typical_html

_NOT_VALID = -32768  # of the 16-bit samples of a strip


def long_page(explanation: LongExplanation, links: Links | None = None) -> str:
    """Return an explained recording of minutes to days as a page.

    Parameters
    ----------
    explanation : LongExplanation
        Its recording is read once more, for the one lead that is shown as a whole.
    links : Links, optional
        To the other pages of a folder.
    """
    whole, monitoring = explanation.whole, explanation.prediction.monitoring
    times = RecordingTimes(explanation.record.time)
    write = partial(with_buttons, words=times.text)
    name = drawable(explanation.record.name)
    about = [*person(whole.record), *recording(whole.record), _length(explanation)]
    return framed(
        "long",
        f"{name}: explained ECG",
        "long.html",
        name=escape(name),
        about=escape(", ".join(about)),
        links="" if links is None else links_html(links),
        alerts=alerts_html(whole, write),
        reading=reading_html(whole.reading, (), write),
        limits=limits_html(whole),
        figures="" if monitoring is None else _figures_html(monitoring, times),
        typical="" if monitoring is None else _typical_html(explanation.record, monitoring.beats),
        kinds=_kinds_html(explanation.events),
        events=_events_html(explanation, times),
        hours="" if monitoring is None else _hours_html(monitoring, times),
        data=embedded(_data(explanation, disclose(explanation.record))),
    )


def _length(explanation: LongExplanation) -> str:
    record = explanation.record
    hours, rest = divmod(round(explanation.duration_s), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours} h {minutes} min {seconds} s at {record.sampling_rate:g} Hz"


def _data(explanation: LongExplanation, lead: DisclosedLead) -> dict[str, object]:
    """Return the data of the page.

    Times are s, those of `beats` ms since the beat before. `lead` is the whole lead in levels (base64 of bytes:
    0 is not valid, 128 is 0 mV, a level is `step` µV), none if it is too long for a page. `frame` is the page
    that shows a strip, with places that `strips` fill.
    """
    monitoring, strips = explanation.prediction.monitoring, explanation.strips
    whole = {"name": lead.name, "rate": lead.rate, "step": lead.step_uv, "levels": _base64(lead.levels)}
    return {
        "name": explanation.record.name,
        "seconds": explanation.duration_s,
        "day_s": RecordingTimes(explanation.record.time).seconds_of_day,
        **_monitored(monitoring),
        "events": [
            {"kind": each.kind, "title": each.title, "start": each.start_s, "strip": explanation.strip_of(each)}
            for each in explanation.events
        ],
        "lead": whole if lead.name and len(lead.levels) <= MOST_SAMPLES else None,
        "frame": _frame(),
        "strips": [_strip_data(each) for each in strips],
        "leads": LEADS,
        "page": {"layouts": sheet_layouts(), **page_choices()},
    }


def _monitored(monitoring: Monitoring | None) -> dict[str, object]:
    """Return the beats, the lanes of episodes, and the spans that were not analysed."""
    if monitoring is None:
        return {"beats": {"ms": [], "symbols": "", "unknown": []}, "lanes": [], "lost": []}
    beats, usable = monitoring.beats, monitoring.measured.usable
    since = np.diff(np.round(1000 * beats.times_s).astype(int), prepend=0)
    lanes: dict[str, dict[str, Any]] = {}
    for each in monitoring.episodes:
        about = each.diagnosis
        lane = {"name": about.name.partition(":")[0], "red": about.code in URGENT, "parts": []}
        lanes.setdefault(about.code, lane)["parts"].append([round(each.start_s, 2), round(each.end_s, 2)])
    return {
        "beats": {
            "ms": since.tolist(),
            "symbols": "".join(beats.symbols.tolist()),
            "unknown": np.flatnonzero(~beats.known).tolist(),
        },
        "lanes": list(lanes.values()),
        "lost": [[first * BLOCK_S, last * BLOCK_S] for first, last in stretches(~usable)],
    }


def _strip_data(each: ExplainedStrip) -> dict[str, object]:
    """Return the data that fill the frame of a strip; amplitudes are base64 of 16-bit µV, lead after lead."""
    explanation, measured = each.explanation, measure(each.explanation.record)
    content: dict[str, Any] = page_data(explanation, measured)
    recorded = [lead["microvolts"] for lead in content.pop("leads") if lead["microvolts"] is not None]
    samples = np.array([[_NOT_VALID if at is None else at for at in lead] for lead in recorded], np.float64)
    stored = np.clip(samples, _NOT_VALID, -_NOT_VALID - 1).astype("<i2")
    return {
        "start": each.strip.start_s,
        "title": each.strip.event.title,
        "map": _first_map(each),
        "measured": measured_html(measured_values(measured, explanation)),
        "reading": _strip_reading(explanation),
        "recorded": [bool(present) for present in explanation.record.leads],
        "signal": _base64(stored),
        "data": content,
    }


def _first_map(each: ExplainedStrip) -> int | None:
    """Return the place in the strip's lists of the class that is shown first; None if there is none."""
    if each.shown is None:
        return None
    own = set(each.shown.codes)
    lines = enumerate(page_lines(each.explanation))
    return next(place for place, line in lines if not own.isdisjoint(line.explained.codes))


def _strip_reading(explanation: Explanation) -> str:
    lines = [line.explained for line in page_lines(explanation)]
    return reading_html(explanation.reading, lines)


def _frame() -> str:
    """Return the page of a short record with places for the texts of a strip."""
    empty = dict.fromkeys(("links", "alerts", "limits"), "")
    return framed(
        "record",
        "Strip",
        "record.html",
        name="%%name%%",
        about="%%about%%",
        measured="%%measured%%",
        reading="%%reading%%",
        open="",
        data="%%data%%",
        **empty,
    )


def _base64(values: np.ndarray) -> str:
    return b64encode(values.tobytes()).decode()


def _figures_html(monitoring: Monitoring, times: RecordingTimes) -> str:
    rows = []
    for each in figures(monitoring):
        at = "" if each.time_s is None else f" {time_button(each.time_s, times.text(each.time_s))}"
        rows.append(f"<div><dt>{escape(each.name)}</dt><dd>{escape(each.value)}{at}</dd></div>")
    return "\n".join(
        [
            f'<dl id="figures">{"".join(rows)}</dl>',
            _table("Rhythms and blocks", RHYTHM_COLUMNS, rhythm_rows(monitoring)),
            _table("Premature beats", PREMATURE_COLUMNS, premature_rows(monitoring)),
        ]
    )


def _hours_html(monitoring: Monitoring, times: RecordingTimes) -> str:
    rows = [
        (time_button(start, times.text(start)), *map(escape, cells)) for start, cells in hour_rows(monitoring)
    ]
    return _table("By the hour: heart rates (/min) and beats", HOUR_COLUMNS, rows, escaped=True)


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], escaped: bool = False) -> str:
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{cell if escaped else escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    head = f"<caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
    return f'<div class="wide"><table class="figures">{head}<tbody>{body}</tbody></table></div>'


def _typical_html(record: LongRecord, beats: LabelledBeats) -> str:
    return typical_html(typical_beats(record, beats), len(beats))


def _kinds_html(events: Sequence[Event]) -> str:
    kinds = dict.fromkeys(each.kind for each in events)
    return "".join(f'<option value="{escape(kind)}">{escape(kind)}</option>' for kind in kinds)


def _events_html(explanation: LongExplanation, times: RecordingTimes) -> str:
    """Return the list of events; those with a strip are marked."""
    items = []
    listed = {kind: sum(each.kind == kind for each in explanation.events) for kind in _kinds(explanation)}
    kind = ""
    for index, each in enumerate(explanation.events):
        if each.kind != kind:
            kind = each.kind
            some = f", {listed[kind]} of them listed" if each.of_kind > listed[kind] else ""
            count = f" ({each.of_kind}{some})" if each.of_kind > 1 else ""
            items.append(f'<li class="kind" data-kind="{escape(kind)}">{escape(kind)}{count}</li>')
        mark = "" if explanation.strip_of(each) is None else ' <span class="mapped">strip</span>'
        title = each.title.removeprefix(f"{kind}, ")
        items.append(
            f'<li data-kind="{escape(kind)}"><button type="button" data-event="{index}">'
            f'<span class="at">{times.text(each.start_s)}</span> {escape(title)}{mark}</button></li>'
        )
    return "\n".join(items)


def _kinds(explanation: LongExplanation) -> dict[str, None]:
    return dict.fromkeys(each.kind for each in explanation.events)
