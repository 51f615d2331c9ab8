"""Explained records as pages for a browser, each a single file that loads nothing.

Their security policy (https://www.w3.org/TR/CSP3/) allows by their hashes the one script and the one style
sheet in the page and nothing else, so that no text of a record can be executed.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from cnn_gap.beats.detection import MEASURED_HZ, Beats
from cnn_gap.beats.intervals import Measurements, measure
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.report.diagnosis_order import in_order
from cnn_gap.report.report_text import cautions, drawable, measured_values, person, recording, verdict
from cnn_gap.signal.resampling import bridge, nearest_valid, resample_by

#: Maximum sampling rate of the tracings, Hz: ten samples to the millimetre of paper.
DRAWN_RATE = 250

_FOLDER = Path(__file__).parent / "page_assets"

#: Sampling rate of the median beat on a page, Hz.
BEAT_RATE = 250


@dataclass(frozen=True)
class Links:
    """URLs of the index, and of the records before and after in it, if there are any."""

    index: str
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True)
class IndexRow:
    """The row of a record in the index of a folder.

    Attributes
    ----------
    name : str
        The record's.
    href : str or None
        URL of its page; None if there is none.
    reported : tuple of str
        Abbreviations of the reported diagnoses.
    probabilities : dict of str to float
        Of every class that was explained, by its name.
    notes : tuple of str
        On the record's quality.
    failure : str
        The reason why the record could not be explained; empty if it was.
    """

    name: str
    href: str | None
    reported: tuple[str, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: str = ""


def explanation_page(explanation: Explanation, links: Links | None = None) -> str:
    """Return an explained record as a page: its twelve leads, whole, over the map of a chosen diagnosis.

    Parameters
    ----------
    explanation : Explanation
        Of a record of any length; tracings are reduced to `DRAWN_RATE`.
    links : Links, optional
        To the other pages of a folder.
    """
    name = drawable(explanation.record.name)
    body = _template("record.html").substitute(
        name=escape(name),
        about=escape(_about(explanation)),
        links="" if links is None else _links(links),
        data=_embedded(page_data(explanation)),
    )
    return _page("record", f"{name}: explained ECG", body)


def relinked(page: str, old: Links, new: Links) -> str:
    """Return a page with other links, equal to that of `explanation_page` with these."""
    return page.replace(_nav(old), _nav(new), 1)


def index_page(rows: Sequence[IndexRow]) -> str:
    """Return the page with a table of a folder's records, which can be sorted and filtered."""
    failed = [row for row in rows if row.failure]
    explained = [row for row in rows if not row.failure]
    failures = (
        _template("failures.html").substitute(rows="\n".join(_cells(row.name, row.failure) for row in failed))
        if failed
        else ""
    )
    about = f"{len(explained)} explained" + (f", {len(failed)} failed" if failed else "")
    body = _template("index.html").substitute(
        about=about, failures=failures, data=_embedded(_index_data(explained))
    )
    return _page("index", "Explained ECGs", body)


def page_data(explanation: Explanation) -> dict[str, object]:
    """Return the data of a record's page.

    Voltages are whole microvolts at `rate` (Hz), null where not valid; a lead that was not recorded has none.
    Activations are thousandths of the logit's unit at the map's own steps, the first at `map_start` (s) and
    `map_step` (s) apart. Regions are (start in s, end in s, mean activation). `beats` are (time in s, whether
    it is a usual one).
    """
    record = explanation.record
    drawn, rate = _drawn_signal(record)
    times = explanation.step_times
    measured = measure(record)
    return {
        "seconds": record.duration_s,
        "rate": rate,
        "samples": len(drawn),
        "map_start": times[0],
        "map_step": explanation.stride_s,
        "leads": [
            {"name": name, "microvolts": _thousandths(values) if present else None}
            for name, values, present in zip(LEADS, drawn.T, record.leads, strict=True)
        ],
        "measured": measured_values(measured, explanation),
        "cautions": [drawable(text) for text in cautions(explanation)],
        "beats": _beats(measured.beats),
        "median": _median(measured, record),
        "classes": [
            {"group": group, **_class_data(each, explanation.times, times)}
            for group, each in in_order(explanation.classes)
        ],
    }


def _beats(beats: Beats) -> list[list[float | int]]:
    return [[round(float(time), 3), int(usual)] for time, usual in zip(beats.times_s, beats.usual, strict=True)]


def _median(measured: Measurements, record: Record) -> dict[str, object] | None:
    """Return the median beat, in microvolts at `BEAT_RATE`, and its waves, s from its fiducial point."""
    median, waves = measured.beats.median, measured.waves
    if median is None or waves is None:
        return None
    step = round(MEASURED_HZ / BEAT_RATE)
    level = median[round(measured.beats.fiducial + MEASURED_HZ * waves.qrs_onset) - 1]
    leads = (median - level)[::step].T
    return {
        "rate": BEAT_RATE,
        "before": measured.beats.fiducial / MEASURED_HZ,
        "leads": [
            _thousandths(values) if there else None for values, there in zip(leads, record.leads, strict=True)
        ],
        "marks": [
            [name, round(at, 3)]
            for name, at in (
                ("P", waves.p_onset if measured.pr_s is not None else None),
                ("Q", waves.qrs_onset if measured.qrs_s is not None else None),
                ("J", waves.qrs_end if measured.qrs_s is not None else None),
                ("T", waves.t_end if measured.qt_s is not None else None),
            )
            if at is not None
        ],
    }


def _class_data(explained: ExplainedClass, sampled: np.ndarray, times: np.ndarray) -> dict[str, object]:
    def at_steps(values: np.ndarray) -> list[int | None]:
        return _thousandths(np.interp(times, sampled, values))

    shares, parts = explained.lead_shares, explained.lead_activation
    return {
        "name": explained.diagnosis.name,
        "abbreviation": explained.diagnosis.abbreviation,
        "system": explained.diagnosis.system,
        "codes": explained.codes,
        "probability": explained.probability,
        "threshold": explained.threshold,
        "reported": explained.label,
        "verdict": verdict(explained),
        "level": explained.level,
        "regions": [
            [round(region.start_s, 4), round(region.end_s, 4), round(region.activation, 4)]
            for region in explained.regions
        ],
        "activation": at_steps(explained.activation),
        "shares": None if shares is None else [round(share, 4) for share in shares.tolist()],
        "parts": None if parts is None else [at_steps(column) for column in parts.T],
    }


def _drawn_signal(record: Record) -> tuple[np.ndarray, float]:
    """Return the signal (samples, leads) at about `DRAWN_RATE` at most, and its rate (Hz); NaN stays NaN."""
    signal, rate = record.signal, record.sampling_rate
    if rate <= DRAWN_RATE:
        return signal, rate
    ratio = Fraction(DRAWN_RATE / rate).limit_denominator(1000)
    valid = np.isfinite(signal)
    drawn = resample_by(signal if valid.all() else bridge(signal, valid), ratio)
    return np.where(nearest_valid(valid, len(drawn)), drawn, np.nan), rate * float(ratio)


def _thousandths(values: np.ndarray) -> list[int | None]:
    scaled = 1000 * values.astype(np.float64)
    valid = np.isfinite(scaled)
    whole: list[int | None] = np.where(valid, scaled, 0).round().astype(int).tolist()
    return [value if known else None for value, known in zip(whole, valid.tolist(), strict=True)]


def _about(explanation: Explanation) -> str:
    record = explanation.record
    facts = [*person(record), *recording(record), f"{record.duration_s:.4g} s at {record.sampling_rate:g} Hz"]
    return ", ".join(facts)


def _links(links: Links) -> str:
    wanted = (("previous", links.previous, "← Previous"), ("next", links.next, "Next →"))
    steps = [
        f'<a rel="{rel}" href="{escape(href)}">{text}</a>' for rel, href, text in wanted if href is not None
    ]
    return "\n".join([f'<a rel="up" href="{escape(links.index)}">All records</a>', *steps])


def _nav(links: Links) -> str:
    """Return links with the tags around them, which occur once in a page: texts of a record are escaped."""
    before, after = _text("record.html").split("$links")
    return before.rpartition("\n")[2] + _links(links) + after.partition("\n")[0]


def _index_data(rows: Sequence[IndexRow]) -> dict[str, object]:
    """Return the index's rows: name, URL, reported, notes and probabilities in thousandths, by `diagnoses`."""
    diagnoses = list(dict.fromkeys(name for row in rows for name in row.probabilities))
    return {
        "diagnoses": [drawable(name) for name in diagnoses],
        "rows": [
            [
                drawable(row.name),
                row.href,
                drawable(", ".join(row.reported)),
                drawable("; ".join(row.notes)),
                [
                    round(1000 * row.probabilities[name]) if name in row.probabilities else None
                    for name in diagnoses
                ],
            ]
            for row in rows
        ],
    }


def _cells(*texts: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(drawable(text))}</td>" for text in texts) + "</tr>"


def _page(kind: str, title: str, body: str) -> str:
    style, script = _text("style.css"), _text("shared.js") + _text(f"{kind}.js")
    return _template("frame.html").substitute(
        kind=kind,
        title=escape(title),
        policy=_policy(style, script),
        style=style,
        script=script,
        body=body,
    )


def _policy(style: str, script: str) -> str:
    allowed = (f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style, script))
    return (
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'"
    ).format(*allowed)


def _embedded(data: object) -> str:
    """Return data as JSON without `<`, so that it cannot end the script element around it."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _template(name: str) -> Template:
    return Template(_text(name))


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
