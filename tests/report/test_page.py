"""Explained records as pages: what they say, that they are safe and whole, and that they work in a browser."""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from cnn_gap.batch.explain_folder import ExplainOptions, explain_folder
from cnn_gap.batch.folder_pages import INDEX
from cnn_gap.beats.intervals import measure
from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import Diagnosis, diagnosis
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.explain.regions import find_regions
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.report.page import IndexRow, Links, explanation_page, index_page, page_data, relinked
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.recordings import QUIET

PAC = ("284470004", "63593006")
STRIDE_S = 0.08
EVIL = "</script><b>x\"'&amp;"


def _class(about, probability, threshold, steps, times, rng):
    """Return a class whose map is straight between its steps, so that pages can show it exactly."""
    starts = np.arange(STRIDE_S / 2, times[-1], STRIDE_S)
    activation = np.interp(times, starts, steps(starts)).astype("f")
    level = float(activation.mean() + activation.std())
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
        """Close an element and what was left open in it."""
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


def an_index():
    probabilities = {"Atrial fibrillation (AF)": 0.5, EVIL: 0.25}
    explained = IndexRow(EVIL, "a%22b.html", ("PAC", "AF"), probabilities, ("lead V2 is flat",))
    failed = IndexRow("A<i>2", None, failure="/x/<b>A2: it is empty; give a record")
    return index_page([explained, failed])


@pytest.mark.parametrize("page", [explanation_page(explain()), an_index()], ids=["record", "index"])
def test_a_page_loads_nothing(page):
    elements = Page(page).elements
    assert not [tag for tag, attributes in elements if {"src", "srcset", "data", "action"} & attributes.keys()]
    assert [attributes["href"] for tag, attributes in elements if tag == "link"] == ["data:,"]
    assert not {"img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in elements}
    assert not re.search(r"https?:|//\w|url\((?!#)|@import|\bimport\b|fetch\(|XMLHttp", page)


@pytest.mark.parametrize("page", [explanation_page(explain()), an_index()], ids=["record", "index"])
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
        assert (found["name"], found["abbreviation"]) == (each.diagnosis.name, each.diagnosis.abbreviation)
        assert found["codes"] == list(each.codes)
        assert (found["probability"], found["threshold"]) == (each.probability, each.threshold)
        assert (found["reported"], found["level"]) == (each.label, each.level)
        regions = [[region.start_s, region.end_s, region.activation] for region in each.regions]
        np.testing.assert_allclose(
            np.reshape(found["regions"], (-1, 3)), np.reshape(regions, (-1, 3)), atol=6e-5
        )
        expected = np.interp(steps, explanation.times, each.activation)
        np.testing.assert_allclose(found["activation"], 1000 * expected, atol=0.51)
        np.testing.assert_allclose(found["shares"], each.lead_shares, atol=6e-5)
        expected = [np.interp(steps, explanation.times, part) for part in each.lead_activation.T]
        np.testing.assert_allclose(found["parts"], 1000 * np.array(expected), atol=0.51)
    assert [len(each["regions"]) for each in data["classes"]] == [2, 2, 1]


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


def test_the_index_holds_what_was_explained_and_says_why_the_rest_failed():
    parsed = Page(an_index())
    data = embedded(an_index())
    assert data["diagnoses"] == ["Atrial fibrillation (AF)", EVIL]
    assert data["rows"] == [[EVIL, "a%22b.html", "PAC, AF", "lead V2 is flat", [500, 250]]]
    cells = parsed.text("td")
    assert "A<i>2" in cells
    assert "/x/<b>A2: it is empty; give a record" in cells
    assert parsed.text("p")[0] == "1 explained, 1 failed"
    assert "failures" not in {each.get("id") for each in Page(index_page([])).attributes("table")}


def with_answers(explanation, *answers):
    """Return an explanation of classes by code, probability and whether each is reported."""
    first = explanation.classes[0]
    classes = tuple(
        replace(first, diagnosis=diagnosis(code), codes=(code,), probability=probability, label=label)
        for code, probability, label in answers
    )
    return replace(explanation, classes=classes)


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
    measured = dict(data["measured"])
    assert measured["Rate"].endswith("/min")
    assert measured["QRS"].endswith(" ms")
    assert [text.split(" ")[0] for text in data["cautions"]] == ["Lead", "Never", "The"]
    assert len(data["beats"]) == len(measure(explanation.record).beats.times_s)
    assert data["median"]["leads"][LEADS.index("V4")] is None
    assert len(data["median"]["leads"][0]) == round(1.1 * data["median"]["rate"])
    marks = [at for _, at in data["median"]["marks"]]
    assert marks == sorted(marks)
    short = replace(explanation.record, signal=explanation.record.signal[:100])
    assert page_data(with_record(explanation, short))["median"] is None


def with_record(explanation, record):
    count = len(record.signal)
    cut = tuple(
        replace(each, activation=each.activation[:count], lead_activation=None, regions=())
        for each in explanation.classes
    )
    return replace(explanation, record=record, classes=cut)


# In a browser


@pytest.fixture
def show(browser, tmp_path):
    """Show a page; its console must stay empty."""

    def show(page):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        browser.get(path.as_uri())
        return browser

    yield show
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.get_log("browser") == []


def find(driver, selector):
    return driver.find_element("css selector", selector)


def texts(driver, selector):
    return [each.text for each in driver.find_elements("css selector", selector)]


def press(driver, selector, *keys):
    find(driver, selector).send_keys(*keys)


def point_at(driver, x, y):
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(driver, duration=0)
    actions.pointer_action.move_to_location(round(x), round(y))
    actions.perform()


def readout(driver):
    """Return what the page tells: time (s), lead, voltage (mV) or why there is none, map in percent."""
    time, voltage, activation = (find(driver, f"#{name}").text for name in ("time", "voltage", "activation"))
    lead, _, value = voltage.partition(": ")
    value = float(value.removesuffix(" mV")) if value.endswith(" mV") else value
    share = float(activation.split(": ")[1].replace("−", "-").removesuffix(" %"))
    return float(time.removesuffix(" s")), lead, value, share


def box(driver, selector):
    script = "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()"
    return SimpleNamespace(**driver.execute_script(script, selector))


def shown_map(driver):
    script = (
        "return [...document.querySelectorAll('#shades path, #curve, #above, #marks')].map((e) => e.outerHTML)"
    )
    return driver.execute_script(script)


def selected(driver):
    return [
        index
        for index, item in enumerate(driver.find_elements("css selector", "#diagnoses [role=option]"))
        if item.get_attribute("aria-selected") == "true"
    ]


def points(d):
    """Return the points of a path of lines, in mm."""
    return np.array([[float(number) for number in pair.split()] for pair in re.findall(r"[\d.]+ -?[\d.]+", d)])


def shaded(driver):
    """Return the times (s) that the darkest shade covers."""
    script = "return [...document.querySelectorAll('#shades path')].at(-1).getAttribute('d')"
    pairs = re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", driver.execute_script(script))
    return [(float(start) / 25, float(end) / 25) for start, end in pairs]


def test_the_diagnoses_are_listed_and_the_first_is_shown(show):
    driver = show(explanation_page(named(explain(), EVIL)))
    assert find(driver, "h1").text == f"Record {EVIL}"
    assert selected(driver) == [0]
    assert texts(driver, "#diagnoses .name") == [
        "Premature atrial contraction",
        "Atrial fibrillation",
        "</script><i>none",
    ]
    assert texts(driver, "#diagnoses .verdict") == [
        "0.873 ≥ 0.412: reported",
        "0.250 < 0.500: below threshold",
        "0.010: never reported",
    ]
    assert texts(driver, "#names text") == list(LEADS)
    assert texts(driver, "#leads text") == ["not recorded"]
    shares = explain().classes[0].lead_shares
    most = np.abs(shares).max()
    found = [int(text.replace("−", "-").removesuffix(" %")) for text in texts(driver, "#shares .value")]
    assert found == pytest.approx([100 * shares[lead] / most for lead in range(12) if lead != 9], abs=0.51)
    assert "logit" not in find(driver, "body").text


def test_tracings_and_maps_are_drawn_to_scale(show):
    explanation = explain()
    driver = show(explanation_page(explanation))
    signal = explanation.record.signal[:, LEADS.index("V2")]
    drawn = points(find(driver, "#leads path[data-lead=V2]").get_attribute("d"))
    np.testing.assert_allclose(drawn[:, 0] / 25, explanation.times, atol=3e-4)
    voltage = -drawn[:, 1] / 10
    np.testing.assert_allclose(voltage - voltage[0], signal - signal[0], atol=3e-3)
    holed = find(driver, "#leads path[data-lead=V1]").get_attribute("d")
    gap = np.diff(points(holed)[:, 0]).max() / 25
    assert gap == pytest.approx(251 / 250, abs=3e-3)
    assert holed.count("M") == 2
    curve = points(find(driver, "#curve").get_attribute("d"))[1:-1]
    activation = explanation.classes[0].activation
    expected = np.interp(curve[:, 0] / 25, explanation.times, activation)
    slope, offset = np.polyfit(curve[:, 1], expected, 1)
    assert slope < 0
    np.testing.assert_allclose(slope * curve[:, 1] + offset, expected, atol=0.01)
    for start, end in shaded(driver):
        assert activation[round(250 * start) : round(250 * end)].min() > 0.88 * activation.max()


def test_a_click_on_a_diagnosis_shows_its_map(show):
    driver = show(explanation_page(explain()))
    before, regions = shown_map(driver), texts(driver, "#regions a")
    find(driver, "#diagnosis-1").click()
    after = shown_map(driver)
    assert not set(before) & set(after)
    assert selected(driver) == [1]
    assert find(driver, "#shown").text == "Atrial fibrillation (AF)"
    chosen = explain().classes[1]
    assert texts(driver, "#regions a") == [
        f"{r.start_s:.2f}–{r.end_s:.2f} s: {100 * r.activation / chosen.activation.max():.0f} %"
        for r in chosen.regions
    ]
    assert texts(driver, "#regions a") != regions
    middles = [(start + end) / 2 for start, end in shaded(driver)]
    assert middles == pytest.approx([np.pi / 2, np.pi / 2 + 2 * np.pi], abs=0.05)
    find(driver, "#diagnosis-2").click()
    assert shown_map(driver)[0].startswith('<path id="marks"')  # nothing is shaded where nothing speaks for it
    assert find(driver, "#range").text == "nothing speaks for the diagnosis"
    find(driver, "#diagnosis-0").click()
    assert shown_map(driver) == before


def test_keys_choose_a_diagnosis(show):
    keys = pytest.importorskip("selenium.webdriver").Keys
    driver = show(explanation_page(explain()))
    before = shown_map(driver)
    for key, index in ((keys.ARROW_DOWN, 1), (keys.END, 2), (keys.ARROW_DOWN, 2), (keys.ARROW_UP, 1)):
        press(driver, "#diagnoses", key)
        assert selected(driver) == [index]
        assert find(driver, "#diagnoses").get_attribute("aria-activedescendant") == f"diagnosis-{index}"
    assert shown_map(driver) != before
    press(driver, "#diagnoses", keys.HOME)
    assert shown_map(driver) == before


def wholly_in_view(driver):
    """Make the window as high as the tracings, and return where these are."""
    metrics = {"width": 1200, "height": 2400, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    settle(driver)
    return box(driver, "#tracings")


@pytest.mark.parametrize("rate", [250.0, 500.0])
def test_pointing_at_a_tracing_reads_time_voltage_and_activation(show, rate):
    explanation = explain(rate=rate)
    driver = show(explanation_page(explanation))
    area = wholly_in_view(driver)
    per_second = area.width / 10
    for lead, wanted in (("II", 1.5), ("V3", 7.25), ("aVR", 4.0)):
        name = next(e for e in driver.find_elements("css selector", "#names text") if e.text == lead)
        point_at(driver, area.left + wanted * per_second, name.rect["y"] + name.rect["height"] / 2)
        time, read, voltage, activation = readout(driver)
        assert read == lead
        assert time == pytest.approx(wanted, abs=1 / per_second + 0.002)
        sample = round(time * rate)
        assert voltage == pytest.approx(
            explanation.record.signal[sample, LEADS.index(lead)], abs=0.001 if rate == 250 else 0.03
        )
        values = explanation.classes[0].activation
        assert activation == pytest.approx(100 * values[sample] / values.max(), abs=0.7)


def test_pointing_where_nothing_is_valid_says_so(show):
    driver = show(explanation_page(explain()))
    area = wholly_in_view(driver)
    told = {}
    for name in driver.find_elements("css selector", "#names text"):
        point_at(driver, area.left + 0.25 * area.width, name.rect["y"] + name.rect["height"] / 2)
        told[name.text] = readout(driver)[2]
    assert told["V4"] == "not recorded"
    assert told["V1"] == "no valid sample"
    assert all(isinstance(value, float) for lead, value in told.items() if lead not in ("V1", "V4"))
    before = readout(driver)
    place = box(driver, "#map")
    point_at(driver, place.left + 0.6 * place.width, place.top + place.height / 2)
    after = readout(driver)
    assert after[0] == pytest.approx(6, abs=0.02)
    assert after[1] == before[1]  # the map is no lead's


def test_keys_move_the_cursor(show):
    keys = pytest.importorskip("selenium.webdriver").Keys
    explanation = explain(60.0)
    signal = explanation.record.signal
    driver = show(explanation_page(explanation))
    assert readout(driver)[:2] == (0, "II")
    press(driver, "#sheet", keys.ARROW_RIGHT)
    assert readout(driver)[0] == 0.02
    press(driver, "#sheet", keys.SHIFT, keys.ARROW_RIGHT, keys.NULL, keys.ARROW_LEFT)
    assert readout(driver)[0] == 0.2
    press(driver, "#sheet", keys.ARROW_DOWN)
    time, lead, voltage, _ = readout(driver)
    assert (time, lead) == (0.2, "III")
    assert voltage == pytest.approx(signal[50, 2], abs=0.001)
    press(driver, "#sheet", keys.END)
    assert readout(driver)[0] == pytest.approx(59.996)
    assert in_view(driver, "#tracings .cursor")
    press(driver, "#sheet", keys.HOME, keys.ARROW_LEFT)
    assert readout(driver)[0] == 0
    assert in_view(driver, "#tracings .cursor")


def settle(driver):
    """Let the browser lay out and tell of scrolling, which it does once a frame."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
    )


def in_view(driver, selector):
    """Return whether a mark lies in the part of the sheet that is in view, right of the names."""
    mark, sheet, names = (box(driver, each) for each in (selector, "#sheet", "#names"))
    return names.right - 1 <= mark.left and mark.right <= sheet.right + 1


@pytest.mark.parametrize("by_key", [False, True])
def test_a_regions_link_scrolls_to_it_and_marks_it(show, by_key):
    keys = pytest.importorskip("selenium.webdriver").Keys
    explanation = explain(60.0)
    driver = show(explanation_page(explanation))
    regions = explanation.classes[0].regions
    assert len(regions) == 12
    drawn = len(driver.find_elements("css selector", "#leads path"))
    link = driver.find_elements("css selector", "#regions a")[9]
    link.send_keys(keys.ENTER) if by_key else link.click()
    settle(driver)
    assert driver.execute_script("return document.getElementById('sheet').scrollLeft") > 1000
    assert in_view(driver, "#tracings .highlight")
    assert in_view(driver, "#map .highlight")
    assert link.get_attribute("aria-current") == "true"
    assert len(driver.find_elements("css selector", "#regions a[aria-current]")) == 1
    area, mark = box(driver, "#tracings"), box(driver, "#tracings .highlight")
    region = regions[9]
    assert 60 * (mark.left - area.left) / area.width == pytest.approx(region.start_s, abs=0.02)
    assert 60 * (mark.right - area.left) / area.width == pytest.approx(region.end_s, abs=0.02)
    assert readout(driver)[0] == pytest.approx((region.start_s + region.end_s) / 2, abs=0.003)
    assert len(driver.find_elements("css selector", "#leads path")) > drawn  # what came into view is drawn


@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_the_map_lies_under_the_tracings_at_every_time(show, seconds):
    driver = show(explanation_page(explain(seconds)))
    script = "const m = document.getElementById(arguments[0]).getScreenCTM(); return [m.a, m.e]"
    assert driver.execute_script(script, "map") == pytest.approx(
        driver.execute_script(script, "tracings"), abs=1e-3
    )


@pytest.mark.parametrize("width", [1200, 700, 360])
def test_nothing_is_wider_than_the_window(show, width):
    driver = show(explanation_page(explain(60.0)))
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        script = "return [document.documentElement.scrollWidth, innerWidth]"
        wide, window = driver.execute_script(script)
        assert wide <= window == width
        assert find(driver, "#sheet").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_leads_can_be_coloured_by_what_each_adds(show):
    driver = show(explanation_page(explain()))
    before = shown_map(driver)
    find(driver, "#parts").click()
    assert shown_map(driver) != before
    assert "would rise with the lead's signal" in find(driver, "#range").text
    assert "occlusion" in find(driver, "#shares-section").text
    assert "gradient × input" in find(driver, "#shares-section").text
    find(driver, "#parts").click()
    assert shown_map(driver) == before
    plain = replace(explain().classes[0], lead_activation=None, lead_shares=None)
    driver = show(explanation_page(replace(explain(), classes=(plain,))))
    assert not find(driver, "#parts").is_displayed()
    assert not find(driver, "#shares-section").is_displayed()


def test_rows_have_room_and_what_leaves_them_is_marked(show):
    explanation = explain()
    signal = explanation.record.signal.copy()
    signal[:, LEADS.index("V2")] *= 3
    signal[1000, LEADS.index("I")] += 20
    driver = show(explanation_page(with_signal(explanation, signal)))
    extents = {}
    for lead in LEADS:
        if lead != "V4":
            extents[lead] = points(find(driver, f"#leads path.ink[data-lead={lead}]").get_attribute("d"))[:, 1]
    order = [lead for lead in LEADS if lead in extents]
    for above, below in pairwise(order):
        assert extents[above].max() <= extents[below].min() + 0.02, f"{above} and {below} must not overlap"
    (cut,) = driver.find_elements("css selector", "#leads .cut")
    assert cut.get_attribute("data-lead") == "I"
    assert cut.get_attribute("d").startswith("M100 ")


def with_signal(explanation, signal):
    return replace(explanation, record=replace(explanation.record, signal=signal))


def test_reported_diagnoses_are_rows_of_the_map(show):
    explanation = with_answers(
        explain(), ("164889003", 0.9, True), ("59118001", 0.8, True), ("39732003", 0.1, False)
    )
    driver = show(explanation_page(explanation))
    assert texts(driver, "#scale .strip-name") == ["AF", "RBBB"]
    rows = driver.find_elements("css selector", "#strips .strip")
    assert [box_of(row).left for row in rows] == pytest.approx([box(driver, "#tracings").left] * 2, abs=1)
    assert box_of(rows[0]).bottom < box_of(rows[1]).bottom
    driver.find_elements("css selector", "#scale .strip-name")[1].click()
    assert find(driver, "#shown").text == "Right bundle branch block (RBBB)"


def box_of(element):
    script = "return arguments[0].getBoundingClientRect().toJSON()"
    return SimpleNamespace(**element.parent.execute_script(script, element))


def test_calipers_measure_time_rate_and_voltage(show):
    keys = pytest.importorskip("selenium.webdriver").Keys
    driver = show(explanation_page(explain()))
    assert find(driver, "#calipers").text == ""
    find(driver, "#measure").click()
    assert find(driver, "#measure").get_attribute("aria-pressed") == "true"
    area = box(driver, "#tracings")
    millimetre, down = area.width / 250, area.top + 12
    for x, y in ((50, down), (75, down + 3 * millimetre)):
        click_at(driver, area.left + x * millimetre, y)
    milliseconds, rate, voltage = re.fullmatch(
        r"calipers: (\d+) ms, (\d+)/min, (.[\d.]+) mV", find(driver, "#calipers").text
    ).groups()
    assert int(milliseconds) == pytest.approx(1000, abs=12)
    assert int(rate) == pytest.approx(60, abs=1)
    assert float(voltage.replace("−", "-")) == pytest.approx(-0.3, abs=0.03)
    press(driver, "#sheet", keys.ESCAPE)
    assert find(driver, "#calipers").text == ""
    press(driver, "#sheet", keys.HOME, "c", keys.ENTER, *[keys.ARROW_RIGHT] * 10, keys.ENTER)
    assert find(driver, "#calipers").text.startswith("calipers: 200 ms, 300/min, ")


def click_at(driver, x, y):
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(driver, duration=0)
    actions.pointer_action.move_to_location(round(x), round(y)).click()
    actions.perform()


def test_zoom_keeps_paper_square_and_fit_shows_ten_seconds(show):
    driver = show(explanation_page(explain(60.0)))

    def shown_s():
        sheet, names, area = (box(driver, each) for each in ("#sheet", "#names", "#tracings"))
        return (sheet.width - names.width) / (area.width / 60)

    assert shown_s() == pytest.approx(10, abs=0.4)
    find(driver, "#larger").click()
    assert shown_s() < 8.5
    assert find(driver, "#fit").get_attribute("aria-pressed") == "false"
    area = box(driver, "#tracings")
    shape = [float(number) for number in find(driver, "#tracings").get_dom_attribute("viewBox").split()]
    assert area.width / shape[2] == pytest.approx(area.height / shape[3], rel=0.01)
    find(driver, "#fit").click()
    assert shown_s() == pytest.approx(10, abs=0.4)


def test_beats_are_marked_on_demand_with_their_intervals(show):
    explanation = explain()
    driver = show(explanation_page(explanation))
    assert not driver.find_elements("css selector", "#beats path")
    find(driver, "#marks-on").click()
    beats = measure(explanation.record).beats
    assert len(driver.find_elements("css selector", "#beats .beat")) == len(beats.times_s)
    assert len(driver.find_elements("css selector", "#beats .other")) == np.sum(~beats.usual)
    found = [int(text.text) for text in driver.find_elements("css selector", "#beats text")]
    assert found == pytest.approx(1000 * beats.intervals_s, abs=1.5)


def test_the_median_beat_is_drawn_over_the_map(show):
    driver = show(explanation_page(explain()))
    assert texts(driver, "#median .name") == list(LEADS)
    assert len(driver.find_elements("css selector", "#median .ink")) == 11
    before = len(driver.find_elements("css selector", "#median .shade"))
    find(driver, "#diagnosis-2").click()
    assert before > 0 == len(driver.find_elements("css selector", "#median .shade"))


def test_ninety_diagnoses_can_be_filtered_and_walked_by_key(show):
    keys = pytest.importorskip("selenium.webdriver").Keys
    first = replace(explain().classes[0], lead_shares=None, lead_activation=None)
    findings = (Diagnosis(f"C{n}", f"F{n}", f"finding {n}", "SCP-ECG") for n in range(95))
    many = tuple(
        replace(first, diagnosis=each, codes=(each.code,), label=n < 2) for n, each in enumerate(findings)
    )
    driver = show(explanation_page(replace(explain(), classes=many)))
    assert len(driver.find_elements("css selector", "#diagnoses [role=option]")) == 95
    press(driver, "#filter", "finding 4")
    seen = [text.lower() for text in texts(driver, "#diagnoses .name") if text]
    assert seen == ["finding 4", *(f"finding 4{n}" for n in range(10))]
    press(driver, "#diagnoses", keys.END)
    assert find(driver, "#shown").text.lower() == "finding 49 (f49)"
    assert "F49 · SCP-ECG · C49" in texts(driver, "#diagnoses [aria-selected=true] .codes")
    assert not find(driver, "#shares-section").is_displayed()
    driver = show(explanation_page(explain()))
    assert not find(driver, "#filter").is_displayed()


@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_it_prints_on_one_sheet_of_a4_landscape(show, seconds):
    driver = show(explanation_page(explain(seconds)))
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    content = b64decode(printed["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    box_ = [float(number) for number in re.search(rb"/MediaBox\s*\[([^]]*)\]", content)[1].split()]
    assert box_ == pytest.approx([0, 0, 842, 595], abs=1)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert find(driver, "#sheet").is_displayed()
        assert find(driver, "#curve").is_displayed()
        assert find(driver, "#range").is_displayed()
        assert [text for text in texts(driver, "#diagnoses .name") if text] == ["Premature atrial contraction"]
        assert re.search(r"printed at [\d.]+ mm/s", find(driver, "#printed-scale").text)
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_phone_shows_the_tracings_first_and_a_tap_reads_them(show):
    driver = show(explanation_page(explain()))
    metrics = {"width": 390, "height": 600, "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        driver.get(driver.current_url)  # as a phone opens it
        settle(driver)
        assert driver.execute_script("return scrollY") == 0
        assert box(driver, "#sheet").top < 250
        assert box(driver, "#sheet").bottom < box(driver, "#measured").top < box(driver, "#diagnoses").top
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
        area = box(driver, "#tracings")
        click_at(driver, area.left + area.width / 5, area.top + 20)
        assert readout(driver)[0] == pytest.approx(2, abs=0.03)
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_and_light_have_legible_ink(show):
    driver = show(explanation_page(explain()))
    script = """
        const style = getComputedStyle(document.body);
        return [style.color, style.backgroundColor, getComputedStyle(document.querySelector(".ink")).stroke]"""
    try:
        for scheme, light in (("light", True), ("dark", False)):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            ink, paper, tracing = (
                np.mean([int(number) for number in re.findall(r"\d+", colour)[:3]])
                for colour in driver.execute_script(script)
            )
            assert (paper > ink) == light
            assert abs(paper - ink) > 150
            assert abs(paper - tracing) > 150
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_wide_screen_is_used(show):
    driver = show(explanation_page(explain()))
    metrics = {"width": 1920, "height": 1080, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        settle(driver)
        assert box(driver, "#tracings").width > 900
        assert box(driver, "aside").left > box(driver, "#sheet").right
        assert box(driver, "aside").right > 1850
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def rows_of(probabilities):
    return [
        IndexRow(name, f"{name}.html", ("AF",) if value > 0.6 else ("NSR",), {"x": value, "y": 1 - value})
        for name, value in probabilities.items()
    ]


def test_the_index_sorts_by_record_and_by_probability_of_any_diagnosis(show):
    driver = show(index_page(rows_of({"A2": 0.5, "A10": 0.9, "A1": 0.7})))
    record, _, _, probability, _ = driver.find_elements("css selector", "#records th")

    def order():
        return texts(driver, "#records tbody a")

    assert order() == ["A2", "A10", "A1"]
    probability.find_element("css selector", "button").click()
    assert order() == ["A2", "A1", "A10"]
    assert probability.get_attribute("aria-sort") == "ascending"
    probability.find_element("css selector", "button").click()
    assert order() == ["A10", "A1", "A2"]
    assert probability.get_attribute("aria-sort") == "descending"
    find(driver, "#diagnosis option:last-child").click()
    assert order() == ["A2", "A1", "A10"], "now by the probability of y"
    assert texts(driver, "#records tbody .number") == ["0.500", "0.300", "0.100"]
    record.find_element("css selector", "button").click()
    assert order() == ["A1", "A2", "A10"]
    assert [each.get_attribute("aria-sort") for each in (record, probability)] == ["ascending", "none"]


def test_the_index_filters_by_text_and_by_what_is_reported(show):
    driver = show(index_page(rows_of({"A2": 0.5, "A10": 0.9, "B1": 0.7})))
    press(driver, "#find", "a1")
    assert texts(driver, "#records tbody a") == ["A10"]
    find(driver, "#find").clear()
    press(driver, "#find", " ")
    find(driver, "#reported option[value=AF]").click()
    assert texts(driver, "#records tbody a") == ["A10", "B1"]
    assert find(driver, "#count").text == "2 of 3 records"


def test_ten_thousand_records_are_listed_bit_by_bit(show):
    rng = np.random.default_rng(0)
    rows = rows_of({f"R{n:05}": round(float(rng.random()), 3) for n in range(10_000)})
    driver = show(index_page(rows))
    assert len(driver.find_elements("css selector", "#records tbody tr")) < 1000
    assert find(driver, "#count").text == "10000 of 10000 records"
    press(driver, "#find", "R09999")
    assert texts(driver, "#records tbody a") == ["R09999"]


@pytest.mark.parametrize("width", [1200, 390])
def test_the_index_is_no_wider_than_the_window(show, width):
    name = "A long name of a diagnosis that nobody could ever have thought of before (ALNOADTN)"
    rows = [IndexRow("HR12345", "x.html", ("AF", "RBBB", "LAnFB", "NSIVCB"), {name: 0.4}, ("lead V2 is flat",))]
    driver = show(index_page(rows))
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        settle(driver)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_records_link_the_index_and_their_neighbours(show):
    driver = show(explanation_page(explain(), Links("index.html", None, "b%20c.html")))
    links = driver.find_elements("css selector", ".links a")
    assert [link.get_attribute("href").rsplit("/", 1)[1] for link in links] == ["index.html", "b%20c.html"]
    assert [link.text for link in links] == ["All records", "Next →"]


@pytest.mark.parametrize("old", [("a.html", "b.html"), (None, None)])
@pytest.mark.parametrize("new", [("c&d.html", None), (None, "e.html")])
def test_a_page_with_other_links_is_as_if_it_had_always_had_them(old, new):
    before, after = Links("index.html", *old), Links("index.html", *new)
    explanation = named(explain(), '<nav class="links" aria-label="Records"></nav>')
    assert relinked(explanation_page(explanation, before), before, after) == explanation_page(
        explanation, after
    )


def test_a_folders_index_leads_to_its_records_and_these_to_each_other(browser, tmp_path, model):
    names = ["A#1%20&'é", "B2", "C3"]
    for name in names:
        write_simulated(tmp_path / "data", simulate_record(name, [PAC[0]], 100.0, 10.0, seed=1))
    (tmp_path / "data" / "B1broken.hea").write_text("")
    warnings = []
    folders = model, tmp_path / "data", tmp_path / "out"
    summary = explain_folder(load_classifier(model), *folders, ExplainOptions(leads=False), warnings.append)
    assert (summary.explained, summary.failed) == (3, 1)
    browser.get((tmp_path / "out" / INDEX).as_uri())
    reasons = texts(browser, "#failures td")
    assert [": ".join(reasons)] == warnings
    assert texts(browser, "#records tbody a") == names
    find(browser, "#records a").click()
    for name in names[1:]:
        find(browser, "a[rel=next]").click()
        assert find(browser, "h1").text == f"Record {name}"
    assert not browser.find_elements("css selector", "a[rel=next]")
    find(browser, "a[rel=previous]").click()
    find(browser, "a[rel=previous]").click()
    assert find(browser, "h1").text == f"Record {names[0]}"
    find(browser, "a[rel=up]").click()
    assert texts(browser, "#records tbody a") == names
    assert browser.get_log("browser") == []
