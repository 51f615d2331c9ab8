"""Files of remote file systems, by fsspec: listed, read in part and copied; errors name the address."""

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SIGNAL_FILE


@dataclass(frozen=True)
class RemoteFolders:
    """The files at an address.

    Attributes
    ----------
    system : fsspec.AbstractFileSystem
    names : dict of str to set of str
        The names of the files by folder. Of the address of one file they are all of its folder, as it may need
        some of them.
    asked : set of str
        The paths of the files that were asked for.
    """

    system: Any
    names: dict[str, set[str]]
    asked: set[str]


def list_address(address: str) -> RemoteFolders:
    """Return the files at an address; hidden folders are left out.

    Raises
    ------
    InputError
        If the address cannot be listed.
    """
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(address)
        asked = set(system.find(root))
        single = asked == {root}
        top = posixpath.dirname(root) if single else root
        found = system.ls(top, detail=False) if single else asked
    except Exception as error:  # file systems promise no kind of exception
        reason = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{address}: cannot be listed ({reason}); is it right, and its package installed?"
        ) from error
    names: dict[str, set[str]] = {}
    for file in found:
        folder, name = posixpath.split(file)
        if not re.search(r"/\.[^/]", folder.removeprefix(top)):
            names.setdefault(folder, set()).add(name)
    return RemoteFolders(system, names, asked)


def read_start(system: Any, folder: str, name: str, count: int) -> bytes:
    """Return the first `count` bytes of a file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        content: bytes = system.cat_file(posixpath.join(folder, name), 0, count)
    except Exception as error:  # file systems promise no kind of exception
        raise InputError(f"{name}: cannot be read ({type(error).__name__}: {error})") from error
    return content


def copy_file(system: Any, file: str, folder: Path, source: str) -> None:
    """Copy a file to a folder of this machine; errors name `source`.

    Raises
    ------
    InputError
        If it cannot be copied, or is too large.
    """
    try:
        size = system.size(file)
        if size is None or size > LARGEST_SIGNAL_FILE:
            raise InputError(
                f"{source}: is too large; at most {LARGEST_SIGNAL_FILE} bytes are read, has {size}"
            )
        system.get_file(file, str(folder / posixpath.basename(file)))
    except InputError:
        raise
    except Exception as error:  # file systems promise no kind of exception
        raise InputError(f"{source}: cannot be copied ({type(error).__name__}: {error})") from error
