"""The page of a record in a browser: its first view, maps, keys, layouts, and other windows."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from browsing import box, choose_option, find, keys, point_at, points, press, resize, settle, texts
from example_pages import (
    EVIL,
    explain,
    named,
    read,
    statement,
    with_answers,
    with_reading,
    with_signal,
    with_times,
)

from cnn_gap.beats.beat_list import list_beats
from cnn_gap.beats.intervals import measure
from cnn_gap.diagnoses.classes import Diagnosis
from cnn_gap.leads import LEADS
from cnn_gap.report.page import Links, explanation_page

SIDE_MM = 15  # before the tracings
STANDARD = ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]


def drawn_mm(driver, path):
    """Return the points of a path as times (s) and heights (mm)."""
    found = np.array(points(path.get_attribute("d")))
    return (found[:, 0] - SIDE_MM) / 25, found[:, 1]


def pixels_to_mm(driver):
    shape = [float(number) for number in find(driver, "#tracings").get_dom_attribute("viewBox").split()]
    return box(driver, "#tracings").width / shape[2]


def place_of(driver, time, row=0):
    """Return where on the screen a time (s) of a row is."""
    area, mm = box(driver, "#tracings"), pixels_to_mm(driver)
    pulses = find(driver, "#pulses").get_attribute("d")
    baselines = [float(height) for height in re.findall(r"M1.5 ([\d.]+)", pulses)]
    return area.left + (SIDE_MM + 25 * time) * mm, area.top + baselines[row] * mm


def readout(driver):
    """Return what the page tells: time (s), lead, voltage (mV) or why there is none, map in percent."""
    time, voltage, activation = (find(driver, f"#{name}").text for name in ("time", "voltage", "activation"))
    lead, _, value = voltage.partition(": ")
    value = float(value.removesuffix(" mV")) if value.endswith(" mV") else value
    share = float(activation.split(": ")[1].replace("−", "-").removesuffix(" %")) if activation else None
    return float(time.removesuffix(" s")), lead, value, share


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


def shaded(driver):
    """Return the times (s) that the darkest shade covers."""
    script = "return [...document.querySelectorAll('#shades path')].at(-1).getAttribute('d')"
    pairs = re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", driver.execute_script(script))
    return [((float(start) - SIDE_MM) / 25, (float(end) - SIDE_MM) / 25) for start, end in pairs]


@pytest.mark.parametrize("size", [(1440, 900), (1920, 1080)])
@pytest.mark.parametrize(("seconds", "with_map"), [(10.0, True), (120.0, False)])
def test_all_twelve_leads_are_seen_without_scrolling(show, size, seconds, with_map):
    explanation = with_reading(seconds)
    loud = with_signal(explanation, explanation.record.signal * 3)
    driver = show(explanation_page(loud))
    resize(driver, *size)
    if with_map:
        find(driver, "#statements button").click()
    names = driver.find_elements("css selector", "#leads .name")
    assert [each.text for each in names] == STANDARD
    scrolled = driver.execute_script("return document.getElementById('sheet').scrollTop + scrollY")
    sheet = box(driver, "#sheet")
    assert scrolled == 0
    assert sheet.bottom <= size[1]
    assert sheet.right <= size[0]
    tracings = box(driver, "#tracings")
    assert tracings.bottom <= sheet.bottom
    assert tracings.right <= sheet.right
    assert find(driver, "#scale").text.startswith("25 mm/s · 10 mm/mV · 0.0–10.0 s of ")


@pytest.mark.parametrize("size", [(1440, 900), (1080, 1920)])
def test_what_is_folded_begins_directly_below_the_tracings(show, size):
    driver = show(explanation_page(with_reading()))
    resize(driver, *size)
    assert 0 <= box(driver, ".more").top - box(driver, "#sheet").bottom < 60
    assert box(driver, ".more").top < size[1]


def test_each_lead_shows_its_part_of_the_time_to_scale(show):
    explanation = explain()
    driver = show(explanation_page(explanation))
    for lead, start in (("II", 0), ("aVL", 2.5), ("V2", 5), ("V6", 7.5)):
        times, heights = drawn_mm(driver, find(driver, f"#leads path[data-lead={lead}]"))
        signal = explanation.record.signal[:, LEADS.index(lead)]
        assert times[0] == pytest.approx(start, abs=0.005)
        assert times[-1] == pytest.approx(min(start + 2.5, 9.996), abs=0.005)
        expected = np.interp(times, explanation.times, signal)
        np.testing.assert_allclose(-(heights - heights[0]) / 10, expected - expected[0], atol=3e-3)
    whole, _ = drawn_mm(driver, driver.find_elements("css selector", "#leads path[data-lead=II]")[1])
    assert (whole[0], whole[-1]) == pytest.approx((0, 9.996), abs=1e-3)
    pulse = find(driver, "#pulses").get_attribute("d")
    assert re.match(r"M1.5 [\d.]+h1v-10h5v10h1M", pulse)


def test_other_layouts_speeds_and_gains(show):
    driver = show(explanation_page(explain()))
    choose_option(driver, "#layout", "6x2")
    assert [each.text for each in driver.find_elements("css selector", "#leads .name")][:4] == [
        "I",
        "V1",
        "II",
        "V2",
    ]
    choose_option(driver, "#layout", "one V2")
    assert texts(driver, "#leads .name") == ["V2"]
    assert find(driver, "#scale").text == "25 mm/s · 10 mm/mV · 0.0–5.0 s of 10 s"
    large = pixels_to_mm(driver)
    choose_option(driver, "#layout", "12x1")
    assert texts(driver, "#leads .name") == list(LEADS)
    assert pixels_to_mm(driver) < large
    choose_option(driver, "#speed", "50")
    choose_option(driver, "#gain", "20")
    assert find(driver, "#scale").text == "50 mm/s · 20 mm/mV · 0.0–5.0 s of 10 s"
    assert "v-20h10v20" in find(driver, "#pulses").get_attribute("d")
    drawn = np.array(points(find(driver, "#leads path[data-lead=II]").get_attribute("d")))
    signal = explain().record.signal[: len(drawn), 1]
    np.testing.assert_allclose(-(drawn[:, 1] - drawn[0, 1]) / 20, signal - signal[0], atol=3e-3)
    assert drawn[-1, 0] - drawn[0, 0] == pytest.approx(250, abs=0.3)


def test_a_gap_and_an_absent_lead_are_seen(show):
    driver = show(explanation_page(explain()))
    choose_option(driver, "#layout", "12x1")
    assert texts(driver, "#leads .absent") == ["not recorded"]
    path = find(driver, "#leads path[data-lead=V1]")
    times, _ = drawn_mm(driver, path)
    assert np.diff(times).max() == pytest.approx(251 / 250, abs=3e-3)
    assert path.get_attribute("d").count("M") == 2


def test_two_recorded_leads_are_shown_alone(show):
    explanation = explain()
    leads = np.isin(LEADS, ("II", "V5"))
    few = replace(explanation, record=replace(explanation.record, leads=leads))
    driver = show(explanation_page(few))
    assert texts(driver, "#leads .name") == ["II", "V5"]
    assert find(driver, "#layout").get_attribute("value") == "recorded"


def test_a_short_record_shows_all_leads(show):
    driver = show(explanation_page(explain(5.0)))
    assert len(driver.find_elements("css selector", "#leads path.ink")) == 12  # V4 is absent
    times, _ = drawn_mm(driver, find(driver, "#leads path[data-lead=V6]"))
    assert (times[0], times[-1]) == pytest.approx((3.75, 4.996), abs=0.005)


def test_a_statement_turns_its_map_on_and_off(show):
    driver = show(explanation_page(with_reading()))
    assert not find(driver, "#map").is_displayed()
    assert not driver.find_elements("css selector", "#shades path")
    flutter, beats = driver.find_elements("css selector", "#statements button")
    beats.click()
    assert find(driver, "#map").is_displayed()
    assert find(driver, "#shown").text == "Premature atrial complexes"
    assert find(driver, "#verdict").text.startswith("probability 0.873: present")
    assert [each.get_attribute("aria-pressed") for each in (flutter, beats)] == ["false", "true"]
    assert texts(driver, "#strips text") == ["Atrial fibrillation", "Premature atrial complexes"]
    before = shown_map(driver)
    flutter.send_keys(keys().ENTER)
    assert shown_map(driver) != before
    flutter.click()
    assert not find(driver, "#map").is_displayed()
    find(driver, "#map-on").click()
    assert find(driver, "#shown").text == "Atrial fibrillation"
    press(driver, "#sheet", "m")
    assert not driver.find_elements("css selector", "#shades path")


def test_where_nothing_can_be_read_there_is_no_map(show):
    unread = read(explain(), conclusion="not interpretable", reason="no heartbeat was found")
    driver = show(explanation_page(replace(unread, answerable=False)))
    assert find(driver, "#conclusion").text == "Not interpretable"
    for part in ("#map-on", "#diagnoses-section", "#median-section", "#beats-section", "#map"):
        assert not find(driver, part).is_displayed()
    assert len(driver.find_elements("css selector", "#leads path.ink")) == 12


def test_the_outputs_are_folded_below_a_reading(show):
    driver = show(explanation_page(with_reading()))
    assert not find(driver, "#diagnoses").is_displayed()
    find(driver, "#diagnoses-title").click()
    assert texts(driver, "#diagnoses .verdict") == [
        "0.250: possible; Challenge label no (0.500)",
        "0.873: present; Challenge label yes (0.412)",
        "0.010: not in the reading",
    ]
    assert texts(driver, "#diagnoses .group") == ["In the reading", "Other findings"]
    assert not find(driver, "#limits li").is_displayed()


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
    shares = explain().classes[0].lead_shares
    most = np.abs(shares).max()
    found = [int(text.replace("−", "-").removesuffix(" %")) for text in texts(driver, "#shares .value")]
    assert found == pytest.approx([100 * shares[lead] / most for lead in range(12) if lead != 9], abs=0.51)
    assert "logit" not in find(driver, "body").text


def test_the_curve_is_the_map(show):
    explanation = explain()
    driver = show(explanation_page(explanation))
    times, heights = drawn_mm(driver, find(driver, "#curve"))
    activation = explanation.classes[0].activation
    expected = np.interp(times, explanation.times, activation)
    slope, offset = np.polyfit(heights[1:-1], expected[1:-1], 1)
    assert slope < 0
    np.testing.assert_allclose(slope * heights[1:-1] + offset, expected[1:-1], atol=0.01)
    for start, end in shaded(driver):
        assert activation[round(250 * start) : round(250 * end)].min() > 0.88 * activation.max()


def test_a_click_on_a_diagnosis_shows_its_map(show):
    driver = show(explanation_page(explain()))
    before, regions = shown_map(driver), texts(driver, "#regions a")
    find(driver, "#diagnosis-1").click()
    after = shown_map(driver)
    assert not set(before) & set(after)
    assert selected(driver) == [1]
    assert find(driver, "#shown").text == "Atrial fibrillation"
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
    assert find(driver, "#level").text == "Nothing speaks for the diagnosis"
    assert texts(driver, "#regions li") == ["nowhere"]
    find(driver, "#diagnosis-0").click()
    assert shown_map(driver) == before


def test_keys_choose_a_diagnosis(show):
    key = keys()
    driver = show(explanation_page(explain()))
    before = shown_map(driver)
    for pressed, index in ((key.ARROW_DOWN, 1), (key.END, 2), (key.ARROW_DOWN, 2), (key.ARROW_UP, 1)):
        press(driver, "#diagnoses", pressed)
        assert selected(driver) == [index]
        assert find(driver, "#diagnoses").get_attribute("aria-activedescendant") == f"diagnosis-{index}"
    assert shown_map(driver) != before
    press(driver, "#diagnoses", key.HOME)
    assert shown_map(driver) == before


@pytest.mark.parametrize("rate", [250.0, 500.0])
def test_pointing_at_a_tracing_reads_time_voltage_and_activation(show, rate):
    explanation = explain(rate=rate)
    driver = show(explanation_page(explanation))
    resize(driver, 1200, 900)
    for lead, wanted, row in (("II", 1.5, 1), ("V3", 7.25, 2), ("aVR", 4.0, 0), ("II", 9.0, 3)):
        point_at(driver, *place_of(driver, wanted, row))
        time, told, voltage, activation = readout(driver)
        assert told == lead
        assert time == pytest.approx(wanted, abs=0.5 / pixels_to_mm(driver) / 25 + 0.005)
        sample = round(time * rate)
        assert voltage == pytest.approx(
            explanation.record.signal[sample, LEADS.index(lead)], abs=0.001 if rate == 250 else 0.03
        )
        values = explanation.classes[0].activation
        assert activation == pytest.approx(100 * values[sample] / values.max(), abs=0.7)


def test_pointing_where_nothing_is_valid_says_so(show):
    explanation = explain()
    signal = explanation.record.signal.copy()
    signal[1500:1600, LEADS.index("V1")] = np.nan
    driver = show(explanation_page(with_signal(explanation, signal)))
    resize(driver, 1200, 900)
    point_at(driver, *place_of(driver, 6.2, 0))
    assert readout(driver)[1:3] == ("V1", "no valid sample")
    point_at(driver, *place_of(driver, 8, 0))
    assert readout(driver)[1:3] == ("V4", "not recorded")
    before = readout(driver)
    x, _ = place_of(driver, 7.6)
    area = box(driver, "#map")
    point_at(driver, x, area.top + area.height / 2)
    after = readout(driver)
    assert after[0] == pytest.approx(7.6, abs=0.02)
    assert after[1] == before[1]  # the map is no lead's


def test_keys_move_the_cursor(show):
    key = keys()
    explanation = explain(60.0)
    signal = explanation.record.signal
    driver = show(explanation_page(explanation))
    choose_option(driver, "#layout", "12x1")
    assert readout(driver)[:2] == (0, "II")
    press(driver, "#sheet", key.ARROW_RIGHT)
    assert readout(driver)[0] == 0.02
    press(driver, "#sheet", key.SHIFT, key.ARROW_RIGHT, key.NULL, key.ARROW_LEFT)
    assert readout(driver)[0] == 0.2
    press(driver, "#sheet", key.ARROW_DOWN)
    time, lead, voltage, _ = readout(driver)
    assert (time, lead) == (0.2, "III")
    assert voltage == pytest.approx(signal[50, 2], abs=0.001)
    press(driver, "#sheet", key.END)
    assert readout(driver)[0] == pytest.approx(59.996)
    assert find(driver, "#part").text == "50.0–60.0 s of 60 s"
    press(driver, "#sheet", key.PAGE_UP)
    assert find(driver, "#part").text == "40.0–50.0 s of 60 s"
    press(driver, "#sheet", key.HOME, key.ARROW_LEFT)
    assert readout(driver)[0] == 0
    assert find(driver, "#part").text == "0.0–10.0 s of 60 s"


def test_a_long_record_is_turned_over_like_pages(show):
    explanation = explain(60.0)
    driver = show(explanation_page(explanation))
    assert find(driver, "#part").text == "0.0–10.0 s of 60 s"
    find(driver, "#after").click()
    assert find(driver, "#part").text == "10.0–20.0 s of 60 s"
    times, heights = drawn_mm(driver, driver.find_elements("css selector", "#leads path[data-lead=II]")[1])
    expected = np.interp(times + 10, explanation.times, explanation.record.signal[:, 1])
    np.testing.assert_allclose(-(heights - heights[0]) / 10, expected - expected[0], atol=3e-3)
    press(driver, "#start", keys().END)
    assert find(driver, "#part").text == "50.0–60.0 s of 60 s"
    assert texts(driver, "#foot text")[:2] == ["50 s", "51 s"]
    driver = show(explanation_page(explain(10.0)))
    assert not find(driver, "#along").is_displayed()


def test_a_map_that_is_not_in_view_is_gone_to(show):
    explanation = with_reading(60.0)
    first, second, third = explanation.classes
    late = replace(first, regions=first.regions[-1:])
    driver = show(explanation_page(replace(explanation, classes=(late, second, third))))
    assert find(driver, "#part").text == "0.0–10.0 s of 60 s"
    driver.find_elements("css selector", "#statements button")[1].click()
    assert find(driver, "#part").text == "50.0–60.0 s of 60 s"


@pytest.mark.parametrize("by_key", [False, True])
def test_a_regions_link_shows_its_part_and_marks_it(show, by_key):
    explanation = explain(60.0)
    driver = show(explanation_page(explanation))
    regions = explanation.classes[0].regions
    assert len(regions) == 12
    link = driver.find_elements("css selector", "#regions a")[9]
    link.send_keys(keys().ENTER) if by_key else link.click()
    settle(driver)
    region = regions[9]
    assert find(driver, "#part").text == "40.0–50.0 s of 60 s"
    assert link.get_attribute("aria-current") == "true"
    assert len(driver.find_elements("css selector", "#regions a[aria-current]")) == 1
    mark = find(driver, "#tracings .highlight")
    left, width = (float(mark.get_attribute(name)) for name in ("x", "width"))
    assert 40 + (left - SIDE_MM) / 25 == pytest.approx(region.start_s, abs=0.005)
    assert width / 25 == pytest.approx(region.end_s - region.start_s, abs=0.005)
    assert readout(driver)[0] == pytest.approx((region.start_s + region.end_s) / 2, abs=0.003)


@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_the_map_lies_under_the_tracings_at_every_time(show, seconds):
    driver = show(explanation_page(explain(seconds)))
    script = "const m = document.getElementById(arguments[0]).getScreenCTM(); return [m.a, m.e]"
    assert driver.execute_script(script, "map") == pytest.approx(
        driver.execute_script(script, "tracings"), abs=1e-3
    )


@pytest.mark.parametrize("width", [1200, 700, 360])
def test_nothing_is_wider_than_the_window(show, width):
    driver = show(explanation_page(with_reading(60.0)))
    resize(driver, width, 800)
    wide, window = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window == width
    assert find(driver, "#sheet").is_displayed()


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
    choose_option(driver, "#layout", "12x1")
    extents = {}
    for lead in LEADS:
        if lead != "V4":
            path = find(driver, f"#leads path.ink[data-lead={lead}]")
            extents[lead] = drawn_mm(driver, path)[1]
    order = [lead for lead in LEADS if lead in extents]
    for above, below in pairwise(order):
        assert extents[above].max() <= extents[below].min() + 0.02, f"{above} and {below} must not overlap"
    (cut,) = driver.find_elements("css selector", "#leads .cut")
    assert cut.get_attribute("data-lead") == "I"
    assert cut.get_attribute("d").startswith(f"M{SIDE_MM + 100} ")


def test_each_stated_finding_has_a_row_with_its_map(show):
    explanation = with_answers(
        explain(), ("164889003", 0.9, True), ("59118001", 0.8, True), ("39732003", 0.1, False)
    )
    driver = show(explanation_page(explanation))
    assert texts(driver, "#strips text") == ["Atrial fibrillation", "Right bundle branch block"]
    rows = driver.find_elements("css selector", "#strips .strip")
    assert float(rows[0].get_attribute("y")) < float(rows[1].get_attribute("y"))
    driver.find_elements("css selector", "#strips text")[1].click()
    assert find(driver, "#shown").text == "Right bundle branch block"


def test_calipers_measure_time_rate_and_voltage(show):
    key = keys()
    driver = show(explanation_page(explain()))
    assert find(driver, "#calipers").text == ""
    find(driver, "#measure").click()
    assert find(driver, "#measure").get_attribute("aria-pressed") == "true"
    mm = pixels_to_mm(driver)
    for time, down in ((0.5, 0), (1.5, 3)):
        x, y = place_of(driver, time, 3)
        point_at(driver, x, y + down * mm, click=True)
    milliseconds, rate, voltage = re.fullmatch(
        r"calipers: (\d+) ms, (\d+)/min, (.[\d.]+) mV", find(driver, "#calipers").text
    ).groups()
    assert int(milliseconds) == pytest.approx(1000, abs=15)
    assert int(rate) == pytest.approx(60, abs=1)
    assert float(voltage.replace("−", "-")) == pytest.approx(-0.3, abs=0.04)
    press(driver, "#sheet", key.ESCAPE)
    assert find(driver, "#calipers").text == ""
    press(driver, "#sheet", key.HOME, "c", key.ENTER, *[key.ARROW_RIGHT] * 10, key.ENTER)
    assert find(driver, "#calipers").text.startswith("calipers: 200 ms, 300/min, ")


def test_zoom_keeps_paper_square_and_fit_shows_the_whole_sheet(show):
    driver = show(explanation_page(explain(60.0)))

    def is_whole():
        return box(driver, "#tracings").width <= box(driver, "#sheet").width

    assert is_whole()
    for _ in range(2):
        find(driver, "#larger").click()
    assert not is_whole()
    assert find(driver, "#fit").get_attribute("aria-pressed") == "false"
    area = box(driver, "#tracings")
    shape = [float(number) for number in find(driver, "#tracings").get_dom_attribute("viewBox").split()]
    assert area.width / shape[2] == pytest.approx(area.height / shape[3], rel=0.01)
    press(driver, "#sheet", keys().SHIFT, *[keys().ARROW_RIGHT] * 45)
    cursor, sheet = box(driver, "#tracings .cursor"), box(driver, "#sheet")
    assert sheet.left <= cursor.left <= sheet.right
    find(driver, "#fit").click()
    assert is_whole()


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


def test_the_table_of_beats_leads_to_each(show):
    explanation = explain(60.0)
    driver = show(explanation_page(explanation))
    beats = list_beats(explanation.record, measure(explanation.record))
    find(driver, "#beats-section summary").click()
    rows = driver.find_elements("css selector", "#beat-table tbody tr")
    assert len(rows) == len(beats)
    early = [index for index, beat in enumerate(beats) if beat.early]
    said = [rows[index].text.endswith("early") for index in early]
    assert said
    assert all(said)
    assert len(driver.find_elements("css selector", "#beat-table .unusual")) == sum(
        beat.early or beat.wide or beat.pause for beat in beats
    )
    rows[-1].find_element("css selector", "button").click()
    assert readout(driver)[0] == pytest.approx(beats[-1].time_s, abs=0.005)
    assert find(driver, "#part").text == "50.0–60.0 s of 60 s"


def test_a_time_in_the_reading_brings_the_part_with_it_into_view(show):
    driver = show(explanation_page(with_times()))
    resize(driver, 1440, 900)
    assert find(driver, "#part").text == "0.0–10.0 s of 60 s"
    for time, part in (("44.60", "40.0–50.0"), ("12.00", "10.0–20.0")):
        find(driver, f'[data-time="{time}"]').click()
        assert find(driver, "#part").text == f"{part} s of 60 s"
        assert readout(driver)[0] == float(time)
        assert find(driver, ".cursor").value_of_css_property("visibility") == "visible"
    assert find(driver, "#shown").text == ""  # no map


def test_the_median_beat_is_drawn_over_the_map(show):
    driver = show(explanation_page(explain()))
    assert texts(driver, "#median .name") == list(LEADS)
    assert len(driver.find_elements("css selector", "#median .ink")) == 11
    before = len(driver.find_elements("css selector", "#median .shade"))
    find(driver, "#diagnosis-2").click()
    assert before > 0 == len(driver.find_elements("css selector", "#median .shade"))


def test_ninety_diagnoses_can_be_filtered_and_walked_by_key(show):
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
    press(driver, "#diagnoses", keys().END)
    assert find(driver, "#shown").text.lower() == "finding 49"
    assert "SCP-ECG C49" in texts(driver, "#diagnoses [aria-selected=true] .codes")
    assert not find(driver, "#shares-section").is_displayed()
    find(driver, "#filter").clear()
    press(driver, "#filter", "c49")
    assert [text.lower() for text in texts(driver, "#diagnoses .name") if text] == ["finding 49"]
    driver = show(explanation_page(explain()))
    assert not find(driver, "#filter").is_displayed()


def test_a_phone_shows_the_reading_first_and_a_tap_reads_the_tracings(show):
    driver = show(explanation_page(with_reading()))
    resize(driver, 390, 844, mobile=True)
    driver.get(driver.current_url)  # as a phone opens it
    settle(driver)
    assert box(driver, "#alerts").bottom < box(driver, "#statements").bottom < box(driver, "#sheet").top < 844
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    x, y = place_of(driver, 1, 0)
    point_at(driver, x, y, click=True)
    assert readout(driver)[0] == pytest.approx(1, abs=0.03)


def test_dark_and_light_have_legible_ink(show):
    driver = show(explanation_page(with_reading()))
    script = """
        const style = getComputedStyle(document.body);
        const alert = getComputedStyle(document.querySelector("#alerts"));
        const ink = getComputedStyle(document.querySelector(".ink")).stroke;
        return [style.color, style.backgroundColor, alert.backgroundColor, ink]"""
    try:
        for scheme, light in (("light", True), ("dark", False)):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            ink, paper, alert, tracing = (
                np.mean([int(number) for number in re.findall(r"\d+", colour)[:3]])
                for colour in driver.execute_script(script)
            )
            assert (paper > ink) == light
            for one, other in ((paper, ink), (paper, tracing), (alert, ink)):
                assert abs(one - other) > 120
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_records_link_the_index_and_their_neighbours(show):
    driver = show(explanation_page(explain(), Links("index.html", None, "b%20c.html")))
    links = driver.find_elements("css selector", ".links a")
    assert [link.get_attribute("href").rsplit("/", 1)[1] for link in links] == ["index.html", "b%20c.html"]
    assert [link.text for link in links] == ["All records", "Next →"]


def test_what_is_not_part_of_the_text_has_a_name_for_screen_readers(show):
    driver = show(explanation_page(read(explain(60.0), statement("Pacing", ("1",)))))
    for element in driver.find_elements("css selector", "button, select, input, [role=listbox]"):
        if element.is_displayed():
            assert element.accessible_name, element.get_attribute("outerHTML")
