"""The pages of a folder's records: which are there already, which link which, and the index of all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnn_gap.batch.explanation_files import WrittenRecord, page_url, relink
from cnn_gap.io.sources import ListedRecord, Stamp
from cnn_gap.report.page import IndexRow, Links, index_page
from cnn_gap.results.ledger import ResultJournal
from cnn_gap.system.files import write_text

#: The page that links all others.
INDEX = "index.html"


class FolderPages:
    """What a run knows of the records of a folder.

    Parameters
    ----------
    out : Path
        The folder of the results.
    journal : ResultJournal
        Of the kind `cnn_gap.batch.explanation_files.EXPLANATIONS`, open.
    names : sequence of str
        Of the records' files, in the order of the index.
    headings : sequence of str
        What the index calls the network's classes.
    """

    def __init__(
        self, out: Path, journal: ResultJournal, names: Sequence[str], headings: Sequence[str]
    ) -> None:
        self._out = out
        self._journal = journal
        self._names = names
        self._places = {name: place for place, name in enumerate(names)}
        self._headings = headings
        self._columns = {heading: column for column, heading in enumerate(headings)}
        self._records: dict[str, WrittenRecord] = {}
        self._failing: set[str] = set()

    @property
    def failed(self) -> int:
        """How many records have failed."""
        return len(self._failing)

    def keep(self, record: ListedRecord) -> bool:
        """Keep a record's files from an earlier run, if they are there and still true."""
        if (note := self._journal.note(record.name)) is None or not self._journal.is_current(record):
            return False
        try:
            self._records[record.name] = self._from_json(record.name, note.stamp, note.result, note.about)
        except (LookupError, TypeError, ValueError):  # a damaged line
            return False
        return True

    def fail(self, name: str) -> None:
        """Take a record for one that fails: no page that is written from now on links it."""
        self._failing.add(name)

    def links(self, name: str) -> Links:
        """Return what a record's page links: its neighbours that do not fail, as far as that is known."""
        place = self._places[name]
        before, after = range(place - 1, -1, -1), range(place + 1, len(self._names))
        return Links(INDEX, self._nearest(before), self._nearest(after))

    def take(self, written: WrittenRecord) -> None:
        """Note what has become of a record; the files of an earlier run go where it has failed."""
        if written.row.failure:
            self.fail(written.name)
            self._journal.remove(written.name)
        elif written.stamp is not None:
            about = self._to_json(written)
            self._journal.add(written.name, written.stamp, written.result, about)
            # There may be many rows: all share their headings then.
            written = self._from_json(written.name, written.stamp, written.result, about)
        self._records[written.name] = written

    def finish(self) -> None:
        """Give each page the links that it should have, and write the index."""
        for name in self._names:
            written, links = self._records[name], self.links(name)
            if not written.row.failure and written.links != links:
                result = relink(self._out, name, written.links, links)
                self.take(replace(written, links=links, result=result))
        write_text(self._out / INDEX, index_page([self._records[name].row for name in self._names]))

    def _nearest(self, places: Sequence[int]) -> str | None:
        names = (self._names[place] for place in places)
        return next((page_url(name) for name in names if name not in self._failing), None)

    def _to_json(self, written: WrittenRecord) -> dict[str, Any]:
        """Return what the journal keeps of a record: its row in the index, and what its page links."""
        row, links = written.row, written.links
        return {
            "name": row.name,
            "reported": row.reported,
            "notes": row.notes,
            # The index shows thousandths, and there may be many records.
            "probabilities": [
                [self._columns[heading], round(1000 * value)] for heading, value in row.probabilities.items()
            ],
            "links": [links.previous, links.next],
        }

    def _from_json(self, name: str, stamp: Stamp, result: str, about: dict[str, Any]) -> WrittenRecord:
        row = IndexRow(
            str(about["name"]),
            page_url(name),
            tuple(map(str, about["reported"])),
            {self._headings[column]: value / 1000 for column, value in about["probabilities"]},
            tuple(map(str, about["notes"])),
        )
        previous, following = about["links"]
        return WrittenRecord(name, stamp, Links(INDEX, previous, following), row, result)
