"""The printed page: one A4 sheet with the reading, at the scale of ECG paper, measured in the PDF."""

from base64 import b64decode
from dataclasses import replace
from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
from browsing import choose_option, find
from example_pages import explain, read, statement, with_reading, with_signal

from cnn_gap.report.page import explanation_page

POINTS_PER_MM = 72 / 25.4


def printed(driver):
    """Return the only page that the browser prints."""
    pypdf = pytest.importorskip("pypdf")
    told = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    (page,) = pypdf.PdfReader(BytesIO(b64decode(told["data"]))).pages
    return page


def lines_of(page):
    """Return the points of the page's paths of straight lines, in mm from its lower left corner."""
    paths = []

    def take(operator, operands, matrix, _text_matrix):
        a, b, c, d, e, f = map(float, matrix)
        if operator == b"m":
            paths.append([])
        if operator in (b"m", b"l") and paths:
            x, y = map(float, operands)
            paths[-1].append(((a * x + c * y + e) / POINTS_PER_MM, (b * x + d * y + f) / POINTS_PER_MM))

    page.extract_text(visitor_operand_before=take)
    return [np.array(path) for path in paths if len(path) > 1]


def pulses_of(page):
    """Return the paths of the calibration pulses: up, across, down, with feet at both sides."""
    return [path for path in lines_of(page) if len(path) == 6 and np.ptp(path[[0, 1, 4, 5], 1]) < 0.1]


def assert_inside(page, paths):
    assert [float(number) for number in page.mediabox] == pytest.approx([0, 0, 842, 595], abs=1)
    every = np.concatenate(paths)
    assert every.min() >= 7.8
    assert every[:, 0].max() <= 297 - 7.8
    assert every[:, 1].max() <= 210 - 7.8


def test_a_second_is_25_mm_and_a_millivolt_10_mm_on_one_page(show):
    loud = with_reading()
    loud = with_signal(loud, loud.record.signal * 2)
    record = replace(loud.record, time=datetime(2020, 5, 1, 7, 4))
    driver = show(explanation_page(replace(loud, record=record)))
    page = printed(driver)
    paths = lines_of(page)
    assert_inside(page, paths)
    pulses = pulses_of(page)
    assert len(pulses) == 4
    for pulse in pulses:
        assert np.ptp(pulse[:, 1]) == pytest.approx(10, abs=0.02)
        assert pulse[3, 0] - pulse[2, 0] == pytest.approx(5, abs=0.02)
    rhythm = max(paths, key=len)[1:]  # its first point is there twice
    signal = record.signal[:, 1]
    assert len(rhythm) == len(signal)
    assert np.ptp(rhythm[:, 0]) == pytest.approx(25 * (len(signal) - 1) / 250, abs=0.05)
    np.testing.assert_allclose(rhythm[:, 1] - rhythm[0, 1], 10 * (signal - signal[0]), atol=0.06)
    thick = sorted({round(path[0, 0], 1) for path in paths if len(path) == 2 and np.ptp(path[:, 1]) > 100})
    assert np.diff(thick)[:9] == pytest.approx([1] * 9, abs=0.11)
    text = page.extract_text()
    for said in ("A0001", "63 years", "male", "2020-05-01", "Rate", "QRS", "Abnormal ECG", "Pause of 3.1 s"):
        assert said in text
    for said in ("Premature atrial complexes", "possible", "25 mm/s", "10 mm/mV", "For research only"):
        assert said in text


@pytest.mark.parametrize("layout", ["12x1", "6x2"])
def test_other_layouts_and_many_statements_fit_one_page_too(show, layout):
    said = (statement(f"Statement number {n}", ("164889003",), evidence=("QRS 150 ms",)) for n in range(14))
    explanation = read(explain(60.0), *said, alerts=("Heart rate 171/min", "Pause of 3.1 s"))
    driver = show(explanation_page(explanation))
    choose_option(driver, "#layout", layout)
    find(driver, "#statements button").click()
    page = printed(driver)
    assert_inside(page, lines_of(page))
    pulses = pulses_of(page)
    assert len(pulses) == (1 if layout == "12x1" else 6)
    assert np.ptp(pulses[0][:, 1]) == pytest.approx(10, abs=0.02)
    assert "Statement number 13" in page.extract_text()
    assert "0.0–10.0 s of 60 s" in page.extract_text()
