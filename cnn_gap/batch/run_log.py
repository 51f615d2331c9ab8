"""Logs in a folder of results: a line for each record that failed or got no answer."""

from collections.abc import Callable, Iterable
from pathlib import Path

from cnn_gap.results.ledger import Entry, Ledger
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes, writable, write_text


class RunLog:
    """A log whose lines are made from the ledger's entries; a file with other lines is another program's.

    Parameters
    ----------
    path : Path
    ledger : Ledger
        Of the same folder. It has the entry of a record before the log has its line.
    text : callable
        Returns the log's text on an entry; empty if it has no line.
    """

    def __init__(self, path: Path, ledger: Ledger, text: Callable[[Entry], str]) -> None:
        self._path = path
        self._ledger = ledger
        self._text = text

    def require_replaceable(self) -> None:
        """Require that there is no log, or one that an earlier run has written.

        Raises
        ------
        InputError
            If another file is there.
        """
        if not self._path.exists() and not self._path.is_symlink():
            return
        content = read_bytes(self._path, LARGEST_SIGNAL_FILE).decode("utf-8", "surrogateescape")
        *lines, cut = content.split("\n")  # a run that was killed may have cut the last line
        if self._ledger.follows_earlier_version:
            return
        known = {self._line(entry) for entry in self._ledger.entries()}
        if not known.issuperset(lines) or not any(line.startswith(cut) for line in known):
            raise InputError(f"{self._path}: is not the log of an earlier run and stays as it is; move it away")

    def start(self, kept: Iterable[str]) -> None:
        """Write the log anew, with the lines of records that are kept; there is no log without lines."""
        entries = (entry for name in kept if (entry := self._ledger.entry(name)))
        lines = [self._line(entry) for entry in entries if self._text(entry)]
        if lines:
            write_text(self._path, "".join(f"{line}\n" for line in lines))
        else:
            with writable(self._path):
                self._path.unlink(missing_ok=True)

    def add(self, entry: Entry) -> str:
        """Add a record's line to the log, if its entry has one, and return the line."""
        if not self._text(entry):
            return ""
        line = self._line(entry)
        with writable(self._path), self._path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{line}\n")
        return line

    def _line(self, entry: Entry) -> str:
        return printable(f"{entry.name}: {self._text(entry)}")
