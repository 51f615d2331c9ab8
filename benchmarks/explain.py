"""Do activation maps point at the right place, and do the answers hang on what they point at?

Measures each MODEL on simulated records, whose truth is known, and on real records. Figures are means or
shares with their 95 % confidence intervals.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from benchmarks.common import table
from benchmarks.estimates import mean, proportion
from benchmarks.pointing import (
    AGREEING_LEADS,
    PREMATURE_CODES,
    SIGNS,
    Pointing,
    Truth,
    agreed_beats,
    beats_of_lead_two,
    pointings,
    premature_truth,
    records_with,
    simulated_truth,
)
from cnn_gap import commands
from cnn_gap.errors import InputError
from cnn_gap.records import find_records

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Classifiers by the name of their column.
Classifiers = dict[str, "Classifier"]

#: What a measurement has to show: headings and rows.
Table = tuple[Sequence[str], list[Sequence[object]]]

#: How premature beats are found, by the name of the row.
BEAT_FINDERS = {
    "XQRS on lead II": beats_of_lead_two,
    f"XQRS on at least {AGREEING_LEADS} of 8 leads": agreed_beats,
}


def main(arguments: list[str]) -> None:
    """Print the tables of the measurements that are asked."""
    options = _parser().parse_args(arguments)
    classifiers = load_classifiers(options.models)
    for name in options.only:
        for title, (headings, rows) in MEASUREMENTS[name](classifiers, options):
            print(f"\n{title}\n\n{table(headings, rows)}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain", description=__doc__)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of real labelled records")
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+", help="folders of trained models")
    parser.add_argument(
        "--simulated", metavar="N", type=int, default=200, help="records a diagnosis (default: 200)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of all chances (default: 0)")
    parser.add_argument(
        "--limit", metavar="N", type=int, help="real records of each measurement (default: all there are)"
    )
    parser.add_argument(
        "--only",
        metavar="MEASUREMENT",
        nargs="+",
        choices=MEASUREMENTS,
        default=list(MEASUREMENTS),
        help=f"of {', '.join(MEASUREMENTS)} (default: all)",
    )
    return parser


def load_classifiers(folders: Sequence[Path]) -> Classifiers:
    """Return the classifiers by the names of their folders, by the paths where names are equal."""
    commands.start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier

    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = list(map(str, folders))
    return {name: load_classifier(folder) for name, folder in zip(names, folders, strict=True)}


def pointing_row(name: str, count: object, results: Sequence[list[Pointing]]) -> list[object]:
    """Return a row of the pointing table; `results` has a list a classifier, empty if the class is new to it."""
    chances = next(([each.chance for each in found] for found in results if found), [])
    row: list[object] = [name, count, mean(chances).value]
    for found in results:
        answered = [each.hit for each in found if each.answered]
        among = f"{proportion(answered)} of {len(answered)}" if answered else "-"
        row += [proportion([each.hit for each in found]), among, mean([each.inside for each in found])]
    return row


def pointing_headings(first: str, classifiers: Classifiers) -> list[str]:
    """Return the headings of the pointing table."""
    headings = [first, "records", "chance"]
    for name in classifiers:
        headings += [f"{name}: maximum inside", "of those answered", "activation inside"]
    return headings


def _simulated(classifiers: Classifiers, options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    rows = []
    for abbreviation in tqdm(SIGNS, unit="diagnosis", disable=None):
        truth = simulated_truth(abbreviation, options.simulated, options.seed)
        rows.append(pointing_row(abbreviation, len(truth.records), _results(classifiers, truth)))
    yield "Simulated records", (pointing_headings("diagnosis", classifiers), rows)


def _premature(classifiers: Classifiers, options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    records = records_with(find_records(options.data), PREMATURE_CODES, options.limit)
    if not records:
        raise InputError(
            f"{options.data}: no record is labelled with premature atrial beats; give other records"
        )
    rows = []
    for name, find_beats in BEAT_FINDERS.items():
        truth = premature_truth(records, find_beats)
        count = f"{len(truth.records)} of {len(records)}"
        rows.append(pointing_row(name, count, _results(classifiers, truth)))
    yield "Real premature atrial beats", (pointing_headings("beats by", classifiers), rows)


def _results(classifiers: Classifiers, truth: Truth) -> list[list[Pointing]]:
    """Return each classifier's pointings, none where it has never seen the class."""
    return [pointings(each, truth) if knows(each, truth.code) else [] for each in classifiers.values()]


def knows(classifier: "Classifier", code: str) -> bool:
    """Return whether the class of a code was among the classifier's training records."""
    pairs = zip(classifier.classes.classes, classifier.description.seen, strict=True)
    return any(seen for codes, seen in pairs if code in codes)


#: What can be measured, by the name that `--only` takes.
MEASUREMENTS: dict[str, Callable[[Classifiers, argparse.Namespace], Iterator[tuple[str, Table]]]] = {
    "simulated": _simulated,
    "premature": _premature,
}


if __name__ == "__main__":
    commands.run(main)
