"""How far a model's answers depend on the sampling rate of the same heart's record.

Compares the records of DATA with those of the same names in DATA_B, stored at another rate, and with
themselves resampled to other rates. The Challenge metric is of the diagnoses in DATA's headers.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import (
    Classified,
    classify,
    model_parser,
    record_paths,
    resampled,
    start_classifier,
    table,
)
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

#: What the records of DATA are resampled to, Hz.
RATES = (100, 128, 250, 257, 300, 360, 977, 1000)


def main(arguments: list[str]) -> None:
    """Classify at every rate and print a table of differences."""
    parser = model_parser("quality.rates", __doc__, "records, the higher rate's")
    parser.add_argument("data_b", metavar="DATA_B", type=Path, help="folder that holds records of these names")
    options = parser.parse_args(arguments)
    others = {path.stem: path for path in record_paths(options.data_b, None)}
    paths = [path for path in record_paths(options.data, None) if path.stem in others][: options.limit]
    if not paths:
        raise InputError(f"{options.data_b}: no record has the name of one in {options.data}")
    classifier = start_classifier(options.model)
    reference = classify(classifier, paths)
    answers = {"DATA_B": classify(classifier, (others[path.stem] for path in paths))}
    for rate in RATES:
        answers[f"DATA at {rate} Hz"] = classify(classifier, paths, partial(resampled, rate=rate))
    print(f"{len(paths)} records of {len(reference.classes)} classes, against DATA as stored\n")
    headings = (
        "",
        "mean difference of probability",
        "largest",
        f"labels that differ, of {reference.outputs.size}",
        "Challenge metric",
        "its difference",
    )
    rows = [_row(name, each, reference) for name, each in {"DATA": reference, **answers}.items()]
    print(table(headings, rows))


def _row(name: str, classified: Classified, reference: Classified) -> tuple:
    largest = float(np.abs(classified.probabilities - reference.probabilities).max())
    # The same hearts: the reference's labels stand for all, whatever the other headers say.
    metric = replace(classified, labels=reference.labels).challenge_metric
    return (
        name,
        classified.mean_change(reference),
        largest,
        int((classified.outputs != reference.outputs).sum()),
        metric,
        metric - reference.challenge_metric,
    )


if __name__ == "__main__":
    run(main)
