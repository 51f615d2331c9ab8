"""AUROC of diagnoses over windows of 10 s of annotated half hours, a column for each model.

    python -m benchmarks.long.windows MODEL... --data MITDB

Every second window of `Prediction.timeline` is taken, so that windows do not overlap. A window has an ectopic
beat if one is annotated in it; fibrillation if it lasts for more than half of it; a bundle branch block or
pacing if more than half of its beats have it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.common import Table, command_parser, start_classifier
from benchmarks.long.annotated import Annotated, annotated_records, overlap_s
from cnn_gap.evaluate.metrics import auroc_auprc
from cnn_gap.system.exit_codes import run

#: Whether a window, from and to a time in s, has a diagnosis, by abbreviation.
HAS: Mapping[str, Callable[[Annotated, float, float], bool]] = {
    "AF": lambda record, start, end: overlap_s(record.rhythm("(AFIB"), [(start, end)]) > (end - start) / 2,
    "PVC": lambda record, start, end: "V" in record.symbols(start, end),
    "PAC": lambda record, start, end: any(symbol in "AaJS" for symbol in record.symbols(start, end)),
    "LBBB": lambda record, start, end: _most(record.symbols(start, end), "L"),
    "CRBBB": lambda record, start, end: _most(record.symbols(start, end), "R"),
    "PR": lambda record, start, end: _most(record.symbols(start, end), "/"),
}


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = command_parser("benchmarks.long.windows", __doc__)
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+")
    parser.add_argument("--data", metavar="MITDB", type=Path, required=True, help="records with .atr files")
    options = parser.parse_args(arguments)
    records = annotated_records(options.data)
    columns = [_areas(model, records) for model in options.models]
    rows = tuple((name, *areas) for name, *areas in zip(HAS, *columns, strict=True))
    print(Table("AUROC", tuple(model.name for model in options.models), rows))


def _areas(model: Path, records: list[Annotated]) -> np.ndarray:
    """Return the AUROC of each diagnosis of `HAS`."""
    classifier = start_classifier(model)
    probabilities, labels = [], []
    for record in records:
        timeline = classifier.predict(record.path).timeline
        chosen = timeline.starts_s[::2]
        probabilities.append(np.column_stack([timeline.of(name)[::2] for name in HAS]))
        labels.append(
            [[has(record, start, start + timeline.window_s) for has in HAS.values()] for start in chosen]
        )
    return auroc_auprc(np.concatenate(labels), np.concatenate(probabilities))[0]


def _most(symbols: str, symbol: str) -> bool:
    return symbols.count(symbol) > len(symbols) / 2


if __name__ == "__main__":
    run(main)
