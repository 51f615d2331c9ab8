"""PTB-XL's 71 statements, as its benchmark scores them.

Strodthoff et al. 2021, "Deep learning for ECG analysis: benchmarks and insights from PTB-XL". Macro AUROC over
all statements, the diagnostic, form and rhythm ones, and the sub- and superclasses of the diagnostic ones, each
over the records that have one of the group. DATA's headers hold the statements as `Dx`; STATEMENTS is PTB-XL's
`scp_statements.csv`. A class of several statements has the probability that one of them is there if they were
independent. The published figures are of fold 10, of networks trained for each group.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.common import Classified, classify_all, model_parser, record_paths, start_classifier, table
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

#: Macro AUROC on fold 10 by Strodthoff et al. 2021, table II.
PUBLISHED = {
    "all": {"xresnet1d101": 0.925, "inception1d": 0.925, "lstm_bidir": 0.914},
    "diagnostic": {"xresnet1d101": 0.937, "inception1d": 0.931, "lstm_bidir": 0.932},
    "subdiagnostic": {"xresnet1d101": 0.929, "inception1d": 0.930, "lstm_bidir": 0.923},
    "superdiagnostic": {"xresnet1d101": 0.928, "inception1d": 0.921, "lstm_bidir": 0.921},
    "form": {"xresnet1d101": 0.896, "inception1d": 0.899, "lstm_bidir": 0.876},
    "rhythm": {"xresnet1d101": 0.957, "inception1d": 0.953, "lstm_bidir": 0.949},
}

#: A class of statements by its name.
Group = dict[str, tuple[str, ...]]


def main(arguments: list[str]) -> None:
    """Classify the records and print a table of groups and one of statements."""
    parser = model_parser("quality.statements", __doc__, "records labelled with PTB-XL's statements")
    parser.add_argument("--statements", metavar="FILE.csv", type=Path, required=True, help="scp_statements.csv")
    options = parser.parse_args(arguments)
    groups = read_groups(options.statements)
    classifier = start_classifier(options.model)
    classified = classify_all(classifier, record_paths(options.data, options.limit))
    rows = [
        (name, *group_scores(classified, group)[:3], *PUBLISHED[name].values())
        for name, group in groups.items()
    ]
    headings = ("group", "records", "classes that occur", "macro AUROC", *PUBLISHED["all"])
    print(table(headings, rows))
    names = {code: about.name for about in classifier.classes.diagnoses for code in (about.code,)}
    *_, positives, areas = group_scores(classified, groups["all"])
    each = sorted(zip(groups["all"], positives, areas, strict=True), key=lambda row: -row[1])
    lines = [(f"{code}, {names[code]}", int(count), float(area)) for code, count, area in each if count]
    print(f"\n{table(('statement', 'records', 'AUROC'), lines)}")


def read_groups(path: Path) -> dict[str, Group]:
    """Return the classes of each group by PTB-XL's table of statements.

    Raises
    ------
    InputError
        If it is not that table.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"", "diagnostic", "diagnostic_class", "diagnostic_subclass"} <= set(rows[0]):
        raise InputError(f"{path}: is not PTB-XL's scp_statements.csv; its first line is {list(rows[:1])}")
    groups: dict[str, Group] = {"all": {row[""]: (row[""],) for row in rows}}
    groups["diagnostic"] = {row[""]: (row[""],) for row in rows if row["diagnostic"]}
    for name, column in (("subdiagnostic", "diagnostic_subclass"), ("superdiagnostic", "diagnostic_class")):
        kinds = dict.fromkeys(row[column] for row in rows if row["diagnostic"])
        groups[name] = {
            kind: tuple(row[""] for row in rows if row["diagnostic"] and row[column] == kind) for kind in kinds
        }
    for name in ("form", "rhythm"):
        groups[name] = {row[""]: (row[""],) for row in rows if row[name]}
    return groups


def group_scores(
    classified: Classified, group: Mapping[str, tuple[str, ...]]
) -> tuple[int, int, float, np.ndarray, np.ndarray]:
    """Return the records that have one of a group's classes, classes that occur, macro AUROC, and by class.

    Raises
    ------
    InputError
        If the model does not answer a statement.
    """
    columns = [[_column(classified, code) for code in codes] for codes in group.values()]
    labels = np.stack([classified.labels[:, each].any(axis=1) for each in columns], axis=1)
    absent = np.stack([(1 - classified.probabilities[:, each]).prod(axis=1) for each in columns], axis=1)
    kept = labels.any(axis=1)
    auroc, _ = auroc_auprc(labels[kept], 1 - absent[kept])
    occurring = int(np.isfinite(auroc).sum())
    return int(kept.sum()), occurring, macro_average(auroc), labels.sum(axis=0), auroc


def _column(classified: Classified, code: str) -> int:
    for index, codes in enumerate(classified.classes.outputs):
        if code in codes:
            return index
    raise InputError(f"the model does not answer the statement {code}; train it with --findings scp")


if __name__ == "__main__":
    run(main)
