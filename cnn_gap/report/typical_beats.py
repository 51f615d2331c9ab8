"""The typical beats of a recording: of each kind the median, over some of the beats, in small pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnn_gap.explain.long_explanation import part_of
from cnn_gap.holter.beat_labels import LabelledBeats
from cnn_gap.holter.beat_shapes import MOST_LEADS, PREFERRED
from cnn_gap.io.long_records import LongRecord
from cnn_gap.leads import LEADS
from cnn_gap.signal.windows import Preprocessing, prepare_signal

#: The kinds of beats by their symbols, in the order in which they are shown.
NAMES = {
    "N": "Normal",
    "V": "Ventricular (wide)",
    "A": "Atrial (early, narrow)",
    "/": "Paced",
    "Q": "Unknown",
}

#: How many beats of a kind are read, evenly spread over the recording.
READ = 24

#: Length of the signal that is shown before and after a beat's complex, s.
BEFORE_S, AFTER_S = 0.3, 0.5

#: How the signal is prepared, and the length of the signal that is read around a beat in addition, s.
SIGNAL = Preprocessing(sampling_rate=250.0, highpass_hz=0.5, lowpass_hz=40.0)
MARGIN_S = 2.0


@dataclass(frozen=True, eq=False)
class TypicalBeat:
    """The beats of one kind.

    Attributes
    ----------
    symbol : str
    count : int
        In the recording.
    time_s : float
        The time of the beat that is most like the median, s.
    leads : tuple of str
    beats : ndarray, shape (beats, samples, leads)
        Some of them, mV around each lead's median, at the rate of `SIGNAL`.
    """

    symbol: str
    count: int
    time_s: float
    leads: tuple[str, ...]
    beats: np.ndarray

    @property
    def median(self) -> np.ndarray:
        """The median beat, mV, (samples, leads)."""
        return np.asarray(np.median(self.beats, axis=0))


def typical_beats(record: LongRecord, beats: LabelledBeats) -> tuple[TypicalBeat, ...]:
    """Return the typical beats of each kind that a recording has."""
    found = (_of_kind(record, beats, symbol) for symbol in NAMES)
    return tuple(each for each in found if each is not None)


def _of_kind(record: LongRecord, beats: LabelledBeats, symbol: str) -> TypicalBeat | None:
    places = np.flatnonzero(beats.symbols == symbol)
    if not len(places):
        return None
    chosen = places[np.unique(np.linspace(0, len(places) - 1, min(READ, len(places))).round().astype(int))]
    read = list(_read(record, beats.times_s[chosen].tolist()))
    leads = next((names for _, names, _ in read), ())
    same = [(time, values) for time, names, values in read if names == leads]
    if not same:
        return None
    cut = np.stack([values for _, values in same])
    apart = np.abs(cut - np.median(cut, axis=0)).sum(axis=(1, 2))
    return TypicalBeat(symbol, len(places), same[int(apart.argmin())][0], leads, cut)


def _read(record: LongRecord, times: Sequence[float]) -> Iterator[tuple[float, tuple[str, ...], np.ndarray]]:
    """Yield the times of beats with their leads and their amplitudes, of those that are whole and valid."""
    length = round((BEFORE_S + AFTER_S) * SIGNAL.sampling_rate)
    for time in times:
        start = max(time - BEFORE_S - MARGIN_S, 0.0)
        part = part_of(record, start, BEFORE_S + AFTER_S + 2 * MARGIN_S)
        leads = tuple(lead for lead in PREFERRED if part.leads[LEADS.index(lead)])[:MOST_LEADS]
        columns = [LEADS.index(lead) for lead in leads]
        prepared = prepare_signal(part.signal[:, columns], part.sampling_rate, SIGNAL)
        first = round((time - BEFORE_S - start) * SIGNAL.sampling_rate)
        cut = prepared.signal[max(first, 0) : first + length]
        if leads and len(cut) == length and prepared.valid[max(first, 0) : first + length].all():
            yield time, leads, cut - np.median(cut, axis=0)
