"""Explain a whole folder of records into a folder of files, whatever single records are like."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cnn_gap.batch.explanation_files import EXPLANATIONS, RecordTask, RecordWriter, WrittenRecord, as_lost
from cnn_gap.batch.folder_pages import FolderPages
from cnn_gap.classifier import Classifier
from cnn_gap.explain.explainer import Choice, chosen_classes, compute_maps, map_reader, named_classes
from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.regions import DEFAULT_LEVEL, Level
from cnn_gap.io.long_records import read_whole
from cnn_gap.io.sources import ListedRecord, list_records
from cnn_gap.model.folder import fingerprint
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record
from cnn_gap.report.report_text import full_name
from cnn_gap.results.ledger import open_journal
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.locks import locked
from cnn_gap.system.processes import Work, in_processes, usual_jobs
from cnn_gap.system.version import __version__

#: Classes of a record whose leads are looked at where none are named: those that are answered, and the most
#: probable up to this number.
DETAILED = 12

#: Records that are computed together: so many, or until their signals have so many bytes.
RECORDS_COMPUTED_AT_ONCE = 16
LARGEST_BATCH_BYTES = 1 << 24

#: Minimum number of records before workers are started, and how many records each takes at a time.
MIN_RECORDS_FOR_WORKERS = 64
SENT = 4

#: What is computed of a record is sent to another process up to this size, bytes: that of hours of ECG would be
#: in memory several times.
LARGEST_SENT = 1 << 22


@dataclass(frozen=True)
class ExplainOptions:
    """What `cnn_gap.explain.explainer.explain_records` is to explain of each record.

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

    def choose(self, prediction: Prediction) -> Choice:
        """Return what is explained of a record for its page, given its prediction."""
        if self.classes is not None:
            named = chosen_classes(prediction, self.classes)
            return Choice(named, named if self.leads else [])
        ranked = chosen_classes(prediction, "all")
        return Choice(ranked, _detailed(prediction, ranked) if self.leads else [])

    def explain(self, classifier: Classifier, record: Record) -> tuple[Explanation, Explanation]:
        """Return the explanation for the record's page, and that for all other files."""
        (computed,) = compute_maps(classifier, [record], self.choose)
        every = map_reader(classifier, self.level).explanation(computed)
        return every, every if self.classes is not None else every.answered


def _detailed(prediction: Prediction, ranked: Sequence[int]) -> list[int]:
    """Return which of the classes, the most probable first, are looked at lead by lead.

    They take a gradient each, and nobody looks at those of ninety diagnoses that a record does not have.
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
    data: Path,
    out: Path,
    options: ExplainOptions,
    warn: Callable[[str], None],
    jobs: int | None = None,
) -> ExplainSummary:
    """Explain every record of `data` into `out`: NAME.html, NAME.json and NAME.cam each, and `index.html`.

    A record that fails gets a line to `warn` and one in the index; the others go on. A second run keeps the
    files that an earlier one of the same model and options has written, as far as they are whole and the
    records unchanged.

    Parameters
    ----------
    classifier : Classifier
        Loaded from the folder `model`.
    model : Path
        The model's folder.
    data, out : Path
        Folders of the records and for the results.
    options : ExplainOptions
        What is explained of each.
    warn : callable
        Receives a line for each record that fails.
    jobs : int, optional
        How many other processes write files; 0: this one does. If not given, one a core where there are records
        enough.

    Raises
    ------
    InputError
        If there are no records, two have the same name, or a class is unknown.
    """
    named_classes(classifier.classes, options.classes)  # what no record can have is said once, not for each
    out = Path(out)
    listing = list_records(data)
    for line in (*listing.unreadable, *listing.remarks):
        warn(line)
    records = listing.records
    source = {"model": fingerprint(Path(model)), "version": __version__, "options": _as_json(options)}
    with locked(out), open_journal(out, source, records, warn, EXPLANATIONS) as journal:
        headings = [full_name(diagnosis) for diagnosis in classifier.classes.diagnoses]
        pages = FolderPages(out, journal, [record.name for record in records], headings)
        waiting = [record for record in records if not pages.keep(record)]
        writer = RecordWriter(out, map_reader(classifier, options.level), options.classes is None)
        tasks = _tasks(classifier, options, waiting, pages)
        with (
            closing(_written(writer, tasks, _jobs(jobs, len(waiting)))) as results,
            tqdm(total=len(waiting), desc="explaining", unit="record", disable=None) as bar,
        ):
            for written in results:
                if written.row.failure:
                    warn(printable(f"{written.name}: {written.row.failure}"))
                pages.take(written)
                bar.update()
        pages.finish()
    return ExplainSummary(len(waiting) - pages.failed, pages.failed, len(records) - len(waiting))


def _as_json(options: ExplainOptions) -> dict[str, Any]:
    classes = (
        options.classes
        if options.classes is None or isinstance(options.classes, str)
        else list(options.classes)
    )
    return {"classes": classes, "leads": options.leads, "level": asdict(options.level)}


def _tasks(
    classifier: Classifier, options: ExplainOptions, records: Sequence[ListedRecord], pages: FolderPages
) -> Iterator[RecordTask]:
    """Yield what is to be written of records, of which several are computed together, in their order."""
    for several in _batches(records):
        computed = _computed(classifier, options, several)
        for each in computed:
            if each.failure:
                pages.fail(each.name)
        for each in computed:
            yield each if each.failure else replace(each, links=pages.links(each.name))


def _written(writer: RecordWriter, tasks: Iterator[RecordTask], jobs: int) -> Generator[WrittenRecord]:
    """Write records' files, in so many other processes, and yield what becomes of each record, in order."""
    if not jobs:
        for task in tasks:
            yield writer.write(task)
        return
    work = Work(writer.write_several, as_lost)
    items = (task if task.size <= LARGEST_SENT else writer.write(task) for task in tasks)
    yield from in_processes(work, items, jobs, chunk=SENT)


def _jobs(jobs: int | None, records: int) -> int:
    if jobs is None:
        return usual_jobs() if records >= MIN_RECORDS_FOR_WORKERS else 0
    return min(jobs, records)


def _batches(records: Iterable[ListedRecord]) -> Iterator[list[RecordTask]]:
    """Read records, and yield as many as are computed together."""
    several: list[RecordTask] = []
    for record in records:
        several.append(_read(record))
        size = sum(each.record.signal.nbytes for each in several if each.record is not None)
        if len(several) == RECORDS_COMPUTED_AT_ONCE or size > LARGEST_BATCH_BYTES:
            yield several
            several = []
    if several:
        yield several


def _read(record: ListedRecord) -> RecordTask:
    """Read a record; its stamp is of before, so that one that changes meanwhile is read again next time."""
    task = RecordTask(record.name, record.source)
    with suppress(InputError):  # whoever reads the record says what is wrong with it
        task = replace(task, stamp=record.stamp())
    try:
        return replace(task, record=read_whole(Path(record.source)))
    except Exception as error:  # whatever is wrong with one record must not cost the others
        return task.failed(error)


def _computed(classifier: Classifier, options: ExplainOptions, tasks: Sequence[RecordTask]) -> list[RecordTask]:
    """Return tasks with what the network says of their records; whoever fails alone fails."""
    ready = [each for each in tasks if each.record is not None]
    try:
        maps = iter(compute_maps(classifier, [each.record for each in ready if each.record], options.choose))
    except Exception as error:
        if len(tasks) > 1:
            return [computed for each in tasks for computed in _computed(classifier, options, [each])]
        return [tasks[0].failed(error)]
    return [each if each.record is None else replace(each, record=None, computed=next(maps)) for each in tasks]
