"""Recordings of hours: their properties, and parts of their signal that are read when they are needed.

A day at 250 Hz is a gigabyte of amplitudes. WFDB records are read in parts; others must be short enough to be
read whole.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from cnn_gap.io.formats.wfdb import open_signal
from cnn_gap.io.headers import read_header
from cnn_gap.io.records import record_header
from cnn_gap.io.registry import read_file
from cnn_gap.leads import LEADS
from cnn_gap.record import NoValidSampleError, Record, RecordFacts
from cnn_gap.system.errors import InputError

#: Records with more samples than this, at their own rate or at 100 Hz, are read in parts.
LONG_SAMPLES = 1 << 19
USUAL_RATE = 100.0

#: The largest number of samples of a record that is read as a whole: half a gigabyte.
LARGEST_WHOLE = 11_000_000

#: The longest record, s: a week.
LONGEST_S = 7 * 86_400.0


@dataclass(frozen=True, eq=False)
class LongRecord:
    """A recording whose signal is not in memory.

    Attributes
    ----------
    name : str
    sampling_rate : float
        In Hz.
    samples : int
        Of each lead.
    reader : callable
        Returns the samples from the first to before the last as a `Record`.
    codes, age, sex, time
        As of `Record`.
    """

    name: str
    sampling_rate: float
    samples: int
    reader: Callable[[int, int], Record]
    codes: tuple[str, ...] = ()
    age: float = math.nan
    sex: str = "Unknown"
    time: datetime | None = None

    @property
    def facts(self) -> RecordFacts:
        """Age, sex and time of the recording."""
        return RecordFacts(self.age, self.sex, self.time)

    def part(self, first: int, last: int) -> Record:
        """Return the samples from `first` to before `last` as a record; all are NaN where none is valid."""
        try:
            return self.reader(first, last)
        except NoValidSampleError:
            signal = np.full((last - first, len(LEADS)), np.nan, np.float32)
            return Record(self.name, signal, np.zeros(len(LEADS), bool), self.sampling_rate)


def in_parts(record: Record) -> LongRecord:
    """Return a record in memory as one that is read in parts."""
    return LongRecord(
        record.name,
        record.sampling_rate,
        len(record.signal),
        partial(_part, record),
        record.codes,
        record.age,
        record.sex,
        record.time,
    )


def _part(record: Record, first: int, last: int) -> Record:
    return replace(record, signal=record.signal[first:last])


def open_record(path: Path) -> Record | LongRecord:
    """Read a record or, if it is long, its properties without its signal.

    Raises
    ------
    InputError
        As `cnn_gap.io.records.read_record`, or if the record is longer than `LONGEST_S`.
    """
    path = record_header(path)
    if path.suffix.lower() != ".hea":
        return read_file(path)
    header = read_header(path)
    reader = open_signal(path, header)
    duration = reader.samples / reader.sampling_rate
    if duration > LONGEST_S:
        raise InputError(
            f"{path}: lasts {duration / 86_400:.1f} days; at most {LONGEST_S / 86_400:g} are read: is"
            f" {reader.sampling_rate:g} Hz its sampling rate?"
        )
    if max(reader.samples, duration * USUAL_RATE) <= LONG_SAMPLES:
        return read_file(path)
    return LongRecord(header.name, reader.sampling_rate, reader.samples, reader.read, **header.about)


def read_whole(path: Path) -> Record:
    """Read a record as a whole, as explaining and measuring need it.

    Raises
    ------
    InputError
        As `open_record`, or if it is longer than fits into memory several times.
    """
    record = open_record(path)
    if isinstance(record, Record):
        return record
    if record.samples > LARGEST_WHOLE:
        hours, most = (samples / record.sampling_rate / 3600 for samples in (record.samples, LARGEST_WHOLE))
        raise InputError(f"{path}: lasts {hours:.1f} hours; at most {most:.1f} are read as a whole: cut it")
    return read_file(record_header(path))
