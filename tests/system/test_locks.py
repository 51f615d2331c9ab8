"""A folder is held by one process at a time, and by none that has died."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import ROOT

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import ASIDE, writer
from cnn_gap.system.locks import LOCK, locked

pytest.importorskip("fcntl", reason="this system has no such locks")

HOLDER = (
    "import sys; from pathlib import Path; from cnn_gap.system.locks import locked\n"
    "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_is_told_who_holds_the_folder(tmp_path, holder):
    with pytest.raises(InputError, match=rf"in use by process {holder.pid} on .* since "), locked(tmp_path):
        pass
    assert (tmp_path / LOCK).exists()


def test_a_killed_holder_holds_nothing(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    left = tmp_path / f"{ASIDE}{writer().split('-')[0]}-{holder.pid}-0123abcd.csv"
    left.touch()
    with locked(tmp_path):
        assert not left.exists()
    assert not list(tmp_path.iterdir())


def test_who_waits_says_so_and_goes_on_when_the_folder_is_free(tmp_path, holder):
    lines = []

    def told(line):
        lines.append(line)
        threading.Thread(target=holder.communicate).start()

    with locked(tmp_path, wait=told):
        assert len(lines) == 1
        assert str(holder.pid) in lines[0]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/out: cannot be written \("), locked(tmp_path / "file" / "out"):
        pass
