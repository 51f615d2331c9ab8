"""Philips Sierra XML (root ``restingecgdata``), read by ecgdatakit."""

import base64
from pathlib import Path
from xml.etree.ElementTree import Element

from cnn_gap.io.vendor import read_xml
from cnn_gap.io.xml_files import parse_xml, xml_root
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: Size of the largest samples of a file once decompressed, bytes.
LARGEST_UNPACKED = 32 << 20

_XLI_BITS = 10  # of a code of the LZW compression in Philips' XLI
_LAST_CODE = 2**_XLI_BITS - 2


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return (xml_root(start) or "").lower() == "restingecgdata"


def guard(path: Path) -> None:
    """Refuse XML that declares entities or has too many tags, and samples that would take too much memory."""
    _check_xli(str(path), parse_xml(path))


def read(path: Path) -> Record:
    """Read the waveforms."""
    return read_xml(path, parse_xml(path))


def unpacked_size(packed: bytes, limit: int) -> int:
    """Return the size of LZW-compressed XLI data once decompressed, bytes; above `limit` if it is larger.

    Only the lengths of the strings are followed, as T. Welch's algorithm makes them (1984, "A technique for
    high-performance data compression"), so no memory is taken.
    """
    lengths = dict.fromkeys(range(256), 1)
    previous, following, total, bits, held = 0, 256, 0, 0, 0
    for byte in packed:
        bits, held = (bits << 8 | byte) & 0xFFFFF, held + 8
        if held < _XLI_BITS:
            continue
        held -= _XLI_BITS
        code = bits >> held & 2**_XLI_BITS - 1
        if code > _LAST_CODE:
            break
        length = lengths.setdefault(code, previous + 1)
        if previous and following <= _LAST_CODE:
            lengths[following] = previous + 1
            following += 1
        previous, total = length, total + length
        if total > limit:
            break
    return total


def _check_xli(source: str, root: Element) -> None:
    for each in root.iter():
        compressions = {each.get(key, "").upper() for key in ("compression", "compressmethod")}
        if each.tag != "parsedwaveforms" or "XLI" not in compressions:
            continue
        try:
            packed = base64.b64decode("".join("".join(each.itertext()).split()), validate=True)
        except ValueError as error:
            raise InputError(f"{source}: its samples are not valid base64 ({error})") from error
        total, position = 0, 0
        while position + 8 < len(packed):
            size = int.from_bytes(packed[position : position + 4], "little")
            total += unpacked_size(packed[position + 8 : position + 8 + size], LARGEST_UNPACKED)
            if total > LARGEST_UNPACKED:
                raise InputError(
                    f"{source}: its compressed samples would take more than {LARGEST_UNPACKED >> 20} MiB"
                )
            position += 8 + size
