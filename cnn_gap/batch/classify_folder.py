"""Classify many records into result files, a table or both, whatever single records are like."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from cnn_gap.io.sources import ListedRecord, Stamp, is_address, list_records
from cnn_gap.model.folder import ModelDescription, fingerprint
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import PendingRecord, ReadResult, prepared_records
from cnn_gap.report.data_frames import column_types, columns_of
from cnn_gap.results.challenge_files import outputs_text
from cnn_gap.results.ledger import ResultJournal, open_journal, result_hash
from cnn_gap.results.result_table import CONTENT, TABLE_FORMAT, ResultTable, rounded
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import writable, write_text
from cnn_gap.system.locks import locked
from cnn_gap.system.processes import usual_jobs
from cnn_gap.system.version import __version__

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: The file in the results' folder that says which records failed, and why.
FAILURES = "failures.log"

#: The one with notes on records that were classified: flat leads, corrected gains, no heartbeat.
QUALITY = "quality.log"

#: Result files written concurrently.
CONCURRENT_WRITES = 16

#: Cores left to the network: on two cores an extra reader slows inference as much as it helps.
NETWORK_CORES = 2

#: Minimum number of records before workers are started: each imports SciPy first, which takes most of a second.
MIN_RECORDS_FOR_WORKERS = 1000

#: The longest name of a file that systems take, bytes.
LONGEST_NAME = 255


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
class OutputTarget:
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


@dataclass(frozen=True)
class ModelIdentity:
    """What all results depend on beside the records; no network is needed to know it.

    Attributes
    ----------
    description : ModelDescription
    fingerprint : str
        A hash of the model folder's files.
    precision : str
        How exactly probabilities are computed.
    """

    description: ModelDescription
    fingerprint: str
    precision: str


@dataclass(frozen=True, eq=False)
class Classified:
    """A record that has been classified, and its result file written if there are to be any.

    Attributes
    ----------
    prediction : Prediction
    stamp : Stamp or None
        What the record's files were like before they were read; None where that is not known.
    result : str
        A hash of the result file; empty where there is none.
    """

    prediction: Prediction
    stamp: Stamp | None = None
    result: str = ""


#: Classifies records, and yields several at a time when their result files are written.
Classify = Callable[[list[ListedRecord]], Iterable[list[Classified]]]


def classify_folder(
    classifier: "Classifier",
    model: Path,
    data: str | Path,
    out: Path | OutputTarget,
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
        Folder of the records, list of them, or address, as `cnn_gap.io.sources` takes it.
    out : Path or OutputTarget
        Where the results go; a folder for result files.
    warn : callable
        Receives a line for each record that fails or cannot be answered, and for each folder in `data` that
        cannot be read.
    strict : bool
        Fail instead where a folder cannot be read.
    jobs : int, optional
        How many other processes read records; 0: this one does. If not given, one for each core but two
        where there are records enough.

    Raises
    ------
    InputError
        If there are no records, two have the same name, `out` cannot be written or another process is writing
        into it.
    """
    results = out if isinstance(out, OutputTarget) else OutputTarget(Path(out))
    about = ModelIdentity(classifier.description, fingerprint(Path(model)), classifier.runtime.precision)

    def classify(records: list[ListedRecord]) -> Iterator[list[Classified]]:
        return classify_records(
            classifier, records, results.out if results.files else None, reading_jobs(jobs, records)
        )

    return fill_results(about, str(data), results, classify, warn, strict)


def fill_results(
    model: ModelIdentity,
    data: str,
    results: OutputTarget,
    classify: Classify,
    warn: Callable[[str], None],
    strict: bool = False,
) -> Summary:
    """Bring results up to date as `classify_folder` does, whatever classifies the records.

    Parameters
    ----------
    model : ModelIdentity
    classify : callable
        Receives the records without a current result.
    data, results, warn, strict
        As of `classify_folder`.
    """
    listing = list_records(data, strict)
    records = listing.records
    for line in (*listing.unreadable, *listing.remarks):
        warn(line)
    source = {
        "model": model.fingerprint,
        "data": data if is_address(data) else str(Path(data).resolve()),
        "precision": model.precision,
    }
    with ExitStack() as stack:
        stack.enter_context(locked(results.out))
        run = _Run(results.out, warn)
        if results.files:
            run.journal = stack.enter_context(open_journal(results.out, source, records, warn))
        if results.table is not None:
            run.table = stack.enter_context(_open_table(model, results.table))
        run.remove_log(FAILURES)
        waiting = [record for record in records if not run.is_current(record)]
        kept = len(records) - len(waiting)
        if not kept:
            run.remove_log(QUALITY)
        with tqdm(total=len(waiting), desc="classifying", unit="record", disable=None) as bar:
            for several in classify(waiting):
                run.take(several)
                bar.update(len(several))
        if run.table is not None:
            run.table.finish([record.name for record in records])
    return Summary(len(waiting) - run.failed, run.failed, kept, len(listing.unreadable), run.unanswerable)


def classify_records(
    classifier: "Classifier", records: Iterable[ListedRecord], out: Path | None, jobs: int = 0
) -> Iterator[list[Classified]]:
    """Classify records, and yield `CONCURRENT_WRITES` of them when their result files are written.

    Parameters
    ----------
    classifier : Classifier
    records : iterable of ListedRecord
        Looked at one by one, or as far ahead as other processes read.
    out : Path or None
        The folder for result files; None if there are to be none.
    jobs : int
        How many other processes read records; 0: this one does.
    """
    from cnn_gap.predict.stream import predict_prepared_stream

    stamps: dict[str, Stamp] = {}
    with (
        closing(_prepared(classifier, records, jobs, stamps)) as prepared,
        closing(predict_prepared_stream(classifier, prepared)) as stream,
    ):
        for predictions in _several(stream):
            results = write_results(out, predictions) if out is not None else {}
            yield [
                Classified(each, stamps.pop(each.name, None), results.get(each.name, ""))
                for each in predictions
            ]


def _prepared(
    classifier: "Classifier", records: Iterable[ListedRecord], jobs: int, stamps: dict[str, Stamp]
) -> Generator[ReadResult]:
    """Yield what is read of records, their stamps noted."""
    waiting = (
        PendingRecord(each.name, each.source, each.open, partial(stamp_for_result, each)) for each in records
    )
    prepare = classifier.preparation.prepare if jobs else classifier.prepare
    with closing(prepared_records(prepare, waiting, jobs)) as prepared:
        for each in prepared:
            if each.stamp is not None:
                stamps[each.name] = each.stamp
            yield each


def write_results(out: Path, predictions: list[Prediction]) -> dict[str, str]:
    """Write the result files of several records, and return a hash of each by the record's name."""
    texts = {each.name: _text(each) for each in predictions if _fits(each.name)}
    with ThreadPoolExecutor(CONCURRENT_WRITES) as pool:
        written = [pool.submit(write_text, out / _file_name(name), text) for name, text in texts.items()]
    for done in written:
        done.result()
    return {name: result_hash(text) for name, text in texts.items()}


def _open_table(model: ModelIdentity, path: Path) -> ResultTable:
    described, classes = model.description, model.description.class_set
    about = {
        "format": TABLE_FORMAT,
        "model": model.fingerprint,
        "version": __version__,
        "precision": model.precision,
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

    def __init__(self, out: Path, warn: Callable[[str], None]):
        self._out = out
        self._warn = warn
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

    def take(self, several: list[Classified]) -> None:
        """Count records that have been classified, and note those that need not be classified again."""
        for each in several:
            self._count(each.prediction)
            if self.journal is not None and each.stamp is not None and not each.prediction.failure:
                self.journal.add(each.prediction.name, each.stamp, each.result)
        if self.table is not None:
            predictions = [each.prediction for each in several]
            columns = columns_of(predictions, predictions[0].classes)
            for name, values in columns.items():
                if values and isinstance(values[0], float):
                    columns[name] = [rounded(value) for value in values]
            contents = [each.stamp.content if each.stamp is not None else "" for each in several]
            self.table.add(columns | {CONTENT: contents})

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


def reading_jobs(jobs: int | None, records: Sequence[ListedRecord]) -> int:
    """Return how many processes read records beside this one, which does it where there are 0."""
    if not all(record.readable_in_subprocess for record in records):
        return 0
    if jobs is None:
        return usual_jobs(spared=NETWORK_CORES) if len(records) >= MIN_RECORDS_FOR_WORKERS else 0
    return min(jobs, len(records))


def stamp_for_result(record: ListedRecord) -> Stamp:
    """Return the stamp of a record of which a result can be written.

    It is taken before the record is read, so that one that changes meanwhile is read again next time.
    """
    if printable(record.name) != record.name:
        raise InputError(
            f"{record.source}: the name of a record must have no control characters; rename its files"
        )
    if not _fits(record.name):
        raise InputError(
            f"{record.source}: the name of a record is too long for a result file; rename its files"
        )
    return record.stamp()


def _several(predictions: Iterator[Prediction]) -> Iterator[list[Prediction]]:
    while several := list(islice(predictions, CONCURRENT_WRITES)):
        yield several


def _fits(name: str) -> bool:
    return len(os.fsencode(_file_name(name))) <= LONGEST_NAME


def _file_name(name: str) -> str:
    return f"{name}.csv"


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
