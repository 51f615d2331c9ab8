"""The command that scores a folder of outputs, and how commands end."""

import subprocess
import sys
from pathlib import Path

import pytest

import evaluate_model
from cnn_gap.diagnoses.classes import NORMAL_CODE
from cnn_gap.system import exit_codes
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_WEIGHTS

PROJECT = Path(evaluate_model.__file__).parent
REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
CASES = ("plain", "reordered", "spelling", "malformed", "tiny")


def reference_case(name: str) -> Path:
    folder = REFERENCE / "evaluator_cases" / name
    if not folder.is_dir():
        pytest.skip(f"the official evaluator's reference cases are not at {REFERENCE}")
    return folder


@pytest.fixture
def folders(tmp_path):
    """Two records, one of them classified rightly."""
    labels, outputs = tmp_path / "labels", tmp_path / "outputs"
    labels.mkdir()
    outputs.mkdir()
    for name, diagnosis in (("A1", NORMAL_CODE), ("A2", "164889003")):
        (labels / f"{name}.hea").write_text(f"{name} 12 500 5000\n#Dx: {diagnosis}\n")
        (outputs / f"{name}.csv").write_text(f"#{name}\n{NORMAL_CODE},164889003\n1,0\n0.9,0.1\n")
    return labels, outputs


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess:
    call = [sys.executable, str(PROJECT / "evaluate_model.py"), *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, timeout=60, **options)


@pytest.mark.parametrize("weights", ["weights.csv", "weights_2020.csv"])
@pytest.mark.parametrize("name", CASES)
def test_files_equal_the_official_evaluators(name, weights, tmp_path):
    case = reference_case(name)
    weights = SHIPPED_WEIGHTS if weights == "weights.csv" else REFERENCE / weights
    scores, class_scores = tmp_path / "scores.csv", tmp_path / "class_scores.csv"
    paths = (case / "labels", case / "outputs", scores, class_scores, "--weights", weights)
    evaluate_model.main([str(path) for path in paths])
    assert scores.read_bytes() == (case / "scores.csv").read_bytes()
    assert class_scores.read_bytes() == (case / "class_scores.csv").read_bytes()


@pytest.mark.parametrize("name", ["plain", "reordered", "tiny"])
def test_common_figures_equal_the_2021_evaluators(name, tmp_path):
    case = reference_case(name)
    paths = (
        case / "labels",
        case / "outputs",
        tmp_path / "scores.csv",
        "--weights",
        REFERENCE / "weights_2021.csv",
    )
    evaluate_model.main([str(path) for path in paths])
    ours, theirs = (
        dict(zip(*(line.split(",") for line in path.read_text().split("\n")), strict=True))
        for path in (tmp_path / "scores.csv", case / "scores_2021.csv")
    )
    assert {name: ours[name] for name in theirs} == theirs
    assert len(theirs) == 5


def test_scores_are_printed_where_no_file_is_given(folders, capsys):
    evaluate_model.main([str(folder) for folder in folders])
    assert capsys.readouterr().out == (
        "AUROC,AUPRC,Accuracy,F-measure,Fbeta-measure,Gbeta-measure,Challenge metric\n"
        "0.500,0.500,0.500,0.333,0.417,0.250,0.000\n"
    )


def test_nothing_is_printed_where_a_file_is_given(folders, tmp_path, capsys):
    evaluate_model.main([*map(str, folders), str(tmp_path / "scores.csv")])
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "scores.csv").read_text().endswith("\n")


def test_a_terminal_gets_a_table_too(folders, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    evaluate_model.main([str(folder) for folder in folders])
    assert "Atrial fibrillation" in capsys.readouterr().out


def test_weights_without_a_normal_class_switch_the_metric_off(folders, tmp_path, capsys):
    weights = tmp_path / "weights.csv"
    weights.write_text(",164889003,LVH\n164889003,1,0\nLVH,0,1\n")
    evaluate_model.main([*map(str, folders), "--weights", str(weights)])
    printed = capsys.readouterr()
    assert printed.out.strip().endswith(",nan")
    assert printed.err.count("\n") == 1
    assert "no normal class" in printed.err


def test_malformed_files_are_told(folders, capsys):
    (folders[1] / "A2.csv").write_text("")
    evaluate_model.main([str(folder) for folder in folders])
    assert "A2.csv" in capsys.readouterr().err


def test_the_command_ends_with_the_right_codes(folders, tmp_path):
    done = run(*folders)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("AUROC,")
    (folders[1] / "A1.csv").unlink()
    missing = run(*folders)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("error: ")
    assert missing.stderr.count("\n") == 1
    assert "A1.csv" in missing.stderr
    assert run().returncode == 2
    assert "--weights" in run("-h").stdout


def test_a_place_that_cannot_be_written_is_one_line(folders, tmp_path):
    (tmp_path / "file").write_text("")
    refused = run(*folders, tmp_path / "file" / "scores.csv")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1


def test_a_reader_who_leaves_is_no_traceback(folders):
    call = [sys.executable, str(PROJECT / "evaluate_model.py"), *map(str, folders)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        (InputError("x.hea: is bad"), 1, "error: x.hea: is bad\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (PermissionError(13, "Permission denied", "x.csv"), 1, "error: x.csv: Permission denied\n"),
    ],
)
def test_run_turns_what_a_user_causes_into_one_line(end, code, message, capsys):
    def main(arguments):
        raise end

    with pytest.raises(SystemExit) as left:
        exit_codes.run(main)
    assert left.value.code == code
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (1, 1)])
def test_run_leaves_with_the_code_of_main(returned, code):
    with pytest.raises(SystemExit) as left:
        exit_codes.run(lambda arguments: returned)
    assert left.value.code == code


def test_run_lets_defects_through():
    def main(arguments):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_codes.run(main)


def test_results_of_another_models_classes_are_told(folders, tmp_path, capsys):
    for path in folders[1].iterdir():
        path.write_text(f"#{path.stem}\nNORM,AFIB\n1,0\n0.9,0.1\n")
    evaluate_model.main([*map(str, folders), str(tmp_path / "scores.csv")])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "2 of the 2 classes that the labels have are in no result file" in printed.err


@pytest.mark.parametrize("reward", ["1e308", "-1e7", "nan"])
def test_rewards_that_are_none_are_refused(folders, tmp_path, reward):
    weights = tmp_path / "weights.csv"
    weights.write_text(f",{NORMAL_CODE},164889003\n{NORMAL_CODE},1,{reward}\n164889003,0,1\n")
    with pytest.raises(InputError, match=r"weights\.csv: "):
        evaluate_model.main([*map(str, folders), "--weights", str(weights)])
