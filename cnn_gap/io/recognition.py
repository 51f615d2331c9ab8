"""Tell the format of a file by its content: magic bytes, or the root of its XML."""

import re
from dataclasses import dataclass

#: Bytes at the start of a file that tell its format.
START = 65536

_MARKUP = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")


@dataclass(frozen=True)
class FileFormat:
    """A format of recordings.

    Attributes
    ----------
    name : str
        For people.
    largest : int
        Bytes of the largest file that is read.
    parser : str
        The class of ecgdatakit that reads it; empty where the file holds an array.
    """

    name: str
    largest: int
    parser: str = ""


MIB = 2**20
DICOM = FileFormat("DICOM", 32 * MIB, "DICOMWaveformParser")
MUSE = FileFormat("GE MUSE XML", 32 * MIB, "GEMuseXMLParser")
SIERRA = FileFormat("Philips Sierra XML", 32 * MIB, "SierraXMLParser")
AECG = FileFormat("HL7 aECG", 32 * MIB, "HL7aECGParser")
SCP = FileFormat("SCP-ECG", 4 * MIB, "SCPECGParser")
EDF = FileFormat("EDF", 256 * MIB, "EDFParser")
NPY = FileFormat("NumPy array", 256 * MIB)
NPZ = FileFormat("NumPy archive", 256 * MIB)
PARQUET = FileFormat("Parquet", 256 * MIB)
CSV = FileFormat("CSV", 64 * MIB)

#: All formats, in the order in which they are named.
FORMATS = (DICOM, MUSE, SIERRA, AECG, SCP, EDF, NPY, NPZ, PARQUET, CSV)

_XML_ROOTS = {"restingecg": MUSE, "restingecgdata": SIERRA, "annotatedecg": AECG}


def recognise(start: bytes) -> FileFormat | None:
    """Return the format of a file that begins with `start` (its first `START` bytes), None if it is another.

    A CSV has no mark of its own, so none is recognised.

    Examples
    --------
    >>> recognise(b'<?xml version="1.0"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>').name
    'GE MUSE XML'
    """
    if start[128:132] == b"DICM":
        return DICOM
    if _is_edf(start):
        return EDF
    if start.startswith(b"\x93NUMPY"):
        return NPY
    if start.startswith(b"PAR1"):
        return PARQUET
    if start.startswith(b"PK\x03\x04") and b".npy" in start[:300]:
        return NPZ
    if _is_scp(start):
        return SCP
    return _XML_ROOTS.get((xml_root(start) or "").lower())


def xml_root(start: bytes) -> str | None:
    """Return the name of an XML file's root without its namespace, None if the file is no XML."""
    utf16 = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = start.decode("utf-16" if utf16 else "utf-8-sig", errors="ignore")
    if not text.lstrip().startswith("<"):
        return None
    position = 0
    while skipped := _MARKUP.match(text, position):
        position = skipped.end()
    root = _ROOT.match(text, position)
    return root[1] if root else None


def _is_edf(start: bytes) -> bool:
    """Tell whether there is EDF's header: its version, and its own size as a number."""
    return start[:8] == b"0       " and start[184:192].strip().isdigit() and len(start) >= 256


def _is_scp(start: bytes) -> bool:
    """Tell whether there is SCP-ECG's section 0, whose first pointer is to itself, at byte 7."""
    section, length = int.from_bytes(start[8:10], "little"), int.from_bytes(start[10:14], "little")
    own = (int.from_bytes(start[22:24], "little"), int.from_bytes(start[28:32], "little"))
    return len(start) >= 32 and section == 0 and length >= 26 and (length - 16) % 10 == 0 and own == (0, 7)
