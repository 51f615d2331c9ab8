"""Do activation maps point at the right place, and do the answers hang on what they point at?

Measures each MODEL on simulated records, whose truth is known, and on real records. Figures are means or
shares with their 95 % confidence intervals. Of areas, a low one under deletion and a high one under insertion
are good.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.common import table
from benchmarks.estimates import mean, proportion
from benchmarks.maps.faithfulness import (
    PIECE_S,
    Case,
    Fill,
    Way,
    answered_cases,
    areas,
    by_chance,
    by_gradient,
    by_gradient_size,
    by_lead_chance,
    by_lead_gradient,
    by_lead_occlusion,
    by_map,
    with_baseline,
    with_lines,
)
from benchmarks.maps.pointing import (
    AGREEING_LEADS,
    BEATS_HZ,
    LOCAL_CODES,
    PREMATURE_CODES,
    SIGNS,
    TOLERANCE_S,
    Pointing,
    Truth,
    agreed_beats,
    beats_of_lead_two,
    pointings,
    premature_truth,
    records_with,
    simulated_truth,
)
from benchmarks.maps.sanity import SPIKE_AROUND_S, SPIKE_MV, randomised_correlations, spike_shares
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

#: Classifiers by the name of their column.
Classifiers = dict[str, "Classifier"]

#: What a measurement has to show: headings and rows.
Table = tuple[Sequence[str], list[Sequence[object]]]

#: How beats are found, whether a premature one needs a pause after it, and how far beside it a map may point
#: (s), by the name of the row.
BEAT_FINDERS = {
    "XQRS on lead II": (beats_of_lead_two, True, 0.0),
    f"XQRS on at least {AGREEING_LEADS} of 8 leads at {BEATS_HZ:g} Hz": (agreed_beats, True, 0.0),
    "the same, no pause asked": (agreed_beats, False, 0.0),
    f"the same, ± {1000 * TOLERANCE_S:.0f} ms as in simulated records": (agreed_beats, False, TOLERANCE_S),
}

#: Real records of a measurement, and of one that is dear, unless `--limit` says otherwise.
RECORDS, LEAD_RECORDS = 300, 100

#: What stands for what is removed, and how long pieces are, s. Scattered short pieces spoil every beat,
#: whatever they hold; long ones take beats whole.
REMOVALS: dict[str, tuple[Fill, float]] = {
    "pieces of 0.1 s become 0 mV": (with_baseline, PIECE_S),
    "pieces of 0.1 s become lines": (with_lines, PIECE_S),
    "pieces of 0.5 s become 0 mV": (with_baseline, 0.5),
    "pieces of 1 s become 0 mV": (with_baseline, 1.0),
}

#: How pieces are put in order, first the one that the others are compared with.
TIME_WAYS: dict[str, Way] = {
    "map": by_map,
    "gradient × input": by_gradient,
    "its absolute value": by_gradient_size,
    "chance": by_chance,
}
BASELINES = ("gradient × input", "its absolute value", "chance")
LEAD_WAYS: dict[str, Way] = {
    "occlusion": by_lead_occlusion,
    "gradient × input, smoothed": by_lead_gradient,
    "chance": by_lead_chance,
}
LEAD_BASELINES = ("gradient × input, smoothed", "chance")


def main(arguments: list[str]) -> None:
    """Print the tables of the measurements that are asked."""
    options = _parser().parse_args(arguments)
    classifiers = load_classifiers(options.models)
    for name in options.only:
        for title, (headings, rows) in MEASUREMENTS[name](classifiers, options):
            print(f"\n{title}\n\n{table(headings, rows)}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.maps.explain", description=__doc__)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of real labelled records")
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+", help="folders of trained models")
    parser.add_argument(
        "--simulated", metavar="N", type=int, default=200, help="records a diagnosis (default: 200)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of all chances (default: 0)")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help=f"real records of each (default: all with premature beats, {RECORDS} or {LEAD_RECORDS} others)",
    )
    parser.add_argument("--by-class", action="store_true", help="faithfulness of each class, too")
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
    start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier

    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = list(map(str, folders))
    return {name: load_classifier(folder) for name, folder in zip(names, folders, strict=True)}


def pointing_row(name: str, count: object, results: Sequence[list[Pointing]]) -> list[object]:
    """Return a row of the pointing table; a list a classifier, empty where the class is new to it."""
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
    for name, how in BEAT_FINDERS.items():
        truth = premature_truth(records, *how)
        count = f"{len(truth.records)} of {len(records)}"
        rows.append(pointing_row(name, count, _results(classifiers, truth)))
    yield "Real premature atrial beats", (pointing_headings("beats by", classifiers), rows)


def _results(classifiers: Classifiers, truth: Truth) -> list[list[Pointing]]:
    """Return each classifier's pointings, none where it has never seen the class."""
    return [pointings(each, truth) if knows(each, truth.code) else [] for each in classifiers.values()]


def knows(classifier: "Classifier", code: str) -> bool:
    """Return whether the class of a code was among the classifier's training records."""
    pairs = zip(classifier.classes.outputs, classifier.description.seen, strict=True)
    return any(seen for codes, seen in pairs if code in codes)


def _faithfulness(classifiers: Classifiers, options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    cases = _answered(classifiers, options, RECORDS)
    for name, (fill, piece_s) in REMOVALS.items():
        given = {model: [replace(case, piece_s=piece_s) for case in each] for model, each in cases.items()}
        found = _areas(classifiers, given, TIME_WAYS, fill)
        counts = ", ".join(f"{model} {len(each)}" for model, each in cases.items())
        yield f"Faithfulness, {name}; answers: {counts}", area_table(found, BASELINES)
        local = {model: _some(found[model], _is_local(classifiers[model], cases[model])) for model in found}
        yield f"Faithfulness, {name}; answers with a local sign alone", area_table(local, BASELINES)
        if options.by_class:
            yield f"Faithfulness, {name}, by class", class_table(classifiers, cases, found)


def _areas(
    classifiers: Classifiers, cases: dict[str, list[Case]], ways: dict[str, Way], fill: Fill
) -> dict[str, dict[str, np.ndarray]]:
    progress = tqdm(classifiers.items(), unit="model", disable=None)
    return {name: areas(classifier, cases[name], ways, fill) for name, classifier in progress}


def class_table(
    classifiers: Classifiers, cases: dict[str, list[Case]], found: dict[str, dict[str, np.ndarray]]
) -> Table:
    """Return how the areas of the map differ from those of gradient × input for each class that is answered."""
    columns: dict[str, list[object]] = {}
    for number, (name, classifier) in enumerate(classifiers.items()):
        differences = found[name]["map"] - found[name]["gradient × input"]
        for column in sorted({case.column for case in cases[name]}):
            chosen = [case.column == column for case in cases[name]]
            cells = columns.setdefault(
                classifier.classes.diagnoses[column].abbreviation, ["-", "-", "-"] * len(classifiers)
            )
            cells[3 * number : 3 * number + 3] = sum(chosen), *map(mean, differences[chosen].T)
    labels = ("answers", "deletion, map less gradient × input", "insertion, map less gradient × input")
    headings = [f"{name}: {label}" for name in classifiers for label in labels]
    return ("class", *headings), [(name, *cells) for name, cells in columns.items()]


def _leads(classifiers: Classifiers, options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    cases = _answered(classifiers, options, LEAD_RECORDS)
    found = _areas(classifiers, cases, LEAD_WAYS, with_baseline)
    yield "Faithfulness, pieces of 0.1 s of single leads become 0 mV", area_table(found, LEAD_BASELINES)


def _spike(classifiers: Classifiers, options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    cases = _answered(classifiers, options, RECORDS)
    shares = {
        name: spike_shares(classifier, cases[name], options.seed) for name, classifier in classifiers.items()
    }
    rows = [(name, *(mean(each[name]) for each in shares.values())) for name in next(iter(shares.values()), {})]
    around = f"{1000 * SPIKE_AROUND_S:.0f} ms"
    yield f"Share of the map within {around} of a spike of {SPIKE_MV:g} mV", (("map", *classifiers), rows)


def _sanity(classifiers: Classifiers, options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    cases = _answered(classifiers, options, LEAD_RECORDS)
    found = {
        name: randomised_correlations(classifier, cases[name], options.seed)
        for name, classifier in tqdm(classifiers.items(), unit="model", disable=None)
    }
    rows = [
        (name, *(mean(values) for each in found.values() for values in (each[name], np.abs(each[name]))))
        for name in next(iter(found.values()))
    ]
    headings = [f"{name}: {what}" for name in classifiers for what in ("correlation", "its absolute value")]
    yield "Rank correlation of the maps with those of random weights", (("random weights", *headings), rows)


def _answered(classifiers: Classifiers, options: argparse.Namespace, count: int) -> dict[str, list[Case]]:
    """Return what each classifier answers of some records, drawn from all, the same for each."""
    paths = find_records(options.data)
    order = np.random.default_rng(options.seed).permutation(len(paths))
    records = [read_record(paths[index]) for index in order[: options.limit or count]]
    cases = {name: answered_cases(classifier, records) for name, classifier in classifiers.items()}
    if silent := [name for name, found in cases.items() if not found]:
        raise InputError(f"{options.data}: {silent[0]} answers nothing of these records; give more")
    return cases


def area_table(found: dict[str, dict[str, np.ndarray]], baselines: Sequence[str]) -> Table:
    """Return the table of areas by classifier and way, and how the first way differs from the `baselines`."""
    headings = [f"{name}: {curve}" for name in found for curve in ("deletion", "insertion")]
    ways = list(next(iter(found.values())))
    rows: list[Sequence[object]] = [
        (way, *(mean(column) for each in found.values() for column in each[way].T)) for way in ways
    ]
    for baseline in baselines:
        differences = [each[ways[0]] - each[baseline] for each in found.values()]
        name = f"{ways[0]} less {baseline}"
        rows.append((name, *(mean(column) for difference in differences for column in difference.T)))
    return ("pieces by", *headings), rows


def _is_local(classifier: "Classifier", cases: Sequence[Case]) -> np.ndarray:
    local = classifier.classes.encode(LOCAL_CODES)
    return local[[case.column for case in cases]]


def _some(found: dict[str, np.ndarray], chosen: np.ndarray) -> dict[str, np.ndarray]:
    return {way: values[chosen] for way, values in found.items()}


#: What can be measured, by the name that `--only` takes.
MEASUREMENTS: dict[str, Callable[[Classifiers, argparse.Namespace], Iterator[tuple[str, Table]]]] = {
    "simulated": _simulated,
    "premature": _premature,
    "faithfulness": _faithfulness,
    "leads": _leads,
    "spike": _spike,
    "sanity": _sanity,
}


if __name__ == "__main__":
    run(main)
