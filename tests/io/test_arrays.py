"""Arrays in files: the values of the sidecar, and the messages on a wrong one."""

import json

import numpy as np
import pytest

from cnn_gap.io.formats import npz, parquet
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.system.errors import InputError

ABOUT = {"sampling_rate": 500, "unit": "uV", "leads": ["I", "II"]}
VALUES = np.array([[100.0, 200.0], [300.0, 500.0]])


def written(folder, suffix, about, content=None):
    """Write an array and its sidecar; return the array's path."""
    path = folder / f"A{suffix}"
    if about is not None:
        path.with_suffix(".json").write_text(json.dumps(about))
    if content is not None:
        path.write_bytes(content)
    elif suffix == ".npy":
        np.save(path, VALUES)
    else:
        np.savez(path, signal=VALUES)
    return path


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".npy", None),
        (".npz", None),
        (".csv", b"100,200\n300,500\n"),
        (".csv", b"I;II\r\n100;200\r\n300;500\r\n"),
        (".csv", b"\xef\xbb\xbfI\tII\n100\t200\n300\t500\n"),
    ],
)
def test_what_a_sidecar_says(tmp_path, suffix, content):
    record = read_record(written(tmp_path, suffix, ABOUT | {"age": 50, "sex": "female"}, content))
    np.testing.assert_allclose(record.signal[:, :2], VALUES / 1000)
    assert (record.sampling_rate, record.age, record.sex) == (500, 50, "Female")


def test_a_sidecar_for_a_whole_folder(tmp_path):
    path = written(tmp_path, ".csv", None, b"time,I,II\n0,100,200\n1,300,500\n")
    with pytest.raises(InputError, match="no records"):
        find_records(tmp_path)
    (tmp_path / "signals.json").write_text('{"sampling_rate": 250, "unit": "uV"}')
    assert find_records(tmp_path) == [path]
    record = read_record(path)
    np.testing.assert_allclose(record.signal[:, 1], [0.2, 0.5])
    assert record.notes == ("left out, as none of the twelve leads: time",)


@pytest.mark.parametrize(
    ("suffix", "about", "content", "said"),
    [
        (".npy", None, None, r"A\.npy: has no sidecar; write A\.json beside it"),
        (".csv", None, b"I\n1\n", r"A\.csv: is CSV; write A\.json beside it"),
        (".npy", {"leads": ["I", "II"]}, None, r"A\.json: missing key sampling_rate"),
        (".npy", ABOUT | {"rate": 5}, None, r"A\.json: unknown key rate"),
        (".npy", ABOUT | {"sampling_rate": "500"}, None, r"A\.json: sampling_rate must be of type float"),
        (".npy", ABOUT | {"unit": "counts"}, None, r"A\.npy: the unit must be one of .*; received 'counts'"),
        (".npy", ABOUT | {"leads": ["I"]}, None, r"A\.npy: expected a signal of 1 leads"),
        (".npy", {"sampling_rate": 500}, None, r"A\.npy: has no names of leads"),
        (".npy", ABOUT, b"\x93NUMPY\x01\x00nonsense", r"A\.npy: is NumPy array that cannot be read"),
        (".csv", ABOUT, b"I,II\n1,a\n", r"A\.csv: expected numbers"),
        (".parquet", ABOUT, b"PAR1 nonsense PAR1", r"A\.parquet: is Parquet that cannot be read"),
        (".npz", ABOUT, b"PK\x03\x04 signal.npy", r"A\.npz: is NumPy archive that cannot be read"),
    ],
)
def test_a_wrong_array_or_sidecar_is_refused_with_the_reason(tmp_path, suffix, about, content, said):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match=said):
        read_record(written(tmp_path, suffix, about, content))


def test_an_archive_without_a_signal(tmp_path):
    np.savez(tmp_path / "A.npz", ecg=VALUES)
    (tmp_path / "A.json").write_text(json.dumps(ABOUT))
    with pytest.raises(InputError, match=r"A\.npz: holds no array named signal; it holds ecg\.npy"):
        read_record(tmp_path / "A.npz")


def test_nothing_is_unpickled(tmp_path):
    (tmp_path / "A.json").write_text(json.dumps(ABOUT))
    code = np.array([[print, print]], dtype=object)
    np.save(tmp_path / "A.npy", code)
    np.savez(tmp_path / "A.npz", signal=code)
    for suffix in (".npy", ".npz"):
        with pytest.raises(InputError, match="cannot be read"):
            read_record(tmp_path / f"A{suffix}")


def test_arrays_that_are_too_large_are_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "LARGEST_ARRAY", 10_000)
    monkeypatch.setattr(parquet, "LARGEST_ARRAY", 10_000)
    (tmp_path / "A.json").write_text(json.dumps(ABOUT))
    np.savez_compressed(tmp_path / "A.npz", signal=np.zeros((1000, 2)))
    with pytest.raises(InputError, match="announces 16000 bytes"):
        read_record(tmp_path / "A.npz")
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.DataFrame(np.zeros((1000, 2)), columns=["I", "II"]).to_parquet(tmp_path / "A.parquet")
    with pytest.raises(InputError, match="too large; at most 1250 numbers"):
        read_record(tmp_path / "A.parquet")
