"""Prepare the training windows of many records once, in a file that is mapped into memory.

A store is a folder: `windows.npy` holds the windows (N, samples, leads) as float16 mV (rounded to 0.05 %), and
`store.json` says which belong to which record and which records could not be read. It is found again by a
fingerprint of the records' files and of the preprocessing.
"""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from cnn_gap.io.long_records import LongRecord
from cnn_gap.io.records import RecordInfo, record_files
from cnn_gap.io.sources import ListedRecord
from cnn_gap.io.training_records import RemoteInfo
from cnn_gap.leads import LEADS
from cnn_gap.signal.pieces import long_training_windows
from cnn_gap.signal.windows import Preprocessing, resampled_length, training_starts, training_windows
from cnn_gap.system.chunks import Run, Work
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import file_size, flush, read_json, writable, write_json
from cnn_gap.system.locks import locked
from cnn_gap.system.processes import MOST_JOBS, in_processes, usual_jobs
from cnn_gap.system.settings import from_dict

#: Raise it when the preparation changes, so that older stores are not taken for current ones.
STORE_VERSION = 2

#: The files of a store.
WINDOWS, CONTENT = "windows.npy", "store.json"

#: How the name of a folder begins in which windows are being prepared; the store's name, of hexadecimal digits,
#: follows.
PREPARING = ".preparing-"
_DIGITS = 16

#: Number of records for each process that is started: each imports SciPy first, which takes most of a second.
RECORDS_PER_PROCESS = 64

#: Windows are clipped at this amplitude, mV: float16 holds at most 65504.
LARGEST_AMPLITUDE = 6e4

#: Reason of the failure of a record whose reading ends every process.
UNREADABLE = "every process that read it has died; is it damaged, or too large for its memory?"


@dataclass(frozen=True)
class WindowStore:
    """The prepared windows of a sequence of records.

    Attributes
    ----------
    folder : Path
        Where the files lie.
    first : tuple of int
        Record i has the windows from `first[i]` to before `first[i + 1]`.
    failures : dict of int to str
        Why a record's windows are missing, by its index.
    samples : int
        Of each window, margins counted.
    held : tuple of int
        Number of samples of each record's windows that are signal, margins counted: all of them or, if the
        record is shorter than a window, those in the middle between zeros. At least a second and the margins.
    """

    folder: Path
    first: tuple[int, ...]
    failures: dict[int, str]
    samples: int
    held: tuple[int, ...]

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return windows by index, float32 mV of shape (len(indices), samples, leads).

        The file is mapped anew each time: the pages stay in the system's cache without counting as memory of
        this process, which so stays small however large the store is.
        """
        order = np.argsort(indices)
        windows = np.load(self.folder / WINDOWS, mmap_mode="r")
        result = np.empty((len(indices), *windows.shape[1:]), np.float32)
        result[order] = windows[np.asarray(indices)[order]]
        return result

    def windows_of(self, records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the window indices of `records` (indices, repeats allowed) and the record of each window."""
        first = np.array(self.first)
        counts = first[records + 1] - first[records]
        owners = np.repeat(records, counts)
        offsets = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        return first[owners] + offsets, owners


def prepare_windows(
    records: Sequence[RecordInfo],
    preprocessing: Preprocessing,
    cache: Path,
    run: Run | None = None,
    log: Callable[[str], None] = print,
) -> WindowStore:
    """Return the store of the records' training windows, made now if `cache` has none that is current.

    Other processes make the windows and this one writes them. So if a process dies, the store has no incomplete
    record, and no other record is lost.

    Parameters
    ----------
    records : sequence of RecordInfo
        What to prepare, in order.
    preprocessing : Preprocessing
        How to prepare it.
    cache : Path
        Folder that holds the stores.
    run : callable, optional
        The executor that makes the windows, such as a cluster; if not given, one process for each core.
    log : callable
        Receives a line where another process is preparing in `cache`; this one then waits for it.

    Raises
    ------
    InputError
        If no record at all could be read.
    """
    folder = Path(cache) / _fingerprint(records, preprocessing)
    layout = _layout_of(records, preprocessing)
    store = _open_store(folder, layout, preprocessing)
    if store is None:
        with locked(folder.parent, wait=log):
            store = _open_store(folder, layout, preprocessing)
            store = store or _make_store(folder, records, layout, preprocessing, run or _run_here)
    if len(store.failures) == len(records):
        raise InputError(f"none of the {len(records)} records can be read; the first: {store.failures[0]}")
    return store


@dataclass(frozen=True)
class _Layout:
    """The attributes `first` and `held` of a `WindowStore`."""

    first: tuple[int, ...]
    held: tuple[int, ...]


def _make_store(
    folder: Path,
    records: Sequence[RecordInfo],
    layout: _Layout,
    preprocessing: Preprocessing,
    run: Run,
) -> WindowStore:
    """Prepare the windows in a folder aside, and rename it when the store is whole; the cache is locked."""
    aside = folder.with_name(f"{PREPARING}{folder.name}")
    for left in (
        folder,
        *folder.parent.glob(f"{PREPARING}{'[0-9a-f]' * _DIGITS}"),
    ):  # of processes that have died
        _remove(left)
    try:
        with writable(folder):
            aside.mkdir()
            _write_store(aside, records, layout.first, preprocessing, run)
            aside.rename(folder)
            flush(folder.parent)
    finally:
        _remove(aside)
    store = _open_store(folder, layout, preprocessing)
    if store is None:
        raise InputError(f"{folder}: the prepared windows cannot be read back; remove this folder")
    return store


def _remove(folder: Path) -> None:
    """Remove a store, but no other file that somebody may have put into its folder."""
    for name in (WINDOWS, CONTENT):
        with suppress(OSError):
            (folder / name).unlink()
    with suppress(OSError):
        folder.rmdir()


@dataclass(frozen=True)
class _Content:
    """The content of `store.json`: attributes of a `WindowStore`, with indices as text."""

    first: tuple[int, ...]
    failures: dict[str, str]


def _open_store(folder: Path, layout: _Layout, preprocessing: Preprocessing) -> WindowStore | None:
    """Return the store in a folder, or None if there is none, it is damaged or has another layout."""
    try:
        content = from_dict(_Content, read_json(folder / CONTENT))
        failures = {int(index): printable(str(reason)) for index, reason in content.failures.items()}
        first = layout.first
        whole = content.first == first and all(0 <= index < len(first) - 1 for index in failures)
        shape = (first[-1], preprocessing.input_samples, len(LEADS))
        whole = whole and _holds_windows(folder / WINDOWS, shape)
    except (InputError, ValueError):
        return None
    return WindowStore(folder, first, failures, preprocessing.input_samples, layout.held) if whole else None


def _holds_windows(path: Path, shape: tuple[int, ...]) -> bool:
    """Tell whether a file holds an array of this shape and nothing else."""
    size = file_size(path)
    try:
        windows = np.load(path, mmap_mode="r", allow_pickle=False)
        found = (windows.shape, windows.dtype, windows.offset + windows.nbytes)
    except Exception:  # NumPy raises many kinds for a damaged file
        return False
    return found == (shape, np.float16, size)


def _fingerprint(records: Sequence[RecordInfo], preprocessing: Preprocessing) -> str:
    local = [record.path.parent for record in records if not isinstance(record, RemoteInfo)]
    root = os.path.commonpath(local) if local else ""
    files = [file for record in records for file in _files(record, root)]
    content = json.dumps([STORE_VERSION, asdict(preprocessing), files])
    return hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]


def _files(record: RecordInfo, root: str) -> list[tuple[object, ...]]:
    """Return name, size and time of change (ns) of each of a record's files; of a remote one its stamp."""
    if isinstance(record, RemoteInfo):
        return [(record.listed.source, record.listed.stamp().content)]
    return [
        (str(path.relative_to(root)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in record_files(record.path)
    ]


@dataclass(frozen=True)
class _Wanted:
    """A record whose windows are wanted: its index, the record, and the number of windows by its header."""

    index: int
    record: ListedRecord
    count: int


@dataclass(frozen=True, eq=False)
class _Made:
    """The windows of a record, float16 of shape (count, samples, leads), or the reason of its failure."""

    index: int
    windows: np.ndarray | None = None
    failure: str = ""


def _write_store(
    folder: Path,
    records: Sequence[RecordInfo],
    first: tuple[int, ...],
    preprocessing: Preprocessing,
    run: Run,
) -> None:
    path = folder / WINDOWS
    shape = (first[-1], preprocessing.input_samples, len(LEADS))
    empty = np.lib.format.open_memmap(path, "w+", np.float16, shape)
    begin, size = empty.offset, empty.strides[0]
    del empty  # pages written through a map count as this process's memory, writes to a file do not
    _allocate(path)
    wanted = [
        _Wanted(index, _listed(each), first[index + 1] - first[index]) for index, each in enumerate(records)
    ]
    failures: dict[int, str] = {}
    with (
        path.open("r+b") as file,
        closing(run(Work(partial(_make_windows, preprocessing), _lost), wanted)) as made,
        tqdm(total=len(records), desc="preparing windows", unit="record", disable=None) as bar,
    ):
        for each in made:
            if each.windows is None:
                failures[each.index] = each.failure
            else:
                file.seek(begin + size * first[each.index])
                file.write(each.windows.data)
            bar.update()
    flush(path)  # after a power failure, a store must not hold what never reached the disk
    write_json(folder / CONTENT, {"first": first, "failures": dict(sorted(failures.items()))})


def _allocate(path: Path) -> None:
    """Reserve a file's space, so that a full disk is an error before the work and not after it."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _layout_of(records: Sequence[RecordInfo], preprocessing: Preprocessing) -> _Layout:
    """Return where the windows of records go, from the lengths in their headers."""
    lengths = [resampled_length(each.samples, each.sampling_rate, preprocessing) for each in records]
    counts = (len(training_starts(length, preprocessing.window_samples)) for length in lengths)
    second, margins = ceil(preprocessing.sampling_rate), 2 * preprocessing.margin_samples
    held = (min(preprocessing.input_samples, max(length, second) + margins) for length in lengths)
    return _Layout(tuple(accumulate(counts, initial=0)), tuple(held))


def _listed(record: RecordInfo) -> ListedRecord:
    return record.listed if isinstance(record, RemoteInfo) else ListedRecord(record.name, str(record.path))


def _windows_of(listed: ListedRecord, preprocessing: Preprocessing) -> np.ndarray:
    record = listed.open()
    if isinstance(record, LongRecord):
        return long_training_windows(record, preprocessing)
    return training_windows(record.signal, record.sampling_rate, preprocessing)


def _run_here(work: Work[Any, Any], items: Iterable[Any]) -> Generator[Any]:
    """Prepare in other processes if there are enough records for more than one."""
    wanted: list[_Wanted] = list(items)
    jobs = min(usual_jobs(most=MOST_JOBS), ceil(len(wanted) / RECORDS_PER_PROCESS))
    if not all(each.record.readable_in_subprocess for each in wanted):
        jobs = 0
    return in_processes(work, wanted, jobs if jobs > 1 else 0)


def _make_windows(preprocessing: Preprocessing, wanted: Sequence[_Wanted]) -> list[_Made]:
    return [_made(preprocessing, each) for each in wanted]


def _made(preprocessing: Preprocessing, wanted: _Wanted) -> _Made:
    try:
        windows = _windows_of(wanted.record, preprocessing)
        if len(windows) > wanted.count:
            raise InputError(f"{wanted.record.source}: the signal's length differs from the header's")
        if len(windows) < wanted.count:  # the header counts a calibration pulse: windows overlap by all of it
            windows = windows[np.linspace(0, len(windows) - 1, wanted.count).round().astype(int)]
        clipped = np.clip(windows, -LARGEST_AMPLITUDE, LARGEST_AMPLITUDE)
        return _Made(wanted.index, clipped.astype(np.float16, order="C"))
    except Exception as error:  # an error of one record must not stop the others
        reason = str(error) if isinstance(error, InputError) else f"{wanted.record.source}: {error!r}"
        return _Made(wanted.index, failure=reason)


def _lost(wanted: _Wanted) -> _Made:
    return _Made(wanted.index, failure=f"{wanted.record.source}: {UNREADABLE}")
