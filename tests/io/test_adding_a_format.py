"""Adding a format is one module of three functions and one line of the registry."""

from types import SimpleNamespace

import numpy as np

from cnn_gap.io import registry
from cnn_gap.io.records import read_record
from cnn_gap.io.registry import FORMATS, Format
from cnn_gap.io.sources import find_records
from cnn_gap.io.waveforms import record_of_waveform, waveform_from


def read(path):
    """Read three leads of 100 Hz, counts of 1 µV, after eight bytes."""
    counts = np.frombuffer(path.read_bytes()[8:], "<i2").reshape(-1, 3)
    return record_of_waveform(waveform_from(counts / 1000, ["I", "II", "V1"], 100.0, str(path)), str(path))


def test_one_module_and_one_line_make_a_format(tmp_path, monkeypatch):
    module = SimpleNamespace(
        recognise=lambda start: start.startswith(b"TINY ECG"), guard=lambda path: None, read=read
    )
    line = Format("Tiny ECG", (".tiny",), module, 1, "this test", "nothing")
    monkeypatch.setattr(registry, "FORMATS", (*FORMATS, line))
    path = tmp_path / "A.tiny"
    path.write_bytes(b"TINY ECG" + np.array([[100, 200, 300], [400, 500, 600]], "<i2").tobytes())
    assert find_records(tmp_path) == [path]
    np.testing.assert_allclose(read_record(path).signal[:, [0, 1, 6]], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
