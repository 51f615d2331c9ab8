"""The cost of a start: modules that are not needed are not imported."""

import json
import os
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

#: Modules whose import takes from half a second to seconds.
HEAVY = ("tensorflow", "keras", "jax", "scipy.signal", "pandas", "matplotlib")

RECORD = "test_data/SIM0008"

#: Code that runs a script, and prints which modules of a list it has imported, and its exit code.
SCRIPT = """
import json, runpy, sys
heavy, sys.argv = json.loads(sys.argv[1]), sys.argv[2:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    print(json.dumps([[name for name in heavy if name in sys.modules], end.code]))
"""


def imported_by(*arguments):
    """Return which heavy modules a script has imported at its end, and its exit code."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(HEAVY), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("script", ["train_model", "driver", "evaluate_model"])
def test_help_needs_nothing_heavy(script):
    assert imported_by(f"{script}.py", "--help") == ([], 0)


def test_the_package_and_its_commands_need_nothing_heavy():
    code = f"import sys, cnn_gap, cnn_gap.commands.main; assert not {set(HEAVY)} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_evaluating_needs_nothing_heavy(tmp_path):
    (tmp_path / "SIM0001.hea").write_bytes((ROOT / "test_data" / "SIM0001.hea").read_bytes())
    (tmp_path / "SIM0001.csv").write_text("#SIM0001\n426783006\n1\n0.9\n")
    assert imported_by("evaluate_model.py", tmp_path, tmp_path, tmp_path / "scores.csv") == ([], 0)
    assert (tmp_path / "scores.csv").exists()


def test_what_is_wrong_shows_before_anything_heavy(tmp_path):
    assert imported_by("driver.py", ROOT / "model", tmp_path / "absent", tmp_path / "out") == ([], 1)


@pytest.mark.parametrize(
    "arguments", [("predict.py", "model", RECORD), ("explain.py", "model", RECORD, "--json", os.devnull)]
)
def test_a_record_is_classified_and_explained_without_tensorflow(arguments):
    imported, code = imported_by(*arguments)
    assert code == 0
    assert not {"keras", "tensorflow", "jax"} & set(imported)


def test_a_folder_is_classified_without_tensorflow(tmp_path):
    imported, code = imported_by("driver.py", "model", "test_data", tmp_path / "out")
    assert code == 0
    assert not {"keras", "tensorflow", "jax", "pandas", "matplotlib"} & set(imported)


def test_python_classifies_where_tensorflow_is_not_installed():
    code = (
        "import sys; sys.modules |= dict.fromkeys(('keras', 'tensorflow', 'jax'))\n"
        "from cnn_gap import InputError, load_classifier\n"
        f"assert load_classifier().predict('{RECORD}').answerable\n"
        f"try: load_classifier(runtime='keras').predict('{RECORD}')\n"
        "except InputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install 'cnn-gap[train]'" in done.stdout


def test_requirements_are_those_of_prediction_and_training():
    with (ROOT / "pyproject.toml").open("rb") as file:
        training = tomllib.load(file)["project"]["optional-dependencies"]["train"]
    listed = (ROOT / "requirements.txt").read_text().splitlines()
    assert sorted(training) == sorted(line for line in listed if line.startswith(("keras", "tensorflow")))


def test_keras_starts_without_what_it_has_for_others(tmp_path):
    (tmp_path / "SIM0008.hea").write_bytes((ROOT / "test_data" / "SIM0008.hea").read_bytes())
    (tmp_path / "SIM0008.mat").write_bytes((ROOT / "test_data" / "SIM0008.mat").read_bytes())
    imported, code = imported_by("driver.py", "model", tmp_path, tmp_path / "out", "--runtime", "keras")
    assert code == 0
    assert "keras" in imported
    assert not {"pandas", "matplotlib"} & set(imported)


def test_what_keras_started_without_can_be_imported_later():
    code = (
        "import sys, wave; from cnn_gap.system.backend import _hidden\n"
        "with _hidden(('wave', 'colorsys')):\n"
        "    import wave\n"
        "    try: import colorsys\n"
        "    except ImportError: pass\n"
        "    else: sys.exit('not hidden')\n"
        "import colorsys"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
