"""Explain a whole folder of records into a folder of files, whatever single records are like."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from tqdm import tqdm

from cnn_gap.classifier import Classifier
from cnn_gap.ecg.diagnoses import SNOMED
from cnn_gap.ecg.long_records import read_whole
from cnn_gap.ecg.records import find_records, paths_by_name
from cnn_gap.ecg.twelve_leads import Record, record_name
from cnn_gap.errors import InputError, printable
from cnn_gap.files import write_text
from cnn_gap.locks import locked
from cnn_gap.prediction.explainer import named_classes
from cnn_gap.prediction.explanation import ExplainedClass, Explanation
from cnn_gap.prediction.regions import DEFAULT_LEVEL, Level
from cnn_gap.reports.machine_files import ANNOTATOR, write_annotations, write_explanation
from cnn_gap.reports.ordering import in_order
from cnn_gap.reports.page import IndexRow, Links, explanation_page, index_page
from cnn_gap.reports.words import heading, record_notes

#: Classes of a record whose leads are looked at where none are named: those that are answered, and the most
#: probable up to this number.
DETAILED = 12

#: The page that links all others.
INDEX = "index.html"


@dataclass(frozen=True)
class ExplainOptions:
    """What `cnn_gap.prediction.explainer.explain_records` is to explain of each record.

    Attributes
    ----------
    classes : sequence of str, or str, optional
        Codes, abbreviations, ``"top3"`` or ``"all"``. If not given, a page lists every class, and the other
        files those that are answered.
    leads : bool
        Whether to find out what each lead contributes.
    level : Level
        The height above which a map makes a region.
    """

    classes: Sequence[str] | str | None = None
    leads: bool = True
    level: Level = DEFAULT_LEVEL

    def explain(self, classifier: Classifier, record: Record) -> tuple[Explanation, Explanation]:
        """Return the explanation for the record's page, and that for all other files."""
        if self.classes is not None:
            explanation = classifier.explain(record, self.classes, self.leads, self.level)
            return explanation, explanation
        every = classifier.explain(record, "all", False, self.level)
        if self.leads:
            every = _with_leads(classifier, every, self.level)
        return every, every.answered


def _with_leads(classifier: Classifier, every: Explanation, level: Level) -> Explanation:
    """Return an explanation with the leads' parts of what is answered and of the most probable classes.

    They take a gradient each, and nobody looks at those of ninety diagnoses that a record does not have.
    """
    ranked = sorted(every.classes, key=lambda each: (not each.label, -each.probability))
    names = [_name(each) for each in ranked if each.label] or []
    names += [_name(each) for each in ranked[len(names) : DETAILED]]
    detailed = classifier.explain(every.record, names, True, level)
    known = {each.codes: each for each in detailed.classes}
    return replace(every, classes=tuple(known.get(each.codes, each) for each in every.classes))


def _name(explained: ExplainedClass) -> str:
    """Return what names a class or finding and nothing else, as `ClassSet.find` takes it."""
    diagnosis = explained.diagnosis
    return diagnosis.code if diagnosis.system == SNOMED else f"{diagnosis.system}:{diagnosis.code}"


def explain_folder(
    classifier: Classifier, data: Path, out: Path, options: ExplainOptions, warn: Callable[[str], None]
) -> tuple[int, int]:
    """Explain every record of `data` into `out`: NAME.html, NAME.json and NAME.cam each, and `index.html`.

    A record that fails gets a line to `warn` and one in the index; the others go on.

    Parameters
    ----------
    classifier : Classifier
        What explains.
    data, out : Path
        Folders of the records and for the results.
    options : ExplainOptions
        What is explained of each.
    warn : callable
        Receives a line for each record that fails.

    Returns
    -------
    tuple of int
        How many were explained and how many failed.

    Raises
    ------
    InputError
        If there are no records, two have the same name, or a class is unknown.
    """
    named_classes(classifier.classes, options.classes)  # what no record can have is said once, not for each
    paths = paths_by_name(find_records(Path(data), warn))
    rows = []
    with locked(Path(out)):
        pages = _Pages(Path(out))
        for name, path in tqdm(paths.items(), desc="explaining", unit="record", disable=None):
            try:
                rows.append(_explain(classifier, path, pages, options))
            except Exception as error:  # whatever is wrong with one record must not cost the others
                reason = str(error) if isinstance(error, InputError) else f"{path}: {error!r}"
                warn(printable(f"{name}: {reason}"))
                rows.append(IndexRow(name, None, failure=reason))
        pages.finish()
        write_text(Path(out) / INDEX, index_page(rows))
    failed = sum(bool(row.failure) for row in rows)
    return len(rows) - failed, failed


class _Pages:
    """Writes the pages of a folder's records, each when the next one is there to be linked."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._last: str | None = None
        self._waiting: tuple[str, Explanation] | None = None

    def add(self, stem: str, explanation: Explanation) -> str:
        """Take a record's page, and return its URL from the index."""
        self._write(following=_url(stem))
        self._waiting = stem, explanation
        return _url(stem)

    def finish(self) -> None:
        """Write the last page."""
        self._write(following=None)

    def _write(self, following: str | None) -> None:
        if self._waiting is None:
            return
        stem, explanation = self._waiting
        write_text(
            self.out / f"{stem}.html", explanation_page(explanation, Links(INDEX, self._last, following))
        )
        self._last, self._waiting = _url(stem), None


def _url(stem: str) -> str:
    return quote(os.fsencode(f"{stem}.html"))


def _explain(classifier: Classifier, path: Path, pages: _Pages, options: ExplainOptions) -> IndexRow:
    every, explanation = options.explain(classifier, read_whole(path))
    name = record_name(path)
    write_explanation(pages.out / f"{name}.json", explanation)
    write_annotations(pages.out / f"{name}.{ANNOTATOR}", explanation)
    answered = [each.diagnosis.abbreviation for _, each in in_order(every.classes) if each.label]
    reported = tuple(dict.fromkeys(answered))  # a class and a finding may share an abbreviation
    probabilities = {heading(each): each.probability for each in every.classes}
    return IndexRow(every.record.name, pages.add(name, every), reported, probabilities, record_notes(every))
