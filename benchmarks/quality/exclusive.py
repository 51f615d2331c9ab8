"""Which answers exclude each other, how often they are given together, and what dropping one of them is worth.

Of two such answers the one whose probability lies less above its threshold, in logits, is dropped.
"""

from dataclasses import replace

import numpy as np
from scipy.special import logit

from benchmarks.common import Classified, classify_labelled, model_parser, start_classifier, table
from cnn_gap.diagnoses.classes import diagnosis
from cnn_gap.system.exit_codes import run

#: Pairs of codes: blocks of which one is more than the other, and rhythms.
PAIRS = (
    ("713427006", "713426002"),  # complete and incomplete right bundle branch block
    ("713427006", "164909002"),  # right and left bundle branch block
    ("713426002", "164909002"),
    ("39732003", "47665007"),  # left and right axis deviation
    (
        "426783006",
        "164889003",
    ),  # sinus rhythm and: fibrillation, flutter, sinus rhythm of another rate
    ("426783006", "164890007"),
    ("426783006", "426177001"),
    ("426783006", "427084000"),
    ("426177001", "427084000"),  # bradycardia and tachycardia
    ("164889003", "164890007"),  # fibrillation and flutter
    ("164889003", "427084000"),
    ("164889003", "427393009"),
)


def main(arguments: list[str]) -> None:
    """Classify the records and print a row for each pair, and one for all pairs."""
    options = model_parser("quality.exclusive", __doc__).parse_args(arguments)
    classifier = start_classifier(options.model)
    classified = classify_labelled(classifier, options.data, options.limit)
    thresholds = classifier.description.lowest_probabilities[: len(classified.classes)]
    before = classified.challenge_metric
    rows = []
    for pair in PAIRS:
        one, other = (classified.classes.find(code) for code in pair)
        changed = without_weaker(classified, thresholds, [(one, other)])
        both, true = (
            int((each[:, one] & each[:, other]).sum()) for each in (classified.outputs, classified.labels)
        )
        name = " and ".join(diagnosis(code).abbreviation for code in pair)
        rows.append((name, true, both, changed.challenge_metric - before))
    columns = [tuple(classified.classes.find(code) for code in pair) for pair in PAIRS]
    every = without_weaker(classified, thresholds, columns)
    rows.append(("all pairs", "", "", every.challenge_metric - before))
    print(f"{len(classified.names)} records, Challenge metric {before:.4f}\n")
    print(table(("pair", "labelled together", "answered together", "metric gained by dropping one"), rows))


def without_weaker(classified: Classified, thresholds: np.ndarray, pairs: list[tuple[int, int]]) -> Classified:
    """Return the records with one answer of each pair (columns) dropped where both are given."""
    outputs = classified.outputs.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        above = logit(classified.probabilities) - logit(np.minimum(thresholds, 1))
    for one, other in pairs:
        both = outputs[:, one] & outputs[:, other]
        first = above[:, one] >= above[:, other]
        outputs[both & first, other] = False
        outputs[both & ~first, one] = False
    return replace(classified, outputs=outputs)


if __name__ == "__main__":
    run(main)
