"""The benchmarks start, explain themselves and are listed."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.common import interleaved, table

ROOT = Path(__file__).parents[2]
#: What the benchmarks share.
PARTS = {"__init__", "runs", "pointing", "faithfulness", "sanity", "peers_networks"}
#: And of one room, whose package is a command by itself.
PARTS |= {"__main__", "commands", "damage", "kinds", "materials", "worker"}
NAMES = sorted(
    f"{path.parent.name}.{path.stem}" for path in (ROOT / "benchmarks").glob("*/*.py") if path.stem not in PARTS
)


@pytest.mark.parametrize("name", NAMES)
def test_help(name):
    command = [sys.executable, "-m", f"benchmarks.{name}", "-h"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"usage: python -m benchmarks.{name}" in result.stdout


def test_readme_lists_every_benchmark():
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert NAMES
    assert [name for name in NAMES if f"python -m benchmarks.{name}" not in readme] == []


def test_every_round_begins_with_the_next_task():
    calls = []
    times = interleaved({name: lambda name=name: calls.append(name) for name in "abc"}, rounds=2)
    assert "".join(calls) == "abcbca"
    assert set(times) == set("abc")


def test_table():
    rows = [("x", 0.123456, 12345.6), ("y", 5, "-")]
    expected = "| a | b | c |\n| --- | ---: | ---: |\n| x | 0.123 | 12346 |\n| y | 5 | - |"
    assert table(("a", "b", "c"), rows) == expected
