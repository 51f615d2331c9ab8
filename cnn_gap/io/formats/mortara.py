"""Mortara (Welch Allyn, Hillrom) ELI XML (root ``ECG``), read by ecgdatakit."""

from pathlib import Path

from cnn_gap.io.vendor import read_xml
from cnn_gap.io.xml_files import parse_xml, xml_root
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    letters = start.replace(b"\0", b"")  # of UTF-16
    return xml_root(start) == "ECG" and any(mark in letters for mark in (b"ACQUISITION_TIME", b"UNITS_PER_MV"))


def guard(path: Path) -> None:
    """Refuse nothing here: `parse_xml` refuses entities and too many tags."""


def read(path: Path) -> Record:
    """Read the rhythm, not the typical cycle."""
    return read_xml(path, parse_xml(path))
