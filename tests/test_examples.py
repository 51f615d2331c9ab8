"""The examples run, and print the classifier's answers."""

import ast
import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from cnn_gap.classifier import load_classifier
from cnn_gap.io.sources import find_records


def run_example(name, *arguments):
    command = [sys.executable, f"examples/{name}", *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_from_dicom_and_arrays_to_answers_and_a_figure(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")
    run_example("hospital.py", tmp_path)
    table = pandas.read_csv(tmp_path / "archive.csv")
    assert table["record"].tolist() == ["P1", "P2", "P3", "P4"]
    assert table["AF_label"].tolist() == [False, True, False, False]
    assert "a format that is not known" in table["failure"][3]
    assert (tmp_path / "P2.png").read_bytes().startswith(b"\x89PNG")


def test_onnxruntime_gives_the_classifiers_probabilities_without_keras(model, records, tmp_path):
    from cnn_gap.model.export import export_network

    classifier = load_classifier(model)
    export_network(classifier.trained, classifier.description, tmp_path / "model.onnx")
    path = find_records(records)[0]
    lines = run_example("onnx_without_keras.py", tmp_path / "model.onnx", path).splitlines()
    found = [float(line.split(",")[1]) for line in lines]
    np.testing.assert_allclose(found, classifier.predict(path).probabilities, atol=1e-4)


def notebook_outputs(name):
    """Execute the code cells of a notebook and return the value that each shows, of its last expression.

    The cells run in this process: a kernel would be another process that starts TensorFlow, and five packages.
    """
    notebook = json.loads((ROOT / "examples" / name).read_text())
    shown, names = [], {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert not cell["outputs"], "notebooks are kept without outputs"
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), name, "exec"), names)
        shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names) if last else None)
    return shown


def test_the_notebook_runs_and_shows_tables_and_pictures(monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(ROOT / "examples")
    shown = notebook_outputs("first_steps.ipynb")
    kinds = [type(each).__name__ for each in shown]
    assert kinds[:4] == ["list", "Classifier", "Prediction", "tuple"]
    for kind, shows in {
        "Prediction": 2,
        "Explanation": 1,
        "Measurements": 1,
        "Picture": 2,
        "DataFrame": 1,
    }.items():
        assert kinds.count(kind) == shows
        form = "_repr_png_" if kind == "Picture" else "_repr_html_"
        assert all(getattr(each, form)() for each in shown if type(each).__name__ == kind)
    probability, answered = shown[3]
    assert 0 <= probability <= 1
    assert len(set(answered)) == len(answered) > 0
    assert [failure.startswith("../test_data/ABSENT") for _, failure in shown[9]] == [False, False, True]
