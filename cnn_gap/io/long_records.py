"""Recordings of hours: what is known of one, and parts of its signal when they are needed.

A day at 250 Hz is a gigabyte of amplitudes. Records in WFDB's formats and in plain MATLAB files are read in
parts; others must be short enough to be read whole.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.formats.wfdb import PLAIN_MATLAB_BYTES, plain_matlab_shape
from cnn_gap.io.headers import Header, read_header
from cnn_gap.io.records import read_record, record_header
from cnn_gap.io.signal_files import held_samples, is_plain, read_with_wfdb, signal_files
from cnn_gap.io.stored_values import record_from_digital
from cnn_gap.leads import LEADS
from cnn_gap.record import NoValidSampleError, Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: Records of more samples than this, at their own rate or at 100 Hz, are read in parts.
LONG = 1 << 19
USUAL_RATE = 100.0

#: The most samples of a record that is held in memory as a whole: half a gigabyte.
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
    codes, age, sex
        As of `Record`.
    """

    name: str
    sampling_rate: float
    samples: int
    reader: Callable[[int, int], Record]
    codes: tuple[str, ...] = ()
    age: float = math.nan
    sex: str = "Unknown"

    def part(self, first: int, last: int) -> Record:
        """Return the samples from `first` to before `last` as a record; all are NaN where none is valid."""
        try:
            return self.reader(first, last)
        except NoValidSampleError:
            signal = np.full((last - first, len(LEADS)), np.nan, np.float32)
            return Record(self.name, signal, np.zeros(len(LEADS), bool), self.sampling_rate)


def open_record(path: Path) -> Record | LongRecord:
    """Read a record or, where it is long, what is known of it.

    Raises
    ------
    InputError
        As `cnn_gap.io.records.read_record`, or if the record is longer than `LONGEST_S`.
    """
    path = Path(path)
    named = record_header(path)
    if named.suffix != ".hea" or not os.path.exists(named):  # noqa: PTH110 - pathlib's fails for long names
        return read_record(path)
    path = named
    header = read_header(path)
    samples, reader = _reader(path, header, signal_files(path, header))
    duration = samples / header.sampling_rate
    if duration > LONGEST_S:
        raise InputError(
            f"{path}: lasts {duration / 86_400:.1f} days; at most {LONGEST_S / 86_400:g} are read: is"
            f" {header.sampling_rate:g} Hz its sampling rate?"
        )
    if max(samples, duration * USUAL_RATE) <= LONG:
        return read_record(path)
    return LongRecord(header.name, header.sampling_rate, samples, reader, header.codes, header.age, header.sex)


def read_whole(path: Path) -> Record:
    """Read a record to look at all of it at once, as explaining it does.

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
        raise InputError(f"{path}: lasts {hours:.1f} hours; at most {most:.1f} are looked at at once: cut it")
    return read_record(path)


def _reader(path: Path, header: Header, sizes: dict[Path, int]) -> tuple[int, Callable[[int, int], Record]]:
    """Return how many samples a record has and what reads parts of it; 0 where it can be read only whole."""
    first_file, plain = next(iter(sizes)), is_plain(header)
    if plain and first_file.suffix == ".mat":
        shape = plain_matlab_shape(read_bytes(first_file, LARGEST_SIGNAL_FILE, count=PLAIN_MATLAB_BYTES))
        samples = 0 if shape is None or shape[0] != len(header.leads) else shape[1]
        if samples < (header.samples or 0):  # whoever reads it whole says what is wrong with it
            samples = 0
        wanted = min(samples, header.samples or samples)
        return wanted, partial(_read_plain, first_file, header, PLAIN_MATLAB_BYTES)
    samples = held_samples(path, header, sizes)
    if plain and header.leads[0].storage == "16":
        return samples, partial(_read_plain, first_file, header, header.leads[0].byte_offset)
    return samples, partial(_read_with_wfdb, path, header)


def _read_plain(file: Path, header: Header, offset: int, first: int, last: int) -> Record:
    width, count = 2 * len(header.leads), last - first
    content = read_bytes(file, LARGEST_SIGNAL_FILE, first=offset + first * width, count=count * width)
    if len(content) < count * width:
        raise InputError(f"{file}: is truncated; it has become shorter while it was read")
    values = np.frombuffer(content, "<i2").reshape(count, len(header.leads)).T
    return record_from_digital(replace(header, samples=count), values)


def _read_with_wfdb(path: Path, header: Header, first: int, last: int) -> Record:
    signal = read_with_wfdb(path, header, first, last - first)
    return record_from_signal(signal, header.sampling_rate, [lead.name for lead in header.leads], header.name)
