"""The ledger: entries that are kept, entries that are removed, full disks, and damaged files."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from conftest import ROOT

from cnn_gap.io.sources import ListedRecord
from cnn_gap.results.ledger import Entry, Ledger, LedgerKind, files_hash, result_hash
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.errors import InputError
from cnn_gap.system.outputs import RESULT

KIND = LedgerKind("driver", {".csv": RESULT})
SOURCE = {"model": "m"}


@pytest.fixture
def record(tmp_path):
    write_simulated(tmp_path / "data", simulate_record("A", ["426783006"], 100.0, 5.0, seed=1))
    return ListedRecord("A", str(tmp_path / "data" / "A.hea"))


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def ledger(out, source=SOURCE, warn=print):
    return Ledger(out, KIND, source, warn)


def done(out, record, about=None):
    """Write a result file, and return the entry of it."""
    path = out / f"{record.name}.csv"
    path.write_text(f"#{record.name}\n1\n0\n0.5\n")
    return Entry(record.name, record.stamp(), files_hash([path]), about)


def test_what_is_noted_is_there_in_the_next_run(out, record):
    names = ["lat\udce9in", "line ä", "x" * 300]
    with ledger(out) as held:
        held.add([done(out, record, {"notes": ["a", None, 0.1]}), *(Entry(name) for name in names)])
        assert held.is_current(record)
    with ledger(out) as held:
        assert held.is_current(record)
        assert held.entry("A").about == {"notes": ["a", None, 0.1]}
        assert [entry.name for entry in held.entries()] == ["A", *names]
        assert not held.is_current(ListedRecord("B", record.source))
        assert not held.is_current(ListedRecord(names[0], record.source))
    assert [path.name for path in out.iterdir() if path.suffix != ".csv"] == ["driver.sqlite"]


def test_a_changed_record_or_result_is_not_current(out, record):
    with ledger(out) as held:
        held.add([done(out, record)])
        (out / "A.csv").write_text("#A\n")
        assert not held.is_current(record)
        assert held.is_current(record, files=False)
        os.utime(record.source, (1e9, 1e9))
        assert not held.is_current(record, files=False)


def test_results_of_another_source_are_removed_as_far_as_they_are_what_was_noted(out, record):
    other = ListedRecord("B", record.source)
    with ledger(out) as held:
        held.add([done(out, record), done(out, other)])
    (out / "B.csv").write_text("edited")
    (out / "C.csv").write_text("#C\n1\n0\n0.5\n")
    with ledger(out, {"model": "another"}) as held:
        assert {(entry.stamp, entry.result) for entry in held.entries()} == {(None, "")}
        assert not held.is_current(record, files=False)
    assert sorted(path.name for path in out.glob("*.csv")) == ["B.csv", "C.csv"]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"model": "m", "options": {"level": 2}}, "--level"),
        ({"model": "n", "options": {"level": 2}}, "model and another --level"),
        ({"model": "m", "options": {"level": 1}, "unknown": True}, "setting"),
        ([], "setting"),
    ],
)
def test_why_results_are_removed_is_said_in_the_users_words(out, record, before, said):
    kind = LedgerKind("driver", {".csv": RESULT}, meanings={"model": "model", "level": "--level"})
    lines = []
    with Ledger(out, kind, before, lines.append) as held:
        held.add([done(out, record)])
    for _ in range(2):
        with Ledger(out, kind, {"model": "m", "options": {"level": 1}}, lines.append):
            pass
    line = f"{out}: the earlier run had another {said}; its results are removed, and every record is done anew"
    assert lines == [line]


def test_removing_a_result_removes_what_was_noted_alone(out, record):
    with ledger(out) as held:
        held.add([done(out, record)])
        held.remove("A")
        held.remove("absent")
        assert held.entry("A") is None
        assert not (out / "A.csv").exists()
        held.add([done(out, record)])
        (out / "A.csv").write_text("mine")
        held.remove("A")
    assert (out / "A.csv").read_text() == "mine"


def test_further_files_are_removed_with_the_result_unless_somebody_has_changed_them(out, record):
    kind = replace(KIND, further=(".beats.csv", ".episodes.csv", ".timeline.parquet"))
    names = [f"A{suffix}" for suffix in kind.further]
    (out / "A.mine.csv").write_text("ours")  # a suffix that this kind does not have: somebody edited the ledger
    for end in ("remove_further", "remove", "another source"):
        for name in names:
            (out / name).write_text("ours")
        further = {suffix: files_hash([out / f"A{suffix}"]) for suffix in kind.further}
        with Ledger(out, kind, SOURCE, print) as held:
            held.add([replace(done(out, record), further={**further, ".mine.csv": result_hash("ours")})])
            assert held.entry("A").further.keys() > further.keys()
            assert held.is_current(record, further=True)
            (out / names[0]).write_text("edited")
            assert held.is_current(record)
            assert not held.is_current(record, further=True)
            (out / names[1]).write_text("")
            if end != "another source":
                getattr(held, end)("A")
        with Ledger(out, kind, SOURCE if end == "remove" else {"model": end}, print) as held:
            left = {} if (entry := held.entry("A")) is None else entry.further
        assert left == {}
        assert [name for name in names if (out / name).exists()] == names[:1]
        (out / names[0]).unlink()
    assert (out / "A.mine.csv").read_text() == "ours"


@pytest.mark.parametrize("content", [b"mine", b"SQLite format 3\0" + bytes(200), b"\xff" * 5000])
def test_a_file_of_another_program_is_refused_and_stays(out, content):
    (out / "driver.sqlite").write_bytes(content)
    with pytest.raises(InputError, match=r"driver\.sqlite: is not the ledger of an earlier run"), ledger(out):
        pass
    assert (out / "driver.sqlite").read_bytes() == content


def test_another_programs_database_is_refused_and_stays(out):
    with sqlite3.connect(out / "driver.sqlite") as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    content = (out / "driver.sqlite").read_bytes()
    with pytest.raises(InputError, match="stays as it is"), ledger(out):
        pass
    assert (out / "driver.sqlite").read_bytes() == content


def test_a_damaged_ledger_starts_anew_and_says_so(out, record):
    with ledger(out) as held:
        held.add([done(out, record, "x" * 20_000)])
    content = bytearray((out / "driver.sqlite").read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (out / "driver.sqlite").write_bytes(content)
    lines = []
    with ledger(out, warn=lines.append) as held:
        assert list(held.entries()) == []
    assert len(lines) == 1
    assert "is damaged" in lines[0]
    assert "anew" in lines[0]


def test_a_ledger_with_a_trigger_of_somebody_is_not_taken(out, record):
    with ledger(out) as held:
        held.add([done(out, record)])
    with sqlite3.connect(out / "driver.sqlite") as database:
        database.execute("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END")
    database.close()
    with ledger(out, warn=[].append) as held:
        assert list(held.entries()) == []


def test_the_notes_of_an_earlier_version_stay_and_are_mentioned(out):
    (out / "driver.json").write_text(json.dumps(SOURCE))
    (out / "driver.jsonl").write_text("[]\n")
    lines = []
    with ledger(out, warn=lines.append):
        pass
    with ledger(out, warn=lines.append):
        pass
    assert len(lines) == 1
    assert "earlier version" in lines[0]
    assert (out / "driver.jsonl").read_text() == "[]\n"


def test_an_error_before_anything_is_done_leaves_no_ledger(out):
    with pytest.raises(KeyboardInterrupt), ledger(out):
        raise KeyboardInterrupt
    assert list(out.iterdir()) == []


ADDING = """
import sys
from pathlib import Path
from cnn_gap.results.ledger import Entry, Ledger, LedgerKind
with Ledger(Path(sys.argv[1]), LedgerKind("driver", {}), {"model": "m"}, print) as held:
    number = 0
    while True:
        held.add([Entry(f"{number}-{part}", about="x" * 500) for part in range(16)])
        print(number, flush=True)
        number += 1
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_kill_loses_nothing_that_was_added_and_keeps_additions_whole(out):
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", ADDING, str(out)], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(3):
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with ledger(out) as held:
            names = [entry.name for entry in held.entries()]
        assert len(names) % 16 == 0
        assert f"{last}-15" in names
