"""The texts of pictures and pages on a record and on a class."""

import math
from collections.abc import Callable, Mapping

from cnn_gap.beats.intervals import Measurements
from cnn_gap.diagnoses.classes import Diagnosis, duplicate_indices
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.reading.reading import Statement
from cnn_gap.record import Record

#: Codes of rhythms without a PR interval: atrial fibrillation, flutter, pacing rhythm.
WITHOUT_PR = frozenset({"164889003", "164890007", "10370003", "AFIB", "AFLT", "PACE"})

#: The intervals that reports show, by their names in a reading.
INTERVALS = {
    "pr_ms": "PR",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "qtc_bazett_ms": "QTc Bazett",
    "qtc_fridericia_ms": "QTc Fridericia",
}

#: The age that PTB-XL gives everybody who is older than 89 (Wagner et al. 2020, doi:10.1038/s41597-020-0495-6).
HIDDEN_AGE = 300

#: The largest number of diagnoses without training records that are named; the others are counted.
_MOST_NAMED = 6


def heading(explained: ExplainedClass) -> str:
    """Return a class's name with its abbreviation, such as ``Atrial fibrillation (AF)``."""
    return full_name(explained.diagnosis)


def full_name(diagnosis: Diagnosis) -> str:
    """Return a diagnosis's name with its abbreviation, as `heading` does."""
    name, short = diagnosis.name, diagnosis.abbreviation
    return name if name == short else f"{name[:1].upper()}{name[1:]} ({short})"


def answer(explained: ExplainedClass) -> str:
    """Return the probability, the threshold and whether the class is reported."""
    probability, threshold = explained.probability, explained.threshold
    if threshold is None:
        return f"Probability {probability:.3f}, no threshold: never reported"
    than = "≥" if probability >= threshold else "<"
    return f"Probability {probability:.3f} {than} threshold {threshold:.3f}: {verdict(explained)}"


def verdict(explained: ExplainedClass) -> str:
    """Return whether a class is reported, in a word or two."""
    if explained.threshold is None:
        return "never reported"
    if not explained.label:
        return "below threshold"
    return (
        "reported" if explained.probability >= explained.threshold else "reported, as nearest to its threshold"
    )


def why(statement: Statement, write: Callable[[str], str] = str) -> str:
    """Return the origin of a statement, such as ``network 0.93 and measurement: QRS 150 ms``.

    The evidence in it is as `write` writes it.
    """
    network = "" if statement.probability is None else f"network {statement.probability:.2f}"
    measured = "; ".join(map(write, statement.evidence))
    if statement.origin == "network":
        return "; ".join(filter(None, (network, measured)))
    if statement.origin == "measurement":
        return f"by measurement: {measured}"
    return f"{network} and measurement: {measured}"


def codes(explained: ExplainedClass) -> str:
    """Return a class's codes after their system, such as ``SNOMED CT 164889003``."""
    return f"{explained.diagnosis.system} {', '.join(explained.codes)}"


def person(record: Record) -> list[str]:
    """Return the age and sex of the person, where they are known, such as ``["63 years", "female"]``."""
    age = "over 89 years" if record.age == HIDDEN_AGE else f"{record.age:g} years"
    known = [] if math.isnan(record.age) else [age]
    return known if record.sex == "Unknown" else [*known, record.sex.lower()]


def recording(record: Record) -> list[str]:
    """Return the time of the recording and the device, where the record's file has them."""
    when = [] if record.time is None else [f"recorded {record.time:%Y-%m-%d %H:%M}"]
    return [*when, f"device {drawable(record.device)}"] if record.device else when


def measured_values(measured: Measurements, explanation: Explanation) -> list[tuple[str, str]]:
    """Return the measured values that the reading believes, as name and value with unit: ``("PR", "160 ms")``.

    Without a reading they are those of `measured`, without PR where a rhythm is reported that has none. Nothing
    is returned of a record in which there is no heartbeat that can be judged.
    """
    if not explanation.answerable:
        return []
    if explanation.reading is not None:
        return _read_values(explanation.reading.measured)
    without_pr = WITHOUT_PR.intersection(each.code for each in explanation.reported)
    return [(name, value) for name, value in measured.values if name != "PR" or not without_pr]


def _read_values(measured: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return names and texts of the measured values that reports show, such as ``("Rate", "70/min")``."""
    found = [("Rate", f"{measured['rate']:.0f}/min")] if "rate" in measured else []
    if "rate" in measured and {"shortest_rr_s", "longest_rr_s"} <= measured.keys():
        shortest, longest = (round(1000 * measured[name]) for name in ("shortest_rr_s", "longest_rr_s"))
        found.append(("RR", f"{shortest}–{longest} ms"))
    found += [(said, f"{measured[name]:.0f} ms") for name, said in INTERVALS.items() if name in measured]
    if "axis_deg" in measured:
        found.append(("QRS axis", f"{measured['axis_deg']:.0f}°".replace("-", "−")))
    return found


def record_notes(explanation: Explanation) -> tuple[str, ...]:
    """Return the notes of the record's reader and on its quality, each once."""
    return tuple(dict.fromkeys((*explanation.record.notes, *explanation.notes)))


def cautions(explanation: Explanation) -> list[str]:
    """Return the limits of an explanation: notes on the record and limits of the network."""
    said = [f"{note[:1].upper()}{note[1:]}" for note in record_notes(explanation)]
    return said + network_limits(explanation)


def network_limits(explanation: Explanation) -> list[str]:
    """Return sentences on what the network cannot see or report in any record."""
    said = []
    if explanation.unseen:
        names = [diagnosis.name for diagnosis in explanation.unseen]
        more = len(names) - _MOST_NAMED
        listed = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        said.append(f"Never learned and so never reported: {listed}")
    if explanation.highest_hz is not None:
        said.append(f"The network sees nothing above {explanation.highest_hz:g} Hz, such as pacemaker spikes")
    return said


def reported(explanation: Explanation) -> str:
    """Return the abbreviations of all diagnoses that are reported of the record, each once."""
    repeated = duplicate_indices((each, True) for each in explanation.reported)
    names = (each.abbreviation for index, each in enumerate(explanation.reported) if index not in repeated)
    return ", ".join(dict.fromkeys(names)) or "nothing"


def drawable(text: str) -> str:
    """Return text with a replacement for characters that pictures cannot hold, such as control characters."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
