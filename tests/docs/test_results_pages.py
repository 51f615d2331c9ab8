"""The results pages of the shipped models show the figures in the models' JSON files."""

import json

import pytest
from conftest import ROOT

from benchmarks.page import page

RESULTS = ROOT / "docs/results"
FIGURES = sorted(RESULTS.glob("*.json"))


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_page_is_what_its_figures_and_the_template_make(path):
    pytest.importorskip("jinja2")
    template = (RESULTS / "template.md").read_text(encoding="utf-8")
    figures = json.loads(path.read_text(encoding="utf-8"))
    written = path.with_suffix(".md").read_text(encoding="utf-8")
    assert written == page(template, figures, f"{path.stem}-calibration.png"), (
        "run python -m benchmarks.results MODEL --out docs/results --name NAME"
    )


def test_the_card_and_the_page_of_a_record_say_how_true_it_is_elsewhere():
    figures = json.loads((RESULTS / "ptbxl-100hz.json").read_text(encoding="utf-8"))
    true = figures["reliability of other databases / 0.9 to 1 / share true"]
    for path in ("model/README.md", "cnn_gap/report/page_assets/record.html"):
        text = " ".join((ROOT / path).read_text(encoding="utf-8").split())
        assert f"with 0.9 or more, {100 * true:.0f} %" in text or f"{100 * true:.0f} % are in" in text


def test_there_is_a_page_for_each_shipped_model():
    from cnn_gap.model.catalogue import list_models

    assert set(list_models()) <= {path.stem for path in FIGURES}
