"""HDF5: the arrays of SPH and CODE-15, MATLAB 7.3, and files that ask for too much."""

import json

import numpy as np
import pytest

from cnn_gap.io.formats import hdf5
from cnn_gap.io.formats.wfdb import read_recording
from cnn_gap.io.matlab import parse_matlab
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError

h5py = pytest.importorskip("h5py", reason="pip install cnn-gap[formats]")
SIGNAL = np.random.default_rng(0).normal(0, 0.3, (1000, 12)).astype(np.float16)


def written(folder, **arrays):
    path = folder / "A.h5"
    about = {"sampling_rate": 500, "unit": "mV", "leads": list(LEADS)}
    path.with_suffix(".json").write_text(json.dumps(about))
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path


@pytest.mark.parametrize(
    "arrays",
    [
        {"ecg": SIGNAL.T},
        {"tracings": SIGNAL},
        {"tracings": SIGNAL[None], "exam_id": np.array([17])},
        {"tracings": SIGNAL.T[None].astype(np.float64)},
    ],
)
def test_one_recording(tmp_path, arrays):
    path = written(tmp_path, **arrays)
    assert find_records(tmp_path) == [path]
    record = read_record(path)
    np.testing.assert_array_equal(record.signal, SIGNAL.astype(np.float32))
    assert (record.name, record.sampling_rate, record.notes) == ("A", 500, ())


def test_half_precision_in_microvolts_loses_no_digit(tmp_path):
    microvolts = (SIGNAL.astype(np.float32) * 1000).astype(np.float16)
    path = written(tmp_path, ecg=microvolts)
    about = {"sampling_rate": 500, "unit": "uV", "leads": list(LEADS)}
    path.with_suffix(".json").write_text(json.dumps(about))
    np.testing.assert_allclose(read_record(path).signal, microvolts.astype(np.float64) / 1000, rtol=1e-6)


def test_zeros_around_a_recording_are_left_out(tmp_path):
    padded = np.zeros((1, 4096, 12), np.float32)
    padded[0, 100:1100] = SIGNAL
    record = read_record(written(tmp_path, tracings=padded))
    np.testing.assert_array_equal(record.signal, SIGNAL.astype(np.float32))
    assert record.notes == ("left out: zeros around the recording",)


def test_a_file_without_a_sidecar_says_what_to_write(tmp_path):
    path = written(tmp_path, ecg=SIGNAL)
    path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match=r"A\.h5: has no sidecar; write A\.json beside it"):
        read_record(path)


def test_several_recordings_are_refused_with_what_to_do(tmp_path):
    path = written(tmp_path, tracings=np.zeros((3, 1000, 12)))
    with pytest.raises(InputError, match=r"A\.h5: holds 3 recordings in /tracings; write each to a file"):
        read_record(path)


def test_arrays_in_other_files_or_too_large_are_not_read(tmp_path, monkeypatch):
    path = written(tmp_path)
    with h5py.File(path, "w") as file:
        file["ecg"] = h5py.ExternalLink("other.h5", "/ecg")
    with pytest.raises(InputError, match="has no single array of samples and leads; it holds ecg"):
        read_record(path)
    (tmp_path / "raw").write_bytes(bytes(24_000))
    with h5py.File(path, "w") as file:
        file.create_dataset("ecg", (1000, 12), "f2", external=[(str(tmp_path / "raw"), 0, 24_000)])
    with pytest.raises(InputError, match="is in other files"):
        read_record(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("ecg", (10**9, 12), "f4", chunks=(1000, 12))
    with pytest.raises(InputError, match="takes 48000000000 bytes"):
        read_record(path)
    assert path.stat().st_size < 10_000
    assert hdf5.recognise(path.read_bytes())


def matlab73(path, write):
    """Write a MATLAB file of version 7.3: HDF5 after a block of 512 bytes with MATLAB's text."""
    with h5py.File(path, "w", userblock_size=512) as file:
        write(file)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + b"\x00\x02IM")
    return path


def test_matlab_7_3(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 12)  # leads, samples

    def write(file):
        file["val"] = values.T
        text = file.create_dataset("sex", data=np.frombuffer("Male".encode("utf-16-le"), np.uint16)[:, None])
        text.attrs["MATLAB_class"] = b"char"
        group = file.create_group("ECG")
        group["data"] = values.T.astype(float)
        file.create_group("#refs#")["a"] = np.ones(3)

    path = matlab73(tmp_path / "A.mat", write)
    np.testing.assert_array_equal(read_recording(path), values)
    variables = parse_matlab(path.read_bytes())
    assert set(variables) == {"val", "sex", "ECG"}
    np.testing.assert_array_equal(variables["ECG"]["data"], values)
    assert "".join(map(chr, variables["sex"].ravel())) == "Male"


def test_matlab_7_3_of_cpsc_2018(tmp_path):
    def write(file):
        group = file.create_group("ECG")
        group["data"] = SIGNAL.astype(float)  # (samples, leads), as MATLAB's axes are reversed
        group["age"] = np.array([[63.0]])

    record = read_record(matlab73(tmp_path / "A0001.mat", write))
    np.testing.assert_allclose(record.signal, SIGNAL.astype(np.float32))
    assert (record.age, record.sampling_rate) == (63, 500)


def test_matlab_7_3_that_becomes_too_large(tmp_path):
    path = matlab73(
        tmp_path / "A.mat", lambda file: file.create_dataset("val", (10**9, 12), "f8", chunks=(1000, 12))
    )
    with pytest.raises(InputError, match="too much for a recording"):
        read_record(path)
