"""The files of an explained record: its page, JSON and annotations, written without Keras."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.explain.computed_maps import ComputedMaps, MapReader
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.io.long_records import LongRecord
from cnn_gap.io.sources import Stamp
from cnn_gap.record import Record
from cnn_gap.report.diagnosis_order import in_order
from cnn_gap.report.explanation_export import (
    ANNOTATOR,
    write_annotations,
    write_explanation,
    write_long_annotations,
)
from cnn_gap.report.figures import STANDARD_SHEETS, save_report
from cnn_gap.report.long_figures import save_long_report
from cnn_gap.report.long_page import long_page
from cnn_gap.report.page import Links, explanation_page, relinked
from cnn_gap.report.page_index import IndexRow, IndexStatement, urgency
from cnn_gap.report.page_reading import quality_notes
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.results.ledger import LedgerKind, files_hash
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes, write_text
from cnn_gap.system.outputs import ANNOTATIONS, EXPLANATION, FIGURE, PAGE

#: Suffix of the report of a record.
REPORT = ".pdf"

_FILES = {".html": PAGE, ".json": EXPLANATION, f".{ANNOTATOR}": ANNOTATIONS}
_WITH_REPORT = {**_FILES, REPORT: FIGURE}

_MEANINGS = {
    "model": "model",
    "version": "version of cnn-gap",
    "classes": "choice of --classes",
    "leads": "choice of --no-leads",
    "level": "--level",
    "reports": "choice of --pdf and its sheets",
}

#: The ledger and the files of each record in the folder of the results, without a report and with one.
EXPLANATIONS = LedgerKind("explanations", _FILES, (tuple(_WITH_REPORT),), _MEANINGS)
EXPLANATIONS_AND_REPORTS = LedgerKind("explanations", _WITH_REPORT, (tuple(_FILES),), _MEANINGS)

#: The links of a record without a page.
NO_LINKS = Links("")


@dataclass(frozen=True, eq=False)
class RecordTask:
    """A record between its reading and the writing of its files.

    Attributes
    ----------
    name : str
        Of its files.
    source : str
        Its path or address, for errors.
    stamp : Stamp or None
        What the record's files were like before they were read; None until then.
    record : Record or None
        The record from its reading until its maps are computed.
    long : LongRecord or None
        The same of a recording that is explained by strips.
    computed : ComputedMaps or None
        Probabilities and maps, from which the files are made.
    explained : LongExplanation or None
        The same of a recording that is explained by strips.
    links : Links
        Of the page.
    failure : str
        Why the record cannot be explained; empty if it can.
    """

    name: str
    source: str
    stamp: Stamp | None = None
    record: Record | None = None
    long: LongRecord | None = None
    computed: ComputedMaps | None = None
    explained: LongExplanation | None = None
    links: Links = NO_LINKS
    failure: str = ""

    def is_sent(self, most: int) -> bool:
        """Return whether another process writes the files: it gets maps of at most `most` bytes."""
        return self.explained is None and (self.computed is None or self.computed.size <= most)

    def failed(self, error: Exception) -> "RecordTask":
        """Return the same as one that has failed."""
        reason = str(error) if isinstance(error, InputError) else f"{self.source}: {error!r}"
        return RecordTask(self.name, self.source, failure=reason)


@dataclass(frozen=True)
class WrittenRecord:
    """A record whose files are written, or that has failed.

    Attributes
    ----------
    name, stamp, links
        As of `RecordTask`.
    row : IndexRow
        Its row in the index.
    result : str
        A hash of its files; empty if it has failed.
    """

    name: str
    stamp: Stamp | None
    links: Links
    row: IndexRow
    result: str = ""


@dataclass(frozen=True, eq=False)
class RecordWriter:
    """Writes the files of records.

    Attributes
    ----------
    out : Path
        The folder.
    reader : MapReader
        Makes explanations.
    answered_only : bool
        Whether no classes were named: JSON and annotations leave out what is not answered, and the report has
        the findings of the reading.
    sheets : SheetOptions or None
        Of the report; None if there is none.
    """

    out: Path
    reader: MapReader
    answered_only: bool
    sheets: SheetOptions | None = None

    @property
    def kind(self) -> LedgerKind:
        """The files that are written."""
        return EXPLANATIONS if self.sheets is None else EXPLANATIONS_AND_REPORTS

    def write_several(self, tasks: Sequence[RecordTask | WrittenRecord]) -> list[WrittenRecord]:
        """Write the files of those records that are yet to be written."""
        return [task if isinstance(task, WrittenRecord) else self.write(task) for task in tasks]

    def write(self, task: RecordTask) -> WrittenRecord:
        """Write the files of a record; the reason of a failure is in its row."""
        try:
            if task.explained is not None:
                every = self._write_long(task.explained, task)
            elif task.computed is not None:
                every = self._write_short(task.computed, task)
            else:
                return as_failed(task)
            row = index_row(task.name, every, class_headings(self.reader.description.class_set))
            result = files_hash(self.kind.paths(self.out, task.name))
            return WrittenRecord(task.name, task.stamp, task.links, row, result)
        except Exception as error:  # an error of one record must not stop the others
            return as_failed(task.failed(error))

    def _write_short(self, computed: ComputedMaps, task: RecordTask) -> Explanation:
        """Write the files of a record that has maps as a whole; return the explanation for its index row."""
        every = self.reader.explanation(computed)
        chosen = every.answered if self.answered_only else every
        page, data, marks, *reports = self.kind.paths(self.out, task.name)
        write_explanation(data, chosen)
        write_annotations(marks, chosen)
        for report in reports:
            save_report(every, report, self.sheets or STANDARD_SHEETS, named=not self.answered_only)
        write_text(page, explanation_page(every, task.links))
        return every

    def _write_long(self, explained: LongExplanation, task: RecordTask) -> Explanation:
        """Write the files of a recording that is explained by strips; return the explanation of the whole."""
        page, data, marks, *reports = self.kind.paths(self.out, task.name)
        write_explanation(data, explained)
        write_long_annotations(marks, explained)
        for report in reports:
            save_long_report(explained, report, self.sheets or STANDARD_SHEETS)
        write_text(page, long_page(explained, task.links))
        return explained.whole


def as_lost(task: RecordTask | WrittenRecord) -> WrittenRecord:
    """Return the failure of a record whose process died while it wrote the files."""
    if isinstance(task, WrittenRecord):
        return task
    reason = f"{task.source}: the process that wrote its page was ended; is there enough memory?"
    return as_failed(replace(task, failure=reason))


def as_failed(task: RecordTask) -> WrittenRecord:
    """Return the result of a record that has failed, for which no files are written."""
    return WrittenRecord(task.name, None, task.links, IndexRow(task.name, None, failure=task.failure))


def file_url(name: str, suffix: str = ".html") -> str:
    """Return the URL of a file of a record, its page or another, from the pages beside it."""
    return quote(os.fsencode(f"{name}{suffix}"))


def index_row(name: str, every: Explanation, headings: Mapping[str, str]) -> IndexRow:
    """Return the index's row of a record.

    Parameters
    ----------
    name : str
        Of its files.
    every : Explanation
        Of the record.
    headings : mapping of str to str
        The name of each class in the index, by its first code.
    """
    reading = every.reading
    row = IndexRow(
        every.record.name,
        file_url(name),
        probabilities={headings[each.codes[0]]: each.probability for each in every.classes},
        notes=quality_notes(every),
    )
    if reading is None:
        answered = (each for _, each in in_order(every.classes) if each.label)
        named = (IndexStatement(each.diagnosis.name, "", each.codes) for each in answered)
        return replace(row, statements=tuple(named))
    return replace(
        row,
        conclusion=reading.conclusion,
        alerts=reading.alerts,
        statements=tuple(
            IndexStatement(each.name, each.degree, (*each.codes, each.key)) for each in reading.statements
        ),
        urgency=urgency(reading),
    )


def class_headings(classes: ClassSet) -> dict[str, str]:
    """Return a name for each class, no two the same, by its first code.

    A finding that has the name of a class gets its code system and code added.

    Examples
    --------
    >>> from cnn_gap.diagnoses.classes import read_weights
    >>> class_headings(read_weights())["164889003"]
    'Atrial fibrillation'
    """
    names: dict[str, str] = {}
    for about in classes.diagnoses:
        taken = about.name in names.values()
        names[about.code] = f"{about.name} ({about.system} {about.code})" if taken else about.name
    return names


def relink(kind: LedgerKind, out: Path, name: str, old: Links, new: Links) -> str:
    """Write a record's page with other links, and return a hash of all files that the run wrote of the record.

    Raises
    ------
    InputError
        If a file cannot be read or written.
    """
    paths = kind.paths(out, name)
    page = read_bytes(paths[0], LARGEST_SIGNAL_FILE).decode("utf-8", "surrogateescape")
    write_text(paths[0], relinked(page, old, new))
    return files_hash(paths)
