"""How much longer than classifying a record does explaining it take?

Each record by itself, read beforehand: what is answered, then with each lead's part, then every diagnosis.
"""

from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.common import interleaved, model_parser, record_paths, start_classifier, table
from cnn_gap.ecg.records import read_record
from cnn_gap.ecg.twelve_leads import Record
from cnn_gap.errors import InputError
from cnn_gap.exit_codes import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnn_gap.classifier import Classifier

#: What the others are compared with.
FIRST = "classify"


def main(arguments: list[str]) -> None:
    """Time both ways and print a table."""
    parser = model_parser("speed.explain_speed", __doc__, data="records")
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=5, help="of each record by each (default: %(default)s)"
    )
    parser.set_defaults(limit=50)
    options = parser.parse_args(arguments)
    records = [read_record(path) for path in record_paths(options.data, options.limit)]
    if not records:
        raise InputError(f"{options.data}: has no records")
    classifier = start_classifier(options.model)
    times = [interleaved(_tasks(classifier, record), options.rounds) for record in records]
    rows = [
        (name, 1000 * median(each[name] for each in times), median(each[name] / each[FIRST] for each in times))
        for name in times[0]
    ]
    print(f"{len(records)} records\n\n{table(('what', 'ms a record', 'times classifying'), rows)}")


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


if __name__ == "__main__":
    run(main)
