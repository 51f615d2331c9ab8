"""The page of a long recording in a browser: the overview, the events, and ten seconds with the map."""

import re

import pytest
from browsing import box, choose_option, find, keys, point_at, press, resize, settle, texts
from example_recording import explained

from cnn_gap.report.long_page import long_page


@pytest.fixture(scope="module")
def page():
    return long_page(explained())


def in_strip(driver, script):
    """Return what a script finds in the frame of ten seconds, once its page is there."""
    ready = """
      const [done, frame] = [arguments[0], document.getElementById("strip")];
      const look = () => {
        const inside = frame.contentDocument;
        if (inside?.readyState === "complete" && inside.querySelector("#leads path")) done();
        else setTimeout(look, 20);
      };
      look();"""
    driver.execute_async_script(ready)
    settle(driver)
    return driver.execute_script(
        f"const inside = document.getElementById('strip').contentDocument; return {script}"
    )


def leads(driver):
    return in_strip(driver, "[...inside.querySelectorAll('#leads path[data-lead]')].map((e) => e.dataset.lead)")


def test_it_opens_with_the_most_urgent_event_on_twelve_leads(show, page):
    driver = show(page)
    resize(driver, 1440, 1500)
    assert find(driver, "#shown").text.startswith("23:59:10: Ventricular tachycardia, ")
    assert driver.execute_script("return scrollY") == 0
    assert len(set(leads(driver))) == 12
    assert "Premature ventricular" in in_strip(driver, "inside.getElementById('shown').textContent")
    assert in_strip(driver, "inside.querySelectorAll('#shades path').length") > 0
    drawn = "const c = document.getElementById(arguments[0]); return c.toDataURL().length"
    assert driver.execute_script(drawn, "overview") > 5000
    assert driver.execute_script(drawn, "minutes") > 5000


def test_an_event_shows_its_ten_seconds(show, page):
    driver = show(page)
    resize(driver, 1440, 1500)
    driver.find_elements("css selector", "#events button")[2].click()
    assert find(driver, "#shown").text.startswith("23:59:58: Atrial fibrillation, ")
    assert "23:59:58 to 00:00:08 (day 2)" in in_strip(driver, "inside.querySelector('header').textContent")
    assert in_strip(driver, "inside.getElementById('shown').textContent") == "Atrial fibrillation"
    (current,) = driver.find_elements("css selector", "#events [aria-current]")
    assert "00:00:00" in current.text


def test_keys_turn_to_the_next_event(show, page):
    driver = show(page)
    resize(driver, 1200, 700)
    assert driver.execute_script("return scrollY") == 0
    press(driver, "#overview", "n")
    assert "Pause of 3.0 s" in find(driver, "#shown").text
    press(driver, "#overview", "p")
    assert "Ventricular tachycardia" in find(driver, "#shown").text


def test_each_event_is_named_above_its_ten_seconds(show, page):
    driver = show(page)
    for event in explained().events:
        assert find(driver, "#shown").text.endswith(f": {event.title}")
        press(driver, "#overview", "n")


def test_a_time_without_a_strip_shows_the_one_whole_lead(show, page):
    driver = show(page)
    resize(driver, 1440, 1500)
    canvas = box(driver, "#overview")
    point_at(driver, canvas.left + 150 + 0.6 * (canvas.width - 150), canvas.top + 50, click=True)
    time = re.match(r"00:00:5\d", find(driver, "#cursor").text)
    assert time, find(driver, "#cursor").text
    assert set(leads(driver)) == {"II"}
    assert "lead II alone" in find(driver, "#about").text
    assert in_strip(driver, "inside.getElementById('map-on').hidden")


def test_a_time_in_the_reading_brings_its_ten_seconds_into_view(show, page):
    driver = show(page)
    resize(driver, 1366, 768)
    driver.find_element("css selector", "#reading [data-time]").click()
    settle(driver)
    top = "return document.getElementById('shown').getBoundingClientRect().top"
    assert 0 <= driver.execute_script(top) < 768 / 2


def test_the_overview_shows_a_shorter_part(show, page):
    driver = show(page)
    find(driver, "#in").click()
    assert find(driver, "#all").get_attribute("aria-pressed") == "false"
    press(driver, "#overview", keys().ARROW_RIGHT)
    find(driver, "#all").click()
    assert find(driver, "#all").get_attribute("aria-pressed") == "true"


def test_events_are_filtered_by_kind(show, page):
    driver = show(page)
    kinds = texts(driver, "#kind option")
    choose_option(driver, "#kind", "Pause")
    assert "Atrial fibrillation" in kinds
    assert [text for text in texts(driver, "#events li") if text] == [
        "Pause",
        "00:01:50 (day 2) Pause of 3.0 s strip",
    ]
