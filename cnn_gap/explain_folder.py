"""Explain a whole folder of records into a folder of files, whatever single records are like."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tqdm import tqdm

from cnn_gap.classifier import Classifier
from cnn_gap.ecg.long_records import read_whole
from cnn_gap.ecg.records import Record, find_records, paths_by_name, record_name
from cnn_gap.errors import InputError, printable
from cnn_gap.files import write_text
from cnn_gap.locks import locked
from cnn_gap.prediction.explainer import named_classes
from cnn_gap.prediction.explanation import Explanation
from cnn_gap.prediction.regions import DEFAULT_LEVEL, Level
from cnn_gap.reports.machine_files import ANNOTATOR, write_annotations, write_explanation
from cnn_gap.reports.page import IndexRow, explanation_page, index_page

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
        every = classifier.explain(record, "all", self.leads, self.level)
        return every, every.answered


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
        for name, path in tqdm(paths.items(), desc="explaining", unit="record", disable=None):
            try:
                rows.append(_explain(classifier, path, Path(out), options))
            except Exception as error:  # whatever is wrong with one record must not cost the others
                reason = str(error) if isinstance(error, InputError) else f"{path}: {error!r}"
                warn(printable(f"{name}: {reason}"))
                rows.append(IndexRow(name, None, (), "", None, reason))
        write_text(Path(out) / INDEX, index_page(rows))
    failed = sum(bool(row.failure) for row in rows)
    return len(rows) - failed, failed


def _explain(classifier: Classifier, path: Path, out: Path, options: ExplainOptions) -> IndexRow:
    every, explanation = options.explain(classifier, read_whole(path))
    write_explanation(out / f"{record_name(path)}.json", explanation)
    write_annotations(out / f"{record_name(path)}.{ANNOTATOR}", explanation)
    write_text(out / f"{record_name(path)}.html", explanation_page(every))
    return _row(explanation, quote(os.fsencode(f"{record_name(path)}.html")))


def _row(explanation: Explanation, href: str) -> IndexRow:
    top = max(explanation.classes, key=lambda each: each.probability)
    answered = tuple(each.diagnosis.abbreviation for each in explanation.classes if each.label)
    return IndexRow(explanation.record.name, href, answered, top.diagnosis.name, top.probability)
