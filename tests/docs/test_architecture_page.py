"""The examples of ARCHITECTURE.md, carried out on a copy of the package, and its table of folders."""

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise

import numpy as np
import pytest
from conftest import ROOT

BLOCKS = re.findall(r"```(?:python|text)\n(.*?)```", (ROOT / "ARCHITECTURE.md").read_text(), re.DOTALL)


@pytest.fixture
def copy(tmp_path):
    """A copy of the package with the files that ship beside it."""
    shutil.copytree(ROOT / "cnn_gap", tmp_path / "cnn_gap", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("model", "configs", "weights.csv", "test_data"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def block_with(text):
    (found,) = [block for block in BLOCKS if text in block]
    return found


def insert_after(path, pattern, text):
    """Insert text behind the first match of a pattern."""
    content = path.read_text()
    end = re.search(pattern, content).end()
    path.write_text(content[:end] + text + content[end:])


def run_python(folder, code):
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split("\n")


def test_a_format_is_one_module_and_one_line(copy):
    source = block_with("HEARTBOX")
    (copy / source.split("\n")[0].removeprefix("# ")).write_text(source)
    registry = copy / "cnn_gap/io/registry.py"
    insert_after(registry, r"from cnn_gap\.io\.formats import \(\n", "    heartbox,\n")
    insert_after(registry, r"\nFORMATS(: [^=]*)? = \(\n", block_with('Format("HeartBox"'))
    samples = np.arange(8000, dtype="<i2").reshape(1000, 8)
    for name in ("folder/A.hbx", "folder/B"):  # known by its content too
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_bytes(b"HEARTBOX" + np.array(500, "<i2").tobytes() + samples.tobytes())
    (copy / "folder/C.hbx").write_bytes(b"HEARTBOX" + b"\0" * 7)
    lines = run_python(
        copy,
        "import cnn_gap\n"
        "record = cnn_gap.read_record('folder/A.hbx')\n"
        "print(cnn_gap.__file__)\n"
        "print(record)\n"
        "print((record.signal[1, [0, 1, 6]] * 1000).round().astype(int).tolist())\n"
        "try: cnn_gap.read_record('folder/C.hbx')\n"
        "except cnn_gap.InputError as error: print(error)\n",
    )
    assert lines[0].startswith(str(copy))
    assert lines[1].startswith("<Record 'A': 2 s at 500 Hz, leads I, II, III, aVR")
    assert lines[2] == "[40, 45, 50]"
    assert "does not end with a whole sample" in lines[3]
    inspected = [sys.executable, "-m", "cnn_gap", "inspect", "folder"]
    said = subprocess.run(inspected, cwd=copy, capture_output=True, text=True, check=False).stdout
    assert re.search(r"^ *2 +HeartBox$", said, re.MULTILINE), said


def test_a_shipped_model_is_one_entry(copy):
    (copy / "models").mkdir()
    (copy / "models/ptbxl-leads2").symlink_to(ROOT / "model")
    catalogue = copy / "cnn_gap/model/catalogue.py"
    insert_after(catalogue, r"MappingProxyType\(\s*\{[^}]*?,(?=\s*\})", "\n" + block_with("ptbxl-leads2"))
    lines = run_python(
        copy,
        "import cnn_gap\n"
        "print(cnn_gap.__file__)\n"
        "print(cnn_gap.list_models())\n"
        "print(cnn_gap.load_classifier('ptbxl-leads2').predict('test_data/SIM0008').top(1)[0][0].name)\n",
    )
    assert lines[0].startswith(str(copy))
    assert lines[1] == "['ptbxl-100hz', 'ptbxl-100hz-focused', 'ptbxl-leads2']"
    assert lines[2] == "Sinus rhythm"


def test_every_folder_and_layer_is_in_the_table():
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## The way of a record")[0]
    named = [name.strip("/").removesuffix(".py") for name in re.findall(r"`([\w.]+/?)`", table)]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = settings["contracts"][0]["layers"][1:]  # without __main__
    assert {name.strip() for layer in layers for name in layer.split("|")} <= set(named)
    for upper, lower in pairwise(layers):
        places = [[named.index(name.strip()) for name in layer.split("|")] for layer in (upper, lower)]
        assert max(places[0]) < min(places[1]), (upper, lower)


def test_modules_that_are_named_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text().split("## Example: a format")[0]
    paths = re.findall(r"`([a-z_]+/[\w/.]*)`", text)
    assert [
        path for path in paths if not (ROOT / "cnn_gap" / path).exists() and not (ROOT / path).exists()
    ] == []
