"""Records of several segments, as wfdb joins them."""

import numpy as np
import pytest

from cnn_gap.io import long_records
from cnn_gap.io.long_records import LongRecord, open_record
from cnn_gap.io.records import read_info, read_record, record_files
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError


def write_segment(folder, name, leads, samples=100, rate=100, gain="200/mV", per_frame=1):
    """Write a record of one segment in format 16, and return its stored values (frames, values of a frame)."""
    values = np.random.default_rng(len(name) + samples).integers(-900, 900, (samples, len(leads) * per_frame))
    values.astype("<i2").tofile(folder / f"{name}.dat")
    storage = "16" if per_frame == 1 else f"16x{per_frame}"
    lines = [f"{name}.dat {storage} {gain} 16 0 0 0 0 {lead}" for lead in leads]
    (folder / f"{name}.hea").write_text("\n".join([f"{name} {len(leads)} {rate} {samples}", *lines]) + "\n")
    return values


def write_master(folder, lines, samples, leads=2, rate=100):
    path = folder / "m.hea"
    path.write_text(
        "\n".join([f"m/{len(lines)} {leads} {rate} {samples}", *lines, "#Age: 60", "#Dx: 7"]) + "\n"
    )
    return path


def write_layout(folder, leads, rate=100):
    lines = [f"~ 0 200/mV 16 0 0 0 0 {lead}" for lead in leads]
    (folder / "m_layout.hea").write_text("\n".join([f"m_layout {len(leads)} {rate} 0", *lines]) + "\n")


@pytest.fixture
def variable(tmp_path):
    """A record of variable layout: leads come and go, with a gap."""
    write_layout(tmp_path, ["II", "V", "V1", "RESP"])
    write_segment(tmp_path, "m_0001", ["II", "RESP"])
    write_segment(tmp_path, "m_0002", ["V1", "II"], samples=150)
    write_segment(tmp_path, "m_0003", ["RESP"], samples=40)
    return write_master(tmp_path, ["m_layout 0", "m_0001 100", "~ 60", "m_0002 150", "m_0003 40"], 350, 4)


def test_fixed_layout_is_joined_as_wfdb_does(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    for name, samples in (("a", 100), ("bc", 80)):
        write_segment(tmp_path, name, ["II", "V5"], samples)
    path = write_master(tmp_path, ["a 100", "bc 80"], 180)
    record = read_record(path)
    expected = wfdb.rdrecord(str(tmp_path / "m")).p_signal
    np.testing.assert_allclose(record.signal[:, [1, 10]], expected, rtol=1e-6)
    assert (record.name, record.age, record.codes, record.notes) == ("m", 60.0, ("7",), ())
    info = read_info(path)
    assert (info.samples, info.sampling_rate, info.codes) == (180, 100.0, ("7",))


def test_variable_layout_is_joined_as_wfdb_does(variable):
    wfdb = pytest.importorskip("wfdb")
    record = read_record(variable)
    expected = wfdb.rdrecord(str(variable.with_suffix("")), m2s=True)
    for lead in ("II", "V1"):
        column = expected.p_signal[:, expected.sig_name.index(lead)]
        np.testing.assert_allclose(record.signal[:, LEADS.index(lead)], column, rtol=1e-6)
    assert np.flatnonzero(record.leads).tolist() == [1, 6]
    assert np.isnan(record.signal[100:160]).sum() == 60 * 2
    assert record.notes == (
        "left out, as none of the twelve leads: RESP",
        "1 s between its segments are without a signal",
    )


def test_leads_that_follow_from_others_are_derived_in_each_segment(tmp_path):
    write_segment(tmp_path, "a", ["I", "II"])
    write_segment(tmp_path, "bc", ["I", "II", "III"])
    record = read_record(write_master(tmp_path, ["a 100", "bc 100"], 200))
    assert record.derived == ("aVR", "aVL", "aVF")
    assert np.isfinite(record.signal[:, :6]).all()


def test_segments_are_read_in_parts_where_the_record_is_long(variable, monkeypatch):
    monkeypatch.setattr(long_records, "LONG_SAMPLES", 200)
    whole, long = read_record(variable), open_record(variable)
    assert isinstance(long, LongRecord)
    assert long.samples == len(whole.signal)
    for first, last in ((0, 90), (50, 260), (310, 350)):
        part = long.part(first, last)
        np.testing.assert_array_equal(part.signal[:, part.leads], whole.signal[first:last, part.leads])
        np.testing.assert_array_equal(
            ~part.leads, np.isnan(whole.signal[first:last]).all(axis=0) | ~whole.leads
        )


def test_the_files_of_the_record_are_those_of_its_segments(variable):
    names = [path.name for path in record_files(variable)]
    assert names == ["m.hea", "m_layout.hea"] + [f"m_000{n}.{end}" for n in (1, 2, 3) for end in ("hea", "dat")]


def test_segments_with_several_samples_a_frame(tmp_path):
    values = write_segment(tmp_path, "a", ["II", "V5"], 50, per_frame=4)
    write_segment(tmp_path, "bc", ["II"], 25, per_frame=4)
    record = read_record(write_master(tmp_path, ["a 50", "bc 25"], 75))
    assert (record.sampling_rate, len(record.signal)) == (400, 300)
    np.testing.assert_allclose(record.signal[:200, 1], values[:, :4].ravel() / 200, rtol=1e-6)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["a 100", "absent 100"], r"absent\.hea: cannot be read"),
        (["a 100", "../a 100"], r"the segment \.\./a is not a name in the header's folder"),
        (["a 100", "a 90"], "segment a has 100 samples; the header says 90"),
        (["a 100"], "its segments have 100 samples; the header says 200"),
        (["a 100", "m 100"], r"m\.hea: is a segment of m\.hea and has segments itself"),
        (["a 100", "fast 100"], r"fast\.hea: has 250 Hz; m\.hea, of which it is a segment, has 100"),
        (["a 100", "frames 100"], "its segments have different sampling rates"),
        (["~ 200"], "has no samples"),
        (["resp 200"], "has none of the twelve leads"),
    ],
)
def test_segments_that_do_not_fit_are_named(tmp_path, lines, reason):
    write_segment(tmp_path, "a", ["II", "V5"])
    write_segment(tmp_path, "fast", ["II"], rate=250)
    write_segment(tmp_path, "frames", ["II"], per_frame=2)
    write_segment(tmp_path, "resp", ["RESP"], samples=200)
    path = write_master(tmp_path, lines, 200)
    with pytest.raises(InputError, match=reason):
        read_record(path)
    assert record_files(path)[0] == path
