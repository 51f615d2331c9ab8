"""SCP-ECG (EN 1064), read by ecgdatakit."""

import binascii
from dataclasses import replace
from pathlib import Path

from cnn_gap.io.vendor import parse_content, record_of, waveform_of
from cnn_gap.io.waveforms import MORE_WAVEFORMS
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

_LARGEST_FILE = 4 << 20
_SECTION_HEADER = 16
_RHYTHM = 6


def recognise(start: bytes) -> bool:
    """Tell whether there is section 0, whose first pointer is to itself, at byte 7."""
    section, length = int.from_bytes(start[8:10], "little"), int.from_bytes(start[10:14], "little")
    own = (int.from_bytes(start[22:24], "little"), int.from_bytes(start[28:32], "little"))
    return len(start) >= 32 and section == 0 and length >= 26 and (length - 16) % 10 == 0 and own == (0, 7)


def guard(path: Path) -> None:
    """Require that section 6 has at least one bit for each sample that section 3 announces."""
    sections = dict(_sections(read_bytes(path, _LARGEST_FILE)))
    leads = sections.get(3, b"")
    if not leads or len(leads) < 2 + 9 * leads[0]:
        raise InputError(f"{path}: is damaged SCP-ECG; its section of leads is missing or short")
    announced = 0
    for position in range(2, 2 + 9 * leads[0], 9):
        first, last = (int.from_bytes(leads[at : at + 4], "little") for at in (position, position + 4))
        announced += max(last - first + 1, 0)
    if announced > 8 * len(sections.get(6, b"")):
        raise InputError(
            f"{path}: is damaged SCP-ECG; it announces {announced} samples, more than its data hold"
        )


def read(path: Path) -> Record:
    """Read the rhythm waveform."""
    content = read_bytes(path, _LARGEST_FILE)
    size = int.from_bytes(content[2:6], "little")
    if (
        _checksum(content[2:size]) != content[:2]
        or _checksum(content[8 : 6 + _length_of_first(content)]) != content[6:8]
    ):
        raise InputError(f"{path}: is damaged or incomplete; export it again")
    parsed = parse_content(_without_statements(content[:size]), path)
    waveform = waveform_of(parsed, str(path))
    if _has_long_term_rhythm(content):
        waveform = replace(waveform, notes=(*waveform.notes, MORE_WAVEFORMS))
    return record_of(parsed, waveform, str(path))


def _has_long_term_rhythm(content: bytes) -> bool:
    """Tell whether there is section 12, which holds another rhythm from version 3 on, and other data before."""
    return content[15] >= 30 and len(dict(_sections(content)).get(12, b"")) > 0


def _without_statements(content: bytes) -> bytes:
    """Return the file without pointers to sections after the rhythm's, and to empty ones.

    These are measurements, statements and additions of manufacturers. ecgdatakit refuses a file if it does not
    expect their content.
    """
    kept, end = bytearray(content), 6 + _length_of_first(content)
    for at in range(22, end - 9, 10):
        number, length = (
            int.from_bytes(kept[at : at + 2], "little"),
            int.from_bytes(kept[at + 2 : at + 6], "little"),
        )
        if number > _RHYTHM or (number > 0 and length <= _SECTION_HEADER):
            kept[at + 2 : at + 10] = bytes(8)
    kept[6:8] = _checksum(bytes(kept[8:end]))
    kept[:2] = _checksum(bytes(kept[2:]))
    return bytes(kept)


def _checksum(content: bytes) -> bytes:
    return binascii.crc_hqx(content, 0xFFFF).to_bytes(2, "little")


def _length_of_first(content: bytes) -> int:
    return min(int.from_bytes(content[10:14], "little"), len(content) - 6)


def _sections(content: bytes) -> list[tuple[int, bytes]]:
    """Return the sections that section 0 points to, by number, without their headers."""
    sections = []
    for at in range(22, 6 + _length_of_first(content) - 9, 10):
        number = int.from_bytes(content[at : at + 2], "little")
        length, index = (int.from_bytes(content[at + skip : at + skip + 4], "little") for skip in (2, 6))
        sections.append((number, content[index + _SECTION_HEADER - 1 : index - 1 + length]))
    return sections
