"""Read the numbers, texts and structs of MATLAB files of levels 4 and 5 (up to version 7).

SciPy's reader crashes the process on some damaged files, and a bad record must not stop the others. The format
is MathWorks' "MAT-File Format" (https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf).
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from cnn_gap.io.matlab73 import Value, is_matlab73, parse_matlab73

#: Level 4's storage types by the tens digit of the first number, and level 5's by their number.
_LEVEL4 = ("<f8", "<f4", "<i4", "<i2", "<u2", "u1")
_LEVEL5 = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
_LEVEL5 |= {16: "u1", 17: "<u2", 18: "<u4"}  # texts, taken as their characters' numbers
_MATRIX, _COMPRESSED = 14, 15
_STRUCT, _TEXT, _NUMBERS = 2, 4, range(6, 16)

#: Numbers may be stored in smaller types than these, of double and single precision.
_PRECISION = {6: np.float64, 7: np.float32}
_HEADER = 128

#: Limits of a file: bytes once decompressed and of a matrix, elements in a row, bytes of a struct's field
#: names, depth of structs within structs, and characters of a text. Recordings stay far below.
_LARGEST_CONTENT = 1 << 28
_MOST_ELEMENTS = 10_000
_LONGEST_NAMES = 1 << 16
_DEEPEST = 8
_LONGEST_TEXT = 1000


def parse_matlab(content: bytes) -> dict[str, Value]:
    """Return the variables of a file's bytes by name; texts are matrices of characters' numbers.

    Raises
    ------
    ValueError
        If the bytes are not such a file, or hold what is neither number, text nor struct.
    """
    if content[124:128] == b"\x00\x01IM":
        return dict(_named(data) for kind, data in _decompressed(content[_HEADER:]) if kind == _MATRIX)
    if is_matlab73(content):
        return parse_matlab73(content)
    if content[:6] == b"MATLAB":
        raise ValueError("the file is big-endian; save it on a usual computer")
    return dict(_level4(content))


def text_of(value: Value | None) -> str:
    """Return a text variable, or a number as text; an empty text for any other variable."""
    if not isinstance(value, np.ndarray) or not value.size:
        return ""
    if value.dtype == np.uint16:  # MATLAB's characters
        return "".join(map(chr, value.ravel()[:_LONGEST_TEXT]))
    return str(value.flat[0])


def matrix_of(values: object) -> np.ndarray:
    """Return a variable that is a matrix of numbers.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind not in "iuf":
        raise ValueError("the signal is not a matrix of numbers")
    return values


def _level4(content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    start = 0
    for _ in range(_MOST_ELEMENTS):
        if start >= len(content):
            return
        kind, rows, columns, imaginary, length = struct.unpack_from("<5i", content, start)
        start += 20
        if kind < 0 or kind % 10 or kind // 10 >= len(_LEVEL4) or imaginary or min(rows, columns, length) < 0:
            raise ValueError("neither a MATLAB file of level 5 nor real matrices of level 4")
        name = content[start : start + length].rstrip(b"\0").decode("latin-1")
        start += length
        dtype = np.dtype(_LEVEL4[kind // 10])
        values = np.frombuffer(content, dtype, rows * columns, start)
        start += values.nbytes
        yield name, values.reshape((rows, columns), order="F")
    raise ValueError("the file holds too many variables")


def _elements(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the data of each element of level 5."""
    start = 0
    for _ in range(_MOST_ELEMENTS):
        if start + 8 > len(content):
            return
        kind, size = struct.unpack_from("<2I", content, start)
        if kind >> 16:  # up to four bytes of data share the tag's eight
            kind, size, start, end = kind & 0xFFFF, kind >> 16, start + 4, start + 8
        else:
            start += 8
            end = start + size
            end += -end % 8 if kind != _COMPRESSED else 0
        data = content[start : start + size]
        if len(data) < size:
            raise ValueError("the file is truncated")
        yield kind, data
        start = end
    raise ValueError("the file holds too many elements")


def _decompressed(content: bytes) -> Iterator[tuple[int, memoryview]]:
    """Yield the elements of a file; for a compressed element, yield the elements that it holds."""
    left = _LARGEST_CONTENT
    for kind, data in _elements(memoryview(content)):
        if kind != _COMPRESSED:
            yield kind, data
            continue
        stream = zlib.decompressobj()
        held = stream.decompress(data, max(left, 1))
        if stream.unconsumed_tail or not stream.eof:
            raise ValueError("compressed data are truncated or too large")
        left -= len(held)
        yield from _elements(memoryview(held))


def _named(content: memoryview, depth: int = 0) -> tuple[str, Value]:
    """Return the name and the value of a matrix element, which lies in `depth` structs."""
    parts = _elements(content)
    flags, dimensions = (_numbers(*next(parts)) for _ in range(2))
    name = bytes(next(parts)[1]).decode("latin-1")
    kind, is_complex = int(flags[0]) & 0xFF, int(flags[0]) & 0x0800
    shape = tuple(int(size) for size in dimensions)
    if kind == _STRUCT:
        return name, _fields(parts, shape, depth + 1)
    if is_complex or not (kind == _TEXT or kind in _NUMBERS):
        raise ValueError(f"{name} is neither of numbers, text nor a struct")
    values = _numbers(*next(parts)).reshape(shape, order="F")
    wanted = np.dtype(np.uint16 if kind == _TEXT else _PRECISION.get(kind, values.dtype))
    if values.size * wanted.itemsize > _LARGEST_CONTENT:
        raise ValueError(f"{name} is too large for a recording")
    return name, values.astype(wanted)


def _fields(parts: Iterator[tuple[int, memoryview]], shape: tuple[int, ...], depth: int) -> dict[str, Value]:
    if set(shape) != {1}:
        raise ValueError(f"a struct of shape {shape} is not one record's")
    length = int(_numbers(*next(parts))[0])
    names = bytes(next(parts)[1][:_LONGEST_NAMES])
    if length < 1 or depth > _DEEPEST:
        raise ValueError("a struct's field names have no length, or structs are nested too deeply")
    keys = [names[at : at + length].rstrip(b"\0").decode("latin-1") for at in range(0, len(names), length)]
    return {key: _named(data, depth)[1] for key, (_, data) in zip(keys, parts, strict=True)}


def _numbers(kind: int, data: memoryview) -> np.ndarray:
    if kind not in _LEVEL5:
        raise ValueError(f"an element of type {kind} holds no numbers")
    return np.frombuffer(data, _LEVEL5[kind])
