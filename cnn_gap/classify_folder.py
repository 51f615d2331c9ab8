"""Classify many records into result files, a table or both, whatever single records are like."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from cnn_gap.classifier import Classifier
from cnn_gap.ecg.sources import ListedRecord, Stamp, is_address, list_records
from cnn_gap.errors import InputError, printable
from cnn_gap.files import readable, writable, write_text
from cnn_gap.locks import locked
from cnn_gap.prediction.prediction import Prediction
from cnn_gap.prediction.preparation import Prepared, Waiting, prepared_records
from cnn_gap.prediction.stream import predict_prepared_stream
from cnn_gap.reports.data_frames import column_types, columns_of
from cnn_gap.scoring.result_files import outputs_text
from cnn_gap.scoring.result_journal import ResultJournal, open_journal
from cnn_gap.scoring.result_names import file_name, fits, stamp_for_result
from cnn_gap.scoring.result_tables import CONTENT, FORMAT, ResultTable, rounded
from cnn_gap.version import __version__
from cnn_gap.workers import usual_jobs

#: The file in the results' folder that says which records failed, and why.
FAILURES = "failures.log"

#: The one with notes on records that were classified: flat leads, corrected gains, no heartbeat.
QUALITY = "quality.log"

#: Results that are written at a time: to wait for the disk once for all of them.
TOGETHER = 16

#: So many records are worth starting other processes for.
MANY = 200


@dataclass(frozen=True)
class Summary:
    """How a run ended: counts of records, and of folders that could not be read."""

    classified: int
    failed: int
    kept: int
    unreadable: int = 0
    unanswerable: int = 0

    def __str__(self) -> str:
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        unreadable = f", {self.unreadable} folders unreadable" if self.unreadable else ""
        nothing = f" ({self.unanswerable} cannot be answered)" if self.unanswerable else ""
        return f"{self.classified} classified{nothing}, {self.failed} failed{kept}{unreadable}"


@dataclass(frozen=True)
class Results:
    """Where the results go.

    Attributes
    ----------
    out : Path
        The folder for logs and, if `files`, a result file ``NAME.csv`` for each record.
    files : bool
        Whether there are result files.
    table : Path or None
        A Parquet or CSV file for a table with a row a record.
    """

    out: Path
    files: bool = True
    table: Path | None = None


def classify_folder(
    classifier: Classifier,
    model: Path,
    data: str | Path,
    out: Path | Results,
    warn: Callable[[str], None],
    strict: bool = False,
    jobs: int | None = None,
) -> Summary:
    """Classify every record of `data` into `out/NAME.csv`, a table, or both.

    A record that fails gets labels 0 and probabilities nan, a line to `warn` and one in `out/failures.log`; one
    that holds no heartbeat gets zeros. What is to know of records' signals is in `out/quality.log`. A
    second run keeps the files and rows that an earlier one of the same model and records has written, as far as
    they are whole and the records unchanged, and tries failures again.

    Parameters
    ----------
    classifier : Classifier
        Loaded from the folder `model`.
    model : Path
        The model's folder.
    data : str or Path
        Folder of the records, list of them, or address, as `cnn_gap.ecg.sources` takes it.
    out : Path or Results
        Where the results go; a folder for result files.
    warn : callable
        Receives a line for each record that fails or cannot be answered, and for each folder in `data` that
        cannot be read.
    strict : bool
        Fail instead where a folder cannot be read.
    jobs : int, optional
        How many other processes read records; 0: this one does. If not given, one for each other core where
        there are records enough.

    Raises
    ------
    InputError
        If there are no records, two have the same name, `out` cannot be written or another process is writing
        into it.
    """
    results = out if isinstance(out, Results) else Results(Path(out))
    unreadable: list[str] = []
    records = list_records(str(data), None if strict else unreadable.append)
    for line in unreadable:
        warn(line)
    source = {
        "model": _fingerprint(Path(model)),
        "data": str(data) if is_address(str(data)) else str(Path(data).resolve()),
        "precision": classifier.runtime.precision,
    }
    with ExitStack() as stack:
        stack.enter_context(locked(results.out))
        run = _Run(results, warn)
        if results.files:
            run.journal = stack.enter_context(open_journal(results.out, source, records, warn))
        if results.table is not None:
            run.table = stack.enter_context(_open_table(classifier, source["model"], results.table))
        run.remove_log(FAILURES)
        waiting = [record for record in records if not run.is_current(record)]
        kept = len(records) - len(waiting)
        if not kept:
            run.remove_log(QUALITY)
        run.classify(classifier, waiting, _jobs(jobs, waiting))
        if run.table is not None:
            run.table.finish([record.name for record in records])
    return Summary(len(waiting) - run.failed, run.failed, kept, len(unreadable), run.unanswerable)


def _open_table(classifier: Classifier, model: str, path: Path) -> ResultTable:
    described, classes = classifier.description, classifier.classes
    about = {
        "format": FORMAT,
        "model": model,
        "version": __version__,
        "precision": classifier.runtime.precision,
        "classes": [
            {
                "column": column,
                "name": known.name,
                "abbreviation": known.abbreviation,
                "system": known.system,
                "codes": list(codes),
                "threshold": threshold,
            }
            for column, known, codes, threshold in zip(
                classes.short_names, classes.diagnoses, classes.outputs, described.thresholds, strict=True
            )
        ],
    }
    return ResultTable(path, about, column_types(classes) | {CONTENT: str})


class _Run:
    """The results of a run: what is there, and how many records have failed."""

    def __init__(self, results: Results, warn: Callable[[str], None]):
        self._results = results
        self._out = results.out
        self._warn = warn
        self._stamps: dict[str, Stamp] = {}
        self.journal: ResultJournal | None = None
        self.table: ResultTable | None = None
        self.failed = self.unanswerable = 0

    def is_current(self, record: ListedRecord) -> bool:
        """Tell whether all that is wanted of a record is there, and of the record as it is now."""
        if self.journal is not None and not self.journal.is_current(record):
            return False
        try:
            return self.table is None or self.table.is_current(record.name, lambda: record.stamp().content)
        except InputError:
            return False

    def remove_log(self, name: str) -> None:
        """Remove a log of an earlier run."""
        with writable(self._out / name):
            (self._out / name).unlink(missing_ok=True)

    def classify(self, classifier: Classifier, records: list[ListedRecord], jobs: int) -> None:
        """Classify records, which so many other processes read, and write their results."""
        with (
            closing(self._prepared(classifier, records, jobs)) as prepared,
            closing(predict_prepared_stream(classifier, prepared)) as stream,
            tqdm(total=len(records), desc="classifying", unit="record", disable=None) as bar,
        ):
            for predictions in _several(stream):
                for prediction in predictions:
                    self._count(prediction)
                self._write(predictions)
                bar.update(len(predictions))

    def _prepared(self, classifier: Classifier, records: list[ListedRecord], jobs: int) -> Generator[Prepared]:
        """Yield what is read of records, and keep their stamps until their results are written.

        A stamp is of before the reading, so that a record that changes meanwhile is read again next time.
        """
        waiting = (
            Waiting(record.name, record.source, record.open, partial(stamp_for_result, record))
            for record in records
        )
        prepare = classifier.preparation.prepare if jobs else classifier.prepare
        with closing(prepared_records(prepare, waiting, jobs)) as prepared:
            for each in prepared:
                if each.stamp is not None:
                    self._stamps[each.name] = each.stamp
                yield each

    def _count(self, prediction: Prediction) -> None:
        """Count a prediction, and say what is to know of it."""
        if prediction.failure:
            self.failed += 1
            self._warn(_log(self._out / FAILURES, prediction.name, prediction.failure))
        elif prediction.notes:
            line = _log(self._out / QUALITY, prediction.name, "; ".join(prediction.notes))
            if not prediction.answerable:
                self.unanswerable += 1
                self._warn(line)

    def _write(self, predictions: list[Prediction]) -> None:
        """Write the results of several records, and note those that need not be written again."""
        stamps = {each.name: self._stamps.pop(each.name, None) for each in predictions}
        if self.journal is not None:
            self._write_files(predictions, stamps, self.journal)
        if self.table is not None:
            columns = columns_of(predictions, predictions[0].classes)
            for name, values in columns.items():
                if values and isinstance(values[0], float):
                    columns[name] = [rounded(value) for value in values]
            contents = [stamp.content if stamp is not None else "" for stamp in stamps.values()]
            self.table.add(columns | {CONTENT: contents})

    def _write_files(
        self, predictions: list[Prediction], stamps: dict[str, Stamp | None], journal: ResultJournal
    ) -> None:
        texts = {each.name: _text(each) for each in predictions if fits(each.name)}
        for each in predictions:
            stamp = stamps[each.name]
            if not each.failure and stamp is not None:
                journal.add(each.name, stamp, texts[each.name])
        with ThreadPoolExecutor(TOGETHER) as pool:
            written = [
                pool.submit(write_text, self._out / file_name(name), text) for name, text in texts.items()
            ]
        for done in written:
            done.result()


def _jobs(jobs: int | None, records: list[ListedRecord]) -> int:
    """Return how many processes read records beside this one, which does it where there are 0."""
    if not all(record.elsewhere for record in records):
        return 0
    if jobs is None:
        return usual_jobs() if len(records) >= MANY else 0
    return min(jobs, len(records))


def _several(predictions: Iterator[Prediction]) -> Iterator[list[Prediction]]:
    while several := list(islice(predictions, TOGETHER)):
        yield several


def _text(prediction: Prediction) -> str:
    classes = prediction.classes
    labels, probabilities = classes.expand(prediction.labels), classes.expand(prediction.probabilities)
    return outputs_text(prediction.name, classes.codes, labels, probabilities)


def _log(log: Path, name: str, text: str) -> str:
    """Add a line about a record to a log, and return it."""
    line = printable(f"{name}: {text}")
    with writable(log), log.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{line}\n")
    return line


def _fingerprint(model: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.keras", "model.json"):
        with readable(model / name):
            digest.update((model / name).read_bytes())
    return digest.hexdigest()
