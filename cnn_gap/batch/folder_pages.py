"""The pages of a folder's records: which are kept, their links to each other, and the index."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnn_gap.batch.explanation_files import REPORT, WrittenRecord, file_url, relink
from cnn_gap.io.sources import ListedRecord
from cnn_gap.report.page import Links
from cnn_gap.report.page_index import IndexRow, IndexStatement, index_page
from cnn_gap.results.ledger import Entry, Ledger
from cnn_gap.system.files import write_text

#: The page that links to all others.
INDEX = "index.html"


class FolderPages:
    """The pages of a run's records.

    Parameters
    ----------
    out : Path
        The folder of the results.
    ledger : Ledger
        Of the kind `cnn_gap.batch.explanation_files.EXPLANATIONS`, open.
    names : sequence of str
        Of the records' files, in the order of the index.
    headings : sequence of str
        What the index calls the network's classes.
    """

    def __init__(self, out: Path, ledger: Ledger, names: Sequence[str], headings: Sequence[str]) -> None:
        self._out = out
        self._ledger = ledger
        self._names = names
        self._places = {name: place for place, name in enumerate(names)}
        self._headings = headings
        self._columns = {heading: column for column, heading in enumerate(headings)}
        self._records: dict[str, WrittenRecord] = {}
        self._statements: dict[IndexStatement, IndexStatement] = {}
        self._failing: set[str] = set()

    @property
    def failed(self) -> int:
        """How many records have failed."""
        return len(self._failing)

    def keep(self, record: ListedRecord) -> bool:
        """Keep a record's files from an earlier run, if they are whole and the record is unchanged."""
        entry = self._ledger.entry(record.name)
        if entry is None or not self._ledger.is_current(record):
            return False
        try:
            self._records[record.name] = self._from_entry(entry)
        except (LookupError, TypeError, ValueError):  # somebody has changed the ledger
            return False
        return True

    def fail(self, name: str) -> None:
        """Note that a record fails, so that no page that is written from now on links to it."""
        self._failing.add(name)

    def links(self, name: str) -> Links:
        """Return the links of a record's page: to the nearest records that have not failed so far."""
        place = self._places[name]
        before, after = range(place - 1, -1, -1), range(place + 1, len(self._names))
        return Links(INDEX, self._nearest(before), self._nearest(after), self._report(name))

    def take(self, results: Sequence[WrittenRecord]) -> None:
        """Note the results of records; where one has failed, the files of an earlier run are removed."""
        entries = [self._to_entry(each) for each in results if not each.row.failure]
        self._ledger.add(entries)
        # There may be many rows. They are read back from the entries, because then they share the texts of the
        # headings.
        self._records |= {entry.name: self._from_entry(entry) for entry in entries}
        for each in results:
            if each.row.failure:
                self.fail(each.name)
                self._ledger.remove(each.name)
                self._records[each.name] = each

    def finish(self) -> None:
        """Correct the links of pages whose neighbours have failed later, and write the index."""
        for name in self._names:
            written, links = self._records[name], self.links(name)
            if not written.row.failure and written.links != links:
                result = relink(self._ledger.kind, self._out, name, written.links, links)
                self.take([replace(written, links=links, result=result)])
        write_text(self._out / INDEX, index_page([self._records[name].row for name in self._names]))

    def _report(self, name: str) -> str | None:
        return file_url(name, REPORT) if REPORT in self._ledger.kind.files else None

    def _nearest(self, places: Sequence[int]) -> str | None:
        names = (self._names[place] for place in places)
        return next((file_url(name) for name in names if name not in self._failing), None)

    def _to_entry(self, written: WrittenRecord) -> Entry:
        """Return the entry of a record: its row in the index and the links of its page."""
        row, links = written.row, written.links
        about = {
            "name": row.name,
            "conclusion": row.conclusion,
            "alerts": row.alerts,
            "statements": [[each.name, each.degree, each.codes] for each in row.statements],
            "urgency": row.urgency,
            "notes": row.notes,
            # The index shows thousandths, and there may be many records.
            "probabilities": [
                [self._columns[heading], round(1000 * value)] for heading, value in row.probabilities.items()
            ],
            "links": [links.previous, links.next],
        }
        return Entry(written.name, written.stamp, written.result, about)

    def _from_entry(self, entry: Entry) -> WrittenRecord:
        about = entry.about
        row = IndexRow(
            str(about["name"]),
            file_url(entry.name),
            str(about["conclusion"]),
            tuple(map(str, about["alerts"])),
            tuple(self._statement(*each) for each in about["statements"]),
            float(about["urgency"]),
            {self._headings[column]: value / 1000 for column, value in about["probabilities"]},
            tuple(map(str, about["notes"])),
            report=self._report(entry.name),
        )
        previous, following = about["links"]
        links = Links(INDEX, previous, following, row.report)
        return WrittenRecord(entry.name, entry.stamp, links, row, entry.result)

    def _statement(self, name: str, degree: str, codes: Sequence[str]) -> IndexStatement:
        """Return a statement; equal ones of many rows are one object."""
        statement = IndexStatement(str(name), str(degree), tuple(map(str, codes)))
        return self._statements.setdefault(statement, statement)
