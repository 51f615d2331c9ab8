"""HL7 aECG (ANSI/HL7 V3 ECG, R1-2004; root ``AnnotatedECG``), read by ecgdatakit."""

from pathlib import Path

from cnn_gap.io.vendor import read_vendor
from cnn_gap.io.xml_files import parse_xml, xml_root
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file that begins so is of this format."""
    return (xml_root(start) or "").lower() == "annotatedecg"


def guard(path: Path) -> None:
    """Refuse XML that declares entities or has too many tags."""
    parse_xml(path)


def read(path: Path) -> Record:
    """Read the rhythm series."""
    return read_vendor(path)
