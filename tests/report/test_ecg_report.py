"""The report of a record: its ECG to scale under the reading, and a page for each finding."""

from dataclasses import replace

import numpy as np
import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from cnn_gap.beats.intervals import Measurements, measure
from cnn_gap.beats.ventricular import Run as WideRun
from cnn_gap.diagnoses.classes import diagnosis
from cnn_gap.explain.explanation import ExplainedClass, Explanation, Region
from cnn_gap.leads import LEADS
from cnn_gap.reading.interpret import UNKNOWN_TO_THE_MODEL
from cnn_gap.reading.reading import Reading, Sentence, Statement
from cnn_gap.record import Record
from cnn_gap.report.figures import save_report
from cnn_gap.report.findings import mapped_findings
from cnn_gap.report.layouts import STANDARD, Layout, strongest_start
from cnn_gap.report.page import page_data
from cnn_gap.report.sheet.ecg_page import reading_lines, split_reading
from cnn_gap.report.sheet.paper import PAGE_MM
from cnn_gap.report.sheet.report import SheetOptions, ecg_parts
from cnn_gap.report.sheet.text import Paragraph, Run, text_width, wrap

RATE = 250.0
POINT_MM = 25.4 / 72
NO_MEASUREMENTS = Measurements(beats=None)

PVC, RBBB = ("427172004", "PVC"), ("713427006", "CRBBB")


def statement(key, codes, severity, degree="present", origin="network", probability=0.9):
    name = {"pvc": "Premature ventricular complexes", "rbbb": "Right bundle branch block"}.get(key, key)
    return Statement(key, name, "rhythm", codes, "", degree, probability, (), origin, severity)


def explained(codes, probability, activation):
    return ExplainedClass(
        diagnosis(codes[0]), codes, probability, 0.5, True, activation, 0.5, (Region(0.5, 0.6, 1.0),)
    )


def explain(seconds=10.0, late_s=None, leads=LEADS, reading=None, name="A0001", **others):
    """Return a record with a spike of 1 mV each second, and maps of two classes: all along, and at a time."""
    samples = round(seconds * RATE)
    signal = np.zeros((samples, 12), np.float32)
    signal[(np.arange(0.5, seconds, 1.0) * RATE).round().astype(int)] = 1.0
    signal[:, ~np.isin(LEADS, leads)] = 0
    at = seconds / 2 if late_s is None else late_s
    times = np.arange(samples) / RATE
    record = Record(name, signal, np.isin(LEADS, leads), RATE, age=63.0, sex="Female")
    classes = (
        explained(("PVC",), 0.6, np.exp(-(((times - at) / 0.2) ** 2)).astype("f")),
        explained((PVC[0],), 0.9, np.exp(-(((times - at) / 0.2) ** 2)).astype("f")),
        explained(RBBB, 0.8, np.ones(samples, np.float32)),
    )
    reading = reading or Reading(
        "abnormal",
        "premature ventricular complexes.",
        (
            statement("Sinus rhythm", ("SR",), 0),
            statement("pvc", PVC, 5),
            statement("rbbb", RBBB, 4, "probable"),
        ),
        ("Pause of 3.1 s",),
        (*UNKNOWN_TO_THE_MODEL, "Low QRS voltages: without V1", "Left ventricular hypertrophy: without V1"),
        ("lead V1 is flat",),
    )
    return Explanation(record, classes, 0.04, 1.2, 0.02, reading=reading, **others)


def text_of(explanation, tmp_path, options=None, **others):
    """Return the words of each page of a report."""
    path = tmp_path / "report.pdf"
    save_report(explanation, path, options or SheetOptions(model="some-model"), **others)
    return [" ".join(page.extract_text().split()) for page in PdfReader(path).pages]


def polylines(path):
    """Return the points of each line on the first page, mm from the lower left corner."""
    reader = PdfReader(path)
    lines = [[]]
    for operands, operator in ContentStream(reader.pages[0].get_contents(), reader).operations:
        if operator == b"m":
            lines.append([])
        if operator in (b"m", b"l"):
            lines[-1].append([float(number) * POINT_MM for number in operands])
    return [np.array(line) for line in lines]


def test_on_paper_a_second_is_25_mm_and_a_millivolt_10_mm(tmp_path):
    path = tmp_path / "report.pdf"
    save_report(explain(), path, SheetOptions())
    page = PdfReader(path).pages[0]
    assert [float(side) * POINT_MM for side in page.mediabox[2:]] == pytest.approx(PAGE_MM, abs=0.01)
    rhythm = max(polylines(path), key=len)
    peaks = rhythm[rhythm[:, 1] > rhythm[:, 1].max() - 0.05]
    assert len(peaks) == 10
    assert np.diff(peaks[:, 0]) == pytest.approx([25.0] * 9, abs=0.06)
    assert np.ptp(rhythm[:, 1]) == pytest.approx(10.0, abs=0.05)


def test_the_report_has_the_reading_in_its_order_and_a_page_for_each_finding(tmp_path):
    first, pvc, rbbb = text_of(explain(), tmp_path)
    in_order = (
        "Abnormal ECG: premature ventricular complexes.",
        "ALERT Pause of 3.1 s",
        "Sinus rhythm (present; network 0.90)",
        "Premature ventricular complexes (present",
        "Probable right bundle branch block (network 0.90)",
        "Lead V1 is flat.",
        "Not assessed: without V1: low QRS voltages, left ventricular hypertrophy.",
    )
    places = [first.index(text) for text in in_order]
    assert places == sorted(places)
    for text in (
        "A0001",
        "63 years, female",
        "25 mm/s 10 mm/mV no filter 250 Hz 0 s to 10 s of 10 s",
        "page 1 of 3",
    ):
        assert text in first
    for text in ("model some-model", "at others they are no certainty", "not for diagnosis", "Brugada pattern"):
        assert text in first
    for column in ("0–2.5 s", "2.5–5 s", "5–7.5 s", "7.5–10 s"):
        assert column in first
    assert "Premature ventricular complexes" in pvc
    assert "page 2 of 3" in pvc
    assert "Probable right bundle branch block" in rbbb


def test_normal_statements_and_those_of_the_measurement_alone_have_no_page():
    found = mapped_findings(explain(), explain().reading)
    assert [(each.statement.key, each.explained.codes) for each in found] == [
        ("pvc", (PVC[0],)),
        ("rbbb", RBBB),
    ]
    measured = Reading("abnormal", "", (statement("pvc", PVC, 5, origin="measurement"),))
    assert mapped_findings(explain(), measured) == []


def test_named_classes_have_a_page_each_instead_of_the_findings(tmp_path):
    explanation = explain()
    chosen = replace(explanation, classes=explanation.classes[2:])
    first, page = text_of(chosen, tmp_path, named=True)
    assert "Abnormal ECG" in first
    assert "Probability 0.800 ≥ threshold 0.500: reported" in page


@pytest.mark.parametrize("seconds", [3.0, 10.0, 10.24, 10.3, 12.0, 15.0, 19.9, 20.0])
def test_records_of_up_to_twenty_seconds_begin_at_their_beginning(seconds):
    (part,) = ecg_parts(explain(seconds, late_s=seconds - 0.5), SheetOptions())
    assert part.start_s == 0
    assert part.text(explain(seconds).record).startswith(f"0 s to {min(seconds, 10):.4g} s of {seconds:.4g} s")


@pytest.mark.parametrize("seconds", [30.0, 144.0])
def test_longer_records_show_the_stretch_with_the_most_urgent_finding_and_say_so(seconds):
    (part,) = ecg_parts(explain(seconds, late_s=seconds - 5), SheetOptions())
    assert part.start_s <= seconds - 5 <= part.start_s + 10 <= seconds
    reason = "the part that speaks most for premature ventricular complexes"
    assert part.text(explain(seconds).record).endswith(reason)
    (part,) = ecg_parts(explain(seconds, late_s=5.0), SheetOptions())
    assert part.text(explain(seconds).record) == f"0 s to 10 s of {seconds:g} s, the beginning"
    parts = ecg_parts(explain(seconds), SheetOptions(every_page=True))
    assert [part.start_s for part in parts][-1] == seconds - 10
    assert parts[1].text(explain(seconds).record).startswith(f"part 2 of {len(parts)}: 10 s to 20 s")


@pytest.mark.parametrize("rate", [99.7, 250.0, 1000.0])
@pytest.mark.parametrize("seconds", [3.0, 10.3, 10.6, 19.9, 61.3])
def test_the_strongest_stretch_is_full_and_inside_the_record(rate, seconds):
    activation = np.zeros(round(seconds * rate))
    activation[-5:] = 1
    start = strongest_start(activation, rate, 10)
    assert start == 0 if seconds < 10.5 else start + 10 == pytest.approx(len(activation) / rate)
    assert strongest_start(-activation, rate, 10) == 0


def test_few_leads_each_have_a_row_for_the_whole_time():
    two = [lead in ("V1", "II") for lead in LEADS]
    assert [(each.lead, each.row, each.seconds) for each in STANDARD.place_leads(two, 10)] == [
        ("II", 0, 10),
        ("V1", 1, 10),
    ]
    limb = [index < 6 for index in range(12)]
    cabrera = Layout(cabrera=True).place_leads(limb, 10)
    assert [each.lead for each in cabrera] == ["aVL", "I", "-aVR", "II", "aVF", "III"]


@pytest.mark.parametrize("leads", [("II",), ("II", "V5")])
def test_a_record_of_one_or_two_leads_has_a_report(tmp_path, leads):
    first, *_ = text_of(explain(12.0, leads=leads), tmp_path)
    assert "0–10 s" in first
    assert "0 s to 10 s of 12 s, the beginning" in first


def test_a_record_that_cannot_be_interpreted_says_why_and_shows_no_measurements(tmp_path):
    reason = "no lead has a signal"
    reading = Reading("not interpretable", reason, notes=(reason,))
    (page,) = text_of(explain(reading=reading, answerable=False, notes=(reason,)), tmp_path)
    assert "Not interpretable: no lead has a signal" in page
    assert page.count(reason) == 1
    assert "Nothing was measured that can be trusted" in page


def test_what_has_no_room_is_on_the_next_page(tmp_path):
    many = tuple(statement(f"Finding number {number}", ("none",), 1) for number in range(70))
    first, *more = text_of(explain(reading=Reading("abnormal", "many.", many)), tmp_path)
    assert "Continued on the next page" in first
    everything = " ".join([first, *more])
    assert [everything.count(f"Finding number {number} (") for number in range(70)] == [1] * 70
    assert len(more) == 2


@pytest.mark.parametrize("name", ["A" * 250, "心電図" * 28, "Ж" * 120, " ".join(["name"] * 50), "\udcff\n"])
def test_any_name_stays_on_its_page(tmp_path, name):
    first, *_ = text_of(explain(name=name), tmp_path)
    assert "Abnormal ECG" in first
    for size in (5.0, 13.0):
        lines = wrap([Paragraph((Run(name, "bold"),), size)], 70)
        assert all(text_width(line.text, size, "bold") <= 70.5 for line in lines)


def test_lines_keep_all_words_and_are_no_wider_than_their_column():
    text = "Premature ventricular complexes " * 20
    lines = wrap(
        [
            Paragraph(
                (Run(text, "bold"), Run("(present; probability 0.90)")),
            )
        ],
        100,
    )
    assert " ".join(line.text for line in lines).split() == [
        *text.split(),
        *["(present;", "probability", "0.90)"],
    ]
    for line in lines:
        last = line.pieces[-1]
        assert last.x + text_width(last.run.text, line.size, last.run.weight) <= 100.5


def test_a_short_reading_needs_no_second_page():
    assert len(split_reading(reading_lines(explain()))) == 1


@pytest.mark.parametrize("late_s", [5.0, 22.0])
@pytest.mark.parametrize(("run_s", "start_s"), [(4.0, 0.0), (14.0, 13.0)])
def test_the_first_page_shows_the_run_of_wide_complexes(run_s, start_s, late_s):
    (part,) = ecg_parts(explain(30.0, late_s=late_s), SheetOptions(), WideRun(5, 170.0, 0.16, run_s))
    assert part.start_s == start_s
    assert ("run of wide complexes" in part.reason) is (start_s > 0)


RUN = WideRun(5, 170.0, 0.16, 10.0)


@pytest.mark.parametrize(
    ("run", "others", "start_s"),
    [
        (None, {}, 13.0),
        (RUN, {}, 9.0),
        (replace(RUN, start_s=4.0), {}, 0.0),
        (RUN, {"answerable": False}, 13.0),
        (RUN, {"reading": Reading("abnormal", "", alerts=(Sentence("Pause, at ", 18.5),))}, 17.5),
    ],
)
def test_the_page_for_a_browser_begins_where_the_report_begins(run, others, start_s):
    explanation = explain(30.0, late_s=22.0, **others)
    measured = replace(measure(explanation.record), run=run)
    (part,) = ecg_parts(explanation, SheetOptions(), run)
    assert part.start_s == page_data(explanation, measured)["start"] == start_s


@pytest.mark.parametrize(("alert_s", "start_s"), [(4.0, 0.0), (18.0, 17.0)])
def test_the_first_page_shows_the_time_of_the_first_alert(alert_s, start_s):
    alerts = ("Slow", Sentence("Pause of 3.1 s, at ", alert_s), Sentence("Run, at ", 25.0))
    explanation = explain(30.0, late_s=22.0, reading=Reading("abnormal", "pause.", alerts=alerts))
    (part,) = ecg_parts(explanation, SheetOptions(), WideRun(5, 170.0, 0.16, 14.0))
    assert part.start_s == start_s
    assert "first alert" in part.reason
