"""A prediction as a table for people and as JSON for machines."""

import json
from collections.abc import Sequence

import numpy as np

from cnn_gap.classifier import Classifier, Prediction


def prediction_table(prediction: Prediction, count: int = 5) -> str:
    """Return a line for each of the `count` most probable diagnoses and for each other that is answered."""
    order = np.argsort(-prediction.probabilities, kind="stable")
    shown = [index for rank, index in enumerate(order) if rank < count or prediction.labels[index]]
    rows = [("Probability", "Answered", "Diagnosis", "", "Code")]
    for index in shown:
        about = prediction.classes.diagnoses[index]
        answered = "yes" if prediction.labels[index] else "no"
        codes = ", ".join(prediction.classes.classes[index])
        rows.append((f"{prediction.probabilities[index]:.3f}", answered, about.name, about.abbreviation, codes))
    return aligned(rows)


def prediction_json(classifier: Classifier, prediction: Prediction) -> str:
    """Return a JSON object: the record's name and every class, in the order of the network's probabilities.

    A class has its `probability` (null if it is nan), its `threshold` (null: it is never answered), its `label`
    (whether it is answered), the `name`, `abbreviation` and `codes` of its diagnosis, and whether it was `seen`
    in training.
    """
    described = classifier.description
    probabilities = [None if np.isnan(p) else float(p) for p in prediction.probabilities]
    classes = [
        {
            "probability": probabilities[index],
            "threshold": described.thresholds[index],
            "label": bool(prediction.labels[index]),
            "name": about.name,
            "abbreviation": about.abbreviation,
            "codes": list(described.classes[index]),
            "seen": described.seen[index],
        }
        for index, about in enumerate(prediction.classes.diagnoses)
    ]
    return json.dumps({"record": prediction.name, "classes": classes}, indent=2, allow_nan=False)


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a line for each row of text, its cells padded to the width of their column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
