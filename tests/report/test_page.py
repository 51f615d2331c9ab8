"""Explained records as pages: the pages' texts, and whether pages are safe and whole."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from example_pages import (
    BELIEVED,
    EVIL,
    PAC,
    Page,
    embedded,
    explain,
    named,
    read,
    statement,
    with_answers,
    with_reading,
    with_record,
    with_times,
)

from cnn_gap.beats.intervals import measure
from cnn_gap.beats.ventricular import Run
from cnn_gap.diagnoses.classes import diagnosis
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.leads import LEADS
from cnn_gap.reading.reading import RATES, Reading, Sentence
from cnn_gap.report.page import Links, explanation_page, page_data, relinked
from cnn_gap.report.page_index import index_page

PAGES = pytest.mark.parametrize(
    "page", [explanation_page(with_reading()), index_page([])], ids=["record", "index"]
)


@PAGES
def test_a_page_loads_nothing(page):
    elements = Page(page).elements
    assert not [tag for tag, attributes in elements if {"src", "srcset", "data", "action"} & attributes.keys()]
    assert [attributes["href"] for tag, attributes in elements if tag == "link"] == ["data:,"]
    assert not {"img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in elements}
    assert not re.search(r"https?:|//\w|url\((?!#)|@import|\bimport\b|fetch\(|XMLHttp", page)


@PAGES
def test_the_policy_allows_the_pages_own_script_and_style_alone(page):
    parsed = Page(page)
    (policy,) = (each["content"] for each in parsed.attributes("meta") if "http-equiv" in each)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        text = parsed.text(tag)[-1]
        assert rules[rule] == f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
    assert not [tag for tag, attributes in parsed.elements if any(name.startswith("on") for name in attributes)]
    assert not [tag for tag, attributes in parsed.elements if "style" in attributes]


def test_the_data_are_the_records_and_the_maps():
    explanation = explain()
    record = explanation.record
    data = embedded(explanation_page(explanation))
    assert (data["rate"], data["seconds"], data["samples"]) == (250, 10, 2500)
    assert [lead["name"] for lead in data["leads"]] == list(LEADS)
    for lead, values, present in zip(data["leads"], record.signal.T, record.leads, strict=True):
        expected = [None if np.isnan(value) else round(1000 * float(value)) for value in values]
        assert lead["microvolts"] == (expected if present else None)
    assert [lead["name"] for lead in data["leads"] if lead["microvolts"] is None] == ["V4"]
    assert data["leads"][LEADS.index("V1")]["microvolts"].count(None) == 250
    steps = data["map_start"] + data["map_step"] * np.arange(len(data["classes"][0]["activation"]))
    assert steps[-1] == pytest.approx(9.96)
    for found, each in zip(data["classes"], explanation.classes, strict=True):
        assert found["name"] == each.diagnosis.name
        assert found["codes"] == list(each.codes)
        assert (found["probability"], found["threshold"]) == (each.probability, each.threshold)
        assert (found["stated"], found["level"]) == (each.label, each.level)
        regions = [[region.start_s, region.end_s, region.activation] for region in each.regions]
        np.testing.assert_allclose(
            np.reshape(found["regions"], (-1, 3)), np.reshape(regions, (-1, 3)), atol=6e-5
        )
        expected = np.interp(steps, explanation.times, each.activation)
        np.testing.assert_allclose(found["activation"], 1000 * expected, atol=0.51)
        np.testing.assert_allclose(found["shares"], each.lead_shares, atol=6e-5)
        expected = [np.interp(steps, explanation.times, part) for part in each.lead_activation.T]
        np.testing.assert_allclose(found["parts"], 1000 * np.array(expected), atol=0.51)
    assert [len(each["regions"]) for each in data["classes"]] == [2, 2, 0]


def test_leads_that_were_not_asked_for_are_not_there():
    explanation = explain()
    plain = replace(explanation.classes[0], lead_activation=None, lead_shares=None)
    (found,) = page_data(replace(explanation, classes=(plain,)))["classes"]
    assert found["shares"] is None
    assert found["parts"] is None


@pytest.mark.parametrize("rate", [500.0, 1000.0, 257.0])
def test_tracings_are_reduced_to_the_drawn_rate(rate):
    explanation = explain(rate=rate)
    data = page_data(explanation)
    assert data["rate"] == pytest.approx(250)
    assert data["samples"] == 2500
    drawn = np.arange(2500) / data["rate"]
    for lead, values, present in zip(
        data["leads"], explanation.record.signal.T, explanation.record.leads, strict=True
    ):
        if not present:
            assert lead["microvolts"] is None
            continue
        found = np.array(lead["microvolts"], float)
        valid = np.isfinite(found)
        expected = 1000 * np.interp(drawn, explanation.times, np.nan_to_num(values))
        inside = valid & np.roll(valid, 25) & np.roll(valid, -25)  # a gap's edges ring
        np.testing.assert_allclose(found[inside], expected[inside], atol=50)
        assert np.isnan(found).sum() == pytest.approx(250 if lead["name"] == "V1" else 0, abs=1)


@pytest.mark.parametrize("samples", [1, 2, 50])
def test_short_records_make_pages(samples):
    explanation = explain(rate=500.0)
    cut = tuple(
        replace(
            each,
            activation=each.activation[:samples],
            lead_activation=each.lead_activation[:samples],
            regions=(),
        )
        for each in explanation.classes
    )
    record = replace(explanation.record, signal=explanation.record.signal[:samples])
    data = embedded(explanation_page(replace(explanation, record=record, classes=cut)))
    assert data["samples"] == len(data["leads"][0]["microvolts"]) == -(-samples // 2)
    assert len(data["classes"][0]["activation"]) >= 1


def test_what_a_record_or_a_diagnosis_is_called_is_text():
    page = explanation_page(named(explain(), EVIL))
    parsed = Page(page)
    tags = [tag for tag, _ in parsed.elements]
    assert tags.count("script") == 2
    assert not {"b", "i"} & set(tags)
    assert "".join(parsed.text("h1")) == f"Record {EVIL}"
    assert parsed.text("title") == [f"{EVIL}: explained ECG"]
    assert embedded(page)["classes"][2]["name"] == "</script><i>none"
    undecodable = explanation_page(named(explain(), "A\ud800")).encode()  # a name that was not UTF-8
    assert Page(undecodable.decode()).text("title") == ["A\N{REPLACEMENT CHARACTER}: explained ECG"]


def test_findings_come_first_and_sinus_rhythm_last_and_rivals_beside_each_other():
    sinus, af, rbbb, lbbb, irbbb, flutter = (
        "426783006", "164889003", "59118001", "164909002", "713426002", "164890007",
    )  # fmt: skip
    explanation = with_answers(
        explain(),
        (flutter, 0.3, False),
        (sinus, 0.99, True),
        (lbbb, 0.2, False),
        (af, 0.8, True),
        ("39732003", 0.1, False),
        (rbbb, 0.9, True),
        (irbbb, 0.4, False),
        ("251146004", 0.35, False),
    )
    shown = [(each["group"], each["codes"][0]) for each in page_data(explanation)["classes"]]
    assert shown == [
        ("Reported", rbbb),
        ("Reported", af),
        ("Reported", sinus),
        ("Rhythm", flutter),
        ("Conduction", irbbb),
        ("Conduction", lbbb),
        ("Axis", "39732003"),
        ("Other findings", "251146004"),
    ]


def test_the_page_has_what_was_measured_and_what_a_reader_must_know():
    explanation = replace(
        explain(), unseen=(diagnosis("427172004"),), highest_hz=40.0, notes=("lead V2 is flat",)
    )
    data = page_data(explanation)
    page = Page(explanation_page(explanation))
    measured = dict(zip(page.text("dt")[1:], page.text("dd"), strict=True))
    assert measured["Rate"].endswith("/min")
    assert measured["QRS"].endswith(" ms")
    assert [text.split(" ")[0] for text in page.text("li")] == ["Lead", "Never", "The"]
    assert len(data["beats"]) == len(measure(explanation.record).beats.times_s)
    assert data["median"]["leads"][LEADS.index("V4")] is None
    assert len(data["median"]["leads"][0]) == round(1.1 * data["median"]["rate"])
    marks = [at for _, at in data["median"]["marks"]]
    assert marks == sorted(marks)
    short = replace(explanation.record, signal=explanation.record.signal[:100])
    assert page_data(with_record(explanation, short))["median"] is None


def test_the_reading_stands_on_the_page_in_words():
    page = Page(explanation_page(with_reading()))
    spans = [text for text in page.text("span") if text.strip()]
    assert spans[:9] == [
        "Atrial fibrillation", "possible", "network 0.25",
        "Premature atrial complexes", "present", "network 0.87; RR 400 ms",
        "Left axis deviation", "probable", "by measurement: axis -45 degrees",
    ]  # fmt: skip
    items = page.text("li")
    assert "Flat: lead V2" in items
    assert " Pause of 3.1 s" in items
    assert "Brugada pattern" in items
    assert "Not reported: Right axis deviation, because of axis -45 degrees" in items
    assert "Abnormal ECG" in page.text("h2")
    maps = [each["data-class"] for each in page.attributes("button") if "data-class" in each]
    assert maps == ["0", "1"]
    assert [each["stated"] for each in embedded(explanation_page(with_reading()))["classes"]] == [
        True,
        True,
        False,
    ]


def test_the_times_that_the_reading_names_are_buttons():
    text = explanation_page(with_times())
    assert 'Pause of 3.1 s, at <button type="button" class="time" data-time="44.60">0:45</button>' in text
    times = [each["data-time"] for each in Page(text).attributes("button") if "data-time" in each]
    assert times == ["44.60", "12.00", "25.00"]  # none in the statement that is a button itself
    assert "network 0.90; from 0:12 to 0:25" in Page(text).text("span")


def test_what_is_read_of_a_record_is_text():
    explanation = read(explain(), statement(EVIL, PAC, evidence=(EVIL,)), alerts=(EVIL,), notes=(EVIL,))
    page = Page(explanation_page(explanation))
    assert not {"b", "i"} & {tag for tag, _ in page.elements}
    assert page.text("span")[0] == EVIL


def test_a_diagnosis_with_two_outputs_is_one_line():
    """A finding and its class that disagree must not be reported and not reported on one page."""
    voltage = next(each.diagnosis for each in read_findings("scp") if each.abbreviation == "LVOLT")
    explanation = with_answers(explain(), ("251146004", 0.185, True), ("164889003", 0.1, False))
    twin = replace(explanation.classes[0], diagnosis=voltage, codes=("LVOLT",), probability=0.19, label=False)
    explanation = replace(explanation, classes=(*explanation.classes, twin))
    lines = page_data(explanation)["classes"]
    assert [(each["codes"], each["probability"]) for each in lines if "LVOLT" in each["codes"]] == [
        (("251146004", "LVOLT"), 0.19)
    ]
    assert len(lines) == 2


def test_nothing_is_measured_where_no_heartbeat_was_found():
    unread = read(explain(), conclusion="not interpretable", reason="no heartbeat was found")
    page = explanation_page(replace(unread, answerable=False, notes=("no heartbeat was found",)))
    assert "nothing that can be trusted" in Page(page).text("dt")
    assert embedded(page)["beats"] == []
    assert page.lower().count("no heartbeat was found") == 1


@pytest.mark.parametrize("believed", [BELIEVED, BELIEVED | {"qt_ms": 400.0, "qtc_bazett_ms": 420.0}])
def test_the_page_shows_the_measurements_that_the_reading_believes(believed):
    """An interval that was measured, but is not believed, as QTc of a wide QRS complex, is not on the page."""
    page = Page(explanation_page(read(explain(), measured=believed)))
    shown = page.text("dt")
    assert {"Rate", "RR", "QRS", "QRS axis"} <= set(shown)
    assert ("QTc Bazett" in shown) is ("qtc_bazett_ms" in believed)
    assert {"PR", "QTc Fridericia"}.isdisjoint(shown)
    assert {"61/min", "400–1100 ms", "92 ms", "−45°"} <= set(page.text("dd"))


def test_the_list_of_outputs_says_where_the_probability_of_a_statement_is_from():
    fast = statement("Sinus tachycardia", ("164889003",), "probable", 0.72)
    lines = page_data(read(with_answers(explain(), ("164889003", 0.31, True)), fast))["classes"]
    assert lines[0]["compared"].startswith(
        "0.310: probable, 0.72 with the outputs joined to it; Challenge label"
    )


def test_what_is_not_assessed_is_grouped_by_its_reason():
    withheld = [f"{name}: without V1, V2, V3, V4, V5, V6" for name in ("Left block", "Right block")]
    page = Page(explanation_page(read(explain(), not_assessed=("Brugada pattern", *withheld))))
    assert {"Brugada pattern", "Without V1 to V6: left block, right block"} <= set(page.text("li"))


@pytest.mark.parametrize("old", [("a.html", "b.html"), (None, None)])
@pytest.mark.parametrize("new", [("c&d.html", None), (None, "e.html")])
def test_a_page_with_other_links_is_as_if_it_had_always_had_them(old, new):
    before, after = Links("index.html", *old), Links("index.html", *new)
    explanation = named(explain(), '<nav class="links" aria-label="Records"></nav>')
    assert relinked(explanation_page(explanation, before), before, after) == explanation_page(
        explanation, after
    )


def test_the_page_opens_where_the_run_of_wide_complexes_begins():
    explanation = explain(30.0)
    measured = measure(explanation.record)
    assert page_data(explanation, replace(measured, run=Run(5, 170.0, 0.16, 14.0)))["start"] == 13.0
    assert page_data(explanation, replace(measured, run=None))["start"] == 0.0


def test_the_page_opens_at_the_time_that_the_first_alert_names():
    explanation = explain(30.0)
    measured = replace(measure(explanation.record), run=Run(5, 170.0, 0.16, 14.0))
    alerts = ("Slow", Sentence("Pause of 3.1 s, at ", 18.0), Sentence("Run, at ", 25.0))
    explanation = replace(explanation, reading=Reading("abnormal", "pause.", alerts=alerts))
    assert page_data(explanation, measured)["start"] == 17.0


def test_heart_rates_are_no_defect_of_the_record():
    rates = Sentence("lowest 60, mean 70, highest 90/min", kind=RATES)
    noted = (rates, "heart rate: not known in lead V6", "lead V6 was off for 3.3 s")
    explained = with_reading()
    page = explanation_page(replace(explained, reading=replace(explained.reading, notes=noted)))
    assert "Lead V6 was off for 3.3 s" in page
    assert "lowest 60" not in page
    assert "Heart rate: not known in lead V6" in page  # the kind counts, not the words
