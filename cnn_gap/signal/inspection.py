"""Describe the content of ECG files, with the notes that their readers would get, without a network."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cnn_gap.io.long_records import LongRecord, open_record
from cnn_gap.io.records import record_header
from cnn_gap.io.registry import format_of
from cnn_gap.io.sources import ListedRecord
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.pieces import pieces
from cnn_gap.signal.quality import Quality, assess_parts, assess_quality
from cnn_gap.signal.windows import Preprocessing, prepare_signal
from cnn_gap.system.errors import InputError

#: Longest part of a long record whose leads and amplitudes are described, s.
DESCRIBED_S = 600.0


@dataclass(frozen=True)
class Inspection:
    """The description of a file.

    Attributes
    ----------
    name, source : str
        The record's name, and its path or address.
    format : str
        Empty where it is not known.
    device : str
        Who made the device that recorded it; empty where the file does not say.
    recorded : str
        When, in ISO 8601; empty where the file does not say.
    sampling_rate : float
        In Hz.
    duration_s : float
    stored, derived, missing : tuple of str
        The twelve leads that the file holds, that follow from I and II, and that are absent.
    amplitude_mv : float
        The median over the leads of the range that holds 99.8 % of the samples, mV; NaN without a lead.
    age : float
        In years, NaN where unknown.
    sex : str
    codes : tuple of str
        The diagnoses.
    answerable : bool
        Whether a model would answer it.
    notes : tuple of str
        What was left out in reading it, and what a reader of its answers would be warned of.
    failure : str
        Why it cannot be read; then nothing else but name, source and perhaps format is known.
    """

    name: str
    source: str
    format: str = ""
    device: str = ""
    recorded: str = ""
    sampling_rate: float = math.nan
    duration_s: float = math.nan
    stored: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    missing: tuple[str, ...] = LEADS
    amplitude_mv: float = math.nan
    age: float = math.nan
    sex: str = "Unknown"
    codes: tuple[str, ...] = ()
    answerable: bool = False
    notes: tuple[str, ...] = ()
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON can hold them; None for a number that is not known."""
        return {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in asdict(self).items()
        }


def inspect_record(listed: ListedRecord, preprocessing: Preprocessing) -> Inspection:
    """Return the content of a record, or the reason why it cannot be read.

    Parameters
    ----------
    listed : ListedRecord
    preprocessing : Preprocessing
        Of the model that would answer it: the quality is assessed in its windows.
    """
    found = Inspection(listed.name, listed.source)
    try:
        with listed.local() as path:
            found = replace(found, format=format_of(record_header(path)).name)
            record = open_record(path)
            quality = _quality(record, preprocessing)
            return _described(found, record, quality)
    except InputError as error:
        return replace(found, failure=str(error))
    except Exception as error:  # an error of one file must not stop the others
        return replace(found, failure=f"{listed.source}: cannot be inspected ({error!r})")


def _described(found: Inspection, record: Record | LongRecord, quality: Quality) -> Inspection:
    part, samples = record, record.samples if isinstance(record, LongRecord) else len(record.signal)
    if isinstance(part, LongRecord):
        part = part.part(0, min(samples, round(DESCRIBED_S * part.sampling_rate)))
    present = [lead for lead, there in zip(LEADS, part.leads, strict=True) if there]
    return replace(
        found,
        device=part.device,
        recorded="" if part.time is None else part.time.isoformat(),
        sampling_rate=record.sampling_rate,
        duration_s=samples / record.sampling_rate,
        stored=tuple(lead for lead in present if lead not in part.derived),
        derived=part.derived,
        missing=tuple(lead for lead in LEADS if lead not in present),
        amplitude_mv=_amplitude(part),
        age=record.age,
        sex=record.sex,
        codes=record.codes,
        answerable=quality.answerable,
        notes=quality.notes,
    )


def _amplitude(record: Record) -> float:
    if not record.leads.any():
        return math.nan
    low, high = np.nanpercentile(record.signal[:, record.leads], (0.1, 99.9), axis=0)
    return round(float(np.median(high - low)), 4)


def _quality(record: Record | LongRecord, preprocessing: Preprocessing) -> Quality:
    rate = preprocessing.sampling_rate
    if isinstance(record, LongRecord):
        parts = pieces(record, preprocessing)
        return assess_parts([assess_quality(each.record, each.prepared, rate) for each in parts])
    return assess_quality(record, prepare_signal(record.signal, record.sampling_rate, preprocessing), rate)


def count_inspections(found: Sequence[Inspection]) -> dict[str, dict[str, int]]:
    """Return counts of records by format, rate, leads, note and reason of a failure."""
    read = [each for each in found if not each.failure]
    return {
        "formats": _counts(each.format for each in read),
        "sampling rates": _counts(f"{each.sampling_rate:g} Hz" for each in read),
        "leads": _counts(_leads(each) for each in read),
        "notes": _counts(_general(note, each) for each in read for note in each.notes),
        "failures": _counts(_general(each.failure, each) for each in found if each.failure),
    }


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _leads(found: Inspection) -> str:
    if not found.missing:
        return "twelve leads" + (" (some derived)" if found.derived else "")
    present = [lead for lead in LEADS if lead not in found.missing]
    return ", ".join(present)


def _general(text: str, found: Inspection) -> str:
    """Return a reason without the path and the numbers of a single record."""
    text = text.removeprefix(f"{found.source}: ")
    words = (
        word if not any(map(str.isdigit, word)) or word.strip(",;:.").startswith("V") else "..."
        for word in text.split()
    )
    return " ".join(words)
