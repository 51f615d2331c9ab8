"""How a model does on each of the Challenge's databases; 164884008 counts as PVC.

The first letters of a record's name say which database it is from. The macro AUROC is given over the classes
with `POSITIVES` positive records in that database, and over all classes that occur there.
"""

import re
from collections.abc import Iterator

import numpy as np

from benchmarks.common import Classified, Study, Table
from benchmarks.quality.scores import with_pvc
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average

#: By the letters of the records' names.
DATABASES = {
    "A": "CPSC 2018",
    "E": "Georgia",
    "HR": "PTB-XL",
    "I": "INCART",
    "JS": "Chapman-Shaoxing and Ningbo",
    "Q": "CPSC-Extra",
    "S": "PTB",
}

#: The database that models are trained on.
TRAINED_ON = "HR"

#: Positive records that a class needs in a database.
POSITIVES = 5

HEADINGS = (
    "records",
    f"macro AUROC of classes with {POSITIVES} positives",
    "number of these classes",
    "macro AUROC of all classes that occur",
    "number of all classes",
    "Challenge metric",
    "Challenge metric by official labels",
)


def databases(study: Study) -> Iterator[Table]:
    """Yield a table of the databases of `others`, and one of the classes in those not trained on."""
    official = study.classified("others").scored
    counted = by_database(with_pvc(official, study.paths("others")))
    rows = [
        (*database_row(name, group), by_labels.challenge_metric)
        for (name, group), by_labels in zip(counted.items(), by_database(official).values(), strict=True)
    ]
    yield Table("databases", HEADINGS, tuple(rows))
    foreign = list(counted.values())[-1]
    headings = ("positives", "AUROC", "in the training records")
    yield Table("classes of other databases", headings, tuple(_class_rows(foreign, study)))


def database_letters(name: str) -> str:
    """Return the letters that the name of a record begins with."""
    return re.match("[A-Za-z]*", name)[0]


def by_database(classified: Classified) -> dict[str, Classified]:
    """Return the records of each database, all of them, and last those that models are not trained on."""
    letters = np.array([database_letters(name) for name in classified.names])
    groups = {
        f"{DATABASES.get(each, 'unknown')} ({each})": classified[letters == each] for each in np.unique(letters)
    }
    groups["all"] = classified
    foreign = letters != TRAINED_ON
    return groups | ({f"all but {DATABASES[TRAINED_ON]}": classified[foreign]} if foreign.any() else {})


def macro_auroc(group: Classified, positives: int) -> tuple[float, int]:
    """Return the macro AUROC of the classes with that many positives or more (nan: none), and their number."""
    frequent = group.labels.sum(axis=0) >= positives
    auroc, _ = auroc_auprc(group.labels[:, frequent], group.probabilities[:, frequent])
    return macro_average(auroc), int(np.isfinite(auroc).sum())


def database_row(name: str, group: Classified) -> tuple[object, ...]:
    """Return a row of the table: number of records, macro AUROCs and the Challenge metric."""
    averages = *macro_auroc(group, POSITIVES), *macro_auroc(group, 1)
    return name, len(group.names), *averages, group.challenge_metric


def _class_rows(group: Classified, study: Study) -> list[tuple[object, ...]]:
    """Return a row for each class that occurs, the most frequent first."""
    auroc, _ = auroc_auprc(group.labels, group.probabilities)
    positives = group.labels.sum(axis=0)
    unseen = study.classifier.unseen
    rows = zip(group.classes.diagnoses, positives, auroc, strict=True)
    return [
        (about.name, int(count), float(area), "no" if about in unseen else "yes")
        for about, count, area in sorted(rows, key=lambda row: -row[1])
        if count
    ]
