"""GE MUSE XML (root ``RestingECG``), read by ecgdatakit."""

from pathlib import Path

from cnn_gap.io.vendor import read_vendor
from cnn_gap.io.xml_files import parse_xml, xml_root
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file that begins so is of this format."""
    return (xml_root(start) or "").lower() == "restingecg"


def guard(path: Path) -> None:
    """Refuse XML that declares entities or has too many tags."""
    parse_xml(path)


def read(path: Path) -> Record:
    """Read the rhythm waveform; other leads than the eight that are stored follow from these."""
    return read_vendor(path)
