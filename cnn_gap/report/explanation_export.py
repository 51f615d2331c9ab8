"""Explanations as files for other programs: JSON, and regions as WFDB annotations."""

from pathlib import Path

from cnn_gap.explain.explanation import Explanation
from cnn_gap.io.annotations import Event, write_events
from cnn_gap.system.files import write_json

#: The annotator's name, by which WFDB's tools find the regions beside a record.
ANNOTATOR = "cam"


def write_explanation(path: Path, explanation: Explanation) -> None:
    """Write an explanation as JSON, whole or not at all; `Explanation.to_dict` lists its keys."""
    write_json(path, explanation.to_dict())


def write_annotations(path: Path, explanation: Explanation) -> None:
    """Write the regions of all classes as WFDB annotations; `cnn_gap.io.annotations.read_events` reads them.

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
