"""The index of a folder: order, search by any name, filters, probabilities of each class by itself."""

import numpy as np
import pytest
from browsing import choose_option, find, press, resize, texts
from example_pages import EVIL, Page, embedded, explain, read, statement

from cnn_gap.batch.explain_folder import ExplainOptions, explain_folder
from cnn_gap.batch.explanation_files import class_headings, index_row
from cnn_gap.batch.folder_pages import INDEX
from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.reading.reading import Reading
from cnn_gap.report.page_index import IndexRow, IndexStatement, index_page, urgency
from cnn_gap.simulation import simulate_record, write_simulated

PAC = "284470004"
SAID = {
    "AF": IndexStatement("Atrial fibrillation", "present", ("164889003", "AFIB")),
    "maybe AF": IndexStatement("Atrial fibrillation", "possible", ("164889003", "AFIB")),
    "AFL": IndexStatement("Atrial flutter", "probable", ("164890007", "AFLT")),
    "LAFB": IndexStatement("Left anterior fascicular block", "present", ("445118002", "LAFB")),
    "SR": IndexStatement("Sinus rhythm", "present", ("426783006", "SR")),
    "ST": IndexStatement("ST elevation", "probable", ("st_elevation",)),
}


def row(name, *keys, **others):
    return IndexRow(name, f"{name}.html", statements=tuple(SAID[key] for key in keys), **others)


def some_rows():
    return [
        row("A1", "SR", conclusion="normal"),
        row("A2", "AF", conclusion="abnormal", urgency=7.0),
        row("A10", "maybe AF", "LAFB", conclusion="abnormal", urgency=3.0, notes=("lead V2 is flat",)),
        row("A11", "AFL", conclusion="abnormal", urgency=15.6, alerts=("Heart rate 171/min", "Pause of 3.1 s")),
        row("A12", "SR", "ST", conclusion="abnormal", urgency=6.4, alerts=("Heart rate 180/min",)),
    ]


def listed(driver):
    return texts(driver, "#records tbody a")


def seek(driver, words):
    find(driver, "#find").clear()
    press(driver, "#find", words)
    return listed(driver)


def test_the_index_holds_what_was_explained_and_says_why_the_rest_failed():
    explained = IndexRow(EVIL, "a%22b.html", "abnormal", (EVIL,), (SAID["AF"],), 7.0, {EVIL: 0.25}, ("flat",))
    failed = IndexRow("A<i>2", None, failure="/x/<b>A2: it is empty; give a record")
    page = index_page([explained, failed])
    parsed = Page(page)
    assert not {"b", "i"} & {tag for tag, _ in parsed.elements}
    assert embedded(page)["rows"] == [
        [EVIL, "a%22b.html", 7.0, "abnormal", [[EVIL, EVIL]], [[0, 1]], "flat", [250], None]
    ]
    cells = parsed.text("td")
    assert "A<i>2" in cells
    assert "/x/<b>A2: it is empty; give a record" in cells
    assert parsed.text("p")[0] == "1 explained, 1 failed"
    assert "failures" not in {each.get("id") for each in Page(index_page([])).attributes("table")}


def test_records_with_a_report_link_it(show):
    driver = show(index_page([row("A1", "SR", report="A%201.pdf"), row("A2", "AF")]))
    links = driver.find_elements("css selector", "#records tbody a")
    assert [link.text for link in links] == ["A1", "PDF", "A2"]
    assert links[1].get_attribute("href").endswith("/A%201.pdf")


def test_each_class_has_its_own_probability():
    """A class and a finding of the same name must not take each other's place."""
    classes = ClassSet(read_weights().classes, read_weights().weights, read_findings("scp"))
    headings = class_headings(classes)
    assert len(set(headings.values())) == len(classes)
    assert headings["CRBBB"] != headings["713427006"]
    explanation = read(explain(), statement("Premature atrial complexes", (PAC,)), conclusion="abnormal")
    found = index_row("A0001", explanation, headings | {"1": "none"})
    assert found.probabilities[headings[PAC]] == 0.873
    codes = (PAC, "premature atrial complexes")
    assert found.statements == (IndexStatement("Premature atrial complexes", "present", codes),)
    without = index_row("A0001", explain(), headings | {"1": "none"})
    assert [each.name for each in without.statements] == ["Premature atrial contraction"]


def test_urgency_is_of_alerts_then_of_what_is_severe_and_certain():
    def of(*statements, alerts=(), conclusion="abnormal"):
        return urgency(Reading(conclusion, "", statements, alerts))

    severe = statement("Infarction", severity=8)
    ordered = [
        of(statement("Sinus rhythm", severity=0), conclusion="normal"),
        of(statement("Infarction", degree="possible", severity=8)),
        of(conclusion="not interpretable"),
        of(statement("Infarction", degree="probable", severity=8)),
        of(statement("Sinus rhythm", severity=0), severe),
        of(alerts=("Pause of 3.1 s",)),
        of(severe, alerts=("Pause of 3.1 s",)),
    ]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)


def test_a_record_that_cannot_be_assessed_comes_before_a_normal_one():
    assert urgency(Reading("borderline", "not all can be assessed.")) > urgency(Reading("normal", ""))


def test_the_most_urgent_records_come_first(show):
    driver = show(index_page(some_rows()))
    assert listed(driver) == ["A11", "A2", "A12", "A10", "A1"]
    record = find(driver, "#records th button")
    record.click()
    assert listed(driver) == ["A1", "A2", "A10", "A11", "A12"]
    record.click()
    assert listed(driver) == ["A12", "A11", "A10", "A2", "A1"]
    sorts = [each.get_attribute("aria-sort") for each in driver.find_elements("css selector", "#records th")]
    assert sorts == ["descending", "none", "none", "none", "none"]


def test_degrees_and_alerts_are_shown_in_words(show):
    driver = show(index_page(some_rows()))
    cells = texts(driver, "#records tbody td:nth-child(3)")
    assert cells[0] == "Alert: Heart rate 171/min\nAlert: Pause of 3.1 s\nAtrial flutter (probable)"
    assert cells[3] == "Atrial fibrillation (possible), Left anterior fascicular block"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("atrial fibrillation", ["A2", "A10"]),
        ("AF", ["A2", "A10"]),  # neither flutter (AFL) nor LAFB
        ("a-fib", ["A2", "A10"]),
        ("AFIB", ["A2", "A10"]),
        ("164889003", ["A2", "A10"]),
        ("fibrill", ["A2", "A10"]),
        ("left anterior hemiblock", ["A10"]),
        ("AF LAHB", ["A10"]),
        ("st elevation", ["A12"]),
        ("STEMI", ["A12"]),
        ("flat", ["A10"]),
        ("a11", ["A11"]),
        ("pause", ["A11"]),
        (" ", ["A11", "A2", "A12", "A10", "A1"]),
        ("nothing of the kind", []),
    ],
)
def test_any_name_finds_a_diagnosis(index_of_some, words, expected):
    assert seek(index_of_some, words) == expected


@pytest.fixture(scope="module")
def index_of_some(browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "index.html"
    path.write_text(index_page(some_rows()), encoding="utf-8")
    browser.get(path.as_uri())
    return browser


def test_conclusions_alerts_and_degrees_are_filters(show):
    driver = show(index_page(some_rows()))
    choose_option(driver, "#conclusion", "normal")
    assert listed(driver) == ["A1"]
    choose_option(driver, "#conclusion", "")
    choose_option(driver, "#alert", "*")
    assert listed(driver) == ["A11", "A12"]
    choose_option(driver, "#alert", "Pause")
    assert listed(driver) == ["A11"]
    assert find(driver, "#count").text == "1 of 5 records"
    choose_option(driver, "#alert", "")
    assert not find(driver, "#degree").is_enabled()
    press(driver, "#find", "af")
    choose_option(driver, "#degree", "2")
    assert listed(driver) == ["A2"]
    assert find(driver, "#found").text == "Finds: Atrial fibrillation"


def test_records_are_sorted_by_the_probability_of_a_diagnosis(show):
    values = {"A2": 0.5, "A10": 0.9, "A1": 0.7}
    rows = [row(name, "SR", probabilities={"x": value, "y": 1 - value}) for name, value in values.items()]
    driver = show(index_page(rows))
    assert not find(driver, "#records th.number").is_displayed()
    choose_option(driver, "#diagnosis", "1")
    assert listed(driver) == ["A2", "A1", "A10"]
    assert texts(driver, "#records tbody .number") == ["0.500", "0.300", "0.100"]
    choose_option(driver, "#diagnosis", "0")
    assert listed(driver) == ["A10", "A1", "A2"]
    choose_option(driver, "#diagnosis", "")
    assert listed(driver) == ["A2", "A10", "A1"]


def test_ten_thousand_records_are_listed_bit_by_bit(show):
    rng = np.random.default_rng(0)
    rows = [row(f"R{n:05}", "AF", urgency=float(rng.random()), probabilities={"x": 0.5}) for n in range(10_000)]
    driver = show(index_page(rows))
    assert len(driver.find_elements("css selector", "#records tbody tr")) < 1000
    assert find(driver, "#count").text == "10000 of 10000 records"
    assert seek(driver, "R09999") == ["R09999"]


@pytest.mark.parametrize("width", [1200, 390])
def test_the_index_is_no_wider_than_the_window(show, width):
    name = "A long name of a diagnosis that nobody could ever have thought of before (ALNOADTN)"
    rows = [row("HR12345", *SAID, probabilities={name: 0.4}, notes=("lead V2 is flat",), conclusion="abnormal")]
    driver = show(index_page(rows))
    resize(driver, width, 844, mobile=width < 500)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_folders_index_leads_to_its_records_and_these_to_each_other(browser, tmp_path, model):
    names = ["A#1%20&'é", "B2", "C3"]
    for name in names:
        write_simulated(tmp_path / "data", simulate_record(name, [PAC], 100.0, 10.0, seed=1))
    (tmp_path / "data" / "B1broken.hea").write_text("")
    warnings = []
    folders = model, tmp_path / "data", tmp_path / "out"
    summary = explain_folder(load_classifier(model), *folders, ExplainOptions(leads=False), warnings.append)
    assert (summary.explained, summary.failed) == (3, 1)
    browser.get((tmp_path / "out" / INDEX).as_uri())
    reasons = texts(browser, "#failures td")
    assert [": ".join(reasons)] == warnings
    assert listed(browser) == names
    find(browser, "#records a").click()
    for name in names[1:]:
        find(browser, "a[rel=next]").click()
        assert find(browser, "h1").text == f"Record {name}"
        assert find(browser, "#conclusion").text
    assert not browser.find_elements("css selector", "a[rel=next]")
    find(browser, "a[rel=previous]").click()
    find(browser, "a[rel=previous]").click()
    assert find(browser, "h1").text == f"Record {names[0]}"
    find(browser, "a[rel=up]").click()
    assert listed(browser) == names
    assert browser.get_log("browser") == []
