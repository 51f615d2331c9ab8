"""Intervals of a recording as WFDB annotations, which other viewers show."""

import math
import re
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import ASIDE, LARGEST_SETTINGS, read_bytes, replacing, writer

#: Codes of WFDB's annotations: a note, the symbols ( and ), a long interval, and a text of the one before.
_NOTE, _START, _END, _SKIP, _TEXT = 22, 39, 40, 59, 63
_RATE = re.compile(r"## time resolution: (\d{1,9}(?:\.\d{1,9})?)")


@dataclass(frozen=True, order=True)
class Event:
    """A marked part of a recording, from `start_s` to `end_s` (s from the start of the record).

    Kinds are a diagnosis's abbreviation and, in simulated recordings, "P", "QRS" and "T" for waves; "PAC" and
    "PVC" for a premature beat from its first wave to the end of T; "spike" for a pacemaker's stimulus; "AF" and
    "AFL" for atrial fibrillation and flutter.
    """

    kind: str
    start_s: float
    end_s: float


def write_events(path: Path, events: Sequence[Event], sampling_rate: float, samples: int) -> None:
    """Write events as WFDB annotations: `(` at the start, `)` at the end, the kind as auxiliary note.

    Parameters
    ----------
    path : Path
        The record's path with the annotator's name as suffix; whole or untouched.
    events : sequence of Event
        Events of the same kind do not overlap.
    sampling_rate : float
        The record's, Hz.
    samples : int
        Its length.
    """
    at, symbols, kinds = _marks(events, sampling_rate, samples) if events else (np.zeros(0, int), [], [])
    write_annotations(path, at, symbols, kinds, sampling_rate)


def write_annotations(
    path: Path, at: np.ndarray, symbols: Sequence[str], notes: Sequence[str], sampling_rate: float
) -> None:
    """Write WFDB annotations, whole or not at all.

    Parameters
    ----------
    path : Path
        The record's path with the annotator's name as suffix.
    at : ndarray, shape (n,), int
        Their samples in rising order.
    symbols, notes : sequence of str
        WFDB's symbol and the auxiliary note of each.
    sampling_rate : float
        The record's, Hz.
    """
    import wfdb

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not len(at):  # wfdb writes no file without annotations
        with replacing(path) as aside:
            aside.write_bytes(_without_events(sampling_rate))
        return
    # wfdb takes a folder and a name of letters and digits, so a temporary folder is used, not a temporary file.
    with tempfile.TemporaryDirectory(prefix=f"{ASIDE}{writer()}-", dir=path.parent) as aside:
        wfdb.wrann("events", "atr", at, list(symbols), aux_note=list(notes), fs=sampling_rate, write_dir=aside)
        (Path(aside) / "events.atr").replace(path)


def _without_events(sampling_rate: float) -> bytes:
    """Return the bytes of an annotation file without events: only wfdb's note on the sampling rate."""
    note = f"## time resolution: {sampling_rate:.12g}".encode()
    begin = struct.pack("<2H", _NOTE << 10, _TEXT << 10 | len(note))
    return begin + note.ljust(len(note) + len(note) % 2, b"\0") + b"\0\0"


def read_events(path: Path) -> tuple[Event, ...]:
    """Read the events of a simulated record from its ``.atr`` file, to the sample.

    Raises
    ------
    InputError
        If the file is missing, is no annotation file, or holds intervals without an end.
    """
    path = Path(path)
    notes = list(_read_notes(path))
    rates = [match[1] for note in notes if not note.sample and (match := _RATE.fullmatch(note.text))]
    if not rates or not 0 < float(rates[0]) < math.inf:
        raise InputError(f"{path}: does not say its sampling rate; expected a file written by the simulator")
    rate = float(rates[0])
    begun: dict[str, int] = {}
    events = []
    for note in notes:
        if note.code == _START:
            begun[note.text] = note.sample
        elif note.code == _END and note.text not in begun:
            raise InputError(f"{path}: {note.text!r} ends at sample {note.sample} without a start")
        elif note.code == _END:
            events.append(Event(note.text, begun.pop(note.text) / rate, note.sample / rate))
    if begun:
        raise InputError(f"{path}: {next(iter(begun))!r} has no end")
    return tuple(sorted(events, key=lambda event: (event.start_s, -event.end_s, event.kind)))


@dataclass(frozen=True)
class _Note:
    """An annotation: its sample, the code of its symbol and its text."""

    sample: int
    code: int
    text: str = ""


def _read_notes(path: Path) -> Iterator[_Note]:
    """Yield the annotations of a file; wfdb's own reader does not end on some damaged files.

    The format is annot(5) of the WFDB applications guide (https://physionet.org/physiotools/wag/annot-5.htm).
    """
    content = read_bytes(path, LARGEST_SETTINGS)
    at, sample, note = 0, 0, None
    while at + 2 <= len(content):
        word = int.from_bytes(content[at : at + 2], "little")
        code, value = word >> 10, word & 0x3FF
        at += 2
        if word == 0:
            break
        if code == _SKIP:  # a long interval: its upper half comes first
            high, low = struct.unpack("<2H", content[at : at + 4].ljust(4, b"\0"))
            sample += struct.unpack("<i", struct.pack("<I", high << 16 | low))[0]
            at += 4
        elif code == _TEXT:
            text = content[at : at + value].rstrip(b"\0").decode("latin-1")
            note = None if note is None else replace(note, text=text)
            at += value + value % 2
        elif code < _SKIP:
            if note is not None:
                yield note
            sample += value
            note = _Note(sample, code)
    else:
        raise InputError(f"{path}: is truncated or no WFDB annotation file")
    if note is not None:
        yield note


def _marks(
    events: Sequence[Event], sampling_rate: float, samples: int
) -> tuple[np.ndarray, list[str], list[str]]:
    """Return sample, symbol and kind of the start and the end of every event, in order of time."""
    last = samples - 1
    marks = sorted(
        (min(round(time * sampling_rate), last), order, symbol, event.kind)
        for event in events
        for order, symbol, time in ((1, "(", event.start_s), (0, ")", event.end_s))
    )
    at, _, symbols, kinds = zip(*marks, strict=True)
    return np.array(at), list(symbols), list(kinds)
