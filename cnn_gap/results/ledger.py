"""What a folder of results says of itself, so that a second run keeps only what is still true.

`driver.json` names the model and the folder of records. `driver.jsonl` has a line for each result: which files
the record consisted of (size, time of change, content) and what the result file holds. A result counts as
current only where all of that is still so: a record replaced by an older one, a result cut by a power failure
and one edited by hand are done again. Explanations of a folder have such files of their own.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from cnn_gap.io.sources import ListedRecord, Stamp
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import (
    file_size,
    open_regular,
    read_json,
    readable,
    writable,
    write_json,
    write_text,
)


@dataclass(frozen=True)
class Kind:
    """A kind of results.

    Attributes
    ----------
    name : str
        What the journal's two files are called.
    suffixes : tuple of str
        How the names of the files end that are the result of a record.
    only_noted : bool
        Whether a file counts as a result, which may be removed, only where the journal has noted it: others may
        have files of the same names.
    """

    name: str
    suffixes: tuple[str, ...]
    only_noted: bool = False

    @property
    def source(self) -> str:
        """The name of the file that says what all results depend on."""
        return f"{self.name}.json"

    @property
    def notes(self) -> str:
        """The name of the file with a line for each result."""
        return f"{self.name}.jsonl"

    def paths(self, out: Path, name: str) -> list[Path]:
        """Return the paths of a record's result files."""
        return [out / f"{name}{suffix}" for suffix in self.suffixes]


#: The Challenge's result files.
DRIVER = Kind("driver", (".csv",))

#: The two files of the driver's journal.
SOURCE, NOTES = DRIVER.source, DRIVER.notes

#: The largest file of notes that is read, enough for some twenty million results, and its longest line, bytes.
LARGEST_JOURNAL = 1 << 32
LONGEST_LINE = 1 << 16


@dataclass(frozen=True)
class Note:
    """The stamp of a record, a hash of its result files, and what else is to be kept of it, as JSON has it."""

    stamp: Stamp
    result: str
    about: Any = None


class ResultJournal:
    """The notes of a folder of results; use it in a `with` block, in which results are noted."""

    def __init__(self, out: Path, notes: dict[str, Note], kind: Kind = DRIVER):
        self._out = out
        self._notes = notes
        self._kind = kind
        self._file: TextIO | None = None

    def __enter__(self) -> "ResultJournal":
        path = self._out / self._kind.notes
        with writable(path):
            write_text(path, "".join(_to_line(name, note) for name, note in self._notes.items()))
            self._file = path.open("a", encoding="ascii")
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def is_current(self, record: ListedRecord) -> bool:
        """Tell whether the result of a record is whole and of the record as it is now."""
        note = self._notes.get(record.name)
        if note is None:
            return False
        try:
            result = files_hash(self._kind.paths(self._out, record.name))
            return result == note.result and record.stamp() == note.stamp
        except InputError:
            return False

    def note(self, name: str) -> Note | None:
        """Return what an earlier run has noted of a record."""
        return self._notes.get(name)

    def add(self, name: str, stamp: Stamp, result: str, about: Any = None) -> None:
        """Note a result by the hash of its files; the note counts only as long as the files are there."""
        if self._file is None:
            raise RuntimeError("the journal is not open")
        with writable(self._out / self._kind.notes):
            self._file.write(_to_line(name, Note(stamp, result, about)))
            self._file.flush()

    def remove(self, name: str) -> None:
        """Remove the files of an earlier result, as far as they are what was noted."""
        if name in self._notes:
            _remove_noted(self._kind.paths(self._out, name), self._notes[name])


def open_journal(
    out: Path,
    source: dict[str, Any],
    records: Iterable[ListedRecord],
    warn: Callable[[str], None],
    kind: Kind = DRIVER,
) -> ResultJournal:
    """Return the journal of a folder; results of another source are removed.

    Parameters
    ----------
    out : Path
        The folder, which exists.
    source : dict
        What all results depend on, such as the model; as JSON has it.
    records : iterable of ListedRecord
        Those whose results are removed where the folder is of another source.
    warn : callable
        Receives a line where the folder's own account of itself is damaged: then all is done anew.
    kind : Kind
        Of the results.
    """
    try:
        continued = (out / kind.source).exists() and read_json(out / kind.source) == source
        notes = _read_notes(out / kind.notes)
    except InputError as error:
        warn(f"{error}; every record is done anew")
        continued, notes = False, {}
    if not continued:
        for record in records:
            _remove(kind, out, record.name, notes.get(record.name))
        notes = {}
        write_json(out / kind.source, source)
    return ResultJournal(out, notes, kind)


def files_hash(paths: Iterable[Path]) -> str:
    """Return a hash of what files hold.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        with readable(path), open_regular(path) as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()


def _remove(kind: Kind, out: Path, name: str, note: Note | None) -> None:
    """Remove the result of a record, whose note may be missing."""
    paths = kind.paths(out, name)
    if not kind.only_noted:
        _unlink(paths)
    elif note is not None:
        _remove_noted(paths, note)


def _remove_noted(paths: list[Path], note: Note) -> None:
    """Remove result files if they are what was noted."""
    try:
        is_unchanged = files_hash(paths) == note.result
    except InputError:
        return
    if is_unchanged:
        _unlink(paths)


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        if os.path.lexists(path):  # no file has a name that is too long
            with writable(path.parent):
                path.unlink(missing_ok=True)


def result_hash(text: str) -> str:
    """Return the hash of a result file with this text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _to_line(name: str, note: Note) -> str:
    kept = [] if note.about is None else [note.about]
    return json.dumps([name, note.stamp.files, note.stamp.content, note.result, *kept]) + "\n"


def _read_notes(path: Path) -> dict[str, Note]:
    """Return the notes of a journal without damaged ones: a killed run may have cut the last line."""
    notes: dict[str, Note] = {}
    if not path.exists():
        return notes
    if file_size(path) > LARGEST_JOURNAL:
        raise InputError(f"{path}: is too large; at most {LARGEST_JOURNAL} bytes are read")
    with readable(path), open_regular(path) as file:
        while line := file.readline(LONGEST_LINE):
            try:
                name, files, content, result, *about = json.loads(line.decode("ascii", "replace"))
                stamp = Stamp(tuple((str(part), int(size), int(time)) for part, size, time in files), content)
                notes[str(name)] = Note(stamp, result, about[0] if about else None)
            except (ValueError, TypeError, RecursionError):
                continue
    return notes
