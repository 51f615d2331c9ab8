"""Explain many records into a folder of pages and files; a record that fails does not affect the others."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cnn_gap.batch.explanation_files import (
    EXPLANATIONS,
    EXPLANATIONS_AND_REPORTS,
    RecordTask,
    RecordWriter,
    WrittenRecord,
    as_lost,
    class_headings,
)
from cnn_gap.batch.folder_pages import INDEX, FolderPages
from cnn_gap.batch.runner import run_batch
from cnn_gap.classifier import Classifier
from cnn_gap.explain.events import Event
from cnn_gap.explain.explainer import ClassChoice, chosen_classes, compute_maps, map_reader, named_classes
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.long_explanation import LongExplanation, as_long, explain_long
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level
from cnn_gap.io.long_records import LongRecord
from cnn_gap.io.sources import ListedRecord
from cnn_gap.model.folder import fingerprint, read_description
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.results.ledger import Ledger
from cnn_gap.system.chunks import Work, chunks_of
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.outputs import INDEX as OUTPUT_INDEX
from cnn_gap.system.outputs import require_replaceable
from cnn_gap.system.processes import in_processes, usual_jobs
from cnn_gap.system.version import __version__

#: If no classes are named, the leads' shares are computed for this many classes: first for the answered ones,
#: then for the most probable others.
DETAILED = 12

#: If no classes are named, a strip of a long recording explains this many of the most probable classes.
IN_STRIP = 6

#: Largest number of records whose maps are computed together. A group of records also ends when its signals are
#: larger than this number of bytes.
RECORDS_COMPUTED_AT_ONCE = 16
LARGEST_BATCH_BYTES = 1 << 24

#: Minimum number of records before processes are started to write files, and records that each takes at a time.
MIN_RECORDS_FOR_WORKERS = 64
SENT = 4

#: Largest size of a record's maps that are sent to another process, bytes: maps of hours of ECG would be in
#: memory several times.
LARGEST_SENT = 1 << 22


@dataclass(frozen=True)
class ExplainOptions:
    """The diagnoses to explain in each record, and how.

    Attributes
    ----------
    classes : sequence of str, or str, optional
        Codes, abbreviations, ``"top3"`` or ``"all"``. If not given, a page lists every class, and the other
        files those that are answered.
    leads : bool
        Whether to find out what each lead contributes.
    level : Level
        The height above which a map makes a region.
    reports : SheetOptions or None
        How a PDF of each record of a folder is drawn; None if none is written.
    """

    classes: Sequence[str] | str | None = None
    leads: bool = True
    level: Level = DEFAULT_LEVEL
    reports: SheetOptions | None = None

    def choose(self, prediction: Prediction) -> ClassChoice:
        """Return the classes that a record's page explains, given its prediction."""
        if self.classes is not None:
            named = chosen_classes(prediction, self.classes)
            return ClassChoice(named, named if self.leads else [])
        ranked = chosen_classes(prediction, "all")
        return ClassChoice(ranked, _detailed(prediction, ranked) if self.leads else [])

    def explain(self, classifier: Classifier, record: Record) -> tuple[Explanation, Explanation]:
        """Return the explanation for the record's page, and that for all other files."""
        (computed,) = compute_maps(classifier, [record], self.choose)
        every = map_reader(classifier, self.level).explanation(computed)
        return every, every if self.classes is not None else every.answered

    def choose_in_strip(self, event: Event, prediction: Prediction) -> ClassChoice:
        """Return the classes that a strip of a long recording explains, given its event and its prediction.

        They are the classes that were named. If none were, they are the outputs of the event, the classes that
        are answered in the strip, and its most probable classes. Contributions of leads are not computed.
        """
        if self.classes is not None:
            return ClassChoice(chosen_classes(prediction, self.classes))
        names = [about.abbreviation for about in prediction.classes.diagnoses]
        of_event = [names.index(name) for name in event.outputs if name in names]
        answered, probable = chosen_classes(prediction, None), chosen_classes(prediction, f"top{IN_STRIP}")
        return ClassChoice(list(dict.fromkeys([*of_event, *answered, *probable])))

    def explain_long(self, classifier: Classifier, record: LongRecord) -> LongExplanation:
        """Return the explanation of a recording that is explained by strips."""
        return explain_long(classifier, record, self.choose_in_strip, self.level, self.classes is not None)


def _detailed(prediction: Prediction, ranked: Sequence[int]) -> list[int]:
    """Return the classes for which the leads' shares are computed, the most probable first.

    Each class takes a gradient, so shares are not computed for all ninety diagnoses.
    """
    answered = [index for index in ranked if prediction.labels[index]]
    others = [index for index in ranked if not prediction.labels[index]]
    return answered + others[: max(DETAILED - len(answered), 0)]


@dataclass(frozen=True)
class ExplainSummary:
    """How a run ended: counts of records."""

    explained: int
    failed: int
    kept: int = 0

    def __str__(self) -> str:
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        return f"{self.explained} explained, {self.failed} failed{kept}"


def explain_folder(
    classifier: Classifier,
    model: Path,
    data: str | Path,
    out: Path,
    options: ExplainOptions,
    warn: Callable[[str], None],
    jobs: int | None = None,
) -> ExplainSummary:
    """Explain every record of `data` into `out`: NAME.html, NAME.json and NAME.cam each, and `index.html`.

    If `options` has reports, each record has a NAME.pdf, too.

    A record that fails gets a line to `warn` and one in the index; the others are explained. A second run keeps
    the files that an earlier one of the same model and options has written, as far as they are whole and the
    records unchanged. Files that no run has written stay.

    Parameters
    ----------
    classifier : Classifier
        Loaded from the folder `model`.
    model : Path
        The model's folder.
    data : str or Path
        Folder of the records, list of them, or address, as `cnn_gap.io.sources` takes it.
    out : Path
        Folder for the results.
    options : ExplainOptions
        What is explained of each.
    warn : callable
        Receives a line for each record that fails, and for each folder in `data` that cannot be read.
    jobs : int, optional
        How many other processes write files; 0: this one does. If not given, one a core where there are records
        enough.

    Raises
    ------
    InputError
        If there are no records, two have the same name, a class is unknown, or an output would replace another
        file.
    """
    return fill_explanations(lambda: classifier, model, str(data), out, options, warn, jobs)


def fill_explanations(
    load: Callable[[], Classifier],
    model: Path,
    data: str,
    out: Path,
    options: ExplainOptions,
    warn: Callable[[str], None],
    jobs: int | None = None,
) -> ExplainSummary:
    """Bring explanations up to date as `explain_folder` does; `load` returns the classifier if it is needed."""
    classes = read_description(Path(model)).class_set
    named_classes(classes, options.classes)  # one error instead of one for each record
    source = {"model": fingerprint(Path(model)), "version": __version__, "options": _as_json(options)}
    headings = list(class_headings(classes).values())

    def make_batch(ledger: Ledger, records: list[ListedRecord]) -> _Explanation:
        pages = FolderPages(Path(out), ledger, [record.name for record in records], headings)
        return _Explanation(load, options, pages, Path(out), warn, jobs)

    kind = EXPLANATIONS if options.reports is None else EXPLANATIONS_AND_REPORTS
    done = run_batch(kind, Path(out), source, data, make_batch, warn)
    failed = done.batch.pages.failed
    return ExplainSummary(done.worked - failed, failed, done.kept)


@dataclass(frozen=True)
class _Explanation:
    """The work of a run (`cnn_gap.batch.runner.Batch`)."""

    load: Callable[[], Classifier]
    options: ExplainOptions
    pages: FolderPages
    out: Path
    warn: Callable[[str], None]
    jobs: int | None
    title: str = "explaining"

    def require_replaceable(self) -> None:
        require_replaceable(self.out / INDEX, OUTPUT_INDEX)

    def keep(self, record: ListedRecord) -> bool:
        return self.pages.keep(record)

    def work(self, waiting: list[ListedRecord]) -> Generator[list[WrittenRecord]]:
        if not waiting:
            return
        classifier = self.load()
        reader = map_reader(classifier, self.options.level)
        writer = RecordWriter(self.out, reader, self.options.classes is None, self.options.reports)
        tasks = _tasks(classifier, self.options, waiting, self.pages)
        jobs = _jobs(self.jobs, len(waiting))
        # This process writes long recordings, and records that are too large to be sent to another process.
        items = (task if task.is_sent(LARGEST_SENT) else writer.write(task) for task in tasks)
        run = partial(in_processes, jobs=jobs, chunk=SENT)
        with closing(run(Work(writer.write_several, as_lost), items)) as results:
            yield from chunks_of(results, SENT)

    def take(self, results: list[WrittenRecord]) -> None:
        for written in results:
            if written.row.failure:
                self.warn(printable(f"{written.name}: {written.row.failure}"))
        self.pages.take(results)

    def finish(self) -> None:
        self.pages.finish()


def _as_json(options: ExplainOptions) -> dict[str, Any]:
    classes = (
        options.classes
        if options.classes is None or isinstance(options.classes, str)
        else list(options.classes)
    )
    reports = None if options.reports is None else asdict(options.reports)
    return {"classes": classes, "leads": options.leads, "level": asdict(options.level), "reports": reports}


def _tasks(
    classifier: Classifier, options: ExplainOptions, records: Sequence[ListedRecord], pages: FolderPages
) -> Iterator[RecordTask]:
    """Yield the records with their maps, in order; the maps of several records are computed together."""
    for several in _batches(records):
        computed = _computed(classifier, options, several)
        for each in computed:
            if each.failure:
                pages.fail(each.name)
        for each in computed:
            yield each if each.failure else replace(each, links=pages.links(each.name))


def _jobs(jobs: int | None, records: int) -> int:
    if jobs is None:
        return usual_jobs() if records >= MIN_RECORDS_FOR_WORKERS else 0
    return min(jobs, records)


def _batches(records: Iterable[ListedRecord]) -> Iterator[list[RecordTask]]:
    """Read records, and yield those that are computed together; a long recording is alone."""
    several: list[RecordTask] = []
    for record in records:
        task = _read(record)
        if task.long is not None:
            if several:
                yield several
            yield [task]
            several = []
            continue
        several.append(task)
        size = sum(each.record.signal.nbytes for each in several if each.record is not None)
        if len(several) == RECORDS_COMPUTED_AT_ONCE or size > LARGEST_BATCH_BYTES:
            yield several
            several = []
    if several:
        yield several


def _read(record: ListedRecord) -> RecordTask:
    """Read a record; its stamp is taken before, so that one that changes meanwhile is read again next time."""
    task = RecordTask(record.name, record.source)
    with suppress(InputError):  # reading the record, which follows, gives the reason
        task = replace(task, stamp=record.stamp())
    try:
        opened = replace(record.open(), name=record.name)
        long = as_long(opened)
        if long is not None:
            return replace(task, long=long)
        return replace(
            task, record=opened if isinstance(opened, Record) else replace(record.read(), name=record.name)
        )
    except Exception as error:  # an error of one record must not stop the others
        return task.failed(error)


def _computed(classifier: Classifier, options: ExplainOptions, tasks: Sequence[RecordTask]) -> list[RecordTask]:
    """Return tasks with the maps of their records; after a failure each is computed alone."""
    ready = [each for each in tasks if each.record is not None]
    try:
        if tasks[0].long is not None:
            return [replace(tasks[0], long=None, explained=options.explain_long(classifier, tasks[0].long))]
        maps = iter(compute_maps(classifier, [each.record for each in ready if each.record], options.choose))
    except Exception as error:
        if len(tasks) > 1:
            return [computed for each in tasks for computed in _computed(classifier, options, [each])]
        return [tasks[0].failed(error)]
    return [each if each.record is None else replace(each, record=None, computed=next(maps)) for each in tasks]
