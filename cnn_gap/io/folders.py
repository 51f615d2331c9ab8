"""Tell the records of one folder from their other files and from files that are no ECG.

The folder may be on this machine or on a remote file system: the caller passes the names of its files, and a
function that reads the start of a file.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cnn_gap.io.arrays import FOLDER_SIDECAR, sidecar_names
from cnn_gap.io.headers import LARGEST_HEADER, decode_header
from cnn_gap.io.registry import BESIDE, CONTENT_SUFFIXES, SIDECAR_SUFFIXES, START_BYTES, recognise
from cnn_gap.system.errors import InputError

#: Returns the first bytes of a file by its name and their number; raises `InputError` if it cannot be read.
ReadStart = Callable[[str, int], bytes]

#: Tells whether a file that could be an array or a sidecar is a result of this package.
IsOutput = Callable[[str], bool]

#: Files of these kinds belong to no record, even if they have its name.
_OF_NO_RECORD = frozenset((".zip", ".gz", ".tar", ".7z", ".h5", ".hdf5", ".npy", ".npz", ".parquet"))

_SIGNALS = (".mat", ".dat")


@dataclass(frozen=True)
class FolderFiles:
    """The files of a folder.

    Attributes
    ----------
    records : dict of str to tuple of str
        The file that names each record, and the other files that may belong to it.
    unknown : tuple of str
        The files that neither are nor belong to a record.
    """

    records: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]


def sort_files(names: Iterable[str], read: ReadStart, is_output: IsOutput) -> FolderFiles:
    """Return which files of a folder are records.

    A record is a header that is no segment of another, a ``.mat`` file without a header, or a file of another
    format: by its suffix, its sidecar or its content. Hidden files are ignored.

    Parameters
    ----------
    names : iterable of str
        Of the folder's files.
    read : callable
        Reads a header that has no signal file of its name, and the start of a file of an unknown suffix.
    is_output : callable
        Tells results from arrays and their sidecars.
    """
    visible = sorted(name for name in names if not name.startswith("."))
    by_stem: dict[str, list[str]] = defaultdict(list)
    by_suffix: dict[str, list[str]] = defaultdict(list)
    for name in visible:
        stem, suffix = _split(name)
        by_stem[stem].append(name)
        by_suffix[suffix].append(name)
    headers = {_split(name)[0]: name for name in by_suffix[".hea"]}
    with_signal = {_split(name)[0] for suffix in _SIGNALS for name in by_suffix[suffix]}
    unnamed = [header for stem, header in headers.items() if stem not in with_signal]
    named = {header: _named_files(header, by_stem, read) for header in unnamed}
    claimed = {name for header, files in named.items() for name in files if name != header}
    bare = (name for name in by_suffix[".mat"] if _split(name)[0] not in headers)
    found = dict.fromkeys(name for name in (*headers.values(), *bare) if name not in claimed)
    of_headers = {name for stem, header in headers.items() for name in by_stem[stem] if _belongs(name, header)}
    seen = claimed.union(found, (name for name in of_headers if _split(name)[1] not in SIDECAR_SUFFIXES))
    others = [name for name in visible if name not in seen]
    found |= dict.fromkeys(_of_other_formats(others, set(visible), read, is_output))
    shared = [name for name in by_stem[_split(FOLDER_SIDECAR)[0]] if name == FOLDER_SIDECAR]
    records = {}
    for name in found:
        stem, suffix = _split(name)
        beside = (other for other in by_stem[stem] if _belongs(other, name))
        records[name] = (*beside, *(shared if suffix in SIDECAR_SUFFIXES else named.get(name, ())))
    known = claimed.union(records, *records.values())
    return FolderFiles(records, tuple(name for name in visible if name not in known))


def _named_files(header: str, by_stem: dict[str, list[str]], read: ReadStart) -> Sequence[str]:
    """Return the files that a header refers to: signal files, and all files of its segments.

    They are the first words of its lines; the header is not parsed further.
    """
    try:
        lines = decode_header(read(header, LARGEST_HEADER)).splitlines()
    except InputError:  # reported when the record is read
        return ()
    words = [line.split(maxsplit=1)[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found = list(dict.fromkeys(words[1:]))
    if words and "/" in words[0]:
        for segment in tuple(found):
            own = by_stem.get(segment, [])
            found += own
            if not any(_split(name)[1] in _SIGNALS for name in own):
                found += [file for name in own if name != header for file in _named_files(name, {}, read)]
    return found


def _belongs(name: str, record: str) -> bool:
    """Tell whether a file of a record's stem belongs to it, such as a signal file, a sidecar or a result."""
    suffix = _split(name)[1]
    if name == record or suffix in _OF_NO_RECORD or suffix in CONTENT_SUFFIXES:
        return False
    return suffix not in _SIGNALS or _split(record)[1] == ".hea"


def _of_other_formats(
    names: Iterable[str], visible: Collection[str], read: ReadStart, is_output: IsOutput
) -> Iterator[str]:
    """Yield the names that are records in another format than WFDB's and MATLAB's."""
    for name in names:
        suffix = _split(name)[1]
        if suffix in CONTENT_SUFFIXES:
            yield name
        elif suffix in SIDECAR_SUFFIXES:
            sidecars = [each for each in sidecar_names(name) if each in visible and not is_output(each)]
            if sidecars and not is_output(name):
                yield name
        elif suffix not in BESIDE and name != "DICOMDIR" and _is_recognised(name, read):
            yield name


def _is_recognised(name: str, read: ReadStart) -> bool:
    try:
        form = recognise(read(name, START_BYTES))
    except InputError:  # such as a pipe, which is no record
        return False
    return form is not None and form.needs == "content"


@lru_cache(1 << 16)
def _split(name: str) -> tuple[str, str]:
    """Return a name without its suffix, and its suffix in lower case."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122, for speed
    return stem, suffix.lower()
