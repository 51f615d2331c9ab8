"""The commands of the benchmarks start and are listed; timing and tables."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.common import Classified, Study, Table, interleaved
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.simulation import draw_codes, simulate_record, write_simulated
from cnn_gap.system.errors import InputError

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for folder in ("benchmarks", "research")
    for path in (ROOT / folder).rglob("*.py")
    if "teachers" not in path.parts
)
#: The modules that are commands.
COMMANDS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for path in MODULES
    if "\n    run(main)\n" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_is_listed(name, capsys):
    module = importlib.import_module(f"{name}.__main__" if name == "benchmarks.torture" else name)
    with pytest.raises(SystemExit) as end:
        module.main(["-h"])
    assert end.value.code == 0
    assert f"usage: python -m {name}" in capsys.readouterr().out
    listed = ROOT / name.partition(".")[0] / "README.md"
    assert f"python -m {name}" in listed.read_text(encoding="utf-8")


def test_every_round_begins_with_the_next_task():
    calls = []
    times = interleaved({name: lambda name=name: calls.append(name) for name in "abc"}, rounds=2)
    assert "".join(calls) == "abcbca"
    assert set(times) == set("abc")


def test_a_table_is_markdown_with_three_digits():
    table = Table("a", ("b", "c"), (("x", 0.123456, 12345.6), ("y", 5, float("nan"))))
    assert str(table) == "| a | b | c |\n| --- | ---: | ---: |\n| x | 0.123 | 12346 |\n| y | 5 | - |"


def test_some_of_the_classified_records():
    labels = np.zeros((3, 24), bool)
    labels[[0, 2], 0] = True
    probabilities = labels * 0.9
    probabilities[2, 0] = 0
    records = Classified(read_weights(), ("A1", "A2", "E1"), labels, labels, probabilities)
    some = records[np.array([True, True, False])]
    assert (records.auroc, some.auroc, some.challenge_metric) == (0.75, 1.0, 1.0)
    assert some.names == ("A1", "A2")
    unlabelled = records[np.array([1])]
    assert np.isnan([unlabelled.auroc, unlabelled.challenge_metric]).all()


def test_records_without_known_diagnoses_are_refused(tmp_path, with_findings):
    from dataclasses import replace

    write_simulated(tmp_path, replace(simulate_record("A1", draw_codes(0), 100.0, 10.0, seed=0), codes=("1",)))
    with pytest.raises(InputError, match="no record has a diagnosis of the model's classes"):
        Study(with_findings, {"data": tmp_path}).classified()


def test_the_records_of_a_training_are_divided_as_its_model_says(model, records, tmp_path, run_command):
    from benchmarks import partition
    from cnn_gap.io.sources import find_records
    from cnn_gap.model.folder import read_description

    result = run_command(partition, [model, records, tmp_path])
    assert result.code == 0, result.err
    training, validation = (find_records(tmp_path / name) for name in ("training", "validation"))
    about = read_description(model).training
    assert (len(training), len(validation)) == (about["training_records"], about["validation_records"])
    assert {path.stem for path in training + validation} == {path.stem for path in find_records(records)}

    (other := tmp_path / "other").mkdir()
    for path in records.glob("SIM000*"):
        (other / path.name).symlink_to(path)
    result = run_command(partition, [model, other, tmp_path])
    assert result.code == 1
    assert "must be divided into" in result.err


def test_the_answers_of_the_shipped_model_are_those_of_its_test(tmp_path, run_command):
    from benchmarks import shipped_probabilities

    out = tmp_path / "answers.json"
    arguments = [ROOT / "model", "--data", ROOT / "test_data", "--out", out]
    assert run_command(shipped_probabilities, arguments).code == 0
    written, kept = (
        json.loads(path.read_text()) for path in (out, ROOT / "tests" / "shipped_probabilities.json")
    )
    assert list(written) == list(kept)
    np.testing.assert_allclose(list(written.values()), list(kept.values()), atol=1e-4)
