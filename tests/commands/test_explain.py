"""The command that explains: the files of a record, the files of a folder, and bad input."""

import argparse
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import scipy.io
from pypdf import PdfReader

import cnn_gap.commands.main as cnn_gap_command
import explain
from cnn_gap.batch.explanation_files import EXPLANATIONS
from cnn_gap.batch.folder_pages import INDEX
from cnn_gap.classifier import load_classifier
from cnn_gap.commands.explain import COMMAND
from cnn_gap.explain.explainer import named_classes
from cnn_gap.explain.regions import DEFAULT_LEVEL, parse_level
from cnn_gap.io.annotations import read_events
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.report.tables import NOT_ANSWERED, explanation_table
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing
from cnn_gap.simulation.files import write_simulated
from cnn_gap.system.errors import InputError


@pytest.fixture(scope="module")
def classifier(model):
    return load_classifier(model)


@pytest.fixture
def path(records):
    return find_records(records)[2]


def _region_rows(each):
    return [(region["start_s"], region["end_s"]) for region in each["regions"]]


def test_every_file_that_was_asked_for_is_written_and_named(model, classifier, path, tmp_path, run_command):
    out, page = tmp_path / "new" / "sheet.svg", tmp_path / "page.html"
    content, marks = tmp_path / "content.json", tmp_path / "marks" / "record.cam"
    wishes = ["--classes", "AF,PAC", "--out", out, "--json", content, "--html", page, "--annotations", marks]
    ended = run_command(explain, [model, path.with_suffix(""), *wishes])
    assert ended.code == 0
    first, second = (out.with_name(f"sheet-{name}.svg") for name in ("AF", "PAC"))
    expected = classifier.explain(path, "AF,PAC", with_leads=True)
    written = "".join(f"wrote {name}\n" for name in (first, second, content, marks, page))
    assert ended.out == f"{explanation_table(expected)}\n{written}"
    assert json.loads(content.read_text()) == json.loads(json.dumps(expected.to_dict()))
    assert all("<svg" in picture.read_text() for picture in (first, second))
    assert page.read_text().startswith("<!DOCTYPE html>")
    regions = [(each.diagnosis.abbreviation, region) for each in expected.classes for region in each.regions]
    events = read_events(marks)
    assert len(events) == len(regions) > 0
    for event, (name, region) in zip(
        events, sorted(regions, key=lambda pair: (pair[1].start_s, -pair[1].end_s, pair[0])), strict=True
    ):
        assert event.kind == name
        assert (event.start_s, event.end_s) == pytest.approx((region.start_s, region.end_s), abs=0.0051)


def test_the_json_has_map_regions_and_shares_on_the_records_time(classifier, path):
    explanation = classifier.explain(path, "top2", with_leads=True)
    content = json.loads(json.dumps(explanation.to_dict(), allow_nan=False))
    record = explanation.record
    assert (content["record"], content["sampling_rate"], content["samples"]) == (record.name, 100, 1000)
    assert np.diff(content["times_s"]) == pytest.approx(content["map_stride_s"])
    for each, explained in zip(content["classes"], explanation.classes, strict=True):
        assert each["codes"] == list(explained.codes)
        assert each["probability"] == explained.probability
        at_times = np.interp(content["times_s"], explanation.times, explained.activation)
        np.testing.assert_allclose(each["activation"], at_times, atol=1e-4)
        assert _region_rows(each) == [(region.start_s, region.end_s) for region in explained.regions]
        np.testing.assert_allclose(
            [each["lead_shares"][lead] for lead in LEADS], explained.lead_shares, atol=1e-4
        )


def _listed(page):
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())[1]
    return [each["codes"] for each in json.loads(embedded)["classes"]]


def test_a_page_lists_every_class_unless_some_are_named(model, classifier, path, tmp_path, run_command):
    page, content = tmp_path / "page.html", tmp_path / "content.json"
    assert run_command(explain, [model, path, "--html", page, "--json", content]).code == 0
    assert sorted(_listed(page)) == sorted(map(list, classifier.classes.classes))
    answered = classifier.explain(path, with_leads=True).to_dict()
    assert json.loads(content.read_text()) == json.loads(json.dumps(answered))
    assert run_command(explain, [model, path, "--html", page, "--classes", "AF"]).code == 0
    assert _listed(page) == [["164889003"]]


def test_a_pdf_holds_the_reading_and_all_findings(model, path, tmp_path, run_command):
    report = tmp_path / "report.pdf"
    ended = run_command(explain, [model, path, "--no-leads", "--out", report])
    assert (ended.code, ended.out.splitlines()[-1]) == (0, f"wrote {report}"), ended.err
    first, *findings = (page.extract_text() for page in PdfReader(report).pages)
    assert path.stem in first
    assert "25 mm/s" in first
    assert f"model {model.name}" in first
    assert all(path.stem in page for page in findings)


def test_without_leads_there_are_no_shares(model, path, tmp_path, run_command):
    content = tmp_path / "content.json"
    ended = run_command(explain, [model, path, "--no-leads", "--json", content])
    assert ended.code == 0
    assert {each["lead_shares"] is None for each in json.loads(content.read_text())["classes"]} == {True}


def test_the_table_has_a_line_a_class_with_its_strongest_regions(classifier, path):
    explanation = classifier.explain(path, "top3", with_leads=True)
    lines = explanation_table(explanation).splitlines()
    assert all(each.regions for each in explanation.classes)
    if not all(each.label for each in explanation.classes):
        assert lines.pop() == NOT_ANSWERED
    assert len(lines) == 1 + 3
    for line, each in zip(lines[1:], explanation.classes, strict=True):
        assert line.startswith(f"{each.probability:.3f}")
        assert each.diagnosis.name in line
        shown = [f"{region.start_s:.2f}-{region.end_s:.2f}" for region in each.regions]
        strongest = max(each.regions, key=lambda region: region.activation)
        named = re.findall(r"\d+\.\d\d-\d+\.\d\d", line)
        assert set(named) <= set(shown)
        assert f"{strongest.start_s:.2f}-{strongest.end_s:.2f}" in named
        assert len(named) == min(3, len(shown))
        assert ("more" in line) == (len(shown) > 3)


@pytest.mark.parametrize("answerable", [True, False])
def test_alerts_stand_above_the_table(classifier, path, answerable):
    explanation = classifier.explain(path, "top1")
    reading = replace(explanation.reading, alerts=("Pause of 3.1 s",))
    alarming = replace(explanation, answerable=answerable, notes=("lead V1 is flat",), reading=reading)
    lines = explanation_table(alarming).splitlines()
    assert lines[:2] == ["lead V1 is flat", "ALERT  Pause of 3.1 s"]
    assert (len(lines) > 2) is answerable


@pytest.mark.parametrize(("label", "regions", "said"), [(True, 1, False), (False, 1, True), (False, 0, False)])
def test_the_table_says_that_regions_of_what_is_not_answered_are_no_finding(
    classifier, path, label, regions, said
):
    explanation = classifier.explain(path, "top1")
    (explained,) = explanation.classes
    shown = replace(explained, label=label, regions=explained.regions[:regions])
    table = explanation_table(replace(explanation, classes=(shown,)))
    assert table.endswith(NOT_ANSWERED) is said


def test_the_level_is_the_same_by_command_and_from_python():
    parser = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    assert parse_level(parser.get_default("level")) == DEFAULT_LEVEL


def test_the_level_is_the_users(model, path, tmp_path, run_command):
    files = {level: tmp_path / f"{level[:4]}.json" for level in ("percentile:50", "absolute:1e6")}
    for level, file in files.items():
        wishes = ["--classes", "AF", "--level", level, "--json", file, "--no-leads"]
        assert run_command(explain, [model, path, *wishes]).code == 0
    (half,), (nothing,) = (json.loads(file.read_text())["classes"] for file in files.values())
    assert half["level"] == pytest.approx(np.median(half["activation"]), abs=0.05)
    assert _region_rows(half) != []
    assert (nothing["level"], nothing["regions"]) == (1e6, [])


@pytest.fixture
def folder(records, tmp_path):
    """Three records; one of them is damaged."""
    data = tmp_path / "data"
    data.mkdir()
    for path in find_records(records)[:3]:
        for suffix in (".hea", ".mat"):
            shutil.copy(path.with_suffix(suffix), data)
    bad = find_records(data)[1].with_suffix(".mat")
    bad.write_bytes(bad.read_bytes()[:100])
    return data


def test_a_folders_bad_record_is_reported_and_the_others_are_explained(model, folder, tmp_path, run_command):
    out = tmp_path / "out"
    ended = run_command(explain, [model, folder, "--out", out, "--classes", "top1"])
    first, bad, last = (path.stem for path in find_records(folder))
    assert (ended.code, ended.out) == (1, f"2 explained, 1 failed: {out / INDEX}\n")
    assert re.search(rf"^{bad}: .*{bad}\.mat.*", ended.err, re.MULTILINE)
    expected = {f"{name}.{suffix}" for name in (first, last) for suffix in ("cam", "html", "json")}
    assert {path.name for path in out.iterdir()} == expected | {INDEX, EXPLANATIONS.path(out).name}
    index = (out / INDEX).read_text()
    assert [f'"{name}.html"' in index for name in (first, bad, last)] == [True, False, True]
    assert bad in index


def test_a_folder_of_which_nothing_can_be_explained_ends_with_1(model, folder, tmp_path, run_command):
    for path in folder.glob("*.mat"):
        path.write_bytes(b"")
    ended = run_command(explain, [model, folder, "--out", tmp_path / "out"])
    assert (ended.code, ended.out[:23]) == (1, "0 explained, 3 failed: ")


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (["--classes", "flu"], "flu"),
        (["--level", "sd:much"], "sd:much"),
        (["--out", "sheet.docx"], "sheet.docx: pictures are written as .*png"),
        (["--out", "sheet.png", "--lead", "V9"], "V9: cannot be drawn"),
    ],
)
def test_an_impossible_explanation_ends_with_one_line(
    model, path, wishes, words, run_command, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    ended = run_command(explain, [model, path, *wishes])
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert re.search(words, ended.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet"])
def test_the_suffix_of_a_picture_is_checked_before_anything_is_computed(model, path, name, run_command):
    ended = run_command(explain, [model, path, "--out", name])
    assert (ended.code, ended.out) == (1, "")
    assert f"{name}: pictures are written as .png, .svg, .pdf" in ended.err


@pytest.mark.parametrize("classes", ["3", "top0", "top", "top3,PAC"])
def test_an_unknown_class_names_what_may_be_given(model, path, classes, run_command):
    ended = run_command(explain, [model, path, "--classes", classes])
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert ended.err.endswith("; instead of names, give topN, such as top3, or all\n")


def test_an_unknown_class_lists_each_abbreviation_once(with_findings):
    with pytest.raises(InputError, match="no class has this code") as caught:
        named_classes(with_findings.classes, "top")
    listed = str(caught.value).split("the model knows ")[1].split(";")[0].split(", ")
    assert len(listed) == len(set(listed))


def test_a_missing_record_is_named(model, tmp_path, run_command):
    ended = run_command(explain, [model, tmp_path / "nobody"])
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "nobody" in ended.err


@pytest.mark.parametrize("wishes", [[], ["--out", "DIR", "--json", "FILE"]])
def test_a_folder_takes_a_folder_for_its_results_alone(model, records, wishes, run_command):
    ended = run_command(explain, [model, records, *wishes])
    assert ended.code == 2
    assert "a folder of records needs --out DIR" in ended.err


def test_the_report_of_one_record_has_a_path(model, path, run_command):
    ended = run_command(explain, [model, path, "--pdf"])
    assert ended.code == 2
    assert f"{path} is none; of one record write --out NAME.pdf" in ended.err
    assert "taken for the model" not in ended.err


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_in_the_place_of_the_model_is_named(records, tmp_path, run_command, there):
    out = tmp_path / "out"
    if there:
        out.mkdir()
    ended = run_command(explain, [records, out, "--pdf"])
    assert ended.code == 2
    assert f"{records} was taken for the model" in ended.err
    assert f"write MODEL {records} --out {out}" in ended.err


@pytest.mark.parametrize("there", [False, True])
def test_the_model_may_be_left_out_but_not_out(records, path, tmp_path, run_command, there):
    out = tmp_path / "out"
    if there:
        out.mkdir()
    ended = run_command(cnn_gap_command, ["explain", records, out])
    assert ended.code == 2
    assert f"; {records} was taken for the model: if its records are" in ended.err
    assert ended.err.endswith(f"to be explained, write {records} --out {out}\n")
    ended = run_command(cnn_gap_command, ["explain", path, out if there else "ecg.pdf"])
    assert ended.code == 2
    assert f"; {path} was taken for the model: if it is to be explained, write {path} --out NAME" in ended.err


def test_two_records_are_not_explained_by_the_first(records, path, run_command):
    for first in (path, records):
        ended = run_command(cnn_gap_command, ["explain", first, path])
        assert ended.code == 2
        assert f"{first} was taken for the model and is none" in ended.err
        assert ended.err.endswith("to explain records, give one of them, or a folder with --out DIR\n")


def test_a_model_that_is_named_is_not_taken_for_records(records, path, run_command):
    ended = run_command(cnn_gap_command, ["explain", "--model", records, path])
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert f"{records / 'model.json'}: not found; give a folder that training has written" in ended.err


def test_a_list_of_records_is_explained_under_its_names(model, records, tmp_path, run_command):
    first, second = find_records(records)[:2]
    (tmp_path / "list.txt").write_text(f"{first},mine\n{second}\n")
    ended = run_command(explain, [model, tmp_path / "list.txt", "--out", tmp_path / "out", "--classes", "top1"])
    assert ended.code == 0, ended.err
    assert {path.stem for path in (tmp_path / "out").glob("*.cam")} == {"mine", second.stem}
    assert json.loads((tmp_path / "out" / "mine.json").read_text())["record"] == "mine"


def test_a_record_without_a_heart_has_a_page_that_says_why_and_no_annotations(model, tmp_path, run_command):
    data = tmp_path / "data"
    data.mkdir()
    scipy.io.savemat(data / "FLAT.mat", {"val": np.zeros((12, 1000), np.int16)}, format="4")
    lines = [f"FLAT.mat 16+24 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    (data / "FLAT.hea").write_text("\n".join(["FLAT 12 100 1000", *lines, ""]))
    page, marks = tmp_path / "flat.html", tmp_path / "flat.cam"
    wishes = ["--html", page, "--annotations", marks, "--no-leads"]
    ended = run_command(explain, [model, data / "FLAT", *wishes])
    assert ended.code == 0, ended.err
    assert read_events(marks) == ()
    assert "no lead has a signal" in page.read_text()
    ended = run_command(explain, [model, data, "--out", tmp_path / "out", "--no-leads", "--pdf"])
    assert (ended.code, ended.out.split(",")[0]) == (0, "1 explained"), ended.err
    assert read_events(tmp_path / "out" / "FLAT.cam") == ()
    (sheet,) = PdfReader(tmp_path / "out" / "FLAT.pdf").pages
    assert "Not interpretable: nothing is answered: no lead has a signal" in " ".join(
        sheet.extract_text().split()
    )


@pytest.mark.parametrize("option", ["--json", "--html", "--annotations", "--out"])
def test_a_file_of_somebody_else_is_not_replaced(model, path, tmp_path, run_command, option):
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"mine")
    ended = run_command(explain, [model, path, "--no-leads", "--classes", "AF", option, mine])
    assert ended.code == 1
    assert "mine.png: is not" in ended.err
    assert mine.read_bytes() == b"mine"


@pytest.fixture
def long_path(tmp_path):
    """A record of 200 s: sinus rhythm with a ventricular run."""
    write_simulated(tmp_path, simulate_changing("L", [Part(("426783006",), 200, run=4)], 100.0, 1))
    return tmp_path / "L"


def test_a_long_record_is_explained_by_strips(model, long_path, tmp_path, run_command):
    page, content, marks = (tmp_path / f"L.{suffix}" for suffix in ("html", "json", "cam"))
    ended = run_command(explain, [model, long_path, "--html", page, "--json", content, "--annotations", marks])
    assert ended.code == 0
    assert ended.out.startswith("Abnormal ECG: ")
    assert " strips that have maps, the most urgent first" in ended.out
    assert "Ventricular tachycardia" in ended.out
    assert page.read_text().count('class="long"') == 1
    strips = json.loads(content.read_text())["strips"]
    last = strips[0]["start_s"] + 10
    assert any(strips[0]["start_s"] <= event.start_s <= last for event in read_events(marks))
    again = run_command(explain, [model, long_path, "--html", page, "--json", content, "--annotations", marks])
    assert again.code == 0


@pytest.mark.parametrize("options", [["--lead", "II"], ["--every-page"]])
def test_what_a_long_record_does_not_have_is_refused(model, long_path, tmp_path, run_command, options):
    ended = run_command(explain, [model, long_path, "--out", tmp_path / "L.pdf", *options])
    assert ended.code == 1
    assert f"{options[0]} is for records of at most 3 minutes" in ended.err
    assert ended.err.endswith("it lasts 3.3 minutes\n")
    assert not (tmp_path / "L.pdf").exists()
