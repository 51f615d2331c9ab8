"""GE MUSE XML (root ``RestingECG``), read by ecgdatakit."""

from pathlib import Path

from cnn_gap.io.vendor import Part, plain_unit, read_parts, read_xml, require_few
from cnn_gap.io.xml_files import child_text, parse_xml, xml_parts, xml_root
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return (xml_root(start) or "").lower() == "restingecg"


def guard(path: Path) -> None:
    """Refuse nothing here: `parse_xml` refuses entities and too many tags."""


def read(path: Path) -> Record:
    """Read the rhythm waveforms; the four leads that are not stored are computed from I and II."""
    root = parse_xml(path)
    for unit in root.iter("LeadAmplitudeUnits"):
        unit.text = plain_unit(unit.text or "")
    rhythms = [
        each for each in root.findall("Waveform") if child_text(each, "WaveformType").lower() != "median"
    ]
    if len(rhythms) < 2:
        return read_xml(path, root)
    require_few(len(rhythms), str(path))
    return read_parts(path, [Part(part) for part in xml_parts(root, [[(root, each)] for each in rhythms])])
