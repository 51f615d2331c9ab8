"""The 2021 harness's helper functions, by the figures that the harness's own give."""

import math
import struct

import numpy as np
import pytest

import helper_code
from cnn_gap.system.errors import InputError

HEADER = """A0001 3 500 4 12-May-2020 12:33:59
A0001.mat 16+24 1000/mV 16 0 28 -1716 0 I
A0001.mat 16+24 500(7)/mV 16 7 7 2029 0 II
A0001.mat 16+24 1000/mV 16 0 -21 3745 0 V2
#Age: 74
#Sex: Male
#Dx: 59118001,164889003
"""


@pytest.fixture
def folder(tmp_path):
    values = np.arange(12, dtype="<i2").reshape(4, 3)  # sample by sample
    for place in (tmp_path, tmp_path / "nested"):
        place.mkdir(exist_ok=True)
        (place / "A0001.hea").write_bytes(HEADER.replace("\n", "\r\n").encode())
        (place / "A0001.mat").write_bytes(struct.pack("<5i4s", 30, 3, 4, 0, 4, b"val\0") + values.tobytes())
    (tmp_path / "A0002.hea").write_text("no signal")
    (tmp_path / ".A0003.hea").touch()
    (tmp_path / ".A0003.mat").touch()
    return tmp_path


def test_lists_of_leads():
    assert len(helper_code.twelve_leads) == 12
    assert helper_code.six_leads == helper_code.twelve_leads[:6]
    assert helper_code.four_leads == ("I", "II", "III", "V2")
    assert helper_code.three_leads == ("I", "II", "V2")
    assert helper_code.two_leads == ("I", "II")


@pytest.mark.parametrize(
    ("x", "number", "integer", "finite"),
    [
        ("1", True, True, True),
        ("1.5", True, False, True),
        (2, True, True, True),
        ("nan", True, False, False),
        (math.inf, True, False, False),
        ("x", False, False, False),
        (None, False, False, False),
    ],
)
def test_numbers(x, number, integer, finite):
    assert (helper_code.is_number(x), helper_code.is_integer(x), helper_code.is_finite_number(x)) == (
        number,
        integer,
        finite,
    )


def test_files_are_found_with_their_signals(folder):
    headers, recordings = helper_code.find_challenge_files(str(folder))
    assert headers == [str(folder / "A0001.hea"), str(folder / "nested" / "A0001.hea")]
    assert recordings == [str(folder / "A0001.mat"), str(folder / "nested" / "A0001.mat")]


def test_recording(folder):
    header = helper_code.load_header(str(folder / "A0001.hea"))
    assert header == HEADER
    recording = helper_code.load_recording(str(folder / "A0001.mat"))
    assert recording.dtype.kind == "i"
    assert recording.tolist() == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    chosen = helper_code.load_recording(str(folder / "A0001.mat"), header, ("V2", "aVF", "I"))
    assert chosen.tolist() == [[2, 5, 8, 11], [0, 0, 0, 0], [0, 3, 6, 9]]
    assert helper_code.choose_leads(recording, header, ["ii"]).tolist() == [[1, 4, 7, 10]]


def test_what_a_header_tells():
    assert helper_code.get_recording_id(HEADER) == "A0001"
    assert helper_code.get_leads(HEADER) == ("I", "II", "V2")
    assert helper_code.get_num_leads(HEADER) == 3
    assert helper_code.get_frequency(HEADER) == 500
    assert helper_code.get_num_samples(HEADER) == 4
    assert helper_code.get_age(HEADER) == 74
    assert helper_code.get_sex(HEADER) == "Male"
    assert helper_code.get_labels(HEADER) == ["59118001", "164889003"]
    assert helper_code.get_adc_gains(HEADER, ("V2", "aVR", "II")).tolist() == [1000, 0, 500]
    assert helper_code.get_baselines(HEADER, ("V2", "aVR", "II")).tolist() == [0, 0, 7]


def test_what_a_header_does_not_tell():
    bare = "A1 1 500\nA1.mat 16+24 1000/mV 16 0 0 0 0 I\n"
    assert helper_code.get_num_samples(bare) is None
    assert helper_code.get_age(bare) is None
    assert helper_code.get_sex(bare) is None
    assert helper_code.get_labels(bare) == []
    assert math.isnan(helper_code.get_age(bare + "# Age: Unknown\n"))


def test_leads_are_sorted():
    assert helper_code.sort_leads(["V1", "Y", "aVR", "X", "I"]) == ("I", "aVR", "V1", "Y", "X")


def test_saved_outputs_are_loaded_as_they_were(tmp_path):
    path = str(tmp_path / "A0001.csv")
    helper_code.save_outputs(path, "A0001", ["426783006", 164889003], [1, 0], [0.75, math.nan])
    recording_id, classes, labels, probabilities = helper_code.load_outputs(path)
    assert (recording_id, classes, labels) == ("A0001", ("426783006", "164889003"), ("1", "0"))
    assert probabilities == pytest.approx((0.75, math.nan), nan_ok=True)


def test_unreadable_header_is_an_input_error():
    with pytest.raises(InputError, match="header"):
        helper_code.get_leads("nothing")
