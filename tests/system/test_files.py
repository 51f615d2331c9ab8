"""Files are written whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import (
    ASIDE,
    file_size,
    read_bytes,
    read_json,
    remove_leftovers,
    replacing,
    write_json,
    write_text,
    writer,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(ValueError, match="halfway"), replacing(path) as aside:
        aside.write_text("half")
        raise ValueError("halfway")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_name_aside_keeps_all_suffixes(tmp_path):
    with replacing(tmp_path / "epoch.weights.h5") as aside:
        assert aside.name.endswith(".weights.h5")
        aside.write_bytes(b"w")
    assert (tmp_path / "epoch.weights.h5").read_bytes() == b"w"


def test_missing_folders_are_made_and_files_are_as_readable_as_others(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"a": [1, None]})
    (tmp_path / "plain").write_text("")
    assert read_json(tmp_path / "new" / "a.json") == {"a": [1, None]}
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new/a.json", "plain")]
    assert modes[0] == modes[1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_ordinary_file_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with replacing(pipe) as target:
        assert target == pipe
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe"])
def test_what_is_not_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json"):
        read_json(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name, kind in (("pipe", "a pipe"), ("endless", "a device"), ("folder", "a folder")):
        with pytest.raises(InputError, match=f"{name}: is not a regular file but {kind}"):
            read_bytes(tmp_path / name, 1000)
        with pytest.raises(InputError, match=f"{name}: is not a regular file but {kind}"):
            file_size(tmp_path / name)


def test_a_file_is_read_up_to_its_largest_size(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(100)))
    assert read_bytes(tmp_path / "a", 100) == bytes(range(100))
    assert read_bytes(tmp_path / "a", 99, first=10, count=5) == bytes(range(10, 15))
    assert file_size(tmp_path / "a") == 100
    with pytest.raises(InputError, match=r"a: is too large.*at most 99 bytes"):
        read_bytes(tmp_path / "a", 99)


@pytest.mark.parametrize("name", ["x" * 300, "absent"])
def test_a_file_that_the_system_refuses_is_named(tmp_path, name):
    for read in (read_json, file_size):
        with pytest.raises(InputError, match=rf"{name}: cannot be read \("):
            read(tmp_path / name)


def test_a_name_whose_suffixes_are_long_can_be_written(tmp_path):
    path = tmp_path / f"a.{'b' * 245}.csv"
    write_text(path, "content")
    assert path.read_text() == "content"


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match=r"a\.txt: cannot be written \(No space left on device\)"):  # noqa: SIM117
        with replacing(tmp_path / "a.txt"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_what_is_written_has_reached_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: done.append("fsync"))
    rename = Path.replace

    def replace(path, target):
        done.append("rename")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    write_text(tmp_path / "a", "content")
    assert done == ["fsync", "rename", "fsync"]


def test_only_unfinished_files_of_this_package_are_removed(tmp_path):
    names = {
        f"{ASIDE}{writer()}-0123abcd.png": False,
        f"{ASIDE}00000000-1-0123abcd.weights.h5": False,
        f"{ASIDE}{writer()}-0123abcd": False,
        f"{ASIDE}{writer()}-aa.csv": True,
        f"{ASIDE}mine.csv": True,
        "mine.csv": True,
    }
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {name for name, stays in names.items() if stays}


def test_deep_nesting_is_no_json(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"a\.json: .*nested too deeply"):
        read_json(tmp_path / "a.json")
