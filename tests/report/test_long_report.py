"""The PDF of a long recording: its pages, their texts, and full disclosure."""

from dataclasses import replace

import pytest
from example_recording import explained

from cnn_gap.report.figures import STANDARD_SHEETS
from cnn_gap.report.long_figures import save_long_figures
from cnn_gap.system.errors import InputError


def test_the_report_has_the_summary_the_events_the_strips_and_one_whole_lead(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    path = tmp_path / "L.pdf"
    assert save_long_figures(explained(), path, STANDARD_SHEETS) == [path]
    pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    assert len(pages) == 1 + 1 + len(explained().strips) + 1
    for said in (
        "Record L001",
        "Highest heart rate",
        "Atrial fibrillation",
        "Ventricular beats",
        "Not analysed",
    ):
        assert said in pages[0]
    assert "Pause of 3.0 s (page 4)" in pages[1]
    assert "Ventricular tachycardia" in pages[2]
    assert "Map of premature ventricular contractions: Probability" in pages[2]
    assert "Pause of 3.0 s" in pages[3]
    assert "a line a minute" in pages[-1]
    assert "23:58:30" in pages[-1]
    assert path.stat().st_size < 3_000_000


def test_a_strip_without_statements_has_its_conclusion(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    found = explained()
    first = next(each for each in found.strips if each.shown is not None)
    silent = replace(first.explanation.reading, statements=(), alerts=(), reason="nothing.")
    strips = (replace(first, explanation=replace(first.explanation, reading=silent)),)
    save_long_figures(replace(found, strips=strips), tmp_path / "L.pdf", STANDARD_SHEETS)
    assert f"Reading: {silent.summary}" in pypdf.PdfReader(tmp_path / "L.pdf").pages[2].extract_text()


def test_a_png_is_the_first_page(tmp_path):
    assert save_long_figures(explained(), tmp_path / "L.png", STANDARD_SHEETS) == [tmp_path / "L.png"]


def test_a_recording_without_heartbeats_has_a_report(tmp_path):
    found = explained()
    nothing = replace(found.prediction, monitoring=None, answerable=False)
    without = replace(found, prediction=nothing, events=(), strips=())
    assert save_long_figures(without, tmp_path / "L.pdf", STANDARD_SHEETS)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.jpg: pictures are written as"):
        save_long_figures(explained(), tmp_path / "L.jpg", STANDARD_SHEETS)
