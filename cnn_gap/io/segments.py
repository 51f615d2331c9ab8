"""WFDB records of several segments, joined on the time axis (header(5), "Segment specification lines").

A segment is a record of its own in the same folder, or a gap. In records of variable layout, as monitors write
them, the first segment is a layout without samples, and each has other leads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cnn_gap.io.headers import Header, HeaderSegment, read_header
from cnn_gap.io.signal_files import LARGEST_VALUES, SignalReader, file_beside
from cnn_gap.leads import LEADS, LeadChoice, NoLeadError
from cnn_gap.record import NoValidSampleError, Record
from cnn_gap.system.errors import InputError

#: The name of a gap in a header.
GAP = "~"

OpenSignal = Callable[[Path, Header], SignalReader]


@dataclass(frozen=True)
class _Piece:
    """A segment's place, in samples from the start of the record, and its reader."""

    first: int
    last: int
    reader: SignalReader


def open_segments(path: Path, header: Header, open_signal: OpenSignal) -> SignalReader:
    """Return a reader of parts of a record of several segments.

    Parameters
    ----------
    path : Path
        The header of the whole record.
    header : Header
    open_signal : callable
        Returns a reader of parts of a record of one segment.

    Raises
    ------
    InputError
        If a segment is missing or damaged, has another sampling rate or length than the header says, or none
        has one of the twelve leads.
    """
    readers = {
        name: _open_segment(path, header, name, open_signal)
        for name in dict.fromkeys(each.name for each in header.segments if _holds_signal(each))
    }
    rates = {reader.sampling_rate for reader in readers.values() if isinstance(reader, SignalReader)}
    if len(rates) != 1:
        refused = next((str(each) for each in readers.values() if isinstance(each, NoLeadError)), "")
        reason = f"its segments have different sampling rates, {sorted(rates)} Hz" if rates else refused
        raise InputError(f"{path}: {reason or 'has no samples'}")
    (rate,) = rates
    per_frame = round(rate / header.sampling_rate)
    pieces, first, missing = [], 0, 0
    for segment in header.segments:
        last = first + segment.samples * per_frame
        reader = readers.get(segment.name) if _holds_signal(segment) else None
        if isinstance(reader, SignalReader):
            if reader.samples != last - first:
                raise InputError(
                    f"{path}: segment {segment.name} has {reader.samples} samples; the header says"
                    f" {last - first}"
                )
            pieces.append(_Piece(first, last, reader))
        else:
            missing += last - first
        first = last
    if header.samples is not None and header.samples * per_frame != first:
        raise InputError(
            f"{path}: its segments have {first} samples; the header says {header.samples * per_frame}"
        )
    notes = [note for piece in pieces for note in piece.reader.notes]
    if missing:
        notes.append(f"{missing / rate:g} s between its segments are without a signal")
    known = tuple(dict.fromkeys(notes))
    return SignalReader(rate, first, partial(_read_pieces, path, header, rate, tuple(pieces), known), known)


def segment_headers(path: Path, header: Header) -> list[Path]:
    """Return the headers of the segments, the layout's as well, each once.

    Raises
    ------
    InputError
        If a name is none of a file in the header's folder.
    """
    names = dict.fromkeys(segment.name for segment in header.segments if segment.name != GAP)
    return [_segment_header(path, name) for name in names]


def _segment_header(path: Path, name: str) -> Path:
    if "/" in name or "\\" in name:
        raise InputError(f"{path}: the segment {name} is not a name in the header's folder")
    return file_beside(path, f"{name}.hea")


def _holds_signal(segment: HeaderSegment) -> bool:
    return segment.name != GAP and segment.samples > 0


def _open_segment(path: Path, header: Header, name: str, open_signal: OpenSignal) -> SignalReader | NoLeadError:
    """Return a reader of a segment, or the reason why it has none of the twelve leads."""
    own_path = _segment_header(path, name)
    own = read_header(own_path)
    if own.segments:
        raise InputError(f"{own_path}: is a segment of {path.name} and has segments itself")
    if own.sampling_rate != header.sampling_rate:
        raise InputError(
            f"{own_path}: has {own.sampling_rate:g} Hz; {path.name}, of which it is a segment, has"
            f" {header.sampling_rate:g}"
        )
    try:
        return open_signal(own_path, own)
    except NoLeadError as error:
        return error


def _read_pieces(
    path: Path,
    header: Header,
    rate: float,
    pieces: Sequence[_Piece],
    notes: tuple[str, ...],
    first: int,
    last: int,
) -> Record:
    """Return a part of the record; leads are not valid in gaps and in segments that do not have them."""
    if (last - first) * len(LEADS) > LARGEST_VALUES:
        raise InputError(f"{path}: is too long to be read at once; at most {LARGEST_VALUES} values are")
    signal = np.full((last - first, len(LEADS)), np.nan, np.float32)
    derived: set[str] = set()
    stored: set[str] = set()
    for piece in pieces:
        start, end = max(first, piece.first), min(last, piece.last)
        if start >= end:
            continue
        try:
            part = piece.reader.read(start - piece.first, end - piece.first)
        except NoValidSampleError:
            continue
        signal[start - first : end - first, part.leads] = part.signal[:, part.leads]
        derived.update(part.derived)
        stored.update(LEADS[lead] for lead in np.flatnonzero(part.leads) if LEADS[lead] not in part.derived)
    every = LeadChoice({index: index for index in range(len(LEADS))})
    whole = Record(header.name, signal, every, rate, **header.about, source=str(path))
    never_stored = tuple(lead for lead in LEADS if lead in derived - stored)
    return replace(whole, notes=notes, derived=never_stored)
