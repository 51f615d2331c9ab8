"""Records of hours are read in parts that equal the whole."""

import pickle

import numpy as np
import pytest

from cnn_gap.io import long_records
from cnn_gap.io.long_records import LongRecord, open_record, read_whole
from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.errors import InputError


@pytest.fixture(autouse=True)
def _low_limit(monkeypatch):
    monkeypatch.setattr(long_records, "LONG_SAMPLES", 2000)


def write(folder, storage, samples=5000, rate=250):
    """Write a record of two leads in a file of the storage format."""
    wfdb = pytest.importorskip("wfdb")
    values = np.random.default_rng(1).integers(-100, 100, (samples, 2))
    values[4000:4400] = -(2 ** ({"16": 16, "212": 12, "80": 8}[storage.partition("+")[0]] - 1))
    if storage == "16+24":
        head = np.array([30, 2, samples, 0, 4], "<i4").tobytes() + b"val\0"
        (folder / "r.mat").write_bytes(head + values.astype("<i2").tobytes())
        lines = [f"r.mat 16+24 100/mV 16 0 0 0 0 {lead}" for lead in ("I", "V1")]
        (folder / "r.hea").write_text("\n".join([f"r 2 {rate} {samples}", *lines, "#Dx: 7", "#Age: 50"]))
        return folder / "r.hea"
    about = {"adc_gain": [100.0, 100.0], "baseline": [0, 0], "comments": ["Dx: 7", "Age: 50"]}
    wfdb.wrsamp(
        "r", rate, ["mV"] * 2, ["I", "V1"], d_signal=values, fmt=[storage] * 2, **about, write_dir=str(folder)
    )
    return folder / "r.hea"


@pytest.mark.parametrize("storage", ["16+24", "16", "212", "80"])
def test_parts_are_those_of_the_whole(tmp_path, storage):
    path = write(tmp_path, storage)
    whole, long = read_record(path), open_record(path)
    assert isinstance(long, LongRecord)
    assert (long.name, long.samples, long.sampling_rate) == ("r", 5000, 250.0)
    assert (long.codes, long.age) == (("7",), 50.0)
    for first, last in ((0, 10), (1234, 3000), (3999, 4500), (4990, 5000)):
        np.testing.assert_allclose(long.part(first, last).signal, whole.signal[first:last], rtol=1e-6)


def test_a_long_record_can_be_sent_to_another_process(tmp_path, monkeypatch):
    monkeypatch.setattr(long_records, "LONG_SAMPLES", 2000)
    write_simulated(tmp_path, simulate_record("A", ["426783006"], 100.0, 30.0, seed=1))
    record = open_record(tmp_path / "A.hea")
    sent = pickle.loads(pickle.dumps(record))  # noqa: S301 - its own
    assert sent.samples == record.samples == 3000
    np.testing.assert_array_equal(sent.part(10, 500).signal, record.part(10, 500).signal)


def test_a_part_without_a_valid_sample_is_nan(tmp_path):
    part = open_record(write(tmp_path, "16+24")).part(4100, 4200)
    assert part.signal.shape == (100, len(LEADS))
    assert np.isnan(part.signal).all()


def test_short_records_are_read_whole(tmp_path):
    assert isinstance(open_record(write(tmp_path, "16", samples=500)), Record)


def test_a_low_rate_makes_a_record_long(tmp_path):
    path = write(tmp_path, "16", samples=500)
    path.write_text(path.read_text().replace(" 250 ", " 10 "))
    assert isinstance(open_record(path), LongRecord)


def test_longer_than_a_week_is_no_record(tmp_path):
    path = write(tmp_path, "16", samples=700_000)
    path.write_text(path.read_text().replace(" 250 ", " 1 "))
    with pytest.raises(InputError, match=r"lasts 8\.1 days; at most 7 are read: is 1 Hz its"):
        open_record(path)


def test_a_file_cut_while_it_is_read_is_named(tmp_path):
    long = open_record(write(tmp_path, "16+24"))
    (tmp_path / "r.mat").write_bytes((tmp_path / "r.mat").read_bytes()[:1000])
    with pytest.raises(InputError, match=r"r\.mat: is truncated"):
        long.part(4500, 5000)


def test_a_record_that_is_read_whole_must_fit_into_memory(tmp_path, monkeypatch):
    path = write(tmp_path, "16")
    assert read_whole(path).signal.shape == (5000, len(LEADS))
    monkeypatch.setattr(long_records, "LARGEST_WHOLE", 4999)
    with pytest.raises(InputError, match=r"r\.hea: lasts 0\.0 hours; at most 0\.0 are read as a whole"):
        read_whole(path)


def test_a_matlab_files_storage_is_its_own(tmp_path):
    path = write(tmp_path, "16+24", samples=500)
    path.write_text(path.read_text().replace("16+24", "99+24", 1))
    np.testing.assert_array_equal(open_record(path).signal, read_record(path).signal)
    path = write(tmp_path, "16+24")
    path.write_text(path.read_text().replace(" 5000", " 5001", 1))
    with pytest.raises(InputError, match="truncated"):
        open_record(path)
