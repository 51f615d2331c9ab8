"""What pictures and pages say of a record and of a class, in words."""

import math

from cnn_gap.ecg.records import Record
from cnn_gap.prediction.explanation import ExplainedClass


def heading(explained: ExplainedClass) -> str:
    """Return a class's name with its abbreviation, such as ``Atrial fibrillation (AF)``."""
    name, short = explained.diagnosis.name, explained.diagnosis.abbreviation
    return name if name == short else f"{name[:1].upper()}{name[1:]} ({short})"


def answer(explained: ExplainedClass) -> str:
    """Return the probability, the threshold and whether the class is answered."""
    if explained.threshold is None:
        return f"Probability {explained.probability:.3f}, no threshold: never answered"
    answered = "answered" if explained.label else "not answered"
    return f"Probability {explained.probability:.3f}, threshold {explained.threshold:.3f}: {answered}"


def person(record: Record) -> list[str]:
    """Return what is known of the person, such as ``["63 years", "female"]``."""
    known = [] if math.isnan(record.age) else [f"{record.age:g} years"]
    return known if record.sex == "Unknown" else [*known, record.sex.lower()]


def printable(text: str) -> str:
    """Return text without what no file of a picture can hold, such as the bytes of names that are not UTF-8."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
