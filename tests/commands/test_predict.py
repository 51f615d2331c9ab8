"""The command for one record: its table, its JSON and its errors."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pandas
import pytest

import predict
from cnn_gap.classifier import load_classifier
from cnn_gap.io.sources import find_records
from cnn_gap.report.tables import prediction_json, prediction_table
from cnn_gap.simulation import simulate_record, write_simulated


@pytest.fixture(scope="module")
def classifier(model):
    return load_classifier(model)


@pytest.fixture(scope="module")
def prediction(classifier, records):
    """A prediction that answers the least probable class, and no other."""
    found = classifier.predict(find_records(records)[0])
    return replace(found, labels=found.probabilities == found.probabilities.min())


def test_the_table_has_the_most_probable_and_every_answered_diagnosis(prediction):
    heading, *lines = prediction_table(prediction, 3).splitlines()
    assert re.split(r"  +", heading) == ["Probability", "Challenge label", "Diagnosis", "Code"]
    cells = [re.split(r"  +", line) for line in lines]
    order = np.argsort(-prediction.probabilities)
    for (probability, answered, name, abbreviation, codes), index in zip(
        cells, [*order[:3], order[-1]], strict=True
    ):
        about = prediction.classes.diagnoses[index]
        assert probability == f"{prediction.probabilities[index]:.3f}"
        assert answered == ("yes" if index == order[-1] else "no")
        assert (name, abbreviation) == (about.name, about.abbreviation)
        assert tuple(codes.split(", ")) == prediction.classes.classes[index]


def test_the_table_names_equivalent_codes_and_can_be_as_long_as_there_are_classes(prediction):
    lines = prediction_table(prediction, 99).splitlines()
    assert len(lines) == 1 + len(prediction.classes)
    assert sum(line.endswith("713427006, 59118001") for line in lines) == 1


def test_the_json_has_every_class_and_null_for_what_is_not_a_number(classifier, prediction):
    probabilities = prediction.probabilities.copy()
    probabilities[1] = np.nan
    content = json.loads(
        prediction_json(replace(prediction, probabilities=probabilities), classifier.description)
    )
    assert content["record"] == prediction.name
    described = classifier.description
    assert [tuple(each["codes"]) for each in content["classes"]] == list(described.classes)
    assert [each["threshold"] for each in content["classes"]] == list(described.thresholds)
    assert [each["seen"] for each in content["classes"]] == list(described.seen)
    assert [each["label"] for each in content["classes"]] == prediction.labels.tolist()
    assert content["classes"][1]["probability"] is None
    assert content["classes"][2]["probability"] == prediction.probabilities[2]
    assert (content["classes"][0]["name"], content["classes"][0]["abbreviation"]) == (
        "1st degree AV block",
        "IAVB",
    )


def test_the_command_prints_what_the_classifier_says(model, records, classifier, run_command):
    path = find_records(records)[1]
    expected = classifier.predict(path)
    ended = run_command(predict, [model, path.with_suffix(""), "--top", "2"])
    assert (ended.code, ended.err) == (0, "")
    reading = classifier.read(path)
    assert ended.out == f"{reading}\n\n{prediction_table(expected, 2)}\n"
    ended = run_command(predict, [model, path, "--all"])
    assert ended.out == f"{reading}\n\n{prediction_table(expected, len(classifier.classes))}\n"
    ended = run_command(predict, [model, path, "--json"])
    content = json.loads(ended.out)
    found = [each["probability"] for each in content["classes"]]
    np.testing.assert_allclose(found, expected.probabilities, atol=1e-6)
    assert content["reading"]["conclusion"] == reading.conclusion
    assert content["reading"] == json.loads(json.dumps(reading.to_dict()))
    assert content["reading"]["not_assessed"][0].startswith("ventricular")
    assert (content["age"], content["sex"]) == (classifier.predict(path).facts.age, "Male")


def test_several_records_and_a_failing_one(model, records, classifier, tmp_path, run_command):
    paths = find_records(records)[:2]
    expected = [classifier.predict(path) for path in paths]
    arguments = [model, paths[0], tmp_path / "absent", paths[1]]
    ended = run_command(predict, [*arguments, "--top", "1"])
    tables = [
        f"{each.name}\n{classifier.read(path)}\n\n{prediction_table(each, 1)}"
        for path, each in zip(paths, expected, strict=True)
    ]
    assert (ended.code, ended.out) == (1, "\n\n".join(tables) + "\n")
    assert ended.err.startswith("absent: ")
    ended = run_command(predict, [*arguments, "--csv"])
    frame = pandas.read_csv(io.StringIO(ended.out))
    assert frame["record"].tolist() == [path.stem for path in paths]
    assert frame["interpretation"].tolist() == [each.reading.interpretation for each in expected]
    assert "AF_probability" not in frame
    frame = pandas.read_csv(io.StringIO(run_command(predict, [*arguments, "--csv", "--all"]).out))
    np.testing.assert_allclose(
        frame["AF_probability"], [each["AF"].probability for each in expected], atol=1e-6
    )
    ended = run_command(predict, [*arguments, "--json"])
    assert [each["record"] for each in json.loads(ended.out)] == [path.stem for path in paths]


def test_the_reading_alone_is_shown_unless_told_otherwise(model, records, classifier, run_command):
    path = find_records(records)[2]
    ended = run_command(predict, [model, path])
    assert ended.out == f"{classifier.read(path)}\n"


def test_diagnoses_never_seen_are_named_once_beside_the_outputs(model, records, tmp_path, run_command):
    content = json.loads((model / "model.json").read_text())
    content["seen"][0], content["thresholds"][0] = False, None
    (tmp_path / "model.json").write_text(json.dumps(content))
    (tmp_path / "model.keras").write_bytes((model / "model.keras").read_bytes())
    ended = run_command(predict, [tmp_path, find_records(records)[0], "--top", 1])
    assert ended.err.count("\n") == 1
    assert "never seen" in ended.err
    assert "1st degree AV block" in ended.err
    ended = run_command(predict, [tmp_path, find_records(records)[0], "--json"])
    assert ended.err == ""
    assert json.loads(ended.out)["classes"][0]["seen"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("model", "missing"), 1, "missing"),
        (("nowhere", "record"), 1, "model.json: not found"),
        (("model", "record", "--top", "-1"), 2, "--top"),
        (("model", "record", "--top", "few"), 2, "must be a whole number from 0; received 'few'"),
        (("model",), 2, "RECORD"),
    ],
)
def test_an_impossible_command_ends_with_one_line(model, records, tmp_path, run_command, arguments, code, said):
    places = {
        "model": model,
        "nowhere": tmp_path,
        "record": find_records(records)[0],
        "missing": tmp_path / "missing",
    }
    ended = run_command(predict, [places.get(each, each) for each in arguments])
    assert ended.code == code
    assert said in ended.err
    assert ended.out == ""


def test_a_long_record_has_files_of_what_happened_when(run_command, model, tmp_path):
    write_simulated(tmp_path, simulate_record("L", ("426783006",), 100.0, 40.0, 1))
    files = [tmp_path / name for name in ("t.csv", "e.csv", "b.atr")]
    options = [
        text for pair in zip(("--timeline", "--episodes", "--beats"), files, strict=True) for text in pair
    ]
    ran = run_command(predict, [model, tmp_path / "L", *options])
    assert (ran.code, "0:40 of 0:40 analysed" in ran.out) == (0, True)
    assert all(file.stat().st_size for file in files)
    assert (
        json.loads(run_command(predict, [model, tmp_path / "L", "--json"]).out)["summary"]["duration_s"] == 40
    )


def test_a_short_record_has_no_file_of_episodes(run_command, model, records, tmp_path):
    ran = run_command(predict, [model, find_records(records)[0], "--episodes", tmp_path / "e.csv"])
    assert ran.code == 1
    assert "two windows or less" in ran.err
    assert not (tmp_path / "e.csv").exists()
