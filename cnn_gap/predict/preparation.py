"""Read records and cut them into windows, without Keras: in this process or in others."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cnn_gap.beats.intervals import measure
from cnn_gap.holter.beat_shapes import MeasuredBeats, measure_beats
from cnn_gap.io.long_records import LongRecord, in_parts
from cnn_gap.io.sources import Stamp
from cnn_gap.predict.long_parts import assess_closely, chosen_starts, usual_gain
from cnn_gap.reading.evidence import Evidence, gather_evidence
from cnn_gap.reading.long_evidence import measure_parts, typical_evidence
from cnn_gap.record import NO_FACTS, Record, RecordFacts
from cnn_gap.signal.quality import GOOD, Quality, assess_quality
from cnn_gap.signal.windows import Preprocessing, cut_windows, prepare_signal
from cnn_gap.system.chunks import Run, Work, in_this_process
from cnn_gap.system.errors import InputError

#: Records that last longer than this number of windows get a timeline, beats, episodes and a summary.
MONITORED_WINDOWS = 2

#: A process returns its records when they have this many windows together.
MOST_WINDOWS = 64

#: Reason of the failure of a record whose reading ends the process.
UNREADABLE = "a process that read it has died; is it damaged, or too large for this machine's memory?"


@dataclass(frozen=True, eq=False)
class RecordWindows:
    """A record's windows, the network's input.

    Attributes
    ----------
    name : str
    windows : ndarray, shape (windows, samples, leads), float32
        In mV; a record shorter than a window has one of its own length.
    quality : Quality
        Whether the record can be answered, and notes on its signal.
    evidence : Evidence or None
        The measurements for a reading; None where nothing was measured.
    facts : RecordFacts
        Age, sex and time.
    duration_s : float
        Of the record.
    beats : MeasuredBeats or None
        All beats of a record that lasts longer than two windows; None of others.
    parts : tuple of Evidence
        The measurements of each part of such a record, of which `evidence` is one.
    """

    name: str
    windows: np.ndarray
    quality: Quality = GOOD
    evidence: Evidence | None = None
    facts: RecordFacts = NO_FACTS
    duration_s: float = 0.0
    beats: MeasuredBeats | None = None
    parts: tuple[Evidence, ...] = ()


#: Returns the windows, quality and measurements of a record; of a long record no windows.
Prepare = Callable[[Record | LongRecord], RecordWindows]


@dataclass(frozen=True)
class WindowMaker:
    """Cuts the windows of a model from records.

    Attributes
    ----------
    preprocessing : Preprocessing
    multiple : int
        A window's number of samples is a multiple of this.
    measures : bool
        Whether records are measured, too, as readings need it.
    """

    preprocessing: Preprocessing
    multiple: int
    measures: bool = True

    def prepare(self, record: Record | LongRecord) -> RecordWindows:
        """Return a record's windows, quality and measurements.

        A long record has no windows in memory. One that lasts longer than `MONITORED_WINDOWS` windows is
        measured in parts, whether it is in memory or not.
        """
        if isinstance(record, LongRecord):
            duration = record.samples / record.sampling_rate
            unmeasured = RecordWindows(record.name, np.empty(0), facts=record.facts, duration_s=duration)
            return self._measured_parts(record, unmeasured)
        prepared = prepare_signal(record.signal, record.sampling_rate, self.preprocessing)
        windows = cut_windows(prepared, self.preprocessing, self.multiple)
        quality = assess_quality(record, prepared, self.preprocessing.sampling_rate)
        unmeasured = RecordWindows(record.name, windows, quality, None, record.facts, record.duration_s)
        if record.duration_s > MONITORED_WINDOWS * self.preprocessing.window_s:
            quality = assess_closely(in_parts(record), quality, self.preprocessing)
            unmeasured = replace(unmeasured, quality=quality)
            measured = self._measured_parts(in_parts(record), unmeasured)
        else:
            evidence = gather_evidence(record, measure(record)) if self.measures else None
            measured = replace(unmeasured, evidence=evidence)
        if measured.evidence is not None and not quality.answerable:
            return replace(measured, evidence=measured.evidence.without_beats())
        return measured

    def _measured_parts(self, record: LongRecord, unmeasured: RecordWindows) -> RecordWindows:
        beats = measure_beats(record, usual_gain(record, self.preprocessing))
        if not self.measures:
            return replace(unmeasured, beats=beats)
        parts = measure_parts(record, chosen_starts(record, beats))
        return replace(unmeasured, beats=beats, evidence=typical_evidence(parts), parts=parts)


@dataclass(frozen=True)
class PendingRecord:
    """A record before it is read.

    Attributes
    ----------
    name : str
        Of its prediction.
    source : str
        What to call it in errors, such as its path.
    read : callable
        Returns the record.
    stamp : callable, optional
        Returns what the record's files are like; it is called before they are read.
    """

    name: str
    source: str
    read: Callable[[], Record | LongRecord]
    stamp: Callable[[], Stamp] | None = None


@dataclass(frozen=True, eq=False)
class ReadResult:
    """A record after it is read, or the reason of a failure.

    Attributes
    ----------
    name : str
    record : RecordWindows or None
        Its windows and measurements; None if it has failed.
    long : LongRecord or None
        The record itself, if it is long: its windows are cut later.
    failure : str
    stamp : Stamp or None
        What the files were like before they were read.
    """

    name: str
    record: RecordWindows | None = None
    long: LongRecord | None = None
    failure: str = ""
    stamp: Stamp | None = None

    @property
    def windows(self) -> int:
        """Number of windows in memory."""
        return 0 if self.record is None else len(self.record.windows)


def prepared_records(
    prepare: Prepare, records: Iterable[PendingRecord], run: Run = in_this_process
) -> Generator[ReadResult]:
    """Yield the results of reading records, in order. If a record cannot be read, `failure` has the reason.

    Parameters
    ----------
    prepare : callable
        Pickled if there are other processes, as the records are.
    records : iterable of PendingRecord
        Looked at one by one, or as far ahead as other processes are.
    run : callable
        Reads the records: in this process or in others.
    """
    with closing(run(Work(partial(_prepare_several, prepare), _lost), records)) as prepared:
        yield from prepared


def read_and_prepare(prepare: Prepare, waiting: PendingRecord) -> ReadResult:
    """Read a record and cut its windows."""
    stamp = None
    try:
        stamp = waiting.stamp() if waiting.stamp is not None else None
        read = waiting.read()
        long = replace(read, name=waiting.name) if isinstance(read, LongRecord) else None
        return ReadResult(waiting.name, replace(prepare(read), name=waiting.name), long, stamp=stamp)
    except InputError as error:
        return ReadResult(waiting.name, failure=str(error), stamp=stamp)
    except Exception as error:  # an error of one record must not stop the others
        return ReadResult(waiting.name, failure=f"{waiting.source}: {error!r}", stamp=stamp)


def _prepare_several(prepare: Prepare, records: Sequence[PendingRecord]) -> list[ReadResult]:
    """Read the first records, until they have `MOST_WINDOWS` windows together."""
    several: list[ReadResult] = []
    windows = 0
    for record in records:
        several.append(read_and_prepare(prepare, record))
        windows += several[-1].windows
        if windows >= MOST_WINDOWS:
            break
    return several


def _lost(waiting: PendingRecord) -> ReadResult:
    return ReadResult(waiting.name, failure=f"{waiting.source}: {UNREADABLE}")
