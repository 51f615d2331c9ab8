"""HL7 aECG (ANSI/HL7 V3 ECG, R1-2004; root ``AnnotatedECG``), read by ecgdatakit.

A series may hold several sequence sets, such as one for each column of a page; each has its own time.
"""

import re
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from cnn_gap.io.vendor import Part, plain_unit, read_parts, read_xml, require_few
from cnn_gap.io.xml_files import parse_xml, xml_parts, xml_root
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: HL7's time stamp, YYYYMMDDHHMMSS.UUUU[+|-ZZzz]; the seconds may have leading zeros too many.
_TIME = re.compile(r"(\d{8})(\d{2})(\d{2})(\d+(?:\.\d*)?)?(?:[+-]\d{4})?")

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return (xml_root(start) or "").lower() == "annotatedecg"


def guard(path: Path) -> None:
    """Refuse nothing here: `parse_xml` refuses entities and too many tags."""


def read(path: Path) -> Record:
    """Read all sequence sets of all rhythm series, each at its time."""
    root = parse_xml(path)
    for element in root.iter():
        if "unit" in element.attrib:
            element.set("unit", plain_unit(element.get("unit", "")))
    sets = [
        (place, series, each)
        for place in root.findall("component")
        for series in place.findall("series")
        if _code(series) != "REPRESENTATIVE_BEAT"
        for each in series.findall("component")
        if each.find("sequenceSet") is not None
    ]
    if len(sets) < 2:
        return read_xml(path, root)
    require_few(len(sets), str(path))
    starts = [_start_s(each) for _, _, each in sets]
    files = xml_parts(root, [[(root, place), (series, each)] for place, series, each in sets])
    parts = [Part(file, start) for file, start in zip(files, starts, strict=True) if start is not None]
    if len(parts) < len(sets):
        raise InputError(f"{path}: its sequence sets do not say when they begin; export one")
    return read_parts(path, parts)


def _code(element: Element | None) -> str:
    code = None if element is None else element.find("code")
    return "" if code is None else code.get("code", "").upper()


def _start_s(component: Element) -> float | None:
    """Return when a sequence set begins, in s; None where it does not say."""
    for sequence in component.findall("sequenceSet/component/sequence"):
        head = sequence.find("value/head")
        if not _code(sequence).startswith("TIME_") or head is None:
            continue
        value, unit = head.get("value", "").strip(), head.get("unit", "")
        if _code(sequence) == "TIME_RELATIVE":
            try:
                return float(value) * _SECONDS.get(unit, 1.0)
            except ValueError:
                return None
        stamp = _TIME.fullmatch(value)
        if stamp:
            day, hour, minute, second = stamp.groups()
            begin = datetime.strptime(day, "%Y%m%d").timestamp()
            return begin + 3600 * int(hour) + 60 * int(minute) + float(second or 0)
    return None
