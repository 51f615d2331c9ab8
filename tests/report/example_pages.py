"""A made-up explanation, its reading, and a parser, for the tests of pages."""

import json
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np

from cnn_gap.diagnoses.classes import Diagnosis, diagnosis
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.explain.regions import Level, find_regions
from cnn_gap.leads import LEADS
from cnn_gap.reading.reading import OVERRULED, Reading, Sentence, Statement
from cnn_gap.record import Record
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.recordings import QUIET
from cnn_gap.system.timed_text import TimedText

PAC = ("284470004", "63593006")
STRIDE_S = 0.08
EVIL = "</script><b>x\"'&amp;"


def _class(about, probability, threshold, steps, times, rng):
    """Return a class whose map is straight between its steps, so that pages can show it exactly."""
    starts = np.arange(STRIDE_S / 2, times[-1], STRIDE_S)
    activation = np.interp(times, starts, steps(starts)).astype("f")
    level = Level("sd", 1).of(activation)
    parts = np.stack([np.interp(times, starts, rng.normal(size=len(starts))) for _ in LEADS], axis=1)
    return ExplainedClass(
        about,
        (about.code,),
        probability,
        threshold,
        threshold is not None and probability >= threshold,
        activation,
        level,
        find_regions(activation, 1 / (times[1] - times[0]), level),
        parts.astype("f"),
        parts.mean(axis=0, dtype=np.float64),
    )


@cache
def explain(seconds=10.0, rate=250.0):
    """Return a simulated record with made-up maps of three diagnoses; V4 is absent, V1 partly not valid."""
    simulated = simulate_record("A0001", [PAC[0]], rate, seconds, seed=3, noise=QUIET)
    signal, leads = simulated.signal.copy(), np.ones(12, bool)
    signal[:, LEADS.index("V4")] = 0
    leads[LEADS.index("V4")] = False
    signal[round(2 * rate) : round(3 * rate), LEADS.index("V1")] = np.nan
    times = np.arange(len(signal)) / rate
    rng = np.random.default_rng(0)
    classes = (
        _class(
            diagnosis(PAC[0]), 0.873, 0.412, lambda at: 9 * np.exp(-((at % 5 - 3) ** 2) * 9) - 1, times, rng
        ),
        _class(diagnosis("164889003"), 0.25, 0.5, lambda at: 3 * np.sin(at), times, rng),
        _class(Diagnosis("1", "NO", "</script><i>none"), 0.01, None, lambda at: -1 - at / 100, times, rng),
    )
    return Explanation(
        Record("A0001", signal, leads, rate, age=63.0, sex="Male"), classes, STRIDE_S, 1.2, STRIDE_S / 2
    )


def named(explanation, name):
    return replace(explanation, record=replace(explanation.record, name=name))


def statement(name, codes=(), degree="present", probability=0.9, evidence=(), origin="network", severity=3):
    return Statement(name.lower(), name, "rhythm", codes, "", degree, probability, evidence, origin, severity)


#: The measurements that a reading believes.
BELIEVED = {"rate": 61.0, "shortest_rr_s": 0.4, "longest_rr_s": 1.1, "qrs_ms": 92.0, "axis_deg": -45.0}


def read(explanation, *statements, **others):
    """Return an explanation with a reading of these statements."""
    given = {
        "conclusion": "abnormal",
        "reason": "premature atrial complexes.",
        "statements": statements,
        "measured": BELIEVED,
    }
    return replace(explanation, reading=Reading(**(given | others)))


def with_reading(seconds=10.0):
    """Return an explanation whose reading has two statements with maps and one of a measurement."""
    return read(
        explain(seconds),
        statement("Atrial fibrillation", ("164889003", "AFIB"), "possible", 0.25),
        statement("Premature atrial complexes", PAC, "present", 0.873, ("RR 400 ms",)),
        statement("Left axis deviation", (), "probable", None, ("axis -45 degrees",), "measurement"),
        alerts=("Pause of 3.1 s",),
        not_assessed=("Brugada pattern",),
        notes=(
            "flat: lead V2",
            Sentence("not reported: Right axis deviation, because of axis -45 degrees", kind=OVERRULED),
        ),
    )


def with_times():
    """Return an explanation of a minute whose alert and statements name times."""
    evidence = (TimedText("from ", 12.0, " to ", 25.0),)
    return read(
        explain(60.0),
        statement("Premature atrial complexes", PAC, evidence=evidence),
        statement("Ventricular tachycardia", evidence=evidence),
        alerts=(TimedText("Pause of 3.1 s, at ", 44.6),),
    )


def with_answers(explanation, *answers):
    """Return an explanation of classes by code, probability and whether each is reported."""
    first = explanation.classes[0]
    classes = tuple(
        replace(first, diagnosis=diagnosis(code), codes=(code,), probability=probability, label=label)
        for code, probability, label in answers
    )
    return replace(explanation, classes=classes)


def with_signal(explanation, signal):
    return replace(explanation, record=replace(explanation.record, signal=signal))


def with_record(explanation, record):
    count = len(record.signal)
    cut = tuple(
        replace(each, activation=each.activation[:count], lead_activation=None, regions=())
        for each in explanation.classes
    )
    return replace(explanation, record=record, classes=cut)


class Page(HTMLParser):
    """A page's elements as (name, attributes) and its texts as (element, text)."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note an element, which is open now."""
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        """Close an element, and the elements in it that were left open."""
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        """Note a text and where it is."""
        self.texts.append((self._open[-1] if self._open else "", data))

    def attributes(self, tag):
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag):
        """Return the texts right in elements of a name."""
        return [data for name, data in self.texts if name == tag]


def embedded(page):
    return json.loads(Page(page).text("script")[0])
