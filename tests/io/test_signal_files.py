"""The sizes of signal files are compared with their header before anything is read."""

import os

import numpy as np
import pytest

from cnn_gap.io.records import read_info, read_record
from cnn_gap.io.sources import find_records, list_records
from cnn_gap.system.errors import InputError


def _record(folder, lead="r.dat 212 200 12 0 0 0 0 II", first="r 1 100 40", size=60):
    (folder / "r.hea").write_text(f"{first}\n{lead}\n")
    (folder / "r.dat").write_bytes(bytes(size))
    return folder / "r.hea"


@pytest.mark.parametrize(
    ("lead", "samples", "reason"),
    [
        ("r.dat 212:100000000 200", 40, "skew of 100000000"),
        ("r.dat 212 200", 10**9, "holds 40 of the header's 1000000000 samples"),
        ("r.dat 212x1000000000 200", 40, "holds 0 of the header's 40"),
        ("r.dat 212+1000000000 200", 40, "start at byte 1000000000 of 60"),
        ("r.dat 99 200", 40, "format 99"),
        ("r.dat 516 200", 10**9, "too long to be read at once"),
        ("r.dat 516 200", 0, "must say how many samples"),
        ("r.dat 212x100 200", 0, "no samples"),
    ],
)
def test_a_header_cannot_ask_for_more_than_its_files_hold(tmp_path, lead, samples, reason):
    path = _record(tmp_path, f"{lead} 12 0 0 0 0 II", f"r 1 100 {samples}")
    with pytest.raises(InputError, match=reason):
        read_record(path)


def test_skew_within_the_record_is_read(tmp_path):
    record = read_record(_record(tmp_path, "r.dat 212:10 200 12 0 0 0 0 II"))
    assert record.signal.shape == (40, 12)
    assert np.isnan(record.signal[-10:, 1]).all()


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket"])
@pytest.mark.parametrize("name", ["r.hea", "r.dat"])
def test_what_is_no_file_is_refused_at_once(tmp_path, kind, name):
    _record(tmp_path)
    path = tmp_path / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        socket = pytest.importorskip("socket")
        if len(str(path)) > 100:
            pytest.skip("the path is too long for a socket")
        socket.socket(socket.AF_UNIX).bind(str(path))
    for read in (read_record, read_info) if name == "r.hea" else (read_record,):
        with pytest.raises(InputError, match=rf"{name}: is not a regular file but a {kind}"):
            read(tmp_path / "r.hea")


def test_a_huge_header_is_refused(tmp_path):
    path = _record(tmp_path)
    path.write_text(path.read_text() + "#\n" * 600_000)
    with pytest.raises(InputError, match=r"r\.hea: is too large"):
        read_record(path)


@pytest.mark.parametrize("lead", [f"{'x' * 300}.dat 16", f"{'x' * 300} 212"])
def test_a_name_that_is_too_long_is_refused(tmp_path, lead):
    path = _record(tmp_path, f"{lead} 200 12 0 0 0 0 II")
    with pytest.raises(InputError, match="File name too long"):
        read_record(path)
    with pytest.raises(InputError, match="File name too long"):
        read_record(tmp_path / ("x" * 300))


@pytest.mark.parametrize(("gain", "age"), [("1e-29", "5"), ("1e29/V", "5"), ("1e-7", "5")])
def test_gains_of_no_converter_are_refused(tmp_path, gain, age):
    path = _record(tmp_path, f"r.dat 16 {gain} 12 0 0 0 0 II", "r 1 100 10")
    with pytest.raises(InputError, match="gain of"):
        read_record(path)


def test_an_age_of_no_person_is_unknown(tmp_path):
    path = _record(tmp_path)
    for age in ("9" * 400, "301", "1e400"):
        path.write_text(f"r 1 100 40\nr.dat 212 200 12 0 0 0 0 II\n#Age: {age}\n")
        assert not read_record(path).age > 300


def test_control_characters_in_errors_become_escapes(tmp_path):
    path = _record(tmp_path, "no\x1b[2Jne.dat 212 200 12 0 0 0 0 II")
    with pytest.raises(InputError, match=r"no\\x1b\[2Jne\.dat") as caught:
        read_record(path)
    assert "\x1b" not in str(caught.value)


def test_folders_that_cannot_be_read_are_named(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    _record(tmp_path / "closed")
    path = _record(tmp_path)
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_records(tmp_path)
    assert [record.source for record in listing.records] == [str(path)]
    (line,) = listing.unreadable
    assert f"{tmp_path / 'closed'}: this folder cannot be read (Permission denied)" in line
    with pytest.raises(InputError, match="closed: this folder cannot be read"):
        find_records(tmp_path)
