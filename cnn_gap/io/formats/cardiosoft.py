"""GE CardioSoft and CASE XML (root ``CardiologyXML``), the format of UK Biobank's ECGs.

There is no public specification. This module reads what BRAVEHEART, BioSig and readers of UK Biobank agree on:
leads in ``StripData`` as comma-separated counts, or the whole test in ``FullDisclosure``, sample by sample.
"""

from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from cnn_gap.io.headers import parse_age, parse_sex
from cnn_gap.io.units import millivolts_of
from cnn_gap.io.waveforms import record_of_waveform, waveform_from
from cnn_gap.io.xml_files import child_number, child_text, numbers_of, parse_xml, xml_root
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return (xml_root(start) or "").lower() == "cardiologyxml"


def guard(path: Path) -> None:
    """Refuse nothing here: `parse_xml` refuses entities and too many tags."""


def read(path: Path) -> Record:
    """Read the strip of a resting ECG, or the whole of an exercise test."""
    source, root = str(path), parse_xml(path)
    strip, whole = root.find("StripData"), root.find("FullDisclosure")
    if strip is not None and strip.find("WaveformData") is not None:
        held, (names, counts) = strip, _strip(strip, source)
    elif whole is not None and child_text(whole, "FullDisclosureData"):
        held, (names, counts) = whole, _full_disclosure(whole, source)
    else:
        raise InputError(f"{source}: has no waveform of a resting ECG (StripData) and no full disclosure")
    rate = child_number(held, "SampleRate", source)
    waveform = waveform_from(counts * _millivolts_per_count(held, source), names, rate, source)
    patient = root.find("PatientInfo")
    device = " ".join(filter(None, ("GE", child_text(root.find("DeviceInfo"), "Desc"))))
    age, sex = parse_age(child_text(patient, "Age")), parse_sex(child_text(patient, "Gender"))
    return record_of_waveform(waveform, source, age, sex, device, _time(root))


def _strip(strip: Element, source: str) -> tuple[list[str], np.ndarray]:
    """Return the names of the leads and the counts, shape (samples, leads)."""
    leads = strip.findall("WaveformData")
    columns = [numbers_of("".join(lead.itertext()), source) for lead in leads]
    if len({len(column) for column in columns}) > 1:
        raise InputError(f"{source}: is damaged or incomplete; its leads have different lengths")
    return [lead.get("lead", "") for lead in leads], np.stack(columns, axis=1)


def _full_disclosure(whole: Element, source: str) -> tuple[list[str], np.ndarray]:
    names = [name.strip() for name in child_text(whole, "LeadOrder").split(",") if name.strip()]
    counts = numbers_of(child_text(whole, "FullDisclosureData"), source)
    if not names or len(counts) % len(names):
        raise InputError(f"{source}: is damaged or incomplete; its leads have different lengths")
    return names, counts.reshape(-1, len(names))


def _millivolts_per_count(held: Element, source: str) -> float:
    """Return the size of a stored unit, mV, by the name of its unit, such as uVperLsb."""
    element = held.find("Resolution")
    unit = "" if element is None else element.get("units", "")
    factor = millivolts_of(unit.removesuffix("perLsb")) if unit.endswith("perLsb") else None
    if factor is None:
        raise InputError(f"{source}: its leads have no unit of voltage; their unit is {unit[:40] or 'none'}")
    return child_number(held, "Resolution", source) * factor


def _time(root: Element) -> datetime | None:
    parts = [
        child_text(root.find("ObservationDateTime"), name)
        for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
    ]
    try:
        return datetime(*map(int, parts))  # type: ignore[arg-type]
    except ValueError:
        return None
