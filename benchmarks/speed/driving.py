"""How many records a second the driver classifies: read by one thread or by processes, and by each runtime.

All take turns on the same records in one run, the network being loaded and the start of processes included.
Keras with one thread is what the others are compared with. Beside it stands the processor time of the driver's
own process and of those that read for it: on a busy machine it tells more than records a second. For records of
the Challenge, its own loop over `run_model` takes its turns, too. Then the
processor time of reading, of making windows and of the network by each runtime, each by itself.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.common import interleaved, model_parser, table
from cnn_gap.io.long_records import read_whole
from cnn_gap.io.sources import ListedRecord, list_records
from cnn_gap.leads import LEADS
from cnn_gap.model.runtimes import Runtime
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run
from cnn_gap.system.processes import usual_jobs

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: The runtimes; the first, with one thread, is what the others are compared with.
RUNTIMES = (("keras", "float32"), ("openvino", "float32"), ("openvino", "bfloat16"))

#: The rival: what the Challenge's own program does with `team_code.py`.
CHALLENGE = "the Challenge's loop over run_model"

#: Records that the processor time is measured on at a time: a batch of the driver's.
BATCH = 64


def main(arguments: list[str]) -> None:
    """Drive, and print a table of records a second and one of processor time."""
    parser = model_parser("speed.driving", __doc__, data="records")
    parser.add_argument("--rounds", metavar="N", type=int, default=3, help="by each (default: %(default)s)")
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=max(1, usual_jobs()), help="processes (default: %(default)s)"
    )
    parser.set_defaults(limit=500)
    options = parser.parse_args(arguments)
    records = list_records(options.data).records[: options.limit]
    classifiers = dict(_classifiers(options.model))
    print(f"{len(records)} records\n")
    headings = ("runtime, read by", "records/s", "times the first", "own CPU ms a record", "others' CPU ms")
    print(table(headings, _driven(classifiers, records, options)))
    print(f"\n{table(('step', 'CPU ms a record'), _processor_time(classifiers, records, options.rounds))}")


def _classifiers(model: Path) -> "Iterable[tuple[str, Classifier]]":
    """Yield the classifiers that this machine can run, each ready."""
    start_keras()
    from cnn_gap.classifier import load_classifier

    for name, precision in RUNTIMES:
        try:
            Runtime(name, precision)
            classifier = load_classifier(model, name, precision)
            classifier.predict_batch(["test_data/SIM0001"])
            yield f"{name}, {precision}", classifier
        except InputError as error:
            print(f"{name}, {precision}: {error}")


def _driven(classifiers: "dict[str, Classifier]", records: list[ListedRecord], options: Any) -> list[tuple]:
    used: dict[str, list[tuple[float, float]]] = {}
    tasks = {
        name: partial(_drive, classifier, records, jobs, used.setdefault(name, []))
        for runtime, classifier in classifiers.items()
        for jobs in (0, options.jobs)
        if (name := f"{runtime}, {_readers(jobs)}")
    }
    if (first := next(iter(classifiers), None)) is not None and all(_of_challenge(each) for each in records):
        tasks[CHALLENGE] = partial(_challenge_loop, classifiers[first], records, used.setdefault(CHALLENGE, []))
    for task in tasks.values():
        task()  # compiles the network for the batches' sizes, and brings files into the system's cache
    seconds = interleaved(tasks, options.rounds)
    usual = next(iter(seconds.values()))
    return [
        (name, len(records) / each, usual / each, *map(median, zip(*used[name][1:], strict=True)))
        for name, each in seconds.items()
    ]


def _readers(jobs: int) -> str:
    return "one thread" if not jobs else f"{jobs} process" + ("es" if jobs > 1 else "")


def _drive(
    classifier: "Classifier", records: list[ListedRecord], jobs: int, used: list[tuple[float, float]]
) -> None:
    """Classify records into a folder, and note how much processor time it took, ms a record."""
    from cnn_gap.batch.classify_folder import classify_records

    before = _processor_times()
    with tempfile.TemporaryDirectory() as out:
        for _ in classify_records(classifier, records, Path(out), jobs):
            pass
    own, others = (now - then for now, then in zip(_processor_times(), before, strict=True))
    used.append((1000 * own / len(records), 1000 * others / len(records)))


def _of_challenge(record: ListedRecord) -> bool:
    path = Path(record.source)
    return path.suffix == ".hea" and path.with_suffix(".mat").exists()


def _challenge_loop(
    classifier: "Classifier", records: list[ListedRecord], used: list[tuple[float, float]]
) -> None:
    """Classify records as the 2021 Challenge's `test_model.py` does, one after the other by `run_model`."""
    from helper_code import get_recording_id, load_header, load_recording, save_outputs
    from team_code import LeadModel, run_model

    before = _processor_times()
    model = LeadModel(classifier, LEADS)
    with tempfile.TemporaryDirectory() as out:
        for record in records:
            header = load_header(record.source)
            recording = load_recording(str(Path(record.source).with_suffix(".mat")))
            classes, labels, probabilities = run_model(model, header, recording)
            name = get_recording_id(header)
            save_outputs(str(Path(out) / f"{name}.csv"), name, classes, labels, probabilities)
    own, others = (now - then for now, then in zip(_processor_times(), before, strict=True))
    used.append((1000 * own / len(records), 1000 * others / len(records)))


def _processor_times() -> tuple[float, float]:
    """Return the processor time of this process and of those that it has started and that have ended, s."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, others = (usage.ru_utime + usage.ru_stime for usage in usages)
    return own, others


def _processor_time(
    classifiers: "dict[str, Classifier]", records: list[ListedRecord], rounds: int
) -> list[tuple[str, float]]:
    some = records[:BATCH]
    prepare = next(iter(classifiers.values())).prepare
    read = [read_whole(Path(each.source)) for each in some]
    prepared = [prepare(each) for each in read]
    steps: dict[str, Callable[[], Any]] = {
        "reading": lambda: [each.open() for each in some],
        "reading a second time, for the stamp": lambda: [each.stamp() for each in some],
        "windows and look at the signal": lambda: [prepare(each) for each in read],
    }
    for name, classifier in classifiers.items():
        steps[f"network, {name}"] = partial(classifier.predict_prepared, prepared)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            started = time.process_time()
            step()
            times[name].append(1000 * (time.process_time() - started) / len(some))
    return [(name, median(each[1:])) for name, each in times.items()]


if __name__ == "__main__":
    run(main)
