"""Predictions, explanations and scores as text: aligned tables, and JSON."""

import json
from collections.abc import Sequence
from typing import Any

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.evaluate.metrics import CLASS_COLUMNS, Scores
from cnn_gap.explain.explanation import EXPLAINED_COLUMNS, Explanation
from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.model.folder import ModelDescription
from cnn_gap.predict.prediction import ANSWER_COLUMNS, SHOWN_DIAGNOSES, Prediction
from cnn_gap.reading.reading import alert_lines
from cnn_gap.report.monitoring_text import monitoring_text
from cnn_gap.system.timed_text import clock

#: Says what regions mean if their class is not answered.
NOT_ANSWERED = (
    'Challenge label "no": the times are where the signal speaks for the diagnosis, but not enough to answer it'
)


def prediction_table(prediction: Prediction, count: int = SHOWN_DIAGNOSES) -> str:
    """Return a line for each of the `count` most probable diagnoses and for each other that is answered.

    Notes on the record come first; a record that is not answerable has nothing else.
    """
    if not prediction.answerable:
        return "\n".join(prediction.notes)
    return "\n".join([*prediction.notes, probability_table(prediction, count)])


def probability_table(prediction: Prediction, count: int) -> str:
    """Return the lines of `prediction_table` without the notes."""
    return aligned([ANSWER_COLUMNS, *(answer.row for answer in prediction.shown(count))])


def prediction_json(prediction: Prediction, described: ModelDescription) -> str:
    """Return `prediction_content` as JSON."""
    return json.dumps(prediction_content(prediction, described), indent=2, allow_nan=False)


def prediction_content(prediction: Prediction, described: ModelDescription) -> dict[str, Any]:
    """Return `Prediction.to_dict` with the threshold of each class, in the order of `prediction.probabilities`.

    A class has its `probability` (null if it is nan), its `threshold` (null: it is never answered), its `label`
    (whether it is answered), the `name`, `abbreviation` and `codes` of its diagnosis, the `system` of the first
    code, and whether it was `seen` in training. `answerable` tells whether the record holds a heartbeat that
    can be judged. `reading` is `Reading.to_dict`, null where the record was not measured.
    """
    content = prediction.to_dict()
    for index, each in enumerate(content["classes"]):
        each |= {"threshold": described.thresholds[index], "seen": described.seen[index]}
    return content


def explanation_table(explanation: Explanation) -> str:
    """Return a line for each class: its probability, its strongest regions and its strongest leads.

    Notes on the record come first, then the alerts of its reading; a record that is not answerable has nothing
    else. A last line says what the regions of a class mean that is not answered, if there are any.
    """
    alerts = [] if explanation.reading is None else alert_lines(explanation.reading)
    if not explanation.answerable:
        return "\n".join([*explanation.notes, *alerts])
    lines = [*explanation.notes, *alerts, aligned([EXPLAINED_COLUMNS, *explanation.rows])]
    if any(each.regions and not each.label for each in explanation.classes):
        lines.append(NOT_ANSWERED)
    return "\n".join(lines)


def long_explanation_table(explanation: LongExplanation) -> str:
    """Return the conclusion and alerts of a long recording, its figures, and its events with the time of each.

    The events that a strip shows with maps are marked.
    """
    prediction = explanation.prediction
    if prediction.monitoring is None:
        return "\n".join(prediction.notes)
    reading = prediction.reading
    said = [] if reading is None else [reading.summary, *alert_lines(reading)]
    listed = [each for each in explanation.events if explanation.strip_of(each) is not None]
    rows = [(clock(each.start_s), each.title) for each in listed]
    more = len(explanation.events) - len(listed)
    heading = f"events in the {len(explanation.strips)} strips that have maps, the most urgent first" + (
        f"; the page and the PDF list {more} more" if more else ""
    )
    lines = [*prediction.notes, *said, monitoring_text(prediction.monitoring)]
    return "\n".join([*lines, f"{heading}:", aligned(rows)] if rows else lines)


def scores_table(classes: ClassSet, scores: Scores) -> str:
    """Return a line for each class with its figures, and a last line with those over all classes."""
    figures = zip(*(getattr(scores, column.class_figures) for column in CLASS_COLUMNS), strict=True)
    rows = [
        (about.code, about.abbreviation, about.name, str(records), *(f"{value:.3f}" for value in values))
        for about, records, values in zip(classes.diagnoses, scores.positives, figures, strict=True)
    ]
    everything = (f"{getattr(scores, column.figure):.3f}" for column in CLASS_COLUMNS)
    heading = ("Code", "", "Diagnosis", "Records", *(column.heading for column in CLASS_COLUMNS))
    return aligned([heading, *rows, ("", "", "all", str(scores.records), *everything)], words=3)


def aligned(rows: Sequence[tuple[str, ...]], words: int | None = None) -> str:
    """Return a line for each row of text, its cells padded to the width of their column.

    The first `words` columns are aligned at the left, the others, which hold numbers, at the right. By default
    all are aligned at the left.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words is None or column < words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
