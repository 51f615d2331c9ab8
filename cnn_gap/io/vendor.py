"""Files of devices and archives, parsed by ecgdatakit (https://ecgdatakit.ummisco.fr).

Its result becomes a `Record`: the twelve leads of the rhythm waveform in mV. Of the patient only age and sex
are taken.
"""

import math
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np

from cnn_gap.io.units import millivolts_of
from cnn_gap.io.waveforms import (
    LOWEST,
    MORE_WAVEFORMS,
    MOST_EMPTY,
    Waveform,
    join_waveforms,
    note_of_times,
    record_of_waveform,
    waveform_from,
)
from cnn_gap.io.xml_files import xml_bytes
from cnn_gap.leads import NoLeadError, choose_leads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from ecgdatakit import ECGRecord, Lead

#: Warnings of ecgdatakit on samples that are damaged or missing.
_DAMAGE = re.compile(
    r"CRC|checksum|truncated|not closed|shorter than the frame|no waveform data|without a gap", re.IGNORECASE
)

#: Warnings on waveforms that are not read.
_MORE_WAVEFORMS = re.compile(r"not loaded|only the first|waveform ignored", re.IGNORECASE)

#: Warnings on leads with unknown names.
_UNKNOWN_LEADS = re.compile(r"ignored in the rhythm series: \[(.*)\]")

#: The largest number of waveforms of a file: a page of twelve leads has 16 at most.
MOST_PARTS = 64

_UNITS = {1e-6: "nV", 1e-3: "uV", 1.0: "mV", 1e3: "V"}

_SEX = {"F": "Female", "M": "Male"}


class UnreadableError(Exception):
    """A file cannot be read; the message quotes nothing of it, since that may be the patient's name."""


@dataclass(frozen=True)
class Parsed:
    """The record that ecgdatakit made of a file, and notes on the parts that it left out."""

    record: "ECGRecord"
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One waveform of a file as a file of its own, and when it begins (s)."""

    content: bytes
    start_s: float = 0.0


def read_vendor(path: Path) -> Record:
    """Read a file that has one rhythm waveform.

    Raises
    ------
    InputError
        If the file is damaged or partial, or its leads have no unit or different rates.
    UnreadableError
        If ecgdatakit refuses it.
    ImportError
        If a package is missing.
    """
    parsed = parse(path)
    return record_of(parsed, waveform_of(parsed, str(path)), str(path))


def read_xml(path: Path, root: Element) -> Record:
    """Read an XML file that has been parsed with limits; raises as `read_vendor`."""
    return read_parts(path, [Part(xml_bytes(root))])


def read_parts(path: Path, parts: Sequence[Part]) -> Record:
    """Read a file that was divided into parts of one waveform each; raises as `read_vendor`.

    Parts without any of the twelve leads are left out, with a note.
    """
    source = str(path)
    require_few(len(parts), source)
    waveforms, refused = [], []
    for part in parts:
        parsed = parse_content(part.content, path)
        try:
            waveforms.append(replace(waveform_of(parsed, source), start_s=part.start_s))
        except NoLeadError as error:
            refused.append(error)
    if not waveforms:
        raise refused[0]
    joined = join_waveforms(waveforms, source)
    if refused:
        joined = replace(joined, notes=tuple(dict.fromkeys((*joined.notes, MORE_WAVEFORMS))))
    return record_of(parsed, joined, source)


def require_few(count: int, source: str) -> None:
    """Refuse a file of more than `MOST_PARTS` waveforms: each takes as long to read as a file of its own."""
    if count > MOST_PARTS:
        raise InputError(f"{source}: holds {count} waveforms; at most {MOST_PARTS} are read")


def plain_unit(unit: str) -> str:
    """Return a unit of voltage as ecgdatakit spells it, others as they are.

    Examples
    --------
    >>> [plain_unit(unit) for unit in ("uVolt", "microvolts", "mmHg")]
    ['uV', 'uV', 'mmHg']
    """
    return _UNITS.get(millivolts_of(unit) or 0, unit)


def parse(path: Path) -> Parsed:
    """Parse a file with ecgdatakit; raises as `read_vendor`."""
    import ecgdatakit

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            parsed = ecgdatakit.FileParser.parse(path, units="mV")
        except ImportError:
            raise
        except Exception as error:  # its parsers promise no kind of exception
            raise UnreadableError(_reason(error, path)) from error
    said = [str(each.message) for each in caught]
    if any(map(_DAMAGE.search, said)):
        raise InputError(f"{path}: is damaged or incomplete; export it again")
    unknown = [found[1].replace("'", "") for text in said if (found := _UNKNOWN_LEADS.search(text))]
    notes = [f"left out, as none of the twelve leads: {names[:80]}" for names in unknown]
    if any(map(_MORE_WAVEFORMS.search, said)):
        notes.append(MORE_WAVEFORMS)
    return Parsed(parsed, tuple(notes))


def parse_content(content: bytes, path: Path) -> Parsed:
    """Parse bytes, such as a part of a file, as if they were a file; raise the errors of `read_vendor`."""
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        part = Path(folder) / f"part{path.suffix}"
        part.write_bytes(content)
        try:
            return parse(part)
        except InputError as error:
            raise InputError(str(error).replace(str(part), str(path))) from error


def waveform_of(parsed: Parsed, source: str) -> Waveform:
    """Return the twelve leads of a file that has been parsed, as far as it has them.

    Raises
    ------
    InputError
        If there is none, or they have no unit of voltage or different rates.
    """
    stored = parsed.record.leads
    choice = choose_leads([lead.label for lead in stored], source)
    leads = [stored[column] for column in choice.columns.values()]
    for lead in leads:
        if lead.is_raw or lead.units != "mV":
            unit = lead.units or lead.adc_resolution_unit or "none"
            raise InputError(f"{source}: lead {lead.label} has no unit of voltage; its unit is {unit}")
    rates = {lead.sampling_rate for lead in leads}
    if len(rates) > 1:
        raise InputError(
            f"{source}: its leads have different sampling rates, {sorted(rates)} Hz; export one rate"
        )
    rate, spans = _exact_rate(parsed.record, leads[0]), _spans(source, leads)
    times = note_of_times(
        [((lead.label,), start / rate, end / rate) for lead, (start, end) in zip(leads, spans, strict=True)]
    )
    notes = choice.notes + times + parsed.notes
    return waveform_from(_aligned(leads, spans), [lead.label for lead in leads], rate, source, notes)


def record_of(parsed: Parsed, waveform: Waveform, source: str) -> Record:
    """Return the record of a waveform, with the age, sex, device and time that the file states."""
    patient, recording = parsed.record.patient, parsed.record.recording
    device = " ".join(filter(None, (recording.device.manufacturer, recording.device.model)))
    sex = _SEX.get(patient.sex, "Unknown")
    return record_of_waveform(waveform, source, _age(parsed.record), sex, device, recording.date)


def _age(record: "ECGRecord") -> float:
    """Return the age in years: as stated, or on the day of the recording; NaN where unknown."""
    born, recorded = record.patient.birth_date, record.recording.date
    if record.patient.age is not None:
        return float(record.patient.age) if record.patient.age >= 0 else math.nan
    if born is None or recorded is None or born.replace(tzinfo=None) > recorded.replace(tzinfo=None):
        return math.nan
    return float(recorded.year - born.year - ((recorded.month, recorded.day) < (born.month, born.day)))


def _aligned(leads: list["Lead"], spans: list[tuple[int, int]]) -> np.ndarray:
    """Return the leads as columns; NaN before and after, and where the value for none is stored."""
    signal = np.full((max(end for _, end in spans), len(leads)), np.nan, np.float32)
    with np.errstate(over="ignore"):  # infinite amplitudes count as not valid
        for column, ((start, end), lead) in enumerate(zip(spans, leads, strict=True)):
            unit = millivolts_of(lead.resolution_unit) or math.nan
            lowest = (LOWEST * lead.resolution + lead.offset) * unit
            signal[start:end, column] = np.where(np.isclose(lead.samples, lowest), np.nan, lead.samples)
    return signal


def _spans(source: str, leads: list["Lead"]) -> list[tuple[int, int]]:
    """Return the first sample of each lead and the one after its last, from the first of all."""
    starts = [int(lead.annotations.get("start_sample", 1)) for lead in leads]
    begin = min(starts)
    spans = [
        (start - begin, start - begin + len(lead.samples)) for start, lead in zip(starts, leads, strict=True)
    ]
    if max(end for _, end in spans) * len(leads) > MOST_EMPTY * sum(len(lead.samples) for lead in leads):
        raise InputError(f"{source}: its leads lie too far apart to be one record")
    return spans


def _exact_rate(parsed: "ECGRecord", lead: "Lead") -> float:
    """Return the sampling rate in Hz; ecgdatakit rounds a lead's, and keeps the exact one in another field."""
    held = parsed.raw_metadata
    exact = [
        held.get("exact_sampling_rates", {}).get(lead.label),
        held.get("rhythm_time", {}).get("sampling_rate_exact"),
        1e6 / held["rhythm_sample_interval_us"] if held.get("rhythm_sample_interval_us") else None,
        *(group["sampling_frequency"] for group in held.get("multiplex_groups", ())),
    ]
    near = (rate for rate in exact if rate is not None and abs(rate - lead.sampling_rate) <= 0.5)
    return float(next(near, lead.sampling_rate))


def _reason(error: Exception, path: Path) -> str:
    """Return why ecgdatakit refused a file, without text of the file, which may be the patient's name."""
    if error.__cause__ is not None or not type(error).__module__.startswith("ecgdatakit"):
        return type(error.__cause__ or error).__name__
    return " ".join(str(error).replace(str(path), "the file").split())[:200]
