"""Explanations as files for other programs: JSON, and regions as WFDB annotations."""

from pathlib import Path

from cnn_gap.explain.explanation import Explanation
from cnn_gap.explain.long_explanation import LongExplanation
from cnn_gap.io.annotations import Event, write_events
from cnn_gap.system.files import write_json

#: The annotator's name, by which WFDB's tools find the regions beside a record.
ANNOTATOR = "cam"


def write_explanation(path: Path, explanation: Explanation | LongExplanation) -> None:
    """Write an explanation as JSON, whole or not at all; its `to_dict` lists the keys."""
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
    write_events(path, _regions(explanation), record.sampling_rate, len(record.signal))


def write_long_annotations(path: Path, explanation: LongExplanation) -> None:
    """Write the regions of all strips of a long recording, in the same form as `write_annotations`."""
    record = explanation.record
    events = [event for each in explanation.strips for event in _regions(each.explanation, each.strip.start_s)]
    write_events(path, events, record.sampling_rate, record.samples)


def _regions(explanation: Explanation, start_s: float = 0.0) -> list[Event]:
    """Return the regions of all classes as events of a recording in which the record begins at a time, s."""
    return [
        Event(each.diagnosis.abbreviation, start_s + region.start_s, start_s + region.end_s)
        for each in explanation.classes
        for region in each.regions
    ]
