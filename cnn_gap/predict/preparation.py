"""Records that are yet to be read, and what the network takes of them: without Keras, for any process."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cnn_gap.io.long_records import LongRecord
from cnn_gap.io.sources import Stamp
from cnn_gap.record import Record
from cnn_gap.signal.quality import GOOD, Quality, assess_quality
from cnn_gap.signal.windows import Preprocessing, cut_windows, prepare_signal
from cnn_gap.system.errors import InputError
from cnn_gap.system.processes import Work, in_processes

#: Windows that a process prepares before it hands them over.
MOST_WINDOWS = 64

#: Why a record has no answer that no process can read.
UNREADABLE = "a process that read it has died; is it damaged, or too large for this machine's memory?"


@dataclass(frozen=True, eq=False)
class RecordWindows:
    """A record as the network takes it.

    Attributes
    ----------
    name : str
    windows : ndarray, shape (windows, samples, leads), float32
        In mV; a record shorter than a window has one of its own length.
    quality : Quality
        What the record is worth.
    """

    name: str
    windows: np.ndarray
    quality: Quality = GOOD


#: From a record to its windows and what it is worth.
Prepare = Callable[[Record], RecordWindows]


@dataclass(frozen=True)
class WindowMaker:
    """How a model's records become windows.

    Attributes
    ----------
    preprocessing : Preprocessing
    multiple : int
        Of how many samples a window has a multiple.
    """

    preprocessing: Preprocessing
    multiple: int

    def prepare(self, record: Record) -> RecordWindows:
        """Return a record's windows and what it is worth."""
        prepared = prepare_signal(record.signal, record.sampling_rate, self.preprocessing)
        windows = cut_windows(prepared, self.preprocessing, self.multiple)
        quality = assess_quality(record, prepared, self.preprocessing.sampling_rate)
        return RecordWindows(record.name, windows, quality)


@dataclass(frozen=True)
class PendingRecord:
    """A record that is yet to be read.

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
    """What was read: a record as the network takes it, a long one, or why there is neither.

    Attributes
    ----------
    name : str
    record : RecordWindows or None
    long : LongRecord or None
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
        """How many windows are in memory."""
        return 0 if self.record is None else len(self.record.windows)


def prepared_records(
    prepare: Prepare, records: Iterable[PendingRecord], jobs: int = 0
) -> Generator[ReadResult]:
    """Yield what is read of records, in their order; one that cannot be read has the reason in its `failure`.

    Parameters
    ----------
    prepare : callable
        Pickled if there are other processes, as the records are.
    records : iterable of PendingRecord
        Looked at one by one, or as far ahead as other processes are.
    jobs : int
        How many other processes read; 0: this one does.
    """
    if not jobs:
        yield from map(partial(read_and_prepare, prepare), records)
        return
    with closing(in_processes(Work(partial(_prepare_several, prepare), _lost), records, jobs)) as prepared:
        yield from prepared


def read_and_prepare(prepare: Prepare, waiting: PendingRecord) -> ReadResult:
    """Return what is read of a record."""
    stamp = None
    try:
        stamp = waiting.stamp() if waiting.stamp is not None else None
        read = waiting.read()
        if isinstance(read, LongRecord):
            return ReadResult(waiting.name, long=replace(read, name=waiting.name), stamp=stamp)
        return ReadResult(waiting.name, replace(prepare(read), name=waiting.name), stamp=stamp)
    except InputError as error:
        return ReadResult(waiting.name, failure=str(error), stamp=stamp)
    except Exception as error:  # whatever is wrong with one record must not cost the others
        return ReadResult(waiting.name, failure=f"{waiting.source}: {error!r}", stamp=stamp)


def _prepare_several(prepare: Prepare, records: Sequence[PendingRecord]) -> list[ReadResult]:
    """Return what is read of the first records: as many as have together about `MOST_WINDOWS`."""
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
