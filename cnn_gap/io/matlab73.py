"""Read the numbers, texts and structs of MATLAB files of version 7.3, which are HDF5, by h5py.

Arrays lie in HDF5 with their axes reversed; a struct is a group, and an attribute tells texts from numbers
(https://www.mathworks.com/help/matlab/import_export/mat-file-versions.html).
"""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import h5py

#: A variable: a matrix, or the fields of a struct by name.
Value = np.ndarray | dict[str, "Value"]

#: Limits of a file: bytes of all matrices, and depth of structs within structs.
_LARGEST_CONTENT = 1 << 28
_DEEPEST = 8

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_USER_BLOCK = 512


def is_matlab73(content: bytes) -> bool:
    """Tell whether a file's bytes are of this version: HDF5 after MATLAB's text."""
    return content[_USER_BLOCK : _USER_BLOCK + len(_SIGNATURE)] == _SIGNATURE


def parse_matlab73(content: bytes) -> dict[str, Value]:
    """Return the variables of a file's bytes by name; texts are matrices of characters' numbers.

    What is neither number, text nor struct, such as a cell array, is left out.

    Raises
    ------
    ValueError
        If the matrices are too large, lie in other files or structs are nested too deeply.
    """
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        _require_size(file)
        return dict(_variables(file, 0))


def _variables(group: "h5py.Group", depth: int) -> Iterator[tuple[str, Value]]:
    import h5py

    if depth > _DEEPEST:
        raise ValueError("structs are nested too deeply")
    for name in group:
        if name.startswith("#") or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        held = group[name]
        if isinstance(held, h5py.Group):
            yield name, dict(_variables(held, depth + 1))
        elif held.dtype.kind in "iuf" and "MATLAB_empty" not in held.attrs:
            values = np.asarray(held[()]).T
            yield name, values.astype(np.uint16) if held.attrs.get("MATLAB_class") == b"char" else values


def _require_size(file: "h5py.File") -> None:
    """Refuse matrices that become too large, before one of them is read."""
    import h5py

    total = 0

    def add(_: str, held: object) -> None:
        nonlocal total
        if isinstance(held, h5py.Dataset):
            if held.external or held.is_virtual:
                raise ValueError("a matrix lies in another file")
            total += held.size * held.dtype.itemsize

    file.visititems(add)
    if total > _LARGEST_CONTENT:
        raise ValueError(f"its matrices take {total} bytes, too much for a recording")
