"""PTB-XL's 71 statements, scored as its benchmark does.

Strodthoff et al. 2021, "Deep learning for ECG analysis: benchmarks and insights from PTB-XL": macro AUROC over
all statements, over the diagnostic, form and rhythm ones, and over sub- and superclasses of the diagnostic
ones, each over the records with a statement of the group. The headers of `data` hold the statements as `Dx`;
`statements` is PTB-XL's `scp_statements.csv`. The probability of a class of several statements is that of at
least one of them, taken as independent. The published figures are of fold 10, by networks trained for each
group.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.common import Classified, Study, Table
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.system.errors import InputError

#: Macro AUROC on fold 10 by Strodthoff et al. 2021, table II.
PUBLISHED = {
    "all": {"xresnet1d101": 0.925, "inception1d": 0.925, "lstm_bidir": 0.914},
    "diagnostic": {"xresnet1d101": 0.937, "inception1d": 0.931, "lstm_bidir": 0.932},
    "subdiagnostic": {"xresnet1d101": 0.929, "inception1d": 0.930, "lstm_bidir": 0.923},
    "superdiagnostic": {"xresnet1d101": 0.928, "inception1d": 0.921, "lstm_bidir": 0.921},
    "form": {"xresnet1d101": 0.896, "inception1d": 0.899, "lstm_bidir": 0.876},
    "rhythm": {"xresnet1d101": 0.957, "inception1d": 0.953, "lstm_bidir": 0.949},
}

#: Statements of each class of a group.
Group = Mapping[str, tuple[str, ...]]


def statements(study: Study) -> Iterator[Table]:
    """Yield a table of groups and one of statements."""
    groups = read_groups(study.folders["statements"])
    classified = study.classified()
    rows = [
        (name, *group_scores(classified, group)[:3], *PUBLISHED[name].values())
        for name, group in groups.items()
    ]
    headings = ("records", "classes that occur", "macro AUROC", *PUBLISHED["all"])
    yield Table("statements", headings, tuple(rows))
    names = {about.code: about.name for about in classified.classes.diagnoses}
    *_, positives, areas = group_scores(classified, groups["all"])
    each = sorted(zip(groups["all"], positives, areas, strict=True), key=lambda row: -row[1])
    lines = [(f"{code}, {names[code]}", int(count), float(area)) for code, count, area in each if count]
    yield Table("single statements", ("records", "AUROC"), tuple(lines))


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

    def group(column: str) -> Group:
        return {row[""]: (row[""],) for row in rows if row[column]}

    def superclasses(column: str) -> Group:
        diagnostic = [row for row in rows if row["diagnostic"]]
        kinds = dict.fromkeys(row[column] for row in diagnostic)
        return {kind: tuple(row[""] for row in diagnostic if row[column] == kind) for kind in kinds}

    return {
        "all": group(""),
        "diagnostic": group("diagnostic"),
        "subdiagnostic": superclasses("diagnostic_subclass"),
        "superdiagnostic": superclasses("diagnostic_class"),
        "form": group("form"),
        "rhythm": group("rhythm"),
    }


def group_scores(classified: Classified, group: Group) -> tuple[int, int, float, np.ndarray, np.ndarray]:
    """Return the number of records with a class of the group, of classes that occur, and the macro AUROC.

    Then, for each class, the number of its records and its AUROC.

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
