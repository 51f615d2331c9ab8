"""What a folder of result files says of itself, so that a second run keeps only what is still true.

`driver.json` names the model and the folder of records. `driver.jsonl` has a line for each result: which files
the record consisted of (size, time of change, content) and what the result file holds. A result counts as
current only where all of that is still so: a record replaced by an older one, a result cut by a power failure
and one edited by hand are done again.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cnn_gap.ecg.sources import ListedRecord, Stamp
from cnn_gap.errors import InputError
from cnn_gap.files import (
    LARGEST_TABLE,
    file_size,
    open_regular,
    read_bytes,
    read_json,
    readable,
    writable,
    write_json,
    write_text,
)

#: The two files.
SOURCE = "driver.json"
NOTES = "driver.jsonl"

#: The largest file of notes that is read, enough for some twenty million results, and its longest line, bytes.
LARGEST_JOURNAL = 1 << 32
LONGEST_LINE = 1 << 16


@dataclass(frozen=True)
class Note:
    """The stamp of a record, and a hash of its result file."""

    stamp: Stamp
    result: str


class ResultJournal:
    """The notes of a folder of results; use it in a `with` block, in which results are noted."""

    def __init__(self, out: Path, notes: dict[str, Note]):
        self._out = out
        self._notes = notes
        self._file: TextIO | None = None

    def __enter__(self) -> "ResultJournal":
        with writable(self._out / NOTES):
            lines = (_to_line(name, note) for name, note in self._notes.items())
            write_text(self._out / NOTES, "".join(lines))
            self._file = (self._out / NOTES).open("a", encoding="ascii")
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
            result = read_bytes(self._out / f"{record.name}.csv", LARGEST_TABLE)
            return _hash(result) == note.result and record.stamp() == note.stamp
        except InputError:
            return False

    def add(self, name: str, stamp: Stamp, result: str) -> None:
        """Note a result by the hash of its file; the note counts only as long as the file is there."""
        if self._file is None:
            raise RuntimeError("the journal is not open")
        with writable(self._out / NOTES):
            self._file.write(_to_line(name, Note(stamp, result)))
            self._file.flush()


def open_journal(
    out: Path, source: dict[str, str], records: Iterable[ListedRecord], warn: Callable[[str], None]
) -> ResultJournal:
    """Return the journal of a folder; results of another source are removed.

    Parameters
    ----------
    out : Path
        The folder, which exists.
    source : dict of str to str
        What all results depend on, such as the model.
    records : iterable of ListedRecord
        Those whose results are removed where the folder is of another source.
    warn : callable
        Receives a line where the folder's own account of itself is damaged: then all is done anew.
    """
    try:
        continued = (out / SOURCE).exists() and read_json(out / SOURCE) == source
        notes = _read_notes(out / NOTES) if continued else {}
    except InputError as error:
        warn(f"{error}; every record is classified anew")
        continued, notes = False, {}
    if not continued:
        with writable(out):
            for record in records:
                (out / f"{record.name}.csv").unlink(missing_ok=True)
        write_json(out / SOURCE, source)
    return ResultJournal(out, notes)


def result_hash(text: str) -> str:
    """Return the hash of a result file with this text."""
    return _hash(text.encode("utf-8", "surrogateescape"))


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _to_line(name: str, note: Note) -> str:
    return json.dumps([name, note.stamp.files, note.stamp.content, note.result]) + "\n"


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
                name, files, content, result = json.loads(line.decode("ascii", "replace"))
                stamp = Stamp(tuple((str(part), int(size), int(time)) for part, size, time in files), content)
                notes[str(name)] = Note(stamp, result)
            except (ValueError, TypeError, RecursionError):
                continue
    return notes
