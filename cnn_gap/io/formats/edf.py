"""EDF and EDF+ (https://www.edfplus.info/specs/), read by ecgdatakit."""

from pathlib import Path

from cnn_gap.io.vendor import read_vendor
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether there is EDF's header: its version, and its own size as a number."""
    return start[:8] == b"0       " and start[184:192].strip().isdigit() and len(start) >= 256


def guard(path: Path) -> None:
    """Refuse nothing: its samples take as much memory as its size tells."""


def read(path: Path) -> Record:
    """Read the signals."""
    return read_vendor(path)
