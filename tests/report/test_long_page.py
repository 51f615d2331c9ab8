"""The page of a long recording: its texts, its data and its size."""

import re
from base64 import b64decode
from dataclasses import replace
from functools import cache

import numpy as np
from example_pages import EVIL, Page
from example_pages import embedded as embedded_data
from example_recording import explained, recording

from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.leads import LEADS
from cnn_gap.report.disclosure import disclose
from cnn_gap.report.long_page import long_page
from cnn_gap.report.page import Links, relinked


@cache
def page():
    return long_page(explained(), Links("index.html", None, "B.html"))


@cache
def data():
    return embedded_data(page())


def test_the_report_is_there_without_javascript():
    texts = " ".join(text for _, text in Page(page()).texts)
    assert "Record L001" in texts
    assert "70 years, female, recorded 2026-05-01 23:58" in texts
    for said in ("Lowest heart rate", "Atrial fibrillation", "Ventricular (wide)", "Pause of 3.0 s"):
        assert said in texts
    assert "23:59:14" in texts  # the ventricular tachycardia
    assert "00:00:00 (day 2)" in texts  # the fibrillation
    assert 'from <button type="button" class="time" data-time="' in page()  # in a statement


def test_the_buttons_of_an_alert_lead_to_its_times():
    reading = explained().prediction.reading
    alerts = page().partition('<ul id="alerts"')[2].partition("</ul>")[0]
    leads_to = [float(at) for at in re.findall(r'data-time="([\d.]+)"', alerts)]
    assert leads_to == [at for times in reading.alert_times_s for at in times]
    assert any(at != round(at) for at in leads_to)


def test_a_text_that_only_looks_like_a_time_is_no_button():
    found = explained()
    noted = replace(found.whole, notes=("exported at 12:30 & checked",))
    assert "<li>Exported at 12:30 &amp; checked</li>" in long_page(replace(found, whole=noted))


def test_the_first_events_have_strips():
    found = data()
    assert found["events"][0]["strip"] == 0
    assert found["strips"][0]["title"].startswith("Ventricular tachycardia")
    kinds = [each["kind"] for each in found["events"]]
    assert kinds[:3] == ["Ventricular tachycardia", "Pause", "Atrial fibrillation"]
    listed = [int(each["data-event"]) for each in Page(page()).attributes("button") if "data-event" in each]
    assert listed == list(range(len(kinds)))


def test_strips_hold_the_signal_in_microvolts():
    strip, record = data()["strips"][0], explained().strips[0].explanation.record
    stored = np.frombuffer(b64decode(strip["signal"]), "<i2").reshape(12, -1)
    assert sum(strip["recorded"]) == 12
    np.testing.assert_allclose(stored.T / 1000, record.signal, atol=6e-4)


def test_the_first_map_of_a_strip_speaks_of_its_event():
    strip = data()["strips"][0]
    assert strip["data"]["classes"][strip["map"]]["name"] in (
        "Premature ventricular contractions",
        "Premature ventricular complexes",
    )
    (pause,) = (each for each in data()["strips"] if each["title"].startswith("Pause"))
    assert pause["map"] is None


def test_beats_lanes_and_what_was_not_analysed():
    found, monitoring = data(), explained().prediction.monitoring
    times = np.cumsum(found["beats"]["ms"]) / 1000
    np.testing.assert_allclose(times, monitoring.beats.times_s, atol=1e-3)
    assert found["beats"]["symbols"].count("V") == 5
    assert {each["name"] for each in found["lanes"] if each["red"]} == {"Ventricular tachycardia"}
    assert any(start >= 218 for start, _ in found["lost"])


def test_one_lead_is_there_as_a_whole():
    lead = data()["lead"]
    levels = np.frombuffer(b64decode(lead["levels"]), np.uint8)
    assert (lead["name"], len(levels)) == ("II", 24000)
    heights = (levels.astype(float) - 128) * lead["step"] / 1000
    signal = recording().part(0, 24000).signal[:, LEADS.index("II")]
    assert np.corrcoef(heights[2000:20000], signal[2000:20000])[0, 1] > 0.9


def test_gaps_of_the_whole_lead_are_not_drawn():
    record = recording()

    def reader(first, last):
        part = record.part(first, last)
        signal = part.signal.copy()
        signal[max(0, 1000 - first) : max(0, 2000 - first)] = np.nan
        return replace(part, signal=signal)

    found = disclose(replace(record, reader=reader))
    assert (found.levels[1010:1990] == 0).all()
    assert (found.levels[2010:3000] > 0).all()
    assert np.isnan(found.millivolts(11, 12)).all()


def test_the_page_of_four_minutes_is_small_and_loads_nothing():
    text = page()
    assert len(text) < 1_500_000
    assert not re.search(r'(src|href)="(?!index.html|B.html|data:,)', text)


def test_links_are_replaced_as_in_other_pages():
    links = Links("index.html", None, "B.html")
    assert relinked(page(), links, Links("index.html", "A.html")) == long_page(
        explained(), Links("index.html", "A.html")
    )


def test_texts_of_the_record_are_no_markup():
    found = explained()
    named = replace(found.whole.record, name=EVIL)
    evil: LongExplanation = replace(
        found, record=replace(found.record, name=EVIL), whole=replace(found.whole, record=named)
    )
    text = long_page(evil)
    assert EVIL not in text
    assert embedded_data(text)["name"] == EVIL


def test_a_recording_without_heartbeats_has_a_page_that_says_so():
    found = explained()
    nothing = replace(found.prediction, monitoring=None, answerable=False)
    whole = replace(found.whole, reading=None, answerable=False, notes=("no heartbeat that can be judged",))
    text = long_page(replace(found, prediction=nothing, events=(), strips=(), whole=whole))
    assert "No heartbeat that can be judged" in text
    assert embedded_data(text)["events"] == []
