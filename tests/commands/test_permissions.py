"""Every command as a user who may not write or read: one line, nothing half done."""

import ctypes
import shutil
import sys
from contextlib import contextmanager

import pytest

import driver
import evaluate_model
import explain
import export
import predict
import train_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="how root gives up rights is Linux's")


@contextmanager
def usual_user():
    """Give up root's rights that the owner of the files does not have."""
    libc, header = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights, fewer = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, rights) == 0
    fewer[:] = rights[:]
    fewer[0] &= ~0b110  # to read and to write whatever a file's mode says
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        libc.capset(header, rights)


@pytest.fixture
def place(records, tmp_path):
    """Records, and a folder that nobody may write to."""
    place = tmp_path / "place"
    place.mkdir()
    shutil.copytree(records, place / "data")
    (place / "out").mkdir()
    (place / "out").chmod(0o555)
    return place


@pytest.fixture
def readable_model(model, place):
    shutil.copytree(model, place / "model", ignore=shutil.ignore_patterns("cache"))
    return place / "model"


def test_what_cannot_be_written_is_named(run_command, readable_model, place, config_file):
    data, out, record = place / "data", place / "out", place / "data" / "SIM0001"
    text = config_file.read_text()
    (place / "tiny.toml").write_text(text)
    before = sorted(place.rglob("*"))
    for script, arguments in (
        (driver, (readable_model, data, out)),
        (driver, (readable_model, data, out / "new")),
        (explain, (readable_model, data, "--out", out)),
        (explain, (readable_model, record, "--no-leads", "--json", out / "a.json")),
        (explain, (readable_model, record, "--no-leads", "--out", out / "a.png")),
        (export, (readable_model, out / "a.tflite")),
        (evaluate_model, (data, data, out / "scores.csv")),
        (train_model, (data, out, "--config", place / "tiny.toml")),
    ):
        if script is evaluate_model:
            for path in data.glob("*.hea"):
                (data / f"{path.stem}.csv").write_text(f"#{path.stem}\n426783006\n1\n0.5\n")
        with usual_user():
            result = run_command(script, arguments)
        assert result.code == 1, (script.__name__, result)
        line = result.err.splitlines()[-1]
        assert line.startswith("error: ")
        assert "cannot be written (Permission denied)" in line
        assert str(out) in line
        assert "Traceback" not in result.err
        for path in data.glob("*.csv"):
            path.unlink()
    assert sorted(place.rglob("*")) == before


def test_a_file_without_permission_fails_alone(run_command, readable_model, place):
    data = place / "data"
    (data / "SIM0001.hea").chmod(0)
    (data / "SIM0002.mat").chmod(0)
    out = place / "out"
    out.chmod(0o755)
    with usual_user():
        driven = run_command(driver, (readable_model, data, out))
        alone = run_command(predict, (readable_model, data / "SIM0001"))
    assert (driven.code, driven.out.splitlines()[-1]) == (0, "46 classified, 2 failed")
    assert "SIM0001.hea: cannot be read (Permission denied)" in driven.err
    assert alone.code == 1
    assert "SIM0001.hea: cannot be read (Permission denied)" in alone.err


def test_a_model_that_cannot_be_read_is_named(run_command, readable_model, place):
    for name in ("model.json", "model.keras"):
        (readable_model / name).chmod(0)
        with usual_user():
            result = run_command(predict, (readable_model, place / "data" / "SIM0001"))
        assert result.code == 1
        assert f"{name}: cannot be read (Permission denied)" in result.err
        (readable_model / name).chmod(0o644)
