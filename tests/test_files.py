"""Files are written whole or not at all."""

import os
import stat

import pytest

from cnn_gap.errors import InputError
from cnn_gap.files import read_json, replacing, write_json, write_text


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
