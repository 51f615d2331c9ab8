"""Intervals of a recording as WFDB annotations, which other viewers show."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_gap.errors import InputError
from cnn_gap.files import ASIDE, writer


@dataclass(frozen=True, order=True)
class Event:
    """Something seen in a recording, from `start_s` to `end_s` (s from the start of the record).

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
    import wfdb

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    at, symbols, kinds = _marks(events, sampling_rate, samples)
    # wfdb takes a folder and a name made of plain characters, hence a folder aside in place of a file.
    with tempfile.TemporaryDirectory(prefix=f"{ASIDE}{writer()}-", dir=path.parent) as aside:
        wfdb.wrann("events", "atr", at, symbols, aux_note=kinds, fs=sampling_rate, write_dir=aside)
        (Path(aside) / "events.atr").replace(path)


def read_events(path: Path) -> tuple[Event, ...]:
    """Read the events of a simulated record from its ``.atr`` file, to the sample.

    Raises
    ------
    InputError
        If the file is missing, is no annotation file, or holds intervals without an end.
    """
    import wfdb

    path = Path(path)
    try:
        notes = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:])
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: cannot be read as a WFDB annotation file ({error})") from error
    if notes.fs is None:
        raise InputError(f"{path}: does not say its sampling rate; expected a file written by the simulator")
    begun: dict[str, int] = {}
    events = []
    for sample, symbol, kind in zip(notes.sample.tolist(), notes.symbol, notes.aux_note, strict=True):
        if symbol == "(":
            begun[kind] = sample
        elif kind not in begun:
            raise InputError(f"{path}: {kind!r} ends at sample {sample} without a start")
        else:
            events.append(Event(kind, begun.pop(kind) / notes.fs, sample / notes.fs))
    if begun:
        raise InputError(f"{path}: {next(iter(begun))!r} has no end")
    return tuple(sorted(events, key=lambda event: (event.start_s, -event.end_s, event.kind)))


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
