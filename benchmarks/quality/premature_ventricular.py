"""What answering premature ventricular contractions is worth, and what it costs by official labels.

The 2020 Challenge scores PVC as 427172004 and 17338001. PTB-XL and others code it as 164884008 (ventricular
ectopics) and, in PTB-XL's own statements, as PVC: whoever answers PVC there is wrong by the official labels.
Here both are shown: official labels, and those codes counted as PVC.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks.common import Classified, classify_labelled, model_parser, record_paths, start_classifier, table
from cnn_gap.evaluate.metrics import auroc_auprc
from cnn_gap.io.records import read_info
from cnn_gap.system.exit_codes import run

#: The scored class, and the codes that mean it too.
PVC = "427172004"
PVC_ELSEWHERE = frozenset(("164884008", "PVC"))


def main(arguments: list[str]) -> None:
    """Classify the records and print a row for each way of labelling and answering."""
    options = model_parser("quality.premature_ventricular", __doc__).parse_args(arguments)
    classifier = start_classifier(options.model)
    official = classify_labelled(classifier, options.data, options.limit)
    counted = with_pvc(official, record_paths(options.data, options.limit))
    print(f"{len(official.names)} records\n")
    rows = [
        row(f"{labels}, {answers}", each if answers == "as answered" else without_pvc(each))
        for labels, each in {"official labels": official, "164884008 counted": counted}.items()
        for answers in ("as answered", "PVC never answered")
    ]
    headings = ("labels and answers", "records with PVC", "answered", "of them right", "AUROC of PVC")
    print(table((*headings, "macro AUROC", "Challenge metric"), rows))


def with_pvc(classified: Classified, paths: Iterable[Path]) -> Classified:
    """Return the records with PVC labelled where their headers have one of `PVC_ELSEWHERE`."""
    labels = classified.labels.copy()
    labels[:, classified.classes.find(PVC)] |= [not PVC_ELSEWHERE.isdisjoint(read_info(p).codes) for p in paths]
    return replace(classified, labels=labels)


def without_pvc(classified: Classified) -> Classified:
    """Return the records as if PVC was never answered."""
    outputs = classified.outputs.copy()
    outputs[:, classified.classes.find(PVC)] = False
    return replace(classified, outputs=outputs)


def row(name: str, classified: Classified) -> tuple:
    """Return a row of the table."""
    column = classified.classes.find(PVC)
    labels, answers = classified.labels[:, column], classified.outputs[:, column]
    auroc = float(auroc_auprc(labels[:, None], classified.probabilities[:, [column]])[0][0])
    counts = int(labels.sum()), int(answers.sum()), int((labels & answers).sum())
    return name, *counts, auroc, classified.auroc, classified.challenge_metric


if __name__ == "__main__":
    run(main)
