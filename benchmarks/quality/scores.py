"""The Challenge's scores, and what answering premature ventricular contractions (PVC) adds to them.

The 2020 Challenge scores PVC as 427172004 and 17338001. PTB-XL and others code it as 164884008 (ventricular
ectopics), PTB-XL's own statements as PVC: an answer PVC is wrong there by the official labels. The table has
both: the official labels, and those codes counted as PVC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.common import Classified, Study, Table
from cnn_gap.evaluate.metrics import auroc_auprc, score
from cnn_gap.io.records import read_info

#: The scored class, and the codes that mean it too.
PVC = "427172004"
FURTHER_PVC = frozenset(("164884008", "PVC"))

HEADINGS = ("records", "AUROC", "AUPRC", "accuracy", "F-measure", "Challenge metric")
PVC_HEADINGS = ("records with PVC", "PVC answered", "of them right", "AUROC of PVC")


def scores(study: Study) -> Iterator[Table]:
    """Yield the table of `data`: official labels and PVC counted, as answered and without the answer PVC."""
    official = study.classified().scored
    ways = {"official labels": official, "164884008 counted as PVC": with_pvc(official, study.paths())}
    rows = [
        scores_row(f"{labels}, {answers}", each if answers == "as answered" else without_pvc(each))
        for labels, each in ways.items()
        for answers in ("as answered", "PVC never answered")
    ]
    yield Table("scores", HEADINGS + PVC_HEADINGS, tuple(rows))


def with_pvc(classified: Classified, paths: Iterable[Path]) -> Classified:
    """Return the records with PVC labelled where their headers have one of `FURTHER_PVC`."""
    labels = classified.labels.copy()
    found = [not FURTHER_PVC.isdisjoint(read_info(path).codes) for path in paths]
    labels[:, classified.classes.find(PVC)] |= found
    return replace(classified, labels=labels)


def without_pvc(classified: Classified) -> Classified:
    """Return the records with every answer PVC taken back."""
    outputs = classified.outputs.copy()
    outputs[:, classified.classes.find(PVC)] = False
    return replace(classified, outputs=outputs)


def scores_row(name: str, records: Classified) -> tuple[object, ...]:
    """Return a row of the table."""
    found = score(records.classes, records.labels, records.outputs, records.probabilities)
    column = records.classes.find(PVC)
    labels, answers = records.labels[:, column], records.outputs[:, column]
    auroc = float(auroc_auprc(labels[:, None], records.probabilities[:, [column]])[0][0])
    figures = found.auroc, found.auprc, found.accuracy, found.f_measure, found.challenge_metric
    counts = int(labels.sum()), int(answers.sum()), int((labels & answers).sum())
    return (name, len(records.names), *map(float, figures), *counts, auroc)
