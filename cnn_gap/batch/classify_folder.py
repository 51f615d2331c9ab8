"""Classify many records into result files, a table or both; a record that fails does not affect the others."""

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn_gap.batch.run_log import RunLog
from cnn_gap.batch.runner import ListData, run_batch
from cnn_gap.holter.files import write_beats, write_episodes, write_timeline
from cnn_gap.io.sources import ListedRecord, Stamp, is_address, list_records
from cnn_gap.model.folder import ModelDescription, fingerprint
from cnn_gap.predict.prediction import Prediction, failed_prediction
from cnn_gap.predict.preparation import PendingRecord, ReadResult, prepared_records
from cnn_gap.reading.alerts import ALERTS
from cnn_gap.reading.degrees import FILE_NAME as LIMITS
from cnn_gap.reading.interpret import UNKNOWN_TO_THE_MODEL
from cnn_gap.reading.statements import STATEMENTS
from cnn_gap.report.data_frames import STATEMENT, TableForm, table_state
from cnn_gap.results.challenge_files import outputs_text
from cnn_gap.results.ledger import Entry, Ledger, LedgerKind, files_hash, result_hash
from cnn_gap.results.result_table import CONTENT, PATH, TABLE_FORMAT, ResultTable, rounded
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import write_text
from cnn_gap.system.locks import locked
from cnn_gap.system.outputs import RESULT
from cnn_gap.system.processes import in_processes, usual_jobs
from cnn_gap.system.version import __version__

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: The end of the name of a result file.
RESULT_SUFFIX = ".csv"

#: The files of a long record with `--timelines`: the function that writes each, by the suffix of its name.
TIMELINE_FILES = {
    ".timeline.parquet": write_timeline,
    ".episodes.csv": write_episodes,
    ".beats.csv": write_beats,
}

#: The ledger and the result files in the folder of the results.
DRIVER = LedgerKind(
    "driver",
    {RESULT_SUFFIX: RESULT},
    meanings={
        "model": "model",
        "data": "folder or list of records",
        "precision": "--precision",
        "format": "version of cnn-gap",
    },
    further=tuple(TIMELINE_FILES),
)

#: The file in the folder that says which records failed, and why.
FAILURES = "failures.log"

#: The file with notes on records that were classified: flat leads, corrected gains, no heartbeat.
QUALITY = "quality.log"

#: Result files written concurrently.
CONCURRENT_WRITES = 16

#: Version of the entries of the ledger. Raise it when their meaning changes: then all records are done anew.
ENTRY_FORMAT = 2

#: Number of records that the ledger notes in one transaction, which waits for the disk. After a run was killed,
#: the next run repeats the records that were not noted yet.
RECORDS_NOTED_AT_ONCE = 64

#: The ledger notes fewer records at a time if their predictions have together this many windows, as six hours
#: have. Timelines of long records therefore need little memory, and a run after a killed one repeats few hours.
WINDOWS_NOTED_AT_ONCE = 4096

#: Cores left to the network: on two cores an extra reader slows inference as much as it helps.
NETWORK_CORES = 2

#: Minimum number of records before workers are started: each imports SciPy first, which takes most of a second.
MIN_RECORDS_FOR_WORKERS = 1000

#: Number of columns before that of the path: `record`, `failure`, `answerable`, by which a table is recognised.
_HEAD = 3

#: The longest name of a file that systems take, bytes.
LONGEST_NAME = 255

#: Reasons why a run classifies records again that an earlier run has classified.
RESULT_FILES = "the earlier run wrote no result files, because of --table-only"
MEASUREMENTS = "the earlier run measured no beats, and readings need that (--no-reading leaves them out)"
READINGS = "the rules of readings have changed since the earlier run"
TIMELINES = "the earlier run wrote no timelines"
OLD_TIMELINES = "the earlier run did not note which timelines it wrote; it had an earlier version of cnn-gap"


@dataclass(frozen=True)
class Summary:
    """How a run ended: counts of records, and of folders that could not be read.

    `left_over` are the names of records that are no longer in the data but still have result files. It is empty
    if a folder could not be read.
    """

    classified: int
    failed: int
    kept: int
    unreadable: int = 0
    unanswerable: int = 0
    left_over: tuple[str, ...] = ()

    def __str__(self) -> str:
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        folders = "folder" if self.unreadable == 1 else "folders"
        unreadable = f", {self.unreadable} {folders} unreadable" if self.unreadable else ""
        nothing = f" ({self.unanswerable} cannot be answered)" if self.unanswerable else ""
        return f"{self.classified} classified{nothing}, {self.failed} failed{kept}{unreadable}"


@dataclass(frozen=True)
class OutputTarget:
    """The files to which results are written.

    Attributes
    ----------
    out : Path
        The folder for the ledger, logs and, if `files`, a result file ``NAME.csv`` for each record.
    files : bool
        Whether there are result files.
    table : Path or None
        A Parquet or CSV file for a table with a row for each record.
    raw : bool
        Whether the table has every output of the network, too.
    reading : bool
        Whether the table has the reading of each record, for which records are measured.
    timelines : bool
        Whether `out` gets the timeline, episodes and beats of each long record.
    """

    out: Path
    files: bool = True
    table: Path | None = None
    raw: bool = False
    reading: bool = True
    timelines: bool = False

    @property
    def has_record_files(self) -> bool:
        """Whether `out` gets files of single records."""
        return self.files or self.timelines

    @property
    def measures(self) -> bool:
        """Whether records are measured."""
        return self.table is not None and self.reading


@dataclass(frozen=True)
class ModelIdentity:
    """The model that all results depend on; it is identified without loading the network.

    Attributes
    ----------
    description : ModelDescription
    fingerprint : str
        A hash of the model folder's files.
    precision : str
        How exactly probabilities are computed.
    rules : str
        A hash of the tables of rules and of the model's limits of degrees, on which readings depend, too.
    """

    description: ModelDescription
    fingerprint: str
    precision: str
    rules: str

    @classmethod
    def of(cls, description: ModelDescription, folder: Path, precision: str) -> "ModelIdentity":
        """Return the identity of the model in a folder, whose description is known."""
        tables = [STATEMENTS, ALERTS, Path(folder) / LIMITS]
        return cls(description, fingerprint(Path(folder)), precision, files_hash(filter(Path.exists, tables)))


@dataclass(frozen=True, eq=False)
class Classified:
    """A record that has been classified and whose files, if there are to be any, are written.

    Attributes
    ----------
    name : str
    state : dict
        What the ledger notes of its prediction: not the timeline of a long record, because it is large.
    stamp : Stamp or None
        What the record's files were like before they were read; None where that is not known.
    result : str
        A hash of the result file; empty where there is none.
    timelines : dict of str to str
        A hash of each file of `TIMELINE_FILES` that is written, by its suffix.
    """

    name: str
    state: dict[str, Any]
    stamp: Stamp | None = None
    result: str = ""
    timelines: dict[str, str] = field(default_factory=dict)


#: Classifies records, writes their result files where there are to be any, and yields several at a time.
Classify = Callable[[list[ListedRecord], OutputTarget], Iterator[list[Classified]]]


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
    that holds no heartbeat gets zeros. Notes on the quality of records are in `out/quality.log`. A
    second run keeps the files and rows that an earlier one of the same model and records has written, as far as
    they are whole and the records unchanged, and tries failures again. Files that no run has written stay.

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
        If there are no records, two have the same name, `out` cannot be written, an output would replace
        another file, or another process is writing into `out`.
    """
    results = out if isinstance(out, OutputTarget) else OutputTarget(Path(out))
    about = ModelIdentity.of(classifier.description, model, classifier.runtime.precision)
    classify = partial(classify_here, lambda: classifier, jobs)
    return fill_results(about, str(data), results, classify, warn, strict)


def fill_results(
    model: ModelIdentity,
    data: str,
    results: OutputTarget,
    classify: Classify,
    warn: Callable[[str], None],
    strict: bool = False,
    list_data: ListData = list_records,
) -> Summary:
    """Bring results up to date as `classify_folder` does, by any function that classifies records.

    Parameters
    ----------
    model : ModelIdentity
    classify : callable
        Receives the records without a current result.
    data, results, warn, strict
        As of `classify_folder`.
    list_data : callable
        Lists the records of `data`.
    """
    source = {
        "model": model.fingerprint,
        "data": data if is_address(data) else str(Path(data).resolve()),
        "precision": model.precision,
        "format": ENTRY_FORMAT,
    }
    form = TableForm(model.description.class_set, results.reading, results.raw, results.timelines)
    table = None if results.table is None else _table(model, results.table, form)
    rules = model.rules if results.measures else ""
    make_batch = partial(_Classification, results, table, form, rules, classify, warn)
    with nullcontext() if table is None else _locked_table(table.path):
        done = run_batch(DRIVER, results.out, source, data, make_batch, warn, strict, list_data)
    failed = done.batch.failed
    left_over = () if done.unreadable else done.batch.left_over
    return Summary(done.worked - failed, failed, done.kept, done.unreadable, done.batch.unanswerable, left_over)


def _locked_table(path: Path) -> AbstractContextManager[None]:
    """Keep other runs from writing the same table, whose folder may be another than that of the results."""
    return locked(path.parent, name=f".{path.name}.lock")


def classify_here(
    load: Callable[[], "Classifier"], jobs: int | None, records: list[ListedRecord], results: OutputTarget
) -> Iterator[list[Classified]]:
    """Classify records in this process, which loads the classifier if there is any record.

    Parameters
    ----------
    load : callable
        Returns the classifier.
    jobs, records, results
        As of `classify_folder` and `classify_records`.
    """
    if records:
        yield from classify_records(load(), records, results, reading_jobs(jobs, records))


def classify_records(
    classifier: "Classifier", records: Iterable[ListedRecord], results: OutputTarget, jobs: int = 0
) -> Iterator[list[Classified]]:
    """Classify records, and yield `RECORDS_NOTED_AT_ONCE` of them when their result files are written.

    Parameters
    ----------
    classifier : Classifier
    records : iterable of ListedRecord
        Taken one by one, or as far ahead as other processes read.
    results : OutputTarget
        Where the result files and timelines go, and whether records are measured.
    jobs : int
        How many other processes read records; 0: this one does.
    """
    from cnn_gap.predict.stream import predict_prepared_stream

    stamps: dict[str, Stamp] = {}
    with (
        closing(_prepared(classifier, records, results, jobs, stamps)) as prepared,
        closing(predict_prepared_stream(classifier, prepared)) as stream,
    ):
        for predictions in _noted_at_once(stream):
            hashes = write_results(results.out, predictions) if results.files else {}
            timelines = write_timelines(results.out, predictions) if results.timelines else {}
            yield [
                Classified(
                    each.name,
                    _state(each),
                    stamps.pop(each.name, None),
                    hashes.get(each.name, ""),
                    timelines.get(each.name, {}),
                )
                for each in predictions
            ]


def _noted_at_once(stream: Iterable[Prediction]) -> Iterator[list[Prediction]]:
    """Yield `RECORDS_NOTED_AT_ONCE` predictions at a time; fewer where long records have many windows."""
    several: list[Prediction] = []
    windows = 0
    for each in stream:
        several.append(each)
        windows += 1 if each.timeline is None else len(each.timeline)
        if len(several) == RECORDS_NOTED_AT_ONCE or windows >= WINDOWS_NOTED_AT_ONCE:
            yield several
            several, windows = [], 0
    if several:
        yield several


def _prepared(
    classifier: "Classifier",
    records: Iterable[ListedRecord],
    results: OutputTarget,
    jobs: int,
    stamps: dict[str, Stamp],
) -> Generator[ReadResult]:
    """Yield the records as they are read, and note the state of their files."""
    waiting = (
        PendingRecord(each.name, each.source, each.open, partial(stamp_for_result, each)) for each in records
    )
    preparation = replace(classifier.preparation, measures=results.measures)
    run = partial(in_processes, jobs=jobs)
    with closing(prepared_records(preparation.prepare, waiting, run)) as prepared:
        for each in prepared:
            if each.stamp is not None:
                stamps[each.name] = each.stamp
            yield each


def lost_record(model: ModelIdentity, results: OutputTarget, reason: str, record: ListedRecord) -> Classified:
    """Write and return the failure of a record that nothing could classify."""
    classes = model.description.class_set
    prediction = failed_prediction(record.name, classes, f"{record.source}: {reason}")
    if results.files:
        write_results(results.out, [prediction])
    return Classified(record.name, _state(prediction))


def write_results(out: Path, predictions: list[Prediction]) -> dict[str, str]:
    """Write the result files of several records, and return a hash of each by the record's name."""
    texts = {each.name: result_text(each) for each in predictions if _fits(each.name, RESULT_SUFFIX)}
    with ThreadPoolExecutor(CONCURRENT_WRITES) as pool:
        written = [
            pool.submit(write_text, out / f"{name}{RESULT_SUFFIX}", text) for name, text in texts.items()
        ]
    for done in written:
        done.result()
    return {name: result_hash(text) for name, text in texts.items()}


def write_timelines(folder: Path, predictions: list[Prediction]) -> dict[str, dict[str, str]]:
    """Write the files of `TIMELINE_FILES` of each long record.

    Returns
    -------
    dict of str to dict of str to str
        A hash of each file, by the record's name and the file's suffix.

    Raises
    ------
    InputError
        If pyarrow is missing, or a file of another kind is at one of these places.
    """
    hashes: dict[str, dict[str, str]] = {}
    for each in predictions:
        if each.monitoring is not None and _fits(each.name, *TIMELINE_FILES):
            paths = {suffix: folder / f"{each.name}{suffix}" for suffix in TIMELINE_FILES}
            for suffix, path in paths.items():
                TIMELINE_FILES[suffix](path, each.monitoring)
            hashes[each.name] = {suffix: files_hash([path]) for suffix, path in paths.items()}
    return hashes


def _table(model: ModelIdentity, path: Path, form: TableForm) -> ResultTable:
    described, classes = model.description, model.description.class_set
    about = {
        "format": TABLE_FORMAT,
        "model": model.fingerprint,
        "version": __version__,
        "precision": model.precision,
        "raw": form.raw,
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
        "statements": [
            {
                "column": STATEMENT.format(rule.key),
                "name": rule.name,
                "category": rule.category,
                "codes": [code for index in outputs for code in classes.outputs[index]],
                "aha": rule.aha,
            }
            for rule, outputs in form.statements
        ],
        "not_assessed": list(UNKNOWN_TO_THE_MODEL),
    }
    columns = list(form.types.items())
    return ResultTable(path, about, dict([*columns[:_HEAD], (PATH, str), *columns[_HEAD:], (CONTENT, str)]))


class _Classification:
    """The work of a run (`cnn_gap.batch.runner.Batch`).

    An entry of the ledger holds the values of a record that a table can show, a hash of the rules of its
    reading, and hashes of its files.
    """

    title = "classifying"

    def __init__(
        self,
        results: OutputTarget,
        table: ResultTable | None,
        form: TableForm,
        rules: str,
        classify: Classify,
        warn: Callable[[str], None],
        ledger: Ledger,
        records: list[ListedRecord],
    ) -> None:
        self._results = results
        self._table = table
        self._classify = classify
        self._warn = warn
        self._ledger = ledger
        self._form = form
        self._rules = rules
        self._records = records
        self._kept: list[str] = []
        self._again: Counter[str] = Counter()
        self._failures = RunLog(results.out / FAILURES, ledger, _failure)
        self._quality = RunLog(results.out / QUALITY, ledger, _notes)
        self.failed = self.unanswerable = 0
        self.left_over: tuple[str, ...] = ()

    def require_replaceable(self) -> None:
        self._failures.require_replaceable()
        self._quality.require_replaceable()
        if self._table is not None:
            self._table.require_replaceable()

    def keep(self, record: ListedRecord) -> bool:
        entry = self._ledger.entry(record.name)
        if entry is None or not self._is_state(entry.about):
            return False
        if lacking := self._lacking(entry):
            if entry.stamp is not None:
                self._again[lacking] += 1
            return False
        if not self._ledger.is_current(record, self._results.files, self._results.timelines):
            return False
        self._kept.append(record.name)
        return True

    def _lacking(self, entry: Entry) -> str:
        """Return why the earlier result of a record is not enough for this run; empty if it is enough."""
        about = entry.about
        if self._results.files and not entry.result:
            return RESULT_FILES
        if self._rules and about.get("rules") != self._rules:
            return READINGS if about.get("rules") else MEASUREMENTS
        has_timelines = "monitoring" in about and _fits(entry.name, *TIMELINE_FILES)
        if self._results.timelines and has_timelines and not entry.further:
            return OLD_TIMELINES if about.get("timelines") else TIMELINES
        return ""

    def work(self, waiting: list[ListedRecord]) -> Generator[list[Classified]]:
        for lacking, count in self._again.items():
            records = "1 record is" if count == 1 else f"{count} records are"
            self._warn(f"{records} classified again: {lacking}")
        self._remove_timelines(waiting)
        self._failures.start(())
        self._quality.start(self._kept)
        yield from self._classify(waiting, self._results)

    def _remove_timelines(self, waiting: list[ListedRecord]) -> None:
        """Remove the timelines of records that are classified again: they belong to the earlier result."""
        count = sum(self._ledger.remove_further(record.name) for record in waiting)
        if count and not self._results.timelines:
            records = "1 record that is" if count == 1 else f"{count} records that are"
            self._warn(f"the timelines of {records} classified again are removed; --timelines writes new ones")

    def take(self, results: list[Classified]) -> None:
        entries = [
            Entry(
                each.name,
                None if each.state["failure"] else each.stamp,
                each.result,
                each.state | {"rules": self._rules},
                each.timelines,
            )
            for each in results
        ]
        self._ledger.add(entries)
        for each, entry in zip(results, entries, strict=True):
            if each.state["failure"]:
                self.failed += 1
                self._warn(self._failures.add(entry))
                continue
            line = self._quality.add(entry)
            if not each.state["answerable"]:
                self.unanswerable += 1
                self._warn(line)

    def finish(self) -> None:
        self.left_over = tuple(self._ledger.left_over({record.name for record in self._records}))
        if self._table is not None:
            self._table.write(self._rows())

    def _rows(self) -> Iterator[list[Any]]:
        for record in self._records:
            entry = self._ledger.entry(record.name)
            if entry is not None and self._is_state(entry.about):
                cells, content = self._form.row(record.name, entry.about), entry.stamp and entry.stamp.content
                yield [*cells[:_HEAD], record.source, *cells[_HEAD:], content or ""]

    def _is_state(self, about: Any) -> bool:
        """Tell whether an entry has the form that this class writes: somebody may have changed the ledger."""
        return _notes_of(about) is not None and len(about.get("probabilities", ())) == len(self._form.classes)


def _state(prediction: Prediction) -> dict[str, Any]:
    """Return the values of a prediction for a table, with as many digits as result files have."""
    state = table_state(prediction)
    return state | {"probabilities": [rounded(each) for each in state["probabilities"]]}


def _notes_of(about: Any) -> tuple[str, str] | None:
    """Return why a record failed and the notes on it, both texts; None if an entry does not hold them."""
    if not isinstance(about, dict) or not {"failure", "notes"} <= about.keys():
        return None
    return str(about["failure"]), "; ".join(map(str, about["notes"]))


def _failure(entry: Entry) -> str:
    """Return why a record failed; empty if it did not."""
    return (_notes_of(entry.about) or ("", ""))[0]


def _notes(entry: Entry) -> str:
    """Return the notes on a record that was classified."""
    failure, notes = _notes_of(entry.about) or ("", "")
    return "" if failure else notes


def reading_jobs(jobs: int | None, records: Sequence[ListedRecord]) -> int:
    """Return how many processes read records besides this one; where it is 0, this one reads."""
    if not all(record.readable_in_subprocess for record in records):
        return 0
    if jobs is None:
        return usual_jobs(spared=NETWORK_CORES) if len(records) >= MIN_RECORDS_FOR_WORKERS else 0
    return min(jobs, len(records))


def stamp_for_result(record: ListedRecord) -> Stamp:
    """Return the stamp of a record, after a check that its name can be the name of a result file.

    The stamp is taken before the record is read. A record that changes meanwhile is read again next time.
    """
    if printable(record.name) != record.name:
        raise InputError(
            f"{record.source}: the name of a record must have no control characters; rename its files"
        )
    if not _fits(record.name, RESULT_SUFFIX):
        raise InputError(
            f"{record.source}: the name of a record is too long for a result file; rename its files"
        )
    return record.stamp()


def _fits(name: str, *suffixes: str) -> bool:
    """Tell whether files of a record can have these suffixes: a longer name than `LONGEST_NAME` is refused."""
    return all(len(os.fsencode(f"{name}{suffix}")) <= LONGEST_NAME for suffix in suffixes)


def result_text(prediction: Prediction) -> str:
    """Return the content of a record's result file."""
    classes = prediction.classes
    labels, probabilities = classes.expand(prediction.labels), classes.expand(prediction.probabilities)
    return outputs_text(prediction.name, classes.codes, labels, probabilities)
