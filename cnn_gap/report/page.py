"""Explained records as pages for a browser, each a single file that loads nothing.

`explanation_page` returns the page of one record. On top are the reading, the alerts, the measurements and the
twelve leads, over the map of a statement if one is chosen. Below are the beats, the median beat, what each lead
adds, and the probabilities of all outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from html import escape

import numpy as np

from cnn_gap.beats.beat_list import Beat, list_beats
from cnn_gap.beats.detection import MEASURED_HZ
from cnn_gap.beats.intervals import Measurements, measure
from cnn_gap.diagnoses.synonyms import search_words
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.leads import LEADS
from cnn_gap.reading.reading import Reading, Statement
from cnn_gap.record import Record
from cnn_gap.report.beginning import beginning
from cnn_gap.report.diagnosis_order import in_order, join_twins
from cnn_gap.report.layouts import FEW_LEADS, GAINS, LAYOUTS, SPEEDS, Layout, rhythm_lead
from cnn_gap.report.page_frame import asset, embedded, framed
from cnn_gap.report.page_reading import alerts_html, class_of, limits_html, reading_html, with_buttons
from cnn_gap.report.report_text import drawable, measured_values, person, recording, verdict
from cnn_gap.signal.resampling import bridge, nearest_valid, resample_by

#: Maximum sampling rate of the tracings, Hz: ten samples to the millimetre of paper.
DRAWN_RATE = 250

#: Sampling rate of the median beat on a page, Hz.
BEAT_RATE = 250

#: Length of the part of a record that a page shows first, s.
SHOWN_S = 10.0

#: The group of the diagnoses that the reading states.
STATED = "In the reading"


@dataclass(frozen=True)
class Links:
    """URLs of the index, the records before and after in it, and the record's report, if there are any."""

    index: str
    previous: str | None = None
    next: str | None = None
    report: str | None = None


def explanation_page(explanation: Explanation, links: Links | None = None) -> str:
    """Return an explained record as a page: its reading, and its twelve leads over the map of a statement.

    Parameters
    ----------
    explanation : Explanation
        Of a record of any length; tracings are reduced to `DRAWN_RATE`. Without a reading the page lists the
        diagnoses that are above their thresholds.
    links : Links, optional
        To the other pages of a folder.
    """
    name, reading = drawable(explanation.record.name), explanation.reading
    lines = [line.explained for line in page_lines(explanation)]
    measured = measure(explanation.record)
    return framed(
        "record",
        f"{name}: explained ECG",
        "record.html",
        name=escape(name),
        about=escape(_about(explanation)),
        links="" if links is None else links_html(links),
        measured=measured_html(measured_values(measured, explanation)),
        alerts=alerts_html(explanation, with_buttons),
        reading=reading_html(reading, lines, with_buttons),
        limits=limits_html(explanation),
        open="" if reading is not None else " open",
        data=embedded(page_data(explanation, measured)),
    )


def relinked(page: str, old: Links, new: Links) -> str:
    """Return a page with other links, equal to that of `explanation_page` with these."""
    return page.replace(_nav(old), _nav(new), 1)


@dataclass(frozen=True, eq=False)
class PageLine:
    """A diagnosis in the list of all outputs.

    Attributes
    ----------
    group : str
        The heading above it.
    explained : ExplainedClass
    statement : Statement or None
        Of the reading, that it says; None if it is not in the reading.
    """

    group: str
    explained: ExplainedClass
    statement: Statement | None = None

    @property
    def name(self) -> str:
        """The name that the reading gives it, or the diagnosis's own."""
        return self.explained.diagnosis.name if self.statement is None else self.statement.name


def page_lines(explanation: Explanation) -> list[PageLine]:
    """Return each diagnosis of a page once: first the diagnoses of the reading, in its order, then the rest."""
    joined = join_twins(explanation.classes)
    if explanation.reading is None:
        return [PageLine(group, each) for group, each in in_order(joined)]
    said: dict[int, Statement] = {}
    for statement in explanation.reading.statements:
        place = class_of(statement, joined)
        if place is not None:
            said.setdefault(place, statement)
    others = tuple(replace(each, label=False) for place, each in enumerate(joined) if place not in said)
    stated = [PageLine(STATED, joined[place], statement) for place, statement in said.items()]
    return [*stated, *(PageLine(group, each) for group, each in in_order(others))]


def page_data(explanation: Explanation, measured: Measurements | None = None) -> dict[str, object]:
    """Return the data of a record's page.

    Voltages are whole microvolts at `rate` (Hz), null where not valid; a lead that was not recorded has none.
    Activations are thousandths of the logit's unit at the map's own steps, the first at `map_start` (s) and
    `map_step` (s) apart. Regions are (start in s, end in s, mean activation). `beats` are (time in s, RR in
    ms, QRS in ms, and whether each is usual, early, wide and after a pause). The page first shows what begins
    at `start` (s), as `beginning` chooses it.
    """
    record, reading = explanation.record, explanation.reading
    measured = measure(record) if measured is None else measured
    drawn, rate = _drawn_signal(record)
    times = explanation.step_times
    beats = list_beats(record, measured) if explanation.answerable else ()
    lines = page_lines(explanation)
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
        "start": beginning(explanation, measured.run, SHOWN_S).start_s,
        "layouts": sheet_layouts(),
        "rhythm": rhythm_lead(record.leads),
        **page_choices(),
        "reading": reading is not None,
        "answerable": explanation.answerable,
        "beats": [
            _beat_data(beat, bool(usual)) for beat, usual in zip(beats, measured.beats.usual, strict=False)
        ],
        "median": _median(measured, record) if explanation.answerable else None,
        "classes": [
            {
                "group": line.group,
                "compared": _compared(line, reading),
                "name": line.name,
                "stated": line.explained.label if reading is None else line.statement is not None,
                **_class_data(line.explained, explanation.times, times),
            }
            for line in lines
        ],
    }


def sheet_layouts() -> dict[str, object]:
    """Return the leads of each row of the layouts that a page offers."""
    return {rows: Layout(rows).leads for rows in LAYOUTS}


def page_choices() -> dict[str, object]:
    """Return the speeds and gains that a page offers, and how many leads are few."""
    return {"few_leads": FEW_LEADS, "speeds": SPEEDS, "gains": GAINS}


def _compared(line: PageLine, reading: Reading | None) -> str:
    """Return the probability of a diagnosis, and whether the reading, or else the threshold, reports it."""
    each = line.explained
    if reading is not None:
        challenge = "" if each.threshold is None else f"; Challenge label {_label(each)} ({each.threshold:.3f})"
        return f"{each.probability:.3f}: {_said(line)}{challenge}"
    if each.threshold is None:
        return f"{each.probability:.3f}: {verdict(each)}"
    than = "<" if each.probability < each.threshold else "≥"
    return f"{each.probability:.3f} {than} {each.threshold:.3f}: {verdict(each)}"


def _label(each: ExplainedClass) -> str:
    return "yes" if each.threshold is not None and each.probability >= each.threshold else "no"


def _said(line: PageLine) -> str:
    """Return the reading's statement of an output, with its own probability if several outputs are joined."""
    if line.statement is None:
        return "not in the reading"
    own = line.statement.probability
    if line.statement.origin == "measurement" or own is None:
        return f"{line.statement.degree} by measurement"
    joined = abs(own - line.explained.probability) >= 0.005
    return f"{line.statement.degree}, {own:.2f} with the outputs joined to it" * joined or line.statement.degree


def _beat_data(beat: Beat, usual: bool) -> list[float | int | None]:
    milliseconds = (None if value is None else round(1000 * value) for value in (beat.rr_s, beat.qrs_s))
    flags = (usual, beat.early, beat.wide, beat.pause)
    return [round(beat.time_s, 3), *milliseconds, *map(int, flags)]


def measured_html(values: Sequence[tuple[str, str]]) -> str:
    """Return measured values, given as name and value, as items of a list of definitions."""
    listed = values or [("nothing that can be trusted", "")]
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in listed)
    return f'<dt class="what">Measured</dt>{items}'


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
        "system": explained.diagnosis.system,
        "codes": explained.codes,
        "words": search_words(explained.codes),
        "probability": explained.probability,
        "threshold": explained.threshold,
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


def links_html(links: Links) -> str:
    """Return the links of a page to the others of its folder."""
    wanted = (("previous", links.previous, "← Previous"), ("next", links.next, "Next →"))
    steps = [
        f'<a rel="{rel}" href="{escape(href)}">{text}</a>' for rel, href, text in wanted if href is not None
    ]
    report = [] if links.report is None else [f'<a rel="alternate" href="{escape(links.report)}">PDF</a>']
    return "\n".join([f'<a rel="up" href="{escape(links.index)}">All records</a>', *steps, *report])


def _nav(links: Links) -> str:
    """Return links with the tags around them, which occur once in a page: texts of a record are escaped."""
    before, after = asset("head.html").split("$links")
    return before.rpartition("\n")[2] + links_html(links) + after.partition("\n")[0]
