"""Every code block of the README and the docs: Python is run, commands are parsed, settings are read.

The blocks of a page are run in their order and share their names, as a reader types them. A block that cannot
run here has a comment before it that no reader sees, with the reason: `<!-- skip: next "it needs Slurm" -->`.
"""

import argparse
import contextlib
import json
import re
import shlex
from importlib import import_module
from pathlib import Path
from unittest import SkipTest

import matplotlib
import numpy as np
import pytest
import yaml
from conftest import ROOT
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from cnn_gap.commands.main import main as cnn_gap_main
from cnn_gap.model.folder import read_description
from cnn_gap.predict.prediction import Prediction
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret
from cnn_gap.record import RecordFacts
from cnn_gap.report.data_frames import predictions_table
from cnn_gap.system.shipped import SHIPPED_MODEL
from cnn_gap.training.config import read_config

PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "research").rglob("*.md"),
        ROOT / "model" / "README.md",
    ]
)

#: Commands of other programs, which cannot be checked here.
OTHERS = {"docker", "wget", "ssh", "openssl", "dask", "kill", "jupyter", "for", "done", "git", "export", "npm"}

#: The beginning of a line that is cut off before its command is checked: `nice`, `time`, a folder, a variable.
PROGRAM = re.compile(r"^(?:nice -n \d+ |time )?(?:\S*/bin/)?(?:[A-Z_]+=\S+ )?")


class ParsedError(Exception):
    """The arguments of a command were parsed without an error."""


def test_the_pages_include_the_main_ones():
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "docs/index.md", "docs/how-to/cluster.md", "model/README.md"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_say_their_language(page):
    fences = re.findall(r"^ *```(.*)$", page.read_text(), re.MULTILINE)
    assert set(fences[::2]) <= {"python", "bash", "toml", "json", "yaml", "sql", "text"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_do_what_they_say(page, place, parsing):
    for example in BLOCKS.parse(page).examples():
        with contextlib.suppress(SkipTest):  # skips that block alone, not the blocks that follow it
            example.evaluate()


@pytest.mark.parametrize(
    "command",
    [
        "cnn-gap predict --bests 3 RECORD",
        "python driver.py MODEL",
        "python -m cnn_gap.simulation --no-such-option",
        'pip install "cnn-gap[everything]"',
        "make nothing",
        "sudo reboot",
    ],
)
def test_a_command_that_does_not_exist_is_found(command, parsing, capsys):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_command(shlex.split(command))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that has the files that pages name, and that may be written to."""
    for name in (
        "test_data",
        "model",
        "configs",
        "research",
        "examples",
        "weights.csv",
        "Makefile",
        "pyproject.toml",
    ):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    np.savetxt(tmp_path / "signal.csv", np.random.default_rng(0).normal(size=(5000, 3)), delimiter=",")
    table = predictions_table(predictions(), raw=False)
    table.assign(path="").to_parquet(tmp_path / "results.parquet")
    table.assign(AF=table["p_atrial_fibrillation"] > 0.5).to_csv(tmp_path / "own_labels.csv")
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    return tmp_path


def predictions():
    """Yield predictions with probabilities of atrial fibrillation from 0 to 1, and their readings."""
    classes = read_description(SHIPPED_MODEL).class_set
    for number, probability in enumerate(np.linspace(0, 1, 40)):
        values = np.full(len(classes), 0.01)
        values[classes.find("AF")] = probability
        reading = interpret(classes, values, Evidence({"rate": 60.0 + number, "qrs_ms": 90.0}))
        facts = RecordFacts(50.0, "Female")
        yield Prediction(f"R{number}", classes, values, values > 0.5, reading=reading, facts=facts)


@pytest.fixture
def parsing(monkeypatch):
    """Let every command end once its arguments are parsed."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser, arguments=None, namespace=None):
        raise ParsedError(parse(parser, arguments, namespace))

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)


def check_commands(example):
    """Check each command of a shell block."""
    text = example.parsed.replace("\\\n", " ")
    for line in text.splitlines():
        if command := PROGRAM.sub("", line.strip()):
            check_command(shlex.split(command, comments=True))


def check_command(words):
    """Check that a command exists and takes its arguments."""
    match words:
        case ["cnn-gap", "--version"] | []:
            pass
        case ["cnn-gap", *arguments]:
            require_parsed(cnn_gap_main, arguments)
        case ["python", "-m", module, *arguments] if module.startswith(("benchmarks", "cnn_gap", "research")):
            check_module(module, arguments)
        case ["python", "-m", module, *_]:
            import_module(module)
        case ["python", script, *arguments]:
            require_parsed(import_module(script.removesuffix(".py")).main, arguments)
        case ["make", *targets]:
            rules = (ROOT / "Makefile").read_text()
            named = [target for target in targets if "=" not in target]  # the others set variables
            assert all(re.search(rf"^{target}:", rules, re.MULTILINE) for target in named), targets
        case ["pip", "install", *_]:
            check_extras(" ".join(words))
        case _:
            assert words[0] in OTHERS | {"pre-commit"}, f"a command that is not known: {words}"


def check_module(module, arguments):
    """Parse the arguments of a module that is run with `python -m`."""
    package = (ROOT / module.replace(".", "/")).is_dir()
    require_parsed(import_module(f"{module}.__main__" if package else module).main, arguments)


def check_extras(command):
    """Check that pyproject.toml has the extras that a command installs."""
    about = (ROOT / "pyproject.toml").read_text()
    for extras in re.findall(r"(?:cnn-gap|\.)\[([\w,-]+)\]", command):
        for extra in extras.split(","):
            assert re.search(rf"^{extra} = \[", about, re.MULTILINE), extra


def require_parsed(main, arguments):
    """Assert that a command's arguments are as it takes them."""
    try:
        main(arguments)
    except ParsedError:
        return
    except SystemExit as end:
        pytest.fail(f"{arguments}: usage error ({end.code})")
    pytest.fail(f"{arguments}: not parsed")


def check_settings(example):
    """Read a configuration as from a file beside default.toml."""
    Path("block.toml").write_text(example.parsed.replace('base = "', 'base = "configs/'))
    read_config(Path("block.toml"))


BLOCKS = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser("bash", check_commands),
        CodeBlockParser("toml", check_settings),
        CodeBlockParser("json", lambda example: json.loads(example.parsed) and None),
        CodeBlockParser("yaml", lambda example: list(yaml.safe_load_all(example.parsed)) and None),
        SkipParser(),
    ]
)
