"""Explanations as files for machines: JSON, and regions as WFDB annotations that other viewers show."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from cnn_gap.ecg.annotations import Event, write_events
from cnn_gap.ecg.headers import LEADS
from cnn_gap.files import write_json
from cnn_gap.prediction.explanation import ExplainedClass, Explanation

#: Raise it when the meaning of the JSON changes.
FORMAT = 1

#: The annotator's name, by which WFDB's tools find the regions beside a record.
ANNOTATOR = "cam"


def write_explanation(path: Path, explanation: Explanation) -> None:
    """Write an explanation as JSON, whole or not at all; `explanation_content` says what it holds."""
    write_json(path, explanation_content(explanation))


def explanation_content(explanation: Explanation) -> dict[str, object]:
    """Return an explanation as JSON has it.

    The `quality` says whether the record is `answerable` and has `notes` for people. Each of `classes` has its `regions` (s, with the mean activation), its `activation` as values at `times_s`,
    and what the logit loses without each lead (`lead_shares`, null if that was not asked for). Activations are
    in units of the logit. A `threshold` of null: the class is never answered.
    """
    record = explanation.record
    times = explanation.step_times
    return {
        "format": FORMAT,
        "record": record.name,
        "sampling_rate": record.sampling_rate,
        "samples": len(record.signal),
        "quality": asdict(explanation.quality),
        "map_stride_s": explanation.stride_s,
        "map_receptive_field_s": explanation.receptive_field_s,
        "times_s": _rounded(times),
        "classes": [
            _class_content(each, np.interp(times, explanation.times, each.activation))
            for each in explanation.classes
        ],
    }


def write_annotations(path: Path, explanation: Explanation) -> None:
    """Write the regions of all classes as WFDB annotations; `cnn_gap.ecg.annotations.read_events` reads them.

    Parameters
    ----------
    path : Path
        The record's path with the suffix ``.cam`` for WFDB's tools to find it; whole or untouched.
    explanation : Explanation
        Its regions are marked with `(` and `)` and the class's abbreviation.
    """
    record = explanation.record
    events = [
        Event(each.diagnosis.abbreviation, region.start_s, region.end_s)
        for each in explanation.classes
        for region in each.regions
    ]
    write_events(path, events, record.sampling_rate, len(record.signal))


def _class_content(explained: ExplainedClass, activation: np.ndarray) -> dict[str, object]:
    shares = explained.lead_shares
    return {
        "name": explained.diagnosis.name,
        "abbreviation": explained.diagnosis.abbreviation,
        "codes": list(explained.codes),
        "system": explained.diagnosis.system,
        "probability": explained.probability,
        "threshold": explained.threshold,
        "label": explained.label,
        "level": explained.level,
        "regions": [
            {"start_s": region.start_s, "end_s": region.end_s, "mean_activation": region.activation}
            for region in explained.regions
        ],
        "lead_shares": None if shares is None else dict(zip(LEADS, _rounded(shares), strict=True)),
        "activation": _rounded(activation),
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
