"""Explained records as pages: what they say, that they are safe and whole, and that they work in a browser."""

import json
import os
import re
import shutil
from base64 import b64encode
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from cnn_gap.ecg.diagnoses import Diagnosis, diagnosis
from cnn_gap.ecg.headers import LEADS
from cnn_gap.ecg.records import Record
from cnn_gap.explain_folder import INDEX, ExplainOptions, explain_folder
from cnn_gap.prediction.explanation import ExplainedClass, Explanation
from cnn_gap.prediction.regions import find_regions
from cnn_gap.reports.page import IndexRow, explanation_page, index_page, page_data
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
    explained = IndexRow(EVIL, "a%22b.html", ("PAC", "AF"), "atrial fibrillation", 0.5)
    failed = IndexRow("A<i>2", None, (), "", None, "/x/<b>A2: it is empty; give a record")
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
        assert (found["answered"], found["level"]) == (each.label, each.level)
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


def test_the_index_links_what_was_explained_and_says_why_the_rest_failed():
    parsed = Page(an_index())
    assert [each["href"] for each in parsed.attributes("a")] == ["a%22b.html"]
    assert "".join(parsed.text("a")) == EVIL
    cells = parsed.text("td")
    assert {"PAC, AF", "atrial fibrillation", "0.500"} < set(cells)
    assert "A<i>2" in cells
    assert "/x/<b>A2: it is empty; give a record" in cells
    assert parsed.text("p")[0] == "1 explained, 1 failed"
    assert "failures" not in {each.get("id") for each in Page(index_page([])).attributes("table")}


# In a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium, 1200 by 800; what it says on its console is collected."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if absent := [name for name, path in paths.items() if path is None]:
        pytest.skip(f"{' and '.join(absent)} not found; on Debian: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = paths["chromium"]
    flags = "headless=new disable-gpu disable-quic no-first-run disable-background-networking disable-sync"
    flags += " disable-component-update disable-dev-shm-usage force-prefers-reduced-motion window-size=1200,800"
    flags += f" user-data-dir={tmp_path_factory.mktemp('chromium')}"
    flags += " no-sandbox" if os.geteuid() == 0 else ""  # root has no sandbox
    for flag in flags.split():
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(paths["chromedriver"]))
    yield driver
    driver.quit()


@pytest.fixture
def show(browser, tmp_path):
    """Show a page; its console must stay empty."""

    def show(page):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        browser.get(path.as_uri())
        return browser

    yield show
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
    """Return what the page tells: time (s), lead, voltage (mV) or why there is none, activation."""
    time, voltage, activation = (find(driver, f"#{name}").text for name in ("time", "voltage", "activation"))
    lead, _, value = voltage.partition(": ")
    value = float(value.removesuffix(" mV")) if value.endswith(" mV") else value
    return float(time.removesuffix(" s")), lead, value, float(activation.split()[-1])


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
        for index, item in enumerate(driver.find_elements("css selector", "#diagnoses li"))
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
        "0.873 ≥ 0.412: answered",
        "0.250 < 0.500: not answered",
        "0.010: never answered",
    ]
    assert texts(driver, "#names text") == list(LEADS)
    assert texts(driver, "#leads text") == ["not recorded"]
    assert texts(driver, "#shares .value") == [
        f"{explain().classes[0].lead_shares[lead]:.2f}" for lead in range(12) if lead != 9
    ]


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
    expected = explain().classes[1].regions
    assert texts(driver, "#regions a") == [
        f"{r.start_s:.2f}–{r.end_s:.2f} s: {r.activation:.2f}" for r in expected
    ]
    assert texts(driver, "#regions a") != regions
    middles = [(start + end) / 2 for start, end in shaded(driver)]
    assert middles == pytest.approx([np.pi / 2, np.pi / 2 + 2 * np.pi], abs=0.05)
    find(driver, "#diagnosis-2").click()
    assert shown_map(driver)[0].startswith('<path id="marks"')  # nothing is shaded where nothing speaks for it
    assert "nowhere above 0" in find(driver, "#range").text
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


@pytest.mark.parametrize("rate", [250.0, 500.0])
def test_pointing_at_a_tracing_reads_time_voltage_and_activation(show, rate):
    explanation = explain(rate=rate)
    driver = show(explanation_page(explanation))
    area = box(driver, "#tracings")
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
        assert activation == pytest.approx(explanation.classes[0].activation[sample], abs=0.006)


def test_pointing_where_nothing_is_valid_says_so(show):
    driver = show(explanation_page(explain()))
    area = box(driver, "#tracings")
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
    most = max(explain().classes[0].lead_activation.max(axis=0))
    assert f"above 0, up to {most:.2f}" in find(driver, "#range").text
    find(driver, "#parts").click()
    assert shown_map(driver) == before
    plain = replace(explain().classes[0], lead_activation=None, lead_shares=None)
    driver = show(explanation_page(replace(explain(), classes=(plain,))))
    assert not find(driver, "#parts").is_displayed()
    assert not find(driver, "#shares-section").is_displayed()


def test_the_index_sorts_by_record_and_by_probability(show):
    probabilities = {"A2": 0.5, "A10": 0.9, "A1": 0.7}
    rows = [IndexRow(name, f"{name}.html", (), "x", value) for name, value in probabilities.items()]
    driver = show(index_page(rows))
    record, *_, probability = driver.find_elements("css selector", "#records th")

    def order():
        return texts(driver, "#records tbody a")

    assert order() == ["A2", "A10", "A1"]
    probability.find_element("css selector", "button").click()
    assert order() == ["A2", "A1", "A10"]
    assert probability.get_attribute("aria-sort") == "ascending"
    probability.find_element("css selector", "button").click()
    assert order() == ["A10", "A1", "A2"]
    assert probability.get_attribute("aria-sort") == "descending"
    record.find_element("css selector", "button").click()
    assert order() == ["A1", "A2", "A10"]
    assert [each.get_attribute("aria-sort") for each in (record, probability)] == ["ascending", "none"]


def test_a_folders_index_leads_to_its_records(browser, tmp_path):
    name = "A#1%20&'é"
    write_simulated(tmp_path / "data", simulate_record(name, [PAC[0]], 100.0, 10.0, seed=1))
    (tmp_path / "data" / "broken.hea").write_text("")
    explained = explain(rate=100.0)
    classifier = SimpleNamespace(
        classes=None, explain=lambda record, *_: replace(explained, record=replace(record, name=name))
    )
    warnings = []
    counts = explain_folder(classifier, tmp_path / "data", tmp_path / "out", ExplainOptions(), warnings.append)
    assert counts == (1, 1)
    browser.get((tmp_path / "out" / INDEX).as_uri())
    reasons = texts(browser, "#failures td")
    assert [": ".join(reasons)] == warnings
    find(browser, "#records a").click()
    assert find(browser, "h1").text == f"Record {name}"
    assert browser.get_log("browser") == []
