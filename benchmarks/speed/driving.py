"""How many records a second the driver classifies and `explain.py` explains, by the number of other processes.

"tables" compares a run without a table, with one without readings, and with one with them.

All ways take turns on the same records in one run. The network is loaded before; the start of processes is
included. Processor time is that of this process and of the others: other load of the machine changes it less
than elapsed time. With `--steps` the processor time of each step is listed, too.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import Table, interleaved, start_classifier
from benchmarks.processes import cpu_seconds
from cnn_gap.io.records import read_record, record_files
from cnn_gap.io.sources import find_records
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Number of records whose steps are timed.
STEP_RECORDS = 16

#: Writes the results of a folder of records into another.
Way = Callable[[Path, Path], Any]

HEADINGS = ("records/s", "times as fast", "own CPU ms a record", "others' CPU ms a record")


def main(arguments: list[str]) -> None:
    """Classify and explain by turns, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.driving", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of records")
    parser.add_argument("--limit", metavar="N", type=int, default=500, help="records (default: %(default)s)")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="of each way (default: %(default)s)")
    parser.add_argument(
        "--jobs", metavar="N", type=int, nargs="+", default=[0, 1], help="other processes (default: 0 1)"
    )
    parser.add_argument("--only", choices=WAYS, nargs="+", default=list(WAYS), help="default: all")
    parser.add_argument("--steps", action="store_true", help="list the time of each step")
    options = parser.parse_args(arguments)
    paths = find_records(options.data)[: options.limit]
    if not paths:
        raise InputError(f"{options.data}: has no records")
    classifier = start_classifier(options.model)
    print(f"{len(paths)} records\n")
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for file in {file for path in paths for file in record_files(path)}:
            shutil.copy(file, data)
        for name in options.only:
            ways = WAYS[name](classifier, options.model, options.jobs)
            rows = speed_rows(ways, data, len(paths), options.rounds)
            print(f"{Table(name, HEADINGS, tuple(rows))}\n", flush=True)
    if options.steps:
        steps = step_times(classifier, paths[:STEP_RECORDS], options.rounds)
        print(Table("step", ("CPU ms a record",), tuple(steps.items())))


def speed_rows(ways: Mapping[str, Way], data: Path, records: int, rounds: int) -> Iterator[tuple[object, ...]]:
    """Yield a row for each way; the others are compared with the first one."""
    used: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}

    def once(name: str) -> None:
        before = cpu_seconds()
        with tempfile.TemporaryDirectory(prefix="cnn-gap-") as out:
            ways[name](data, Path(out) / "out")
        used[name].append(tuple(now - then for now, then in zip(cpu_seconds(), before, strict=True)))

    first = next(iter(ways))
    once(first)  # compiles the network, and brings the files into the system's cache
    seconds = interleaved({name: partial(once, name) for name in ways}, rounds)
    for name, each in seconds.items():
        cpu = (1000 * median(times) / records for times in zip(*used[name][-rounds:], strict=True))
        yield name, records / each, seconds[first] / each, *cpu


def _classifying(classifier: "Classifier", model: Path, jobs: list[int]) -> dict[str, Way]:
    return {f"{count} other processes": partial(_classify, classifier, model, jobs=count) for count in jobs}


def _with_tables(classifier: "Classifier", model: Path, jobs: list[int]) -> dict[str, Way]:
    classify = partial(_classify, classifier, model, jobs=jobs[0])
    return {
        "no table": classify,
        "a table, no reading": partial(classify, table="table.parquet", reading=False),
        "a table": partial(classify, table="table.parquet"),
    }


def _explaining(classifier: "Classifier", model: Path, jobs: list[int]) -> dict[str, Way]:
    return {f"{count} other processes": partial(_explain, classifier, model, jobs=count) for count in jobs}


def _classify(
    classifier: "Classifier",
    model: Path,
    data: Path,
    out: Path,
    jobs: int,
    table: str = "",
    reading: bool = True,
) -> None:
    from cnn_gap.batch.classify_folder import OutputTarget, classify_folder

    results = OutputTarget(out, table=out.parent / table if table else None, reading=reading)
    classify_folder(classifier, model, data, results, warn=print, jobs=jobs)


def _explain(classifier: "Classifier", model: Path, data: Path, out: Path, jobs: int) -> None:
    from cnn_gap.batch.explain_folder import ExplainOptions, explain_folder

    explain_folder(classifier, model, data, out, ExplainOptions(), print, jobs)


#: By the name of a measurement, the function that returns the ways that it compares.
WAYS = {"classify": _classifying, "tables": _with_tables, "explain": _explaining}


def step_times(classifier: "Classifier", paths: list[Path], rounds: int) -> Mapping[str, float]:
    """Return the processor time of each step of classifying and explaining records together, ms a record."""
    from cnn_gap.batch.explain_folder import ExplainOptions
    from cnn_gap.beats.intervals import measure
    from cnn_gap.explain.explainer import compute_maps, map_reader
    from cnn_gap.report.page import explanation_page

    records = [read_record(path) for path in paths]
    prepared = [classifier.prepare(record) for record in records]
    windows = [each.windows for each in prepared]
    without = [
        np.repeat(each, int(record.leads.sum()), 0) for each, record in zip(windows, records, strict=True)
    ]
    computed, reader = compute_maps(classifier, records, ExplainOptions().choose), map_reader(classifier)
    explained = [reader.explanation(each) for each in computed]
    steps: dict[str, Callable[[], Any]] = {
        "reading": lambda: [read_record(path) for path in paths],
        "windows and signal quality": lambda: [classifier.prepare(record) for record in records],
        "network": lambda: classifier.predict_prepared(prepared),
        "network with maps": lambda: classifier.run_each_with_maps(windows),
        "network with maps without each lead": lambda: classifier.run_each_with_maps(without),
        "maps with leads, all of it": lambda: compute_maps(classifier, records, ExplainOptions().choose),
        "regions and maps at the record's samples": lambda: [reader.explanation(each) for each in computed],
        "beats and intervals": lambda: [measure(record) for record in records],
        "page, with beats and intervals": lambda: [explanation_page(each) for each in explained],
    }
    for step in steps.values():
        step()
    seconds = interleaved(steps, rounds, time.process_time)
    return {name: 1000 * each / len(paths) for name, each in seconds.items()}


if __name__ == "__main__":
    run(main)
