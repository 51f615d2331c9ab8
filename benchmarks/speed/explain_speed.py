"""How much longer than classifying a record does explaining it take, and a folder of records?

First each record by itself, read beforehand: what is answered, then with each lead's part, then every
diagnosis. Then the files of all of them, with pages and leads: one record at a time, and as `explain.py` does
a folder, without and with other processes; processor's time, of all processes, hangs less on what else the
machine does.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.common import interleaved, model_parser, record_paths, start_classifier, table
from cnn_gap.ecg.records import read_record, record_files
from cnn_gap.ecg.sources import stamp_of
from cnn_gap.ecg.twelve_leads import Record
from cnn_gap.errors import InputError
from cnn_gap.exit_codes import run
from cnn_gap.reports.page import Links

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: What the others are compared with.
FIRST = "classify"
ALONE = "one record at a time"


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
        from cnn_gap.explain_folder import ExplainOptions
        from cnn_gap.prediction.explainer import compute_maps, map_reader
        from cnn_gap.reports.record_files import RecordTask, RecordWriter

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
        from cnn_gap.explain_folder import ExplainOptions, explain_folder

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
