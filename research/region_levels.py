"""Compare levels above which a part of a map is a region, by whether regions lie on what shows the diagnosis.

    python -m research.region_levels MODEL DATA

Simulated records have diagnoses at known times (`benchmarks.maps.pointing`). In the records of DATA that are
labelled with premature atrial beats, early beats with a pause after them are searched for. Only the maps of
records that the model answers count.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Table, command_parser, start_classifier
from benchmarks.maps.pointing import (
    PREMATURE_CODES,
    SIGNS,
    Interval,
    Truth,
    covered,
    explained_signs,
    premature_truth,
    records_with,
    simulated_truth,
)
from cnn_gap.explain.regions import Level, find_regions, parse_level
from cnn_gap.io.sources import find_records
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier

LEVELS = ("sd:1", "sd:2", "peak:0.25", "peak:0.33", "peak:0.5")

#: Number of simulated records of each diagnosis, and their seed; the records of the results page have seed 0.
SIMULATED, SEED = 20, 1

#: Means over records: time of regions that is inside the signs, signs that a region meets, number of regions.
FIGURES = ("time inside", "signs met", "regions a record")

#: A map, its rate in Hz, and the intervals that show its diagnosis.
Case = tuple[np.ndarray, float, tuple[Interval, ...]]


def main(arguments: list[str]) -> None:
    """Print a table for each figure."""
    parser = command_parser("research.region_levels", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("data", metavar="DATA", type=Path, help="records, some with premature atrial beats")
    parser.add_argument(
        "--simulated", metavar="N", type=int, default=SIMULATED, help="of each diagnosis (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    truths = {name: simulated_truth(name, options.simulated, SEED) for name in SIGNS}
    premature = records_with(find_records(options.data), PREMATURE_CODES)
    truths["PAC of DATA"] = premature_truth(premature)
    cases = {name: answered_maps(classifier, truth) for name, truth in truths.items()}
    found = {
        name: [figures(maps, parse_level(level)) for level in LEVELS] for name, maps in cases.items() if maps
    }
    for place, heading in enumerate(FIGURES):
        rows = ((name, len(cases[name]), *(each[place] for each in row)) for name, row in found.items())
        print(Table(heading, ("records", *LEVELS), tuple(rows)), end="\n\n")


def answered_maps(classifier: "Classifier", truth: Truth) -> list[Case]:
    """Return the maps of a diagnosis of the records in which the classifier answers it."""
    return [(found.activation, *signs) for found, *signs in explained_signs(classifier, truth) if found.label]


def figures(cases: Iterable[Case], level: Level) -> list[float]:
    """Return the `FIGURES`; a map without a region has no time inside."""
    means: list[float] = np.nanmean([_figures(*case, level) for case in cases], axis=0).tolist()
    return means


def _figures(
    activation: np.ndarray, sampling_rate: float, intervals: tuple[Interval, ...], level: Level
) -> tuple[float, float, float]:
    height = level.of(activation)
    above = activation > height
    inside = covered(len(activation), sampling_rate, intervals)
    met = [(above & covered(len(activation), sampling_rate, [sign])).any() for sign in intervals]
    share = inside[above].mean() if above.any() else np.nan
    return share, float(np.mean(met)), len(find_regions(activation, sampling_rate, height))


if __name__ == "__main__":
    run(main)
