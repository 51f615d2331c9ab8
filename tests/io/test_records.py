"""Records of every kind are found and read, and damaged ones are refused in one line."""

import math
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.formats.wfdb import read_recording
from cnn_gap.io.headers import parse_header
from cnn_gap.io.label_tables import read_label_table
from cnn_gap.io.records import is_record, read_info, read_record
from cnn_gap.io.sources import find_records
from cnn_gap.io.stored_values import record_from_digital
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError


def matlab4(values):
    """Return the bytes of a level 4 MATLAB file of int16 values, shape (leads, samples)."""
    head = struct.pack("<5i4s", 30, *values.shape, 0, 4, b"val\0")
    return head + values.T.astype("<i2").tobytes()


def write_record(folder, values, leads=LEADS, name="A1", storage="16+24", gain="1000/mV", first=None, dx="1,2"):
    folder.mkdir(exist_ok=True)
    first = first or f"{name} {len(leads)} 500 {values.shape[1]} 12-May-2020 12:33:59"
    lines = [first, *(f"{name}.mat {storage} {gain} 16 0 0 0 0 {lead}" for lead in leads)]
    (folder / f"{name}.hea").write_text("\n".join([*lines, "#Age: 74", "#Sex: Female", f"#Dx: {dx}"]) + "\n")
    (folder / f"{name}.mat").write_bytes(matlab4(values))
    return folder / f"{name}.hea"


@pytest.fixture
def values():
    return np.random.default_rng(1).integers(-2000, 2000, (12, 50))


def test_challenge_record(tmp_path, values):
    record = read_record(write_record(tmp_path, values))
    assert record.signal.dtype == np.float32
    np.testing.assert_allclose(record.signal, values.T / 1000, rtol=1e-6)
    assert record.leads.tolist() == [True] * 12
    assert (record.name, record.sampling_rate, record.codes) == ("A1", 500.0, ("1", "2"))
    assert (record.age, record.sex) == (74.0, "Female")


@pytest.mark.parametrize("name", ["A1.hea", "A1.mat", "A1"])
def test_record_by_any_of_its_names(tmp_path, values, name):
    write_record(tmp_path, values)
    assert read_record(tmp_path / name).signal.shape == (50, 12)
    assert read_info(tmp_path / name).path == tmp_path / "A1.hea"


@pytest.mark.parametrize(
    ("storage", "gain", "scale", "baseline"),
    [
        ("16+24", "1000/mV", 1000, 0),
        ("16x1+24", "1000.0(0)/mV", 1000, 0),
        ("16x1+24", "1000(-7)/mV", 1000, -7),
        ("16+24", "1/uV", 1000, 0),
        ("16+24", "200", 200, 0),
        ("16+24", "0", 200, 0),
        ("16", "4.88(100)/mV", 4.88, 100),
    ],
)
def test_header_dialects(tmp_path, values, storage, gain, scale, baseline):
    record = read_record(write_record(tmp_path, values, storage=storage, gain=gain))
    np.testing.assert_allclose(record.signal, (values.T - baseline) / scale, rtol=1e-6)


def test_leads_in_any_order_and_case_with_extra_ones(tmp_path, values):
    leads = ["V6", "X", "AVR", "ii", "I", "Y", "I", "v1"]
    record = read_record(write_record(tmp_path, values[:8], leads))
    index = LEADS.index
    for lead, row in (("V6", 0), ("aVR", 2), ("II", 3), ("I", 4), ("V1", 7)):
        np.testing.assert_allclose(record.signal[:, index(lead)], values[row] / 1000, rtol=1e-6)
    absent = [index(lead) for lead in ("V2", "V3", "V4", "V5")]
    assert [position for position in range(12) if not record.leads[position]] == absent
    assert not record.signal[:, absent].any()


def test_limb_leads_are_derived_from_two():
    signal = np.array([[1.0, 0.5], [0.2, -0.4], [np.nan, 1.0]])
    record = record_from_signal(signal, 250, ["I", "II"])
    expected = {"III": [-0.5, -0.6], "aVR": [-0.75, 0.1], "aVL": [0.75, 0.4], "aVF": [0.0, -0.5]}
    for lead, wanted in expected.items():
        column = record.signal[:, LEADS.index(lead)]
        np.testing.assert_allclose(column[:2], wanted, atol=1e-6)
        assert np.isnan(column[2])
    assert record.leads.tolist() == [True] * 6 + [False] * 6


def test_limb_leads_that_are_stored_stay_and_without_lead_two_none_is_derived():
    both = record_from_signal(np.ones((5, 3)), 250, ["I", "II", "aVL"])
    assert (both.signal[:, LEADS.index("aVL")] == 1).all()
    one = record_from_signal(np.ones((5, 2)), 250, ["I", "III"])
    assert one.leads.tolist() == [True, False, True] + [False] * 9


def test_invalid_samples_are_nan_and_wholly_invalid_leads_absent(tmp_path, values):
    values[6, 3] = values[8] = -32768
    values[2] = -32768
    record = read_record(write_record(tmp_path, values))
    assert np.isnan(record.signal[3, 6])
    assert np.isnan(record.signal).sum() == 1
    assert not record.leads[8]
    assert not record.signal[:, 8].any()
    np.testing.assert_allclose(record.signal[:, 2], (values[1] - values[0]) / 1000, atol=1e-6)
    assert record.leads[2]


def test_infinite_samples_are_invalid():
    signal = np.ones((4, 1))
    signal[:3, 0] = np.inf, -np.inf, 1e300
    assert np.isnan(record_from_signal(signal, 250, ["V1"]).signal[:, 6]).tolist() == [True, True, True, False]


def test_stored_values_are_not_changed(values):
    stored = values.astype(np.int16)
    header = parse_header(
        "A 12 500\n" + "".join(f"A.mat 16+24 7(3)/mV 16 0 0 0 0 {lead}\n" for lead in LEADS), "A"
    )
    record = record_from_digital(header, stored)
    assert (stored == values).all()
    np.testing.assert_allclose(record.signal, (values.T - 3) / 7, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64])
def test_harness_may_pass_wider_numbers(tmp_path, values, dtype):
    path = write_record(tmp_path, values)
    header = parse_header(path.read_text(), "A1")
    record = record_from_digital(header, values.astype(dtype))
    np.testing.assert_array_equal(record.signal, read_record(path).signal)


def test_recording_must_fit_its_header(tmp_path, values):
    header = parse_header(write_record(tmp_path, values).read_text(), "A1")
    for wrong in (values[:3], values[0], values.astype(str), values[:, :0]):
        with pytest.raises(InputError, match="A1"):
            record_from_digital(header, wrong)


def test_samples_that_the_header_does_not_tell_come_from_the_file(tmp_path, values):
    path = write_record(tmp_path, values, first="A1 12")
    assert read_info(path).samples == 50
    assert read_record(path).signal.shape == (50, 12)
    assert read_record(path).sampling_rate == 250


def test_header_tells_how_many_samples_count(tmp_path, values):
    path = write_record(tmp_path, values, first="A1 12 500/360 40")
    assert read_info(path).samples == len(read_record(path).signal) == 40
    assert read_info(path).sampling_rate == 500


def test_other_matlab_files_beside_a_header(tmp_path, values):
    path = write_record(tmp_path, values)
    for stored in (values.astype(np.int16), values.astype(float)):
        savemat(path.with_suffix(".mat"), {"val": stored}, do_compression=True)
        np.testing.assert_allclose(read_record(path).signal, values.T / 1000, rtol=1e-6)


def test_a_matrix_of_another_name_or_turned_is_read_with_a_note(tmp_path, values):
    path = write_record(tmp_path, values)
    for name, stored, notes in (
        ("ecg", values, ["the signal is the variable ecg, as there is no val"]),
        ("val", values.T, ["the signal is stored with a row a sample, not a row a lead"]),
    ):
        savemat(path.with_suffix(".mat"), {name: stored.astype(np.int16), "fs": 500})
        record = read_record(path)
        np.testing.assert_allclose(record.signal, values.T / 1000, rtol=1e-6)
        assert list(record.notes) == notes
    header = np.array([30, 50, 12, 0, 4], "<i4").tobytes() + b"val\0"
    path.with_suffix(".mat").write_bytes(header + np.asfortranarray(values.T).astype("<i2").tobytes("F"))
    np.testing.assert_allclose(read_record(path).signal, values.T / 1000, rtol=1e-6)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"ecg": np.ones((3, 50))}, r"it holds ecg \(3, 50\) and no val"),
        ({"a": np.ones((12, 50)), "b": np.ones((12, 50))}, r"it holds a \(12, 50\), b \(12, 50\) and no val"),
        ({"ecg": np.full((12, 50), 0.1)}, "its variable ecg holds fractions"),
        ({"val": np.ones((7, 50))}, r"expected stored values of 12 leads; received float64 \(7, 50\)"),
    ],
)
def test_a_matlab_file_without_the_signal_has_a_true_reason(tmp_path, values, variables, reason):
    path = write_record(tmp_path, values)
    savemat(path.with_suffix(".mat"), variables)
    with pytest.raises(InputError, match=reason):
        read_record(path)


@pytest.mark.parametrize("fmt", ["16", "212", "24", "32", "80"])
def test_wfdb_formats_agree_with_wfdb(tmp_path, fmt):
    wfdb = pytest.importorskip("wfdb")
    limit = 100 if fmt == "80" else 2000
    digital = np.random.default_rng(2).integers(-limit, limit, (60, 3))
    stored = {"d_signal": digital, "fmt": [fmt] * 3, "adc_gain": [200.0, 100.0, 50.0], "baseline": [0, 5, -5]}
    leads = ["V1", "II", "aVR"]
    wfdb.wrsamp("r1", 257, ["mV"] * 3, leads, **stored, comments=["Dx: 7"], write_dir=str(tmp_path))
    expected = wfdb.rdrecord(str(tmp_path / "r1")).p_signal
    header = (tmp_path / "r1.hea").read_text().splitlines()
    for first in (header[0], "r1.x 3 257", "r1 3 257 60 12-May-2020 12:33:59"):
        (tmp_path / "r1.hea").write_text("\n".join([first, *header[1:]]))
        record = read_record(tmp_path / "r1.hea")
        np.testing.assert_allclose(record.signal[:, [6, 1, 3]], expected, rtol=1e-5)
        assert np.flatnonzero(record.leads).tolist() == [1, 3, 6]
        assert (record.name, record.sampling_rate, record.codes) == ("r1", 257.0, ("7",))
    assert read_info(tmp_path / "r1").samples == 60


def test_leads_in_files_of_their_own_and_several_samples_a_frame(tmp_path):
    slow, fast = np.arange(40) - 20, np.repeat(np.arange(40), 2)
    slow.astype("<i2").tofile(tmp_path / "r-1.d.dat")
    fast.astype("<i2").tofile(tmp_path / "r2.dat")
    (tmp_path / "r.hea").write_text(
        "r 2 100 40\nr-1.d.dat 16 10/mV 16 0 0 0 0 I\nr2.dat 16x2 10/mV 16 0 0 0 0 V2\n"
    )
    record = read_record(tmp_path / "r.hea")
    assert (record.sampling_rate, len(record.signal)) == (200, 80)
    np.testing.assert_allclose(record.signal[::2, 0], slow / 10, rtol=1e-6)
    np.testing.assert_allclose(record.signal[1:-1:2, 0], slow[:-1] / 10 + 0.05, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(record.signal[:, 7], fast / 10, rtol=1e-6)
    assert record.notes == ("lead I has 100 Hz and is interpolated to 200 Hz",)


def test_leads_of_several_samples_a_frame_keep_their_rate(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    digital = np.random.default_rng(3).integers(-900, 900, (25, 3, 4)).astype("<i2")
    frames = np.concatenate([digital.reshape(25, 12), np.arange(25)[:, None]], axis=1).astype("<i2")
    frames.tofile(tmp_path / "r.dat")
    leads = [f"r.dat 16x4 {gain} 16 0 0 0 0 {lead}" for lead, gain in (("I", 100), ("V6", 50), ("aVF", 200))]
    lines = ["r 4 125/500 25", *leads, "r.dat 16 100/NU 16 0 0 0 0 RESP"]
    (tmp_path / "r.hea").write_text("\n".join(lines) + "\n")
    record = read_record(tmp_path / "r.hea")
    expected = wfdb.rdrecord(str(tmp_path / "r"), smooth_frames=False).e_p_signal
    assert record.sampling_rate == 500
    for lead, values in zip((0, 11, 5), expected[:3], strict=True):
        np.testing.assert_allclose(record.signal[:, lead], values, rtol=1e-6)
    assert record.notes == ("left out, as their units are no voltage: RESP (NU)",)
    info = read_info(tmp_path / "r.hea")
    assert (info.sampling_rate, info.samples) == (500, 100)


def test_leads_without_a_unit_of_voltage_are_left_out_or_the_record_is_refused(tmp_path, values):
    path = write_record(tmp_path, values)
    written = path.read_text()
    path.write_text(written.replace("1000/mV", "1/uVolt"))
    np.testing.assert_allclose(read_record(path).signal, values.T / 1000, rtol=1e-6)
    path.write_text(written.replace("1000/mV", "1/adu", 1))
    record = read_record(path)
    assert not record.leads[0]
    assert record.notes == ("left out, as their units are no voltage: I (adu)",)
    path.write_text(written.replace("1000/mV", "1/adu"))
    with pytest.raises(InputError, match=r"A1\.hea: has no lead in a unit of voltage; its units are adu"):
        read_record(path)


@pytest.mark.parametrize("header", ["A1.HEA", "A1.hea"])
@pytest.mark.parametrize("given", ["A1", "A1.HEA", "A1.hea", "A1.MAT"])
def test_suffixes_in_upper_case(tmp_path, values, header, given):
    path = write_record(tmp_path, values)
    path.with_suffix(".mat").rename(tmp_path / "A1.MAT")
    path.rename(tmp_path / header)
    np.testing.assert_allclose(read_record(tmp_path / given).signal, values.T / 1000, rtol=1e-6)


@pytest.mark.parametrize("name", ["B.dcm", "B.XML", "B.mat", "B.csv", "B.hea"])
def test_a_missing_file_is_named_as_it_was_given(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: cannot be read \(No such file"):
        read_record(tmp_path / name)


def test_a_signal_file_leads_to_its_header_and_a_folder_is_named(tmp_path, values):
    path = write_record(tmp_path, values)
    path.with_suffix(".mat").unlink()
    values.T.astype("<i2").tofile(tmp_path / "A1.dat")
    path.write_text(path.read_text().replace("A1.mat 16+24", "A1.dat 16"))
    np.testing.assert_allclose(read_record(tmp_path / "A1.dat").signal, values.T / 1000, rtol=1e-6)
    with pytest.raises(
        InputError, match="is a folder; give a record in it, or classify all of them by the command drive"
    ):
        read_record(tmp_path)
    path.unlink()
    with pytest.raises(InputError, match=r"A1\.dat: is a signal file without its header A1\.hea"):
        read_record(tmp_path / "A1.dat")


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_folder_without_a_name_is_no_record(name):
    with pytest.raises(InputError, match="is a folder"):
        read_record(Path(name))
    assert not is_record(Path(name))


def test_truncated_wfdb_files(tmp_path):
    for storage, size in (("16", 40), ("212", 40), ("24", 40)):
        (tmp_path / "r.hea").write_text(
            f"r 2 100 40\nr.dat {storage} 200 12 0 0 0 0 I\nr.dat {storage} 200 12 0 0 0 0 II\n"
        )
        (tmp_path / "r.dat").write_bytes(bytes(size))
        with pytest.raises(InputError, match=r"r\.(dat|hea)"):
            read_record(tmp_path / "r.hea")


def test_cpsc_2018_record(tmp_path):
    data = np.random.default_rng(3).normal(size=(12, 70))
    savemat(tmp_path / "A7.mat", {"ECG": {"sex": "Female", "age": 48.0, "data": data}})
    record = read_record(tmp_path / "A7.mat")
    np.testing.assert_allclose(record.signal, data.T, rtol=1e-6)
    assert (record.name, record.sampling_rate, record.age, record.sex) == ("A7", 500.0, 48.0, "Female")
    info = read_info(tmp_path / "A7")
    assert (info.path, info.samples, info.sampling_rate) == (tmp_path / "A7.mat", 70, 500.0)


def test_cpsc_2018_record_with_unknown_age(tmp_path):
    savemat(tmp_path / "A7.mat", {"ECG": {"sex": "", "age": np.nan, "data": np.ones((12, 7))}})
    record = read_record(tmp_path / "A7.mat")
    assert math.isnan(record.age)
    assert record.sex == "Unknown"


def test_challenge_2017_record_with_and_without_its_header(tmp_path, values):
    path = write_record(tmp_path, values[:1], ["ECG"], first="A1 1 300 50")
    record = read_record(path)
    np.testing.assert_allclose(record.signal[:, 0], values[0] / 1000, rtol=1e-6)
    assert np.flatnonzero(record.leads).tolist() == [0]
    path.unlink()
    bare = read_record(tmp_path / "A1.mat")
    assert bare.sampling_rate == record.sampling_rate == 300
    np.testing.assert_array_equal(bare.signal, record.signal)


def test_twelve_rows_without_a_header_are_refused(tmp_path, values):
    write_record(tmp_path, values).unlink()
    with pytest.raises(InputError, match=r"A1\.mat.*no header A1\.hea"):
        read_record(tmp_path / "A1.mat")


def test_find_records(tmp_path, values):
    for folder, name in (("b", "B2"), ("b", "B10"), ("a", "A1"), (".cache", "C1"), ("b", "._B2")):
        write_record(tmp_path / folder, values, name=name)
    (tmp_path / "a" / "bare.mat").touch()
    (tmp_path / "a" / "notes.txt").touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_records(tmp_path)]
    assert found == ["a/A1.hea", "a/bare.mat", "b/B10.hea", "b/B2.hea"]


def test_no_records(tmp_path):
    with pytest.raises(InputError, match="no records"):
        find_records(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_records(tmp_path / "none")


def refused(path, *reasons):
    with pytest.raises(InputError) as caught:
        read_record(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.stem in message
    for reason in reasons:
        assert reason in message


def test_missing_files(tmp_path, values):
    path = write_record(tmp_path, values)
    (tmp_path / "A1.mat").unlink()
    refused(path, "A1.mat", "missing")
    refused(tmp_path / "A2", "A2.hea")
    refused(tmp_path / "A2.mat", "A2")


@pytest.mark.parametrize("size", [0, 10, 24, 25, 24 + 2 * 12 * 50 - 1])
def test_truncated_signal(tmp_path, values, size):
    path = write_record(tmp_path, values)
    content = (tmp_path / "A1.mat").read_bytes()
    (tmp_path / "A1.mat").write_bytes(content[:size])
    refused(path, "A1.mat")


def test_fewer_samples_than_the_header_says(tmp_path, values):
    refused(write_record(tmp_path, values, first="A1 12 500 51"), "A1.mat", "truncated", "50", "51")


def test_zero_samples(tmp_path, values):
    refused(write_record(tmp_path, values[:, :0]), "A1.mat", "no samples")


def test_rows_that_are_not_the_headers(tmp_path, values):
    refused(write_record(tmp_path, values[:11]), "12 leads", "(11, 50)")


def test_none_of_the_twelve_leads(tmp_path, values):
    refused(write_record(tmp_path, values[:2], ["X", "Y"]), "none of the twelve leads", "X, Y")
    refused(write_record(tmp_path, np.full((2, 9), -32768), ["I", "II"]), "no valid sample")


@pytest.mark.parametrize("name", ["../A1.mat", "/etc/passwd", "..", "..\\A1.mat", "sub/A1.mat", "."])
def test_signal_files_stay_in_the_folder(tmp_path, values, name):
    path = write_record(tmp_path / "in", values)
    (tmp_path / "A1.mat").write_bytes(matlab4(values))
    path.write_text(path.read_text().replace("A1.mat", name))
    refused(path, "folder")


@pytest.mark.parametrize(
    ("signal", "rate", "leads"),
    [
        (np.ones(5), 250, ["I"]),
        (np.ones((5, 2)), 250, ["I"]),
        (np.ones((0, 1)), 250, ["I"]),
        (np.ones((5, 1)), 0, ["I"]),
        (np.ones((5, 1)), math.nan, ["I"]),
        (np.ones((5, 1)), 250, ["Z"]),
        (np.full((5, 1), np.nan), 250, ["I"]),
        (np.array([["a"]]), 250, ["I"]),
    ],
)
def test_signals_that_cannot_be_used(signal, rate, leads):
    with pytest.raises(InputError, match="mine"):
        record_from_signal(signal, rate, leads, name="mine")


BYTES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("form", ["challenge", "cpsc", "level 5"])
@BYTES
@given(data=st.data())
def test_damaged_matlab_file_is_read_or_refused(tmp_path, form, data):
    values = np.arange(24).reshape(12, 2)
    path = write_record(tmp_path, values)
    if form == "cpsc":
        path.unlink()
        savemat(path.with_suffix(".mat"), {"ECG": {"sex": "M", "age": 4, "data": values / 7}})
    elif form == "level 5":
        savemat(path.with_suffix(".mat"), {"val": values.astype(np.int16)})
    content = bytearray(path.with_suffix(".mat").read_bytes())
    content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 8)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.with_suffix(".mat").write_bytes(content)
    try:
        record = read_record(tmp_path / "A1")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert record.signal.shape[1] == 12


def test_cpsc_2018_label_table(tmp_path):
    path = tmp_path / "REFERENCE.csv"
    path.write_text("Recording,First_label,Second_label,Third_label\nA0001,5,,\nA0002,1,,\r\nA0003,2,5,\n")
    assert read_label_table(path) == {
        "A0001": ("59118001",),
        "A0002": ("426783006",),
        "A0003": ("164889003", "59118001"),
    }


def test_challenge_2017_label_table(tmp_path):
    path = tmp_path / "REFERENCE.csv"
    path.write_text("A00001,N\nA00002,A\nA00003,O\nA00004,~\n")
    assert read_label_table(path) == {
        "A00001": ("426783006",),
        "A00002": ("164889003",),
        "A00003": ("O",),
        "A00004": ("~",),
    }


@pytest.mark.parametrize("heading", ["", "record,code\n", "ecg_id,scp\n", "File Name,x,y\n", "\ufeffNAME,x\n"])
def test_own_label_table_is_kept_as_written(tmp_path, heading):
    path = tmp_path / "labels.csv"
    path.write_text(heading + "\nr1.mat, NORM\nr2,1,N , 10\nr3\nr1,LVH,NORM,\n", encoding="utf-8")
    assert read_label_table(path) == {"r1": ("NORM", "LVH"), "r2": ("1", "N", "10"), "r3": ()}


def test_codes_that_are_in_use_are_not_translated(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("a,1\nb,2\n")
    assert read_label_table(path)["a"] == ("426783006",)
    assert read_label_table(path, own_codes=("1", "2", "3"))["a"] == ("1",)


@pytest.mark.parametrize(
    "content", [b"", b"record,code\n", b"r1;NORM\nr2;LVH\n", b"a,b\n,c\n", b"\xff\xfe,\xff"]
)
def test_what_is_no_label_table(tmp_path, content):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"labels\.csv"):
        read_label_table(tmp_path / "labels.csv")
    with pytest.raises(InputError, match=r"none\.csv"):
        read_label_table(tmp_path / "none.csv")


def test_every_challenge_record_as_scipy_reads_it(shared):
    from scipy.io import loadmat

    for path in find_records(shared / "challenge"):
        record, info = read_record(path), read_info(path)
        stored = loadmat(path.with_suffix(".mat"))["val"]
        np.testing.assert_array_equal(read_recording(path.with_suffix(".mat")), stored)
        np.testing.assert_allclose(record.signal, stored.T / 1000, rtol=1e-6)
        assert (info.samples, info.sampling_rate) == (
            len(record.signal),
            1000.0 if path.stem[0] == "S" else 500.0,
        )
        assert record.leads.all()
        assert all(code.isdigit() for code in record.codes)
        assert record.codes == info.codes != ()


def test_challenge_records_as_wfdb_reads_them(shared, tmp_path):
    wfdb = pytest.importorskip("wfdb")
    for path in find_records(shared / "challenge")[::10]:
        first, *lines = path.read_text().splitlines()
        dateless = " ".join([path.stem, *first.split()[1:4]])  # wfdb refuses the dates and some names
        (tmp_path / path.name).write_text("\n".join([dateless, *lines]))
        shutil.copy(path.with_suffix(".mat"), tmp_path)
        expected = wfdb.rdrecord(str(tmp_path / path.stem)).p_signal
        np.testing.assert_allclose(read_record(path).signal, expected, rtol=1e-6)


def test_every_cpsc_2018_record(shared):
    folder = shared / "cpsc2018"
    labels = read_label_table(folder / "REFERENCE.csv")
    for path in find_records(folder):
        record = read_record(path)
        assert 500 * 6 <= len(record.signal) <= 500 * 60
        assert record.leads.all()
        assert record.sex in ("Female", "Male")
        assert np.nanmax(abs(record.signal)) < 50
    assert labels["A1983"] == ("426783006",)
