"""Outputs are known by their content, and replace nothing else."""

import os

import pytest

from cnn_gap.io.annotations import Event, write_events
from cnn_gap.results.challenge_files import outputs_text
from cnn_gap.system.errors import InputError
from cnn_gap.system.outputs import ANNOTATIONS, EXPLANATION, MODEL, RESULT, is_output, require_replaceable
from cnn_gap.system.shipped import SHIPPED_MODEL


def test_a_result_is_one_of_its_own_record_alone(tmp_path):
    path = tmp_path / "a.b.csv"
    path.write_text(outputs_text("a.b", ["1", "2"], [True, False], [0.5, 0.25]))
    assert RESULT.recognises(path)
    assert is_output(path)
    require_replaceable(path, RESULT)
    path.rename(tmp_path / "other.csv")
    assert not is_output(tmp_path / "other.csv")
    with pytest.raises(InputError, match=r"other\.csv: is not a result file of this record and stays as it is"):
        require_replaceable(tmp_path / "other.csv", RESULT)


@pytest.mark.parametrize("content", [b"", b"I,II\n1,2\n", b"#", b"\xff\xfe", b"#another\n"])
def test_other_content_is_no_output(tmp_path, content):
    for name in ("A.csv", "A.json", "A.html", "A.cam", "A.parquet"):
        (tmp_path / name).write_bytes(content)
        assert not is_output(tmp_path / name)
        with pytest.raises(InputError):
            require_replaceable(tmp_path / name, RESULT)
        assert (tmp_path / name).read_bytes() == content


def test_an_output_that_is_known_may_have_been_cut_to_nothing(tmp_path):
    for content, allowed in ((b"", True), (b"#", True), (b"mine", False)):
        (tmp_path / "A.csv").write_bytes(content)
        if allowed:
            require_replaceable(tmp_path / "A.csv", RESULT, known=True)
        else:
            with pytest.raises(InputError):
                require_replaceable(tmp_path / "A.csv", RESULT, known=True)


def test_annotations_with_events_and_without_are_known(tmp_path):
    for events in ([], [Event("AF", 1.0, 2.0)]):
        write_events(tmp_path / "A.cam", events, 257.5, 1000)
        assert ANNOTATIONS.recognises(tmp_path / "A.cam")


def test_the_shipped_model_is_known():
    assert MODEL.recognises(SHIPPED_MODEL / "model.json")


def test_links_and_folders_stay(tmp_path):
    (tmp_path / "A.json").symlink_to(tmp_path / "absent")
    (tmp_path / "B.json").mkdir()
    for name in ("A.json", "B.json"):
        with pytest.raises(InputError, match="is not an explanation"):
            require_replaceable(tmp_path / name, EXPLANATION)
    assert (tmp_path / "A.json").is_symlink()
    require_replaceable(tmp_path / "absent.json", EXPLANATION)
    require_replaceable(os.devnull, EXPLANATION)
