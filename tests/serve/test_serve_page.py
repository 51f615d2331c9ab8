"""The page of `cnn-gap serve` in a browser: files are dropped, read, listed, opened and forgotten."""

from dataclasses import replace

import pytest

from cnn_gap.simulation import draw_codes, simulate_record, write_simulated
from cnn_gap.simulation.writers import WRITERS

#: Drops the files of the hidden input as a hand would.
DROP = """
const transfer = new DataTransfer();
for (const file of arguments[0].files) transfer.items.add(file);
document.querySelector("#drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Twenty records in eight formats, two of them damaged and one flat."""
    folder = tmp_path_factory.mktemp("dropped")
    kinds = ["DICOM", "GE MUSE XML", "HL7 aECG", "SCP-ECG", "Philips Sierra XML", "NumPy array", "CSV"]
    for number in range(14):
        record = simulate_record(f"A{number:02}", draw_codes(number), 250.0, 10.0, seed=number)
        WRITERS[kinds[number % len(kinds)]](folder, record)
    for number in range(3):
        write_simulated(folder, simulate_record(f"W{number}", draw_codes(number), 250.0, 10.0, seed=number))
    flat = simulate_record("FLAT", draw_codes(0), 250.0, 10.0, seed=0)
    write_simulated(folder, replace(flat, signal=0 * flat.signal))
    (folder / "damaged.dcm").write_bytes((folder / "A00.dcm").read_bytes()[:3000])
    (folder / "damaged.scp").write_bytes((folder / "A03.scp").read_bytes()[:2000])
    return sorted(folder.iterdir())


def wait_until(driver, condition):
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 60, 0.1).until(lambda _: condition())


def rows(driver):
    """Return the text of each row by its name, at one moment: rows are drawn anew when they change."""
    script = (
        "return [...document.querySelectorAll('#rows tr')].map((e) => [e.children[0].innerText, e.innerText])"
    )
    return dict(driver.execute_script(script))


def is_done(driver):
    count = driver.find_element("css selector", "#count").text
    return count.endswith("records")


@pytest.fixture
def page(browser, service):
    browser.get(service)
    yield browser
    assert browser.get_log("browser") == []


def test_twenty_dropped_files_are_twenty_rows(page, files):
    chosen = page.find_element("css selector", "#files")
    page.execute_script(
        "arguments[0].addEventListener('change', (e) => e.stopImmediatePropagation(), true)", chosen
    )
    chosen.send_keys("\n".join(map(str, files)))
    page.execute_script(DROP, chosen)
    wait_until(page, lambda: is_done(page))
    found = rows(page)
    names = [*(f"A{number:02}" for number in range(14)), "FLAT", "W0", "W1", "W2"]
    assert list(found) == [*names[:14], "damaged.dcm", "damaged.scp", *names[14:]]
    assert "failed" in found["damaged.dcm"] and "export it again" in found["damaged.dcm"]
    assert "failed" in found["damaged.scp"]
    assert "not interpretable" in found["FLAT"] and "no lead has a signal" in found["FLAT"]
    assert page.find_element("css selector", "#count").text == "20 of 20 records"
    assert len(page.find_elements("css selector", "#rows .links a[href*='format=html']")) == 18
    page.find_element("css selector", "#find").send_keys("damaged")
    assert page.find_element("css selector", "#count").text == "2 of 20 records"

    page.refresh()  # the service still has them
    wait_until(page, lambda: len(rows(page)) == 18)
    link = page.find_element("css selector", "#rows .links a").get_attribute("href")
    name = page.find_element("css selector", "#rows th").text
    page.get(link)
    assert page.find_element("css selector", "h1").text == f"Record {name}"


def test_samples_are_read_and_forgotten_by_the_keyboard(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    page.execute_script("sessionStorage.clear()")
    page.refresh()
    ActionChains(page).send_keys(*[Keys.TAB] * 3).perform()
    assert page.switch_to.active_element.text == "Read sample records"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait_until(page, lambda: len(rows(page)) == 6 and is_done(page))
    assert all("sample-" in name for name in rows(page))
    page.find_element("css selector", "#forget").send_keys(Keys.ENTER)
    wait_until(page, lambda: not rows(page))
    page.refresh()
    assert not rows(page)
