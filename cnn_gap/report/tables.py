"""Predictions, explanations and scores as text: tables for people, JSON for machines."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet, duplicate_indices
from cnn_gap.evaluate.metrics import CLASS_COLUMNS, Scores
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.leads import LEADS
from cnn_gap.model.folder import ModelDescription

if TYPE_CHECKING:
    from cnn_gap.predict.predictor import Prediction  # it imports Keras, which takes seconds

#: Regions and leads of a class that are named, the strongest ones.
MOST_NAMED = 3


def prediction_table(prediction: "Prediction", count: int = 5) -> str:
    """Return a line for each of the `count` most probable diagnoses and for each other that is answered.

    A finding that says again what its class says is left out. Notes on the record come first; where nothing can
    be answered, there is nothing else.
    """
    if not prediction.answerable:
        return "\n".join(prediction.notes)
    again = duplicate_indices(zip(prediction.classes.diagnoses, prediction.labels, strict=True))
    order = [each for each in np.argsort(-prediction.probabilities, kind="stable") if each not in again]
    shown = [index for rank, index in enumerate(order) if rank < count or prediction.labels[index]]
    rows = [("Probability", "Answered", "Diagnosis", "", "Code")]
    for index in shown:
        about = prediction.classes.diagnoses[index]
        answered = "yes" if prediction.labels[index] else "no"
        codes = ", ".join(prediction.classes.outputs[index])
        rows.append((f"{prediction.probabilities[index]:.3f}", answered, about.name, about.abbreviation, codes))
    return "\n".join([*prediction.notes, aligned(rows)])


def prediction_json(prediction: "Prediction", described: ModelDescription) -> str:
    """Return a JSON object: the record's name and notes, and every class in the order of the probabilities.

    A class has its `probability` (null if it is nan), its `threshold` (null: it is never answered), its `label`
    (whether it is answered), the `name`, `abbreviation` and `codes` of its diagnosis, the `system` of the first
    code, and whether it was `seen` in training. `answerable` says whether the record holds a heart.
    """
    content = prediction.to_dict()
    for index, each in enumerate(content["classes"]):
        each |= {"threshold": described.thresholds[index], "seen": described.seen[index]}
    return json.dumps(content, indent=2, allow_nan=False)


def explanation_table(explanation: Explanation) -> str:
    """Return a line for each class: its probability, its strongest regions and the leads that it rests on.

    A finding that says again what its class says is left out. Notes on the record come first; where nothing can
    be answered, there is nothing else.
    """
    if not explanation.answerable:
        return "\n".join(explanation.notes)
    rows = [("Probability", "Answered", "Diagnosis", "", "Shows at (s)", "Leads")]
    again = duplicate_indices((each.diagnosis, each.label) for each in explanation.classes)
    for index, each in enumerate(explanation.classes):
        if index in again:
            continue
        answered = "yes" if each.label else "no"
        about = each.diagnosis
        rows.append(
            (f"{each.probability:.3f}", answered, about.name, about.abbreviation, _regions(each), _leads(each))
        )
    return "\n".join([*explanation.notes, aligned(rows)])


def scores_table(classes: ClassSet, labels: np.ndarray, scores: Scores) -> str:
    """Return a line a diagnosis, by name, and one over all; `labels` is bool of shape (records, classes)."""
    figures = zip(*(getattr(scores, column.class_figures) for column in CLASS_COLUMNS), strict=True)
    rows = [
        (about.code, about.abbreviation, about.name, str(records), *(f"{value:.3f}" for value in values))
        for about, records, values in zip(
            classes.diagnoses, np.sum(labels, axis=0, dtype=int), figures, strict=True
        )
    ]
    everything = (f"{getattr(scores, column.figure):.3f}" for column in CLASS_COLUMNS)
    heading = ("Code", "", "Diagnosis", "Records", *(column.heading for column in CLASS_COLUMNS))
    return aligned([heading, *rows, ("", "", "all", str(len(labels)), *everything)], words=3)


def aligned(rows: Sequence[tuple[str, ...]], words: int | None = None) -> str:
    """Return a line for each row of text, its cells padded to the width of their column.

    The first `words` columns begin at the left, the others, which hold numbers, end at the right; all begin at
    the left if it is not given.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words is None or column < words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _regions(explained: ExplainedClass) -> str:
    strongest = sorted(explained.regions, key=lambda region: -region.activation)[:MOST_NAMED]
    shown = [
        f"{region.start_s:.2f}-{region.end_s:.2f}" for region in sorted(strongest, key=lambda r: r.start_s)
    ]
    more = len(explained.regions) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") or "nowhere"


def _leads(explained: ExplainedClass) -> str:
    if explained.lead_shares is None:
        return ""
    order = np.argsort(-explained.lead_shares, kind="stable")[:MOST_NAMED]
    return ", ".join(LEADS[lead] for lead in order if explained.lead_shares[lead] > 0)
