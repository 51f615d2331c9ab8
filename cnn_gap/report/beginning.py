"""The part of a record that is shown first: one function chooses it for the page and for the PDF."""

from dataclasses import dataclass

from cnn_gap.beats.ventricular import Run
from cnn_gap.explain.explanation import Explanation
from cnn_gap.reading.reading import first_alert_s
from cnn_gap.record import Record
from cnn_gap.report.findings import MappedFinding, most_urgent, reading_findings
from cnn_gap.report.layouts import event_start, strongest_start

#: A record that is at most this many times as long as the part that is shown begins at 0 s without an event.
SHORT_PAGES = 2


@dataclass(frozen=True)
class Beginning:
    """When the part of a record that is shown first begins, s, and why this part is shown."""

    start_s: float = 0.0
    reason: str = "the beginning"


def beginning(explanation: Explanation, run: Run | None, shown_s: float) -> Beginning:
    """Return which part of a record is shown first.

    The first alert that has a time decides; without one, the run of wide complexes, if there is one. Of a
    longer record without both it is the part with most of the map of the most urgent finding.

    Parameters
    ----------
    explanation : Explanation
    run : Run or None
        Of the record's measurements. It does not count if the record is not answerable.
    shown_s : float
        How long the part is, s.
    """
    record, reading = explanation.record, explanation.reading
    alert_s = None if reading is None else first_alert_s(reading)
    if alert_s is not None:
        return Beginning(event_start(alert_s, record.duration_s, shown_s), "at the time of the first alert")
    if run is not None and explanation.answerable:
        start_s = event_start(run.start_s, record.duration_s, shown_s)
        return Beginning(start_s, "where the run of wide complexes begins") if start_s else Beginning()
    is_long = record.duration_s > SHORT_PAGES * shown_s
    urgent = most_urgent(reading_findings(explanation)) if is_long else None
    return Beginning() if urgent is None else strongest_part(record, urgent, shown_s)


def strongest_part(record: Record, finding: MappedFinding, shown_s: float) -> Beginning:
    """Return the part of a record with most of a finding's map; the beginning if no part has clearly more."""
    start_s = strongest_start(finding.explained.activation, record.sampling_rate, shown_s)
    return Beginning(start_s, f"the part that speaks most for {finding.name}") if start_s else Beginning()
