"""How much longer than classifying a record does explaining it take, and a folder of records?

First each record by itself, read beforehand: what is answered, then with each lead's part, then every
diagnosis. Then the files of all of them, with pages and leads: one record at a time, and as `explain.py` does
a folder, without and with other processes; processor's time, of all processes, hangs less on what else the
machine does. Last, the processor's time of each step.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import interleaved, model_parser, record_paths, start_classifier, table
from cnn_gap.io.records import read_record, record_files
from cnn_gap.io.sources import stamp_of
from cnn_gap.record import Record
from cnn_gap.report.page import Links
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: What the others are compared with.
FIRST = "classify"
ALONE = "one record at a time"

#: Records whose steps are timed.
TOGETHER = 16


def main(arguments: list[str]) -> None:
    """Time all ways and print tables."""
    parser = model_parser("speed.explain_speed", __doc__, data="records")
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=5, help="of each record by each (default: %(default)s)"
    )
    parser.add_argument("--folder-only", action="store_true", help="leave out the records by themselves")
    parser.set_defaults(limit=50)
    options = parser.parse_args(arguments)
    paths = record_paths(options.data, options.limit)
    if not paths:
        raise InputError(f"{options.data}: has no records")
    classifier = start_classifier(options.model)
    print(f"{len(paths)} records, {os.cpu_count()} cores")
    if not options.folder_only:
        print(f"\n{_record_table(classifier, paths, options.rounds)}")
    print(f"\n{_folder_table(classifier, options.model, paths, options.rounds)}")
    print(f"\n{table(('step', 'CPU ms a record'), step_rows(classifier, paths[:TOGETHER], options.rounds))}")


def step_rows(classifier: "Classifier", paths: Sequence[Path], rounds: int) -> list[tuple[str, float]]:
    """Return the processor's time that each step of explaining records together takes, ms a record."""
    from cnn_gap.batch.explain_folder import ExplainOptions
    from cnn_gap.beats.intervals import measure
    from cnn_gap.explain.explainer import compute_maps, map_reader
    from cnn_gap.report.explanation_export import write_annotations, write_explanation
    from cnn_gap.report.page import explanation_page

    records = [read_record(path) for path in paths]
    windows = [classifier.windows(record) for record in records]
    without = [
        np.repeat(each, int(record.leads.sum()), 0) for each, record in zip(windows, records, strict=True)
    ]
    reader, options = map_reader(classifier), ExplainOptions()
    computed = compute_maps(classifier, records, options.choose)
    explained = [reader.explanation(each) for each in computed]
    detailed = [each.leads.columns for each in computed if each.leads is not None]
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        file = Path(folder) / "record.cam"
        steps: dict[str, Callable[[], Any]] = {
            "reading": lambda: [read_record(path) for path in paths],
            "windows and look at the signal": lambda: [classifier.prepare(record) for record in records],
            "maps": lambda: classifier.run_each_with_maps(windows),
            "the same without each lead": lambda: classifier.run_each_with_maps(without),
            "gradients of the classes that leads are told of": lambda: [
                classifier.run_lead_maps(*each) for each in zip(windows, detailed, strict=True)
            ],
            "regions and maps at the record's samples": lambda: [reader.explanation(each) for each in computed],
            "beats and intervals": lambda: [measure(record) for record in records],
            "page, with beats and intervals": lambda: [explanation_page(each) for each in explained],
            "JSON": lambda: [write_explanation(file, each.answered) for each in explained],
            "annotations, by wfdb": lambda: [write_annotations(file, each.answered) for each in explained],
        }
        for step in steps.values():
            step()
        seconds = interleaved(steps, rounds, time.process_time)
    return [(name, 1000 * each / len(paths)) for name, each in seconds.items()]


def _record_table(classifier: "Classifier", paths: Sequence[Path], rounds: int) -> str:
    times = [interleaved(_tasks(classifier, read_record(path)), rounds) for path in paths]
    rows = [
        (name, 1000 * median(each[name] for each in times), median(each[name] / each[FIRST] for each in times))
        for name in times[0]
    ]
    return table(("what", "ms a record", "times classifying"), rows)


def _tasks(classifier: "Classifier", record: Record) -> "dict[str, Callable[[], Any]]":
    tasks = {
        FIRST: partial(classifier.predict, record),
        "explain": partial(classifier.explain, record),
        "explain with leads": partial(classifier.explain, record, leads=True),
        "explain every diagnosis with leads": partial(classifier.explain, record, classes="all", leads=True),
    }
    for task in tasks.values():
        task()  # compiles the network for this many windows
    return tasks


@dataclass(frozen=True)
class _Folder:
    """Records in a folder of their own, and where their files go: a new folder for each run."""

    classifier: "Classifier"
    model: Path
    data: Path
    out: Path
    numbers: "count[int]"

    def one_by_one(self) -> None:
        """Write the files of one record after the other, each computed by itself."""
        from cnn_gap.batch.explain_folder import ExplainOptions
        from cnn_gap.batch.explanation_files import RecordTask, RecordWriter
        from cnn_gap.explain.explainer import compute_maps, map_reader

        out, options = self._new(), ExplainOptions()
        writer = RecordWriter(out, map_reader(self.classifier), answered_only=True)
        for path in record_paths(self.data, None):
            (computed,) = compute_maps(self.classifier, [read_record(path)], options.choose)
            task = RecordTask(
                path.stem, str(path), stamp_of(path), computed=computed, links=Links("index.html")
            )
            writer.write(task)

    def together(self, jobs: int) -> None:
        """Write them as `explain.py` does."""
        from cnn_gap.batch.explain_folder import ExplainOptions, explain_folder

        explain_folder(self.classifier, self.model, self.data, self._new(), ExplainOptions(), print, jobs)

    def _new(self) -> Path:
        out = self.out / str(next(self.numbers))
        out.mkdir(parents=True)
        return out


def _folder_table(classifier: "Classifier", model: Path, paths: Sequence[Path], rounds: int) -> str:
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for file in {file for path in paths for file in record_files(path)}:
            shutil.copy(file, data)
        ways = _Folder(classifier, model, data, Path(folder) / "out", count())
        tasks = {ALONE: ways.one_by_one} | {
            f"a folder, {jobs} processes beside this one": partial(ways.together, jobs)
            for jobs in range((os.cpu_count() or 1) + 1)
        }
        times: dict[str, list[float]] = {name: [] for name in tasks}
        timed = {name: partial(_processor_time, task, times[name]) for name, task in tasks.items()}
        ways.together(0)  # compiles the network
        walls = interleaved(timed, rounds)
    rows = [
        (
            name,
            1000 * walls[name] / len(paths),
            walls[ALONE] / walls[name],
            1000 * median(times[name]) / len(paths),
            median(times[ALONE]) / median(times[name]),
        )
        for name in tasks
    ]
    return table(("files of records", "ms a record", "times as fast", "processor ms a record", "ratio"), rows)


def _processor_time(task: Callable[[], Any], times: list[float]) -> None:
    started = _used()
    task()
    times.append(_used() - started)


def _used() -> float:
    """Return the processor's time of this process and of those that it has started and that have ended, s."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    run(main)
