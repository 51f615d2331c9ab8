"""Where many records come from: a folder, a list of paths, or an address of a remote file system.

A list is a text or CSV file with a path in each line, relative to the list, and, if the results are to go by
other names, an id after a comma. An address is fsspec's, such as ``s3://bucket/ecgs`` or ``memory://ecgs``
(https://filesystem-spec.readthedocs.io); each record is copied to a temporary folder while it is read.
"""

import csv
import hashlib
import io
import os
import posixpath
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnn_gap.io.long_records import LongRecord, open_record, read_whole
from cnn_gap.io.records import find_records, read_record, record_files, require_folder
from cnn_gap.io.registry import ARRAY_SUFFIXES, SUFFIXES
from cnn_gap.record import Record, record_name
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, LARGEST_TABLE, open_regular, read_text, readable

#: How the names of lists of records end.
LIST_SUFFIXES = (".txt", ".csv", ".lst")

#: What the first line of a list may call its first column.
_HEADINGS = frozenset(("path", "file", "filename", "record"))


@dataclass(frozen=True)
class Stamp:
    """What a record's files are like: name, size and time of change (ns) of each, and a hash of all."""

    files: tuple[tuple[str, int, int], ...]
    content: str


@dataclass(frozen=True)
class ListedRecord:
    """A record on this machine that is yet to be read.

    Attributes
    ----------
    name : str
        Of its results.
    source : str
        What to call it in errors: its path or address.
    """

    name: str
    source: str

    @property
    def readable_in_subprocess(self) -> bool:
        """Whether another process on this machine can read the record."""
        return True

    def open(self) -> Record | LongRecord:
        """Read the record, or what is known of it where it is long."""
        return open_record(Path(self.source))

    def read(self) -> Record:
        """Read the whole record; one that is too long for that is an `InputError`."""
        return read_whole(Path(self.source))

    def stamp(self) -> Stamp:
        """Return what the record's files are like now.

        Raises
        ------
        InputError
            If one cannot be read.
        """
        return stamp_of(Path(self.source))


@dataclass(frozen=True)
class RemoteRecord(ListedRecord):
    """A record of a remote file system.

    Attributes
    ----------
    system : fsspec.AbstractFileSystem
    files : tuple of str
        What it consists of, the file that names the record first.
    """

    system: Any
    files: tuple[str, ...]

    @property
    def readable_in_subprocess(self) -> bool:
        """Whether it is not in this process's own memory."""
        return "memory" not in (self.system.protocol, *self.system.protocol)

    def open(self) -> Record:
        """Copy the record's files, and read it."""
        with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
            for file in self.files:
                self._copy(file, Path(folder))
            try:
                return read_record(Path(folder) / posixpath.basename(self.files[0]))
            except InputError as error:
                raise InputError(
                    str(error).replace(f"{folder}{os.sep}", f"{self.source.rpartition('/')[0]}/")
                ) from error

    def read(self) -> Record:
        """Copy the record's files, and read it."""
        return self.open()

    def stamp(self) -> Stamp:
        """Return what the remote file system tells of the files: sizes, and keys that change with them."""
        try:
            files = tuple(
                (posixpath.basename(file), int(self.system.size(file) or 0), 0) for file in self.files
            )
            keys = "".join(str(self.system.ukey(file)) for file in self.files)
        except Exception as error:  # file systems promise no kind of exception
            raise InputError(f"{self.source}: cannot be reached ({type(error).__name__}: {error})") from error
        return Stamp(files, hashlib.blake2b(keys.encode(), digest_size=16).hexdigest())

    def _copy(self, file: str, folder: Path) -> None:
        try:
            size = self.system.size(file)
            if size is None or size > LARGEST_SIGNAL_FILE:
                raise InputError(
                    f"{self.source}: is too large; at most {LARGEST_SIGNAL_FILE} bytes are read, has {size}"
                )
            self.system.get_file(file, str(folder / posixpath.basename(file)))
        except InputError:
            raise
        except Exception as error:  # file systems promise no kind of exception
            raise InputError(f"{self.source}: cannot be copied ({type(error).__name__}: {error})") from error


def require_source(data: str) -> None:
    """Require that there is a folder or a list of that name, or that it is an address.

    Raises
    ------
    InputError
        If there is none.
    """
    if not is_address(data) and not (_is_list(data) or Path(data).is_file()):
        require_folder(Path(data))


def is_several(data: str) -> bool:
    """Tell whether a text names a folder, a list or an address, and not one record of this machine."""
    return is_address(data) or _is_list(data) or Path(data).is_dir()


def is_address(data: str) -> bool:
    """Tell whether a text is an address of a remote file system."""
    return "://" in data


def list_records(
    data: str, skipped: Callable[[str], None] | None = None, unique: bool = True
) -> list[ListedRecord]:
    """Return the records of a folder, of a list or at an address, or the one record of a file.

    Parameters
    ----------
    data : str
    skipped : callable, optional
        As of `find_records`.
    unique : bool
        Whether each needs a name of its own. Records of one folder that differ in the suffix alone, such as
        A.hea, A.dcm and A.xml, then go by their whole file names.

    Raises
    ------
    InputError
        If there are none, two go by the same name though they must not, or the source cannot be read.
    """
    if is_address(data):
        records: Iterable[ListedRecord] = _remote_records(data)
    elif _is_list(data):
        records = _listed(Path(data))
    elif Path(data).is_file():
        records = [ListedRecord(record_name(Path(data)), data)]
    else:
        records = [ListedRecord(record_name(path), str(path)) for path in find_records(Path(data), skipped)]
    return _named_apart(list(records)) if unique else list(records)


def _named_apart(records: list[ListedRecord]) -> list[ListedRecord]:
    """Return records of which no two have the same name."""
    places = Counter((record.name, posixpath.dirname(record.source)) for record in records)
    named: dict[str, ListedRecord] = {}
    for record in records:
        folder, file = posixpath.split(record.source)
        if places[record.name, folder] > 1 and record_name(Path(file)) == record.name:
            record = replace(record, name=file)
        if record.name in named:
            raise InputError(
                f"{record.source}: has the same record name as {named[record.name].source}, so one"
                f" {record.name}.csv would stand for both; rename one, or give ids in a list"
            )
        named[record.name] = record
    return list(named.values())


def stamp_of(record: Path) -> Stamp:
    """Return the stamp of a record's files.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    files, contents = [], []
    for path in record_files(record):
        with readable(path), open_regular(path) as file:
            status = os.fstat(file.fileno())
            contents.append(hashlib.file_digest(file, "blake2b").hexdigest())
        files.append((path.name, status.st_size, status.st_mtime_ns))
    return Stamp(tuple(files), hashlib.blake2b("".join(contents).encode(), digest_size=16).hexdigest())


def _is_list(data: str) -> bool:
    """Tell whether a file is a list; a CSV with a sidecar is a record."""
    path = Path(data)
    return path.suffix in LIST_SUFFIXES and path.is_file() and not path.with_suffix(".json").is_file()


def _listed(path: Path) -> list[ListedRecord]:
    try:
        rows = list(csv.reader(io.StringIO(read_text(path, LARGEST_TABLE))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a list of paths ({error})") from error
    cells = [[cell.strip() for cell in row] for row in rows]
    lines = [row for row in cells if row and row[0] and not row[0].startswith("#")]
    if lines and lines[0][0].lower() in _HEADINGS:
        del lines[0]
    if not lines:
        raise InputError(f"{path}: lists no records; expected lines of a path, or of a path,id")
    return [_listed_record(path.parent, *row[:2]) for row in lines]


def _listed_record(folder: Path, place: str, name: str = "") -> ListedRecord:
    if "/" in name or "\\" in name:
        raise InputError(f"{place}: its id must be a name for files, without folders; received {name}")
    if is_address(place):
        (record,) = _remote_records(place)
        return RemoteRecord(name or record.name, place, record.system, record.files)
    path = folder / place
    return ListedRecord(name or record_name(path), str(path))


def _remote_records(address: str) -> list[RemoteRecord]:
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(address)
        found = sorted(system.find(root))
        beside = system.ls(posixpath.dirname(root), detail=False) if found == [root] else found
    except Exception as error:  # file systems promise no kind of exception
        reason = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{address}: cannot be listed ({reason}); is it right, and its package installed?"
        ) from error
    stems: dict[str, list[str]] = {}
    for file in sorted(beside):
        stems.setdefault(posixpath.splitext(file)[0], []).append(file)
    records = [record for file in found if (record := _remote_record(system, file, stems))]
    if not records:
        raise InputError(f"{address}: there are no records (.hea, .mat or another format) at this address")
    return records


def _remote_record(system: Any, file: str, stems: dict[str, list[str]]) -> RemoteRecord | None:
    """Return the record that a remote file names, None if it names none."""
    stem, suffix = posixpath.splitext(file)
    beside = [other for other in stems[stem] if other != file]
    suffixes = {posixpath.splitext(other)[1] for other in beside}
    is_record = (
        suffix == ".hea"
        or (suffix == ".mat" and ".hea" not in suffixes)
        or suffix.lower() in SUFFIXES
        or (suffix.lower() in ARRAY_SUFFIXES and ".json" in suffixes)
    )
    if not is_record:
        return None
    name = record_name(Path(posixpath.basename(file)))
    return RemoteRecord(name, str(system.unstrip_protocol(file)), system, (file, *beside))
