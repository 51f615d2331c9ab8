"""The command that measures a model, its JSON and its page."""

import json
import math
import re
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.common import Table
from benchmarks.estimates import Estimate
from benchmarks.page import flat, page, tables_of
from benchmarks.results import PARTS, Part

ROOT = Path(__file__).parents[2]
TABLE = Table(
    "lengths",
    ("AUROC", "maps", "share of LAO/LAE"),
    (
        ("first 4 s", 0.9, 3, Estimate(0.5, 0.4, 0.6)),
        ("first 2 s", math.nan, 0, Estimate(0.1, math.nan, math.nan)),
    ),
)


def test_figures_have_flat_keys_and_come_back_as_tables():
    figures = flat(TABLE)
    assert figures["lengths / first 4 s / share of LAO/LAE low"] == 0.4
    assert figures["lengths / first 2 s / AUROC"] is None
    read = json.loads(json.dumps(figures, allow_nan=False))
    assert str(tables_of(read)["lengths"]) == str(TABLE)


def test_a_page_has_figures_tables_and_what_is_missing():
    figures = flat(TABLE) | {"model / name": "m", "part / lengths / measured": "today"}
    figures |= {"part / lengths / command": "python", "part / lengths / records": "3 records"}
    template = (
        "{{ figure('model', 'name') }}: {{ figure('lengths', 'first 4 s', 'AUROC') }},"
        " {{ figure('lengths', 'first 2 s', 'AUROC') }}\n\n{{ table('lengths') }}\n\n{{ table('waves') }}\n"
        "{{ measured('lengths') }} {{ measured('waves') }}\n"
    )
    lines = page(template, figures).splitlines()
    assert lines[0] == "m: 0.900, (not measured)"
    assert lines[2:6] == str(TABLE).splitlines()
    assert lines[7:] == ["Not measured.", "`python`; 3 records; today Not measured."]


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    return folder


@pytest.fixture
def measured(monkeypatch):
    """Two parts that count how often they are measured; the second one fails when told to."""
    calls: list[str] = []

    def lengths(study):
        calls.append("lengths")
        yield TABLE

    def waves(study):
        calls.append("waves")
        if "fail" in calls:
            raise KeyboardInterrupt
        yield Table("waves", ("maps",), (("all", 2),))

    class Network:
        def count_params(self):
            return 7

    monkeypatch.setattr(results, "PARTS", (Part("lengths", (), lengths), Part("waves", ("ludb",), waves)))
    monkeypatch.setattr(results, "start_classifier", lambda model: type("C", (), {"network": Network()})())
    return calls


def test_a_stopped_measurement_is_resumed_and_keeps_measured_parts(tmp_path, records, model_folder, measured):
    out = tmp_path / "out"
    out.mkdir()
    (out / "template.md").write_text("{{ figure('waves', 'all', 'maps') }} of {{ figure('model', 'name') }}\n")
    arguments = [str(model_folder), "--ludb", str(records), "--out", str(out)]
    measured.append("fail")
    with pytest.raises(KeyboardInterrupt):
        results.main(arguments)
    assert not (out / "my-model.md").exists()
    measured.remove("fail")
    results.main(arguments)
    results.main(arguments)
    assert measured == ["lengths", "waves", "waves"]
    assert (out / "my-model.md").read_text() == "2 of my-model\n"
    figures = json.loads((out / "my-model.json").read_text())
    assert figures["model / parameters"] == 7
    assert figures["part / waves / command"].endswith(f"--ludb {records.name} --only waves")
    results.main([*arguments, "--again", "--only", "lengths"])
    assert measured.count("lengths") == 2


def test_figures_of_another_model_and_a_missing_template_are_refused(
    tmp_path, model_folder, measured, run_command
):
    out = tmp_path / "out"
    out.mkdir()
    result = run_command(results, [model_folder, "--out", out])
    assert (result.code, "template.md: is missing" in result.err) == (1, True)
    (out / "template.md").write_text("")
    assert run_command(results, [model_folder, "--out", out]).code == 0
    (model_folder / "model.json").write_text("[]")
    result = run_command(results, [model_folder, "--out", out])
    assert (result.code, "holds the figures of another model" in result.err) == (1, True)


def test_parts_without_their_records_are_left_out(model_folder, measured, capsys):
    results.main([str(model_folder)])
    assert measured == ["lengths"]
    assert capsys.readouterr().out.startswith("| lengths | AUROC |")


def test_the_template_of_the_docs_names_the_parts_that_there_are():
    path = ROOT / "docs" / "results" / "template.md"
    if not path.is_file():
        pytest.skip("the docs are absent")
    template = path.read_text(encoding="utf-8")
    named = set(re.findall(r"measured\(\"(\w+)\"\)", template))
    assert named == {part.name for part in PARTS}
