"""List the records that a user names: by a folder, a list of paths, a remote address, or one file.

A list is a text or CSV file with a path in each line, relative to the list, and, if the results are to go by
other names, an id after a comma. An address is fsspec's, such as ``s3://bucket/ecgs`` or ``memory://ecgs``
(https://filesystem-spec.readthedocs.io); each record is copied to a temporary folder while it is read.
"""

import csv
import hashlib
import io
import os
import posixpath
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cnn_gap.io.folders import sort_files
from cnn_gap.io.long_records import LongRecord, open_record, read_whole
from cnn_gap.io.record_names import distinct_names
from cnn_gap.io.records import read_record, record_files, record_header
from cnn_gap.io.registry import record_name
from cnn_gap.io.remote_files import copy_file, list_address, read_start
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import (
    LARGEST_TABLE,
    open_regular,
    read_bytes,
    read_text,
    readable,
)
from cnn_gap.system.outputs import is_output

#: Suffixes of lists of records.
LIST_SUFFIXES = (".txt", ".csv", ".lst")

#: The largest number of kinds of unknown files, and of renamed records, that a remark names.
KINDS_NAMED, NAMES_NAMED = 8, 6

#: Headings of the first column of a list.
_HEADINGS = frozenset(("path", "file", "filename", "record"))


class NoRecordsError(InputError):
    """There are no records in a folder, nor other files that a person may have taken for records."""


@dataclass(frozen=True)
class Stamp:
    """The state of a record's files: name, size and time of change (ns) of each, and a hash of all."""

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

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Yield the path of the record on this machine."""
        yield Path(self.source)

    def open(self) -> Record | LongRecord:
        """Read the record or, if it is long, its properties without its signal."""
        return open_record(Path(self.source))

    def read(self) -> Record:
        """Read the whole record; one that is too long for that is an `InputError`."""
        return read_whole(Path(self.source))

    def stamp(self) -> Stamp:
        """Return the state of the record's files.

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
        The record's files; the first one names the record.
    """

    system: Any
    files: tuple[str, ...]

    @property
    def readable_in_subprocess(self) -> bool:
        """Whether the file system is not in this process's own memory."""
        return "memory" not in (self.system.protocol, *self.system.protocol)

    @contextmanager
    def local(self) -> Iterator[Path]:
        """Copy the record's files to a temporary folder; errors name their address."""
        with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
            for file in self.files:
                copy_file(self.system, file, Path(folder), self.source)
            try:
                yield Path(folder) / posixpath.basename(self.files[0])
            except InputError as error:
                raise InputError(
                    str(error).replace(f"{folder}{os.sep}", f"{self.source.rpartition('/')[0]}/")
                ) from error

    def open(self) -> Record:
        """Copy the record's files, and read it."""
        with self.local() as path:
            return read_record(path)

    def read(self) -> Record:
        """Copy the record's files, and read it."""
        return self.open()

    def stamp(self) -> Stamp:
        """Return the files' state on the remote file system: sizes, and keys that change with the content."""
        try:
            files = tuple(
                (posixpath.basename(file), int(self.system.size(file) or 0), 0) for file in self.files
            )
            keys = "".join(str(self.system.ukey(file)) for file in self.files)
        except Exception as error:  # file systems promise no kind of exception
            raise InputError(f"{self.source}: cannot be reached ({type(error).__name__}: {error})") from error
        return Stamp(files, hashlib.blake2b(keys.encode(), digest_size=16).hexdigest())


def require_source(data: str) -> None:
    """Require that there is a folder or a list of that name, or that it is an address.

    Raises
    ------
    InputError
        If there is none.
    """
    if not is_address(data) and not Path(data).is_file():
        _require_no_record(Path(data))
        require_folder(Path(data))


def is_several(data: str) -> bool:
    """Tell whether a text names a folder, a list or an address, and not one record of this machine."""
    return is_address(data) or _is_list(Path(data)) or Path(data).is_dir()


def is_address(data: str) -> bool:
    """Tell whether a text is an address of a remote file system."""
    return "://" in data


@dataclass(frozen=True)
class Listing:
    """The records of a source, and the other files and folders that it holds.

    Attributes
    ----------
    records : tuple of ListedRecord
        Each has a name of its own.
    unreadable : tuple of str
        A line for each folder that cannot be read.
    unknown : tuple of str
        Paths of files that are no ECG of a known format and belong to none.
    renamed : tuple of str
        The names of records that share theirs with others, as they are told apart.
    """

    records: tuple[ListedRecord, ...]
    unreadable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines for the user on unknown files and renamed records, but not on unreadable folders."""
        lines = []
        if self.unknown:
            kinds = Counter(_kind(name) for name in self.unknown)
            some = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common(KINDS_NAMED))
            files = "1 file is" if len(self.unknown) == 1 else f"{len(self.unknown)} files are"
            lines.append(f"{files} no ECG that is known: {some}{', ...' * (len(kinds) > KINDS_NAMED)}")
        if self.renamed:
            some = ", ".join(self.renamed[:NAMES_NAMED]) + ", ..." * (len(self.renamed) > NAMES_NAMED)
            one = len(self.renamed) == 1
            records = "1 record has" if one else f"{len(self.renamed)} records have"
            lines.append(f"{records} the name of another record and {'is' if one else 'are'} called: {some}")
        return tuple(map(printable, lines))


def list_records(data: str | Path, strict: bool = False) -> Listing:
    """List the records of a folder, of a list or at an address, or the one record of a file.

    Records of one name are told apart by the ends of their names or by their folders: ``A.dcm`` and ``A.xml``,
    ``ward__A`` and ``clinic__A``.

    Parameters
    ----------
    data : str or Path
    strict : bool
        Fail where a folder cannot be read; otherwise its records are left out, and `Listing.unreadable` says
        so.

    Raises
    ------
    InputError
        If there are no records, an id of a list stands twice, or the source cannot be read.
    """
    if is_address(str(data)):
        return _told_apart(_remote_listing(str(data)), str(data))
    path = Path(data)
    if _is_list(path):
        return _told_apart(_read_list(path), str(path.parent))
    if path.is_file():
        return Listing((ListedRecord(record_name(path), str(data)),))
    _require_no_record(path)
    return _told_apart(_folder_listing(path, strict), str(path))


def find_records(folder: Path) -> list[Path]:
    """Return the paths of the records in a folder and the folders in it, sorted.

    Raises
    ------
    InputError
        As `list_records`, or if a folder cannot be read.
    """
    return [Path(record.source) for record in _folder_listing(Path(folder), strict=True).records]


def require_folder(folder: Path) -> Path:
    """Return the folder of records.

    Raises
    ------
    InputError
        If there is none.
    """
    if folder.is_file():
        raise InputError(f"{folder}: is a file; give the folder of the records")
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder of the records")
    return folder


def _require_no_record(path: Path) -> None:
    """Require that a path is not that of a record without its suffix, as other commands take it."""
    if not path.exists() and (header := record_header(path)).is_file():
        raise InputError(
            f"{path}: is a record and no folder; give its file, {header}, or the folder of the records"
        )


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


def _folder_listing(folder: Path, strict: bool) -> Listing:
    """List a folder and the folders in it; hidden ones are ignored, links to folders are not followed."""
    found: list[str] = []
    unknown: list[str] = []
    unreadable: list[str] = []

    def note(error: OSError) -> None:
        reason = f"{error.filename}: this folder cannot be read ({error.strerror}), nor the records in it"
        if strict:
            raise InputError(reason) from error
        unreadable.append(printable(reason))

    for place, folders, names in os.walk(require_folder(folder), onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = sort_files(names, partial(_read_start, place), partial(_is_output, place))
        found += [os.path.join(place, name) for name in files.records]  # noqa: PTH118, for speed
        unknown += [os.path.join(place, name) for name in files.unknown]  # noqa: PTH118
    records = tuple(ListedRecord(record_name(Path(path)), path) for path in sorted(found))
    listing = Listing(records, tuple(unreadable), tuple(sorted(unknown)))
    return _require_records(listing, f"{folder}: there are no records in this folder or the folders in it")


def _require_records(listing: Listing, reason: str) -> Listing:
    if not listing.records:
        kind = InputError if listing.remarks else NoRecordsError
        raise kind("; ".join((reason, *listing.remarks)))
    return listing


def _read_start(folder: str, name: str, count: int) -> bytes:
    return read_bytes(Path(folder) / name, count, count=count)


def _is_output(folder: str, name: str) -> bool:
    return is_output(Path(folder) / name)


def _kind(path: str) -> str:
    """Return the kind under which an unknown file is counted: its suffix, or its name."""
    name = re.split(r"[/\\]", path)[-1]
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    return f"*{suffix}" if suffix else name


def _told_apart(listing: Listing, root: str) -> Listing:
    """Return a listing in which each record has a name of its own; folders are named from `root` on."""
    groups: dict[str, list[int]] = {}
    for index, record in enumerate(listing.records):
        groups.setdefault(record.name, []).append(index)
    records, renamed = list(listing.records), []
    for name, members in groups.items():
        if len(members) > 1:
            names = distinct_names(name, [records[index].source for index in members], root)
            for index, other in zip(members, names, strict=True):
                records[index] = replace(records[index], name=other)
            renamed += [other for other in names if other != name]
    taken: dict[str, ListedRecord] = {}
    for record in records:
        if record.name in taken:
            raise InputError(
                f"{record.source}: has the same record name as {taken[record.name].source}; give both ids in a"
                " list of lines path,id"
            )
        taken[record.name] = record
    return replace(listing, records=tuple(records), renamed=tuple(renamed))


def _is_list(path: Path) -> bool:
    """Tell whether a file is a list; a text or CSV with a sidecar is a record."""
    return path.suffix in LIST_SUFFIXES and path.is_file() and not path.with_suffix(".json").is_file()


def _read_list(path: Path) -> Listing:
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
    ids = Counter(row[1] for row in lines if len(row) > 1 and row[1])
    if twice := next((name for name, count in ids.items() if count > 1), None):
        raise InputError(f"{path}: the id {twice} stands in {ids[twice]} lines; give each record its own")
    return Listing(tuple(_listed_record(path.parent, *row[:2]) for row in lines))


def _listed_record(folder: Path, place: str, name: str = "") -> ListedRecord:
    if "/" in name or "\\" in name:
        raise InputError(f"{place}: its id must be a name for files, without folders; received {name}")
    if is_address(place):
        records = _remote_listing(place).records
        if len(records) != 1:
            raise InputError(f"{place}: holds {len(records)} records; a line of a list names one")
        return replace(records[0], name=name or records[0].name, source=place)
    path = folder / place
    return ListedRecord(name or record_name(path), str(path))


def _remote_listing(address: str) -> Listing:
    found = list_address(address)
    records: list[RemoteRecord] = []
    unknown: list[str] = []
    for folder, names in found.names.items():
        files = sort_files(names, partial(read_start, found.system, folder), lambda _: False)
        records += [
            _remote_record(found.system, folder, name, [other for other in others if other in names])
            for name, others in files.records.items()
            if posixpath.join(folder, name) in found.asked
        ]
        unknown += [name for name in files.unknown if posixpath.join(folder, name) in found.asked]
    records.sort(key=lambda record: record.source)
    listing = Listing(tuple(records), unknown=tuple(unknown))
    return _require_records(listing, f"{address}: there are no records at this address")


def _remote_record(system: Any, folder: str, name: str, others: Sequence[str]) -> RemoteRecord:
    files = tuple(posixpath.join(folder, each) for each in dict.fromkeys((name, *others)))
    return RemoteRecord(record_name(Path(name)), str(system.unstrip_protocol(files[0])), system, files)
