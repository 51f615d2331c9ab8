"""The ledger of a folder of results: the records that are done, so that a second run repeats only what changed.

The ledger is an SQLite file in the folder of the results. It names the model and the data on which all results
depend. For each record it holds the size, time of change and a hash of its files, a hash of its result files,
a hash of each further file that was written for it, and the values that tables and indices show. A result is
current only while all of this is unchanged. So a record is done again if an older one has replaced it, or if
its result was cut by a power failure or edited by hand.

Only the process that holds the folder's lock opens the file, so SQLite's own locks, which network file systems
may lack, are switched off. Added entries have reached the disk when `Ledger.add` returns.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from cnn_gap.io.sources import ListedRecord, Stamp
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import file_size, open_regular, read_bytes, read_json, readable, writable
from cnn_gap.system.outputs import OutputKind, require_replaceable

#: Marks the SQLite files of ledgers ("ECGl"), at byte 68 of them (https://www.sqlite.org/fileformat.html).
APPLICATION = 0x4543476C
_MAGIC, _HEADER_BYTES, _APPLICATION_AT = b"SQLite format 3\0", 100, 68

_TABLES = (
    "CREATE TABLE source (about TEXT NOT NULL)",
    "CREATE TABLE entry (name BLOB PRIMARY KEY, stamp TEXT, result TEXT NOT NULL, about TEXT NOT NULL)",
)

#: The key of the result files' hash among the hashes of an entry; the others have suffixes.
_RESULT = ""


@dataclass(frozen=True)
class LedgerKind:
    """A kind of ledger.

    Attributes
    ----------
    name : str
        Of the file, without suffix.
    files : dict of str to OutputKind
        The result files of a record, by the suffix that follows its name.
    others : tuple of tuple of str
        Suffixes of the result files that runs with other options write instead.
    meanings : dict of str to str
        Names of the source's parts for messages, such as "model", by their keys. A part may be within another.
    further : tuple of str
        Suffixes of further files that runs with other options write, and for some records only.
    """

    name: str
    files: dict[str, OutputKind]
    others: tuple[tuple[str, ...], ...] = ()
    meanings: dict[str, str] = field(default_factory=dict)
    further: tuple[str, ...] = ()

    def path(self, out: Path) -> Path:
        """Return the path of the ledger in a folder of results."""
        return out / f"{self.name}.sqlite"

    def paths(self, out: Path, name: str) -> list[Path]:
        """Return the paths of a record's result files."""
        return _paths(out, name, self.files)

    def written_paths(self, out: Path, name: str, result: str) -> list[Path]:
        """Return the paths of the result files that a run has written; none if their hash is another by now."""
        for suffixes in (tuple(self.files), *self.others):
            paths = _paths(out, name, suffixes)
            with suppress(InputError):  # one is absent
                if result and files_hash(paths) == result:
                    return paths
        return []

    def written_further(self, out: Path, entry: "Entry") -> list[Path]:
        """Return the paths of a record's further files that a run has written, as far as they are unchanged.

        A file of which nothing is left counts, too: nobody's work is in it.
        """
        noted = {suffix: digest for suffix, digest in entry.further.items() if suffix in self.further}
        paths = {out / f"{entry.name}{suffix}": digest for suffix, digest in noted.items()}
        return [path for path, digest in paths.items() if _hash_or_none(path) in (digest, _EMPTY)]


@dataclass(frozen=True)
class Entry:
    """The entry of a record.

    Attributes
    ----------
    name : str
    stamp : Stamp or None
        The state of its files before they were read; None for a record that is to be done again, such as one
        that has failed.
    result : str
        A hash of the result files; empty where there are none.
    about : object
        Other data to keep, such as values of tables, as JSON can hold them.
    further : dict of str to str
        A hash of each further file, by its suffix; empty where there are none.
    """

    name: str
    stamp: Stamp | None = None
    result: str = ""
    about: Any = None
    further: dict[str, str] = field(default_factory=dict)


class Ledger:
    """The ledger of a folder of results; use it in a `with` block, in which the folder is locked.

    Parameters
    ----------
    out : Path
        The folder, which exists.
    kind : LedgerKind
    source : dict
        What all results depend on, such as the model, as JSON can hold it. Results of another source are
        removed unless somebody has changed them.
    warn : callable
        Receives a line if the ledger is damaged: then all records are done anew.

    Raises
    ------
    InputError
        If another program's file has the ledger's name, or the disk is full.
    """

    def __init__(
        self, out: Path, kind: LedgerKind, source: dict[str, Any], warn: Callable[[str], None]
    ) -> None:
        self._out = out
        self.kind = kind
        self._path = kind.path(out)
        self._source = json.dumps(source, sort_keys=True)
        self._warn = warn

    def __enter__(self) -> "Ledger":
        with _reported(self._path):
            _require_ledger(self._path)
            self._is_new = not self._path.exists()
            try:
                self._database = _opened(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._warn(f"{self._path}: is damaged ({error}); every record is done anew")
                self._path.unlink()
                self._database = _opened(self._path)
            try:
                self._take_source()
            except BaseException:
                self._database.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_empty = self._is_new and not self._database.execute("SELECT 1 FROM entry").fetchone()
        self._database.close()
        if is_empty and error is not None:  # nothing has been done
            self._path.unlink()

    @property
    def follows_earlier_version(self) -> bool:
        """Whether cnn-gap before version 1.0 has noted results in the folder; its notes stay as they are."""
        source, notes = (self._out / f"{self.kind.name}{suffix}" for suffix in (".json", ".jsonl"))
        try:
            held = read_json(source) if notes.is_file() else None
        except InputError:
            return False
        return isinstance(held, dict) and "model" in held

    def is_current(self, record: ListedRecord, files: bool = True, further: bool = False) -> bool:
        """Tell whether a record is unchanged since it was done.

        If `files`, its result files are whole, too; if `further`, so is each further file that is noted.
        """
        entry = self.entry(record.name)
        if entry is None or entry.stamp is None:
            return False
        try:
            whole = not files or files_hash(self.kind.paths(self._out, record.name)) == entry.result
            if further:
                hashes = {suffix: files_hash([self._out / f"{entry.name}{suffix}"]) for suffix in entry.further}
                whole = whole and hashes == entry.further
            return whole and record.stamp() == entry.stamp
        except InputError:
            return False

    def entry(self, name: str) -> Entry | None:
        """Return the entry of a record; None if there is none."""
        with _reported(self._path):
            row = self._database.execute(
                "SELECT stamp, result, about FROM entry WHERE name = ?", (_key(name),)
            ).fetchone()
            return None if row is None else _entry(name, *row)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of all records."""
        with _reported(self._path):
            for name, *row in self._database.execute("SELECT name, stamp, result, about FROM entry"):
                yield _entry(_name(name), *row)

    def left_over(self, names: Container[str]) -> list[str]:
        """Return the names of other records whose result files are still in the folder, sorted."""
        with _reported(self._path):
            rows = self._database.execute("SELECT name, result FROM entry WHERE result != ''").fetchall()
            done = [_name(key) for key, result in rows if _hashes(result).get(_RESULT)]
        others = (other for other in done if other not in names)
        return sorted(other for other in others if all(map(os.path.lexists, self.kind.paths(self._out, other))))

    def add(self, entries: Iterable[Entry]) -> None:
        """Note the entries of records: all of them or, if the disk is full, none."""
        rows = [
            (_key(each.name), _stamp_text(each), _result_text(each), json.dumps(each.about)) for each in entries
        ]
        with self._transaction():
            self._database.executemany("REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)

    def remove(self, name: str) -> None:
        """Remove the entry of a record, and its result files unless somebody has changed them."""
        if (entry := self.entry(name)) is not None:
            self._remove_files(entry)
            with self._transaction():
                self._database.execute("DELETE FROM entry WHERE name = ?", (_key(name),))

    def remove_further(self, name: str) -> bool:
        """Remove the further files of a record unless somebody has changed them; tell whether one was there."""
        entry = self.entry(name)
        paths = [] if entry is None else self.kind.written_further(self._out, entry)
        _remove(paths)
        return bool(paths)

    def require_replaceable(self, name: str) -> None:
        """Require that the result files of a record replace nothing but earlier ones.

        Raises
        ------
        InputError
            If a file at the place of one is something else.
        """
        paths = [path for path in self.kind.paths(self._out, name) if os.path.lexists(path)]
        if paths:
            entry = self.entry(name)
            for path in paths:
                suffix = path.name.removeprefix(name)
                require_replaceable(
                    path, self.kind.files[suffix], known=entry is not None and bool(entry.result)
                )

    def _take_source(self) -> None:
        """Mark all entries as not current if the results are of another source."""
        held = self._database.execute("SELECT about FROM source").fetchall()
        if held == [(self._source,)]:
            return
        if not held and self.follows_earlier_version:
            self._warn(f"{self._out}: has results of an earlier version of cnn-gap; every record is done anew")
        done = False
        for entry in self.entries():
            done = done or entry.stamp is not None
            self._remove_files(entry)
        if done and held:
            self._warn(
                f"{self._out}: the earlier run had another {self._differences(held[0][0])}; its results are"
                " removed, and every record is done anew"
            )
        with self._transaction():
            # The rest of an entry stays: by it the logs of an earlier run are distinguished from other files.
            self._database.execute("UPDATE entry SET stamp = NULL, result = ''")
            self._database.execute("DELETE FROM source")
            self._database.execute("INSERT INTO source VALUES (?)", (self._source,))

    def _differences(self, held: str) -> str:
        """Return the words for the parts of the source that the earlier run had otherwise."""
        with suppress(ValueError, AttributeError):  # somebody has changed the ledger
            before, now = (_flat(json.loads(text)) for text in (held, self._source))
            changed = [key for key in self.kind.meanings if before.get(key) != now.get(key)]
            if changed:
                return " and another ".join(dict.fromkeys(self.kind.meanings[key] for key in changed))
        return "setting"

    def _remove_files(self, entry: Entry) -> None:
        _remove(self.kind.written_paths(self._out, entry.name, entry.result))
        _remove(self.kind.written_further(self._out, entry))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _reported(self._path), self._database:
            self._database.execute("BEGIN")
            yield


def _flat(source: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a source, and the parts within them, by their keys."""
    inner = [part.items() for part in source.values() if isinstance(part, dict)]
    return dict(chain(source.items(), *inner))


def _paths(out: Path, name: str, suffixes: Iterable[str]) -> list[Path]:
    return [out / f"{name}{suffix}" for suffix in suffixes]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with writable(path.parent):
            path.unlink(missing_ok=True)


def files_hash(paths: Iterable[Path]) -> str:
    """Return a hash of the content of files.

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


def result_hash(text: str) -> str:
    """Return the hash of a result file with this text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


#: The hash of an empty file.
_EMPTY = result_hash("")


def _hash_or_none(path: Path) -> str | None:
    try:
        return files_hash([path])
    except InputError:
        return None


def _opened(path: Path) -> sqlite3.Connection:
    """Open a ledger, made if there is none."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?nolock=1", uri=True, isolation_level=None)
    try:
        database.execute("PRAGMA trusted_schema = OFF")  # a file from another machine may hold triggers
        if not database.execute("PRAGMA application_id").fetchone()[0]:
            with database:
                database.execute("BEGIN")
                database.execute(f"PRAGMA application_id = {APPLICATION}")
                for table in _TABLES:
                    database.execute(table)
        tables = database.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
        problem = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if tuple(sql for (sql,) in tables) != _TABLES or problem != "ok":
            raise sqlite3.DatabaseError(" ".join(str(problem).split()))
    except BaseException:
        database.close()
        raise
    return database


def _require_ledger(path: Path) -> None:
    """Require that a ledger can be made at a path, or that there is one."""
    if not os.path.lexists(path) or not file_size(path):
        return
    header = read_bytes(path, _HEADER_BYTES, count=_HEADER_BYTES)
    mark = header[_APPLICATION_AT : _APPLICATION_AT + 4]
    if not header.startswith(_MAGIC) or int.from_bytes(mark, "big") != APPLICATION:
        raise InputError(
            f"{path}: is not the ledger of an earlier run and stays as it is; move it away, then every"
            " record is done anew"
        )


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turn an error of SQLite into an `InputError` that names the ledger."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise InputError(f"{path}: cannot be written ({error})") from error
    except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: is damaged ({error}); remove it, and every record is done anew") from error


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _name(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")


def _entry(name: str, stamp: str | None, result: str, about: str) -> Entry:
    hashes = _hashes(result)
    whole = hashes.pop(_RESULT, "")
    return Entry(name, None if stamp is None else _stamp(stamp), whole, json.loads(about), hashes)


def _hashes(result: str) -> dict[str, str]:
    """Return the hashes that `_result_text` has written."""
    return dict(json.loads(result)) if result.startswith("{") else {_RESULT: result}


def _stamp(text: str) -> Stamp:
    files, content = json.loads(text)
    return Stamp(tuple((part, size, time) for part, size, time in files), content)


def _result_text(entry: Entry) -> str:
    """Return the hash of an entry's result files or, if it has further files, all hashes as JSON.

    Earlier versions have written the hash alone; their ledgers are read, too.
    """
    return json.dumps({_RESULT: entry.result} | entry.further) if entry.further else entry.result


def _stamp_text(entry: Entry) -> str | None:
    return None if entry.stamp is None else json.dumps([entry.stamp.files, entry.stamp.content])
