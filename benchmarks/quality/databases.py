"""How a model does on each of the Challenge's databases.

A record's database is told by the letters that its name begins with. The macro AUROC is over the classes that
have enough positives in that database, and over all that occur there; of few records it says little.
"""

import re

import numpy as np

from benchmarks.common import Classified, classify_labelled, model_parser, record_paths, start_classifier, table
from benchmarks.quality.premature_ventricular import with_pvc
from cnn_gap.diagnoses.classes import Diagnosis
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.system.exit_codes import run

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


def main(arguments: list[str]) -> None:
    """Classify the records and print a table of databases and one of classes."""
    parser = model_parser("quality.databases", __doc__)
    parser.add_argument(
        "--positives",
        metavar="N",
        type=int,
        default=10,
        help="positives that a class needs in a database to count (default: %(default)s)",
    )
    parser.add_argument("--pvc", action="store_true", help="count 164884008 as the class of PVC, which it is")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    classified = classify_labelled(classifier, options.data, options.limit)
    if options.pvc:
        classified = with_pvc(classified, record_paths(options.data, options.limit))
    groups = by_database(classified)
    enough = f"macro AUROC of classes with {options.positives} positives"
    headings = ("database", "records", enough, "classes", "macro AUROC of all that occur", "classes")
    rows = [database_row(name, group, options.positives) for name, group in groups.items()]
    print(table((*headings, "Challenge metric"), rows))
    name, group = next(reversed(groups.items()))
    headings = (f"class, {name}", "positives", "AUROC", "known from training")
    print(f"\n{table(headings, _class_rows(group, classifier.unseen))}")


def by_database(classified: Classified) -> dict[str, Classified]:
    """Return the records of each database, all of them, and last those that models are not trained on."""
    letters = np.array([re.match("[A-Za-z]*", name)[0] for name in classified.names])
    groups = {
        f"{DATABASES.get(each, 'unknown')} ({each})": classified[letters == each] for each in np.unique(letters)
    }
    groups["all"] = classified
    foreign = letters != TRAINED_ON
    return groups | ({f"all but {TRAINED_ON}": classified[foreign]} if foreign.any() else {})


def macro_auroc(group: Classified, positives: int) -> tuple[float, int]:
    """Return the macro AUROC of the classes with so many positives or more, nan without any, and how many."""
    frequent = group.labels.sum(axis=0) >= positives
    auroc, _ = auroc_auprc(group.labels[:, frequent], group.probabilities[:, frequent])
    return macro_average(auroc), int(np.isfinite(auroc).sum())


def database_row(name: str, group: Classified, positives: int) -> tuple:
    """Return a row of the table: counts, macro AUROCs and the Challenge metric."""
    averages = *macro_auroc(group, positives), *macro_auroc(group, 1)
    return name, len(group.names), *averages, group.challenge_metric


def _class_rows(group: Classified, unseen: tuple[Diagnosis, ...]) -> list[tuple]:
    """Return a row for each class that occurs, the most frequent first."""
    auroc, _ = auroc_auprc(group.labels, group.probabilities)
    positives = group.labels.sum(axis=0)
    rows = zip(group.classes.diagnoses, positives, auroc, strict=True)
    return [
        (about.name, int(count), float(area), "no" if about in unseen else "yes")
        for about, count, area in sorted(rows, key=lambda row: -row[1])
        if count
    ]


if __name__ == "__main__":
    run(main)
