"""MFER (ISO 22077, https://www.mfer.org/en/document.htm), read by ecgdatakit."""

from collections.abc import Iterator
from pathlib import Path

from cnn_gap.io.vendor import read_vendor
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

_LARGEST_FILE = 16 << 20

#: The largest number of frames of a file: a day has 8640 of 10 s.
_MOST_FRAMES = 10_000

#: Tags: byte order, samples of a block, channels, samples, attributes of a channel, preamble, a group, the end.
_ORDER, _BLOCK, _CHANNELS, _WAVE, _ATTRIBUTES, _PREAMBLE, _GROUP, _END = 1, 4, 5, 0x1E, 0x3F, 0x40, 0x67, 0x80


def recognise(start: bytes) -> bool:
    """Tell whether a file begins with MFER's preamble."""
    return start[:1] == bytes([_PREAMBLE]) and start[2:6] == b"MFR "


def guard(path: Path) -> None:
    """Refuse blocks that announce more samples than they have bytes."""
    content = read_bytes(path, _LARGEST_FILE)
    little, block, channels, frames = False, 1, 1, 0
    try:
        for tag, value in _definitions(content):
            if tag == _ORDER:
                little = value[:1] == b"\1"
            number = int.from_bytes(value[:4], "little" if little else "big")
            if tag == _BLOCK:
                block = max(number, 1)
            elif tag == _CHANNELS:
                channels = max(number, 1)
            elif tag == _WAVE and block * channels > len(value):
                raise InputError(f"{path}: is damaged MFER; it announces more samples than its data hold")
            frames += tag == _WAVE
    except IndexError as error:
        raise InputError(f"{path}: is damaged or incomplete; export it again") from error
    if frames > _MOST_FRAMES:
        raise InputError(f"{path}: holds {frames} frames; at most {_MOST_FRAMES} are read")


def read(path: Path) -> Record:
    """Read the rhythm, not the dominant beat."""
    return read_vendor(path)


def _definitions(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each tag and its value; those in groups and of single channels too.

    Raises
    ------
    IndexError
        If a definition ends after the file.
    """
    at = 0
    while at < len(content) and content[at] != _END:
        tag, at = content[at], at + 1
        if tag == 0:
            continue
        if tag == _ATTRIBUTES:  # the number of the channel follows, seven bits in a byte
            while content[at] & 0x80:
                at += 1
            at += 1
        length, at = content[at], at + 1
        if length > 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(content[at : at + size], "big"), at + size
        if tag in (_ATTRIBUTES, _GROUP) or length == 0x80:
            continue  # its definitions follow
        if at + length > len(content):
            raise IndexError
        yield tag, content[at : at + length]
        at += length
