"""A small part of the torture benchmark, and the outcomes that it counts as faults."""

import os
import sys
import time
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.torture import __main__ as torture
from benchmarks.torture import kills, long, soak, worker
from benchmarks.torture.damage import damaged_bytes, damaged_text
from benchmarks.torture.kinds import PLAIN, Kind
from benchmarks.torture.materials import make_materials
from benchmarks.torture.worker import ANSWERED, REFUSED, kind_of, run_case
from cnn_gap.classifier import load_classifier
from cnn_gap.io.records import read_record
from cnn_gap.io.registry import FORMATS
from cnn_gap.predict.prediction import failed_prediction
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError


@pytest.fixture(scope="module")
def materials(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torture") / "materials"
    make_materials(folder)
    return folder


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(1, 2**31))
@example(seed=249505)  # amplitudes beyond float32
def test_no_damage_is_more_than_refused(materials, seed):
    kind, random = kind_of(PLAIN, seed, 0)
    outcome, about = run_case(kind, materials, random)
    assert outcome in (ANSWERED, REFUSED), f"{kind.name}: {about}"


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.name)
def test_every_kind_is_answered_while_it_is_whole(materials, kind, monkeypatch):
    for place in ("kinds.damaged_text", "kinds.damaged_bytes"):
        monkeypatch.setattr(f"benchmarks.torture.{place}", lambda content, random: content)
    assert run_case(kind, materials, Random(1)) == (ANSWERED, "")


def test_every_format_that_is_read_is_damaged():
    of_their_own = {"WFDB", "MATLAB"}
    assert {form.name for form in FORMATS} - of_their_own == set(WRITERS)
    assert {f"{name} files" for name in WRITERS} <= {kind.name for kind in PLAIN}


def test_a_case_repeats_itself():
    assert [kind_of(PLAIN, 5, 7)[0].name] * 2 == [kind_of(PLAIN, 5, 7)[0].name for _ in range(2)]
    assert len({kind_of(PLAIN, 5, index)[0].name for index in range(200)}) > 15
    for damaged, whole in ((damaged_text, "A 1 2\n" * 20), (damaged_bytes, bytes(range(256)))):
        assert damaged(whole, Random(3)) == damaged(whole, Random(3))
        assert sum(damaged(whole, Random(seed)) != whole for seed in range(50)) > 40


def _raising(error):
    def run(materials, folder, random):
        raise error

    return Kind("made", 1, run)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (_raising(InputError("a.hea: is bad")), REFUSED),
        (_raising(InputError("")), "message"),
        (_raising(InputError("a.hea: cannot be read (MemoryError: )")), "memory"),
        (_raising(MemoryError()), "memory"),
        (_raising(ZeroDivisionError()), "traceback"),
        (_raising(SystemExit(0)), "traceback"),
        (Kind("made", 1, lambda *_: "neighbour: A1 has another answer"), "neighbour"),
        (Kind("made", 1, lambda *_: None), ANSWERED),
    ],
)
def test_each_outcome_of_a_case_is_recognised(tmp_path, kind, outcome):
    assert run_case(kind, tmp_path, Random(1))[0] == outcome


def _follow(monkeypatch, tmp_path, code, **limits):
    """Run a child process with this code over three cases; return the counts of outcomes."""
    monkeypatch.setitem(torture.LIMITS, "plain", (limits.get("seconds", 60.0), limits.get("memory", 1.5e9)))
    script = tmp_path / "child.py"
    begin = "import json, os, signal, sys, time\nfirst, step = int(sys.argv[3]), int(sys.argv[5])\n"
    report = "def say(index, outcome): print(json.dumps([index, 'made', outcome, '']), flush=True)\n"
    script.write_text(begin + report + code)
    popen = torture.subprocess.Popen

    def start(command, **options):
        return popen([sys.executable, str(script), *command[3:]], **options)

    monkeypatch.setattr(torture.subprocess, "Popen", start)
    tally = torture.Tally()
    torture._watch("plain", 0, range(0, 3), tmp_path, time.monotonic() + 60, tally)
    return dict(tally.counts["made"])


ALL_BUT = """
for index in range(first, 3, step):
    say(index, 'begun')
    if index == 1: {}
    say(index, 'answered')
"""


@pytest.mark.parametrize(
    ("code", "limits", "fault"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", {}, "death -11"),
        ("time.sleep(1000)", {"seconds": 0.3}, "hang"),
        ("any(iter(int, 1))", {"seconds": 1.0}, "hang"),
        ("held = bytearray(os.urandom(1)) * (300 << 20); time.sleep(1000)", {"memory": 200e6}, "memory"),
    ],
)
def test_a_lost_child_costs_its_case_alone(monkeypatch, tmp_path, code, limits, fault):
    assert _follow(monkeypatch, tmp_path, ALL_BUT.format(code), **limits) == {ANSWERED: 2, fault: 1}


@pytest.mark.minutes
def test_commands_under_damage(capsys):
    assert torture.main(["--cases", "12", "--keras", "10", "--jobs", "1"]) == 0, capsys.readouterr().out


@pytest.mark.minutes
@pytest.mark.skipif(os.name != "posix", reason="this system has no SIGKILL")
def test_killed_jobs_go_on(capsys):
    assert kills.main(["--kills", "2", "--fills", "1"]) == 0, capsys.readouterr().out


@pytest.mark.minutes
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not tell of its processes")  # noqa: PTH112
def test_a_short_soak_is_steady(capsys):
    assert soak.main(["--records", "150", "--longest", "30"]) == 0, capsys.readouterr().out


def test_kinds_of_both_families_have_names_of_their_own():
    names = [kind.name for family in ("plain", "keras") for kind in worker.kinds_of(family)]
    assert len(set(names)) == len(names)


def test_a_long_recording_that_is_answered_where_it_must_not_be_is_a_fault(tmp_path):
    whole, cut = (next(each for each in long.DAMAGES if each.name == name) for name in ("one_lead", "cut"))
    counts = np.zeros((5000, 12), np.int16)
    for damage in (whole, cut):
        long.write(tmp_path, damage, counts)
    assert len(read_record(tmp_path / "one_lead.hea").signal) == 5000
    with pytest.raises(InputError, match="is truncated"):
        read_record(tmp_path / "cut.hea")
    classes = load_classifier().classes
    failed = failed_prediction("cut", classes, "cut.dat: is truncated")
    assert long.fault_of(cut, failed) == ""
    assert long.fault_of(cut, failed_prediction("cut", classes, "cut.dat: KeyError('x')")) != ""
    assert long.fault_of(whole, failed) == "is not answered"
