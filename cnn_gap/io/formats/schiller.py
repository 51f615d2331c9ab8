"""Schiller EDI XML (root ``com.xiriuz.sema.xml.schillerEDI.SchillerEDI``).

There is no public specification. This module reads what BRAVEHEART and CVRG's converter agree on: channels of
the ``wavedata`` of type ``ECG_RHYTHMS``, comma-separated counts.
"""

import math
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from cnn_gap.io.headers import parse_sex
from cnn_gap.io.units import millivolts_of
from cnn_gap.io.waveforms import Waveform, join_waveforms, record_of_waveform, waveform_from
from cnn_gap.io.xml_files import child_number, child_text, numbers_of, parse_xml, xml_root
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

_DATES = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d")
_TIMES = ("%H%M%S", "%H:%M:%S", "%H%M", "%H:%M")


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return (xml_root(start) or "").lower().endswith("schilleredi")


def guard(path: Path) -> None:
    """Refuse nothing here: `parse_xml` refuses entities and too many tags."""


def read(path: Path) -> Record:
    """Read the rhythm, not the average beats."""
    source, root = str(path), parse_xml(path)
    rhythms = [
        each for each in root.iter("wavedata") if child_text(each, "type").strip().upper() == "ECG_RHYTHMS"
    ]
    if not rhythms:
        raise InputError(f"{source}: has no waveform of the type ECG_RHYTHMS")
    waveform = join_waveforms([_waveform(each, source) for each in rhythms], source)
    patient, exam = root.find("patdata"), root.find("examdescript")
    time = _time(child_text(exam, "startdatetime/date"), child_text(exam, "startdatetime/time"))
    age = _age(child_text(patient, "birthdate"), time)
    return record_of_waveform(waveform, source, age, parse_sex(child_text(patient, "gender")), "Schiller", time)


def _waveform(held: Element, source: str) -> Waveform:
    if child_text(held, "resolution/samplerate/exponent") not in ("", "1"):
        raise InputError(f"{source}: its sampling rate has an exponent, which is not supported")
    channels = held.findall("channel")
    columns = [numbers_of(child_text(each, "data"), source) for each in channels]
    if not columns or len({len(column) for column in columns}) > 1:
        raise InputError(f"{source}: is damaged or incomplete; its leads have different lengths or none")
    unit = child_text(held, "resolution/yres/units")
    factor = millivolts_of(unit)
    if factor is None:
        raise InputError(f"{source}: its leads have no unit of voltage; their unit is {unit[:40] or 'none'}")
    gain = child_number(held, "resolution/yres/unitperbit", source) * factor
    names = [child_text(each, "name") for each in channels]
    rate = child_number(held, "resolution/samplerate/value", source)
    return waveform_from(np.stack(columns, axis=1) * gain, names, rate, source)


def _time(day: str, time: str) -> datetime | None:
    for date_form in _DATES:
        for time_form in _TIMES:
            try:
                return datetime.strptime(f"{day} {time}", f"{date_form} {time_form}")
            except ValueError:
                continue
    return None


def _age(born: str, time: datetime | None) -> float:
    for form in _DATES:
        try:
            birth = datetime.strptime(born, form)
        except ValueError:
            continue
        if time is not None and birth <= time:
            return float(time.year - birth.year - ((time.month, time.day) < (birth.month, birth.day)))
    return math.nan
