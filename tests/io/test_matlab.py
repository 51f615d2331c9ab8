"""MATLAB files, against SciPy's writer and with every kind of damage."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from cnn_gap.io.matlab import parse_matlab, text_of

MATRICES = [
    np.arange(24, dtype=np.int16).reshape(12, 2),
    np.linspace(-3, 3, 24).reshape(2, 12),
    np.arange(6, dtype=np.float32).reshape(1, 6),
    np.arange(6, dtype=np.uint8).reshape(6, 1),
    np.arange(4, dtype=np.int32).reshape(2, 2) - 70_000,
]


def _saved(path, content, **options):
    savemat(path, content, **options)
    return path.read_bytes()


@pytest.mark.parametrize("options", [{"format": "4"}, {"format": "5"}, {"format": "5", "do_compression": True}])
@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: str(matrix.dtype))
def test_matrices_of_either_level(tmp_path, options, matrix):
    variables = parse_matlab(_saved(tmp_path / "a.mat", {"val": matrix, "b": np.ones((1, 1))}, **options))
    np.testing.assert_array_equal(variables["val"], matrix)
    assert variables["b"] == 1


@pytest.mark.parametrize("compressed", [False, True])
def test_a_struct_with_text_and_numbers(tmp_path, compressed):
    record = {"sex": "Female", "age": 1000, "data": np.linspace(0, 1, 24).reshape(12, 2)}
    ecg = parse_matlab(_saved(tmp_path / "a.mat", {"ECG": record}, do_compression=compressed))["ECG"]
    assert text_of(ecg["sex"]) == "Female"
    assert float(text_of(ecg["age"])) == 1000
    assert text_of(ecg.get("missing")) == ""
    np.testing.assert_array_equal(ecg["data"], record["data"])


@pytest.mark.parametrize("content", [b"MATLAB 7.3 MAT-file", b"\x89HDF and more", b"\0" * 19, b"\1" * 24])
def test_what_is_no_such_file_is_refused(content):
    with pytest.raises((ValueError, struct.error)):
        parse_matlab(content)


@pytest.mark.parametrize("compressed", [False, True])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_never_crashes_the_process(tmp_path_factory, compressed, data):
    path = tmp_path_factory.getbasetemp() / "damaged.mat"
    record = {"sex": "M", "age": 4, "data": np.linspace(0, 1, 24).reshape(12, 2)}
    content = bytearray(_saved(path, {"ECG": record}, do_compression=compressed))
    content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 8)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        variables = parse_matlab(bytes(content))
    except Exception as error:  # whatever a damaged file raises; reading a record names the file in an error
        assert not isinstance(error, MemoryError)
    else:
        assert all(isinstance(value, np.ndarray | dict) for value in variables.values())


def _element(kind, data):
    return struct.pack("<2I", kind, len(data)) + data + bytes(-len(data) % 8 if kind != 15 else 0)


def _matrix(kind, parts, shape=(1, 1)):
    head = _element(6, struct.pack("<2I", kind, 0)) + _element(5, struct.pack(f"<{len(shape)}i", *shape))
    return _element(14, head + _element(1, b"val") + b"".join(parts))


def _level5(*elements):
    return b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + b"".join(elements)


def _bombs():
    zeros = zlib.compress(bytes(1 << 24))
    yield "compressed within compressed", _level5(_element(15, zlib.compress(_element(15, zeros))))
    yield "many compressed", _level5(*[_element(15, zlib.compress(_element(7, bytes((1 << 26) - 8))))] * 6)
    yield "too many elements", _level5(bytes(8) * 100_000)
    stored = (1 << 25) + 8
    yield "bytes as doubles", _level5(_matrix(6, [_element(2, bytes(stored))], (1, stored)))
    nested = _matrix(6, [_element(9, bytes(8))])
    for _ in range(100):
        nested = _matrix(2, [_element(5, struct.pack("<i", 32)), _element(1, b"val".ljust(32, b"\0")), nested])
    yield "structs within structs", _level5(nested)


@pytest.mark.parametrize(("content"), [pytest.param(bomb, id=name) for name, bomb in _bombs()])
def test_a_small_file_cannot_become_large(content):
    tracemalloc.start()
    try:
        assert parse_matlab(content) == {}
    except ValueError as error:
        assert "too" in str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 400e6


@pytest.mark.parametrize("sizes", [[2_000_000], [600_000, 600_000]])
def test_what_compressed_elements_hold_together_has_a_bound(monkeypatch, sizes):
    monkeypatch.setattr("cnn_gap.io.matlab._LARGEST_CONTENT", 1_000_000)
    elements = [_element(15, zlib.compress(_element(7, bytes(size)))) for size in sizes]
    with pytest.raises(ValueError, match="truncated or too large"):
        parse_matlab(_level5(*elements))


def test_a_long_text_is_cut():
    assert len(text_of(np.full((1, 10**6), 57, np.uint16))) == 1000
