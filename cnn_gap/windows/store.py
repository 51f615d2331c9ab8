"""Prepare the training windows of many records once, into a memory-mapped file.

A store is a folder: `windows.npy` holds the windows (N, samples, leads) as float16 mV (rounded to 0.05 %), and
`store.json` says which belong to which record and which records could not be read. It is found again by a
fingerprint of the records' files and of the preprocessing.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from cnn_gap.ecg.long_records import LongRecord, open_record
from cnn_gap.ecg.records import LEADS, RecordInfo, record_files
from cnn_gap.errors import InputError, printable
from cnn_gap.files import file_size, flush, read_json, writable, write_json
from cnn_gap.locks import locked
from cnn_gap.settings import from_dict
from cnn_gap.windows.pieces import long_training_windows
from cnn_gap.windows.preprocessing import Preprocessing, resampled_length, training_starts, training_windows

#: Raise it when the preparation changes, so that older stores are not taken for current ones.
STORE_VERSION = 2

#: How the name of a folder begins in which windows are being prepared.
PREPARING = ".preparing-"

#: Records that a worker prepares at a time.
CHUNK = 64

#: What float16 can hold, mV.
LARGEST_AMPLITUDE = 6e4


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
    """

    folder: Path
    first: tuple[int, ...]
    failures: dict[int, str]

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return windows by index, float32 mV of shape (len(indices), samples, leads).

        The file is mapped anew each time: the pages stay in the system's cache without counting as memory of
        this process, which so stays small however large the store is.
        """
        order = np.argsort(indices)
        windows = np.load(self.folder / "windows.npy", mmap_mode="r")
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
    jobs: int = -1,
    log: Callable[[str], None] = print,
) -> WindowStore:
    """Return the store of the records' training windows, made now if `cache` has none that is current.

    Parameters
    ----------
    records : sequence of RecordInfo
        What to prepare, in order.
    preprocessing : Preprocessing
        How to prepare it.
    cache : Path
        Folder that holds the stores.
    jobs : int
        Processes that prepare in parallel; -1 takes every core.
    log : callable
        Receives a line where another process is preparing in `cache`; this one then waits for it.

    Raises
    ------
    InputError
        If no record at all could be read.
    """
    folder = Path(cache) / _fingerprint(records, preprocessing)
    first = _first_windows(records, preprocessing)
    store = _open_store(folder, first, preprocessing)
    if store is None:
        with locked(folder.parent, wait=log):
            store = _open_store(folder, first, preprocessing)
            store = store or _make_store(folder, records, first, preprocessing, jobs)
    if len(store.failures) == len(records):
        raise InputError(f"none of the {len(records)} records can be read; the first: {store.failures[0]}")
    return store


def _make_store(
    folder: Path,
    records: Sequence[RecordInfo],
    first: tuple[int, ...],
    preprocessing: Preprocessing,
    jobs: int,
) -> WindowStore:
    """Prepare the windows aside, and give the store its name when it is whole; the cache is locked."""
    for left in (folder, *folder.parent.glob(f"{PREPARING}*")):  # nobody prepares here but the lock's holder
        shutil.rmtree(left, ignore_errors=True)
    aside = folder.with_name(f"{PREPARING}{folder.name}")
    try:
        with writable(folder):
            aside.mkdir()
            _write_store(aside, records, first, preprocessing, jobs)
            aside.rename(folder)
            flush(folder.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    store = _open_store(folder, first, preprocessing)
    if store is None:
        raise InputError(f"{folder}: the prepared windows cannot be read back; remove this folder")
    return store


@dataclass(frozen=True)
class _Content:
    """What `store.json` holds: what `WindowStore` does, an index being text."""

    first: tuple[int, ...]
    failures: dict


def _open_store(folder: Path, first: tuple[int, ...], preprocessing: Preprocessing) -> WindowStore | None:
    """Return the store in a folder, or None where there is none or it is not one of these windows."""
    try:
        content = from_dict(_Content, read_json(folder / "store.json"))
        failures = {int(index): printable(str(reason)) for index, reason in content.failures.items()}
        whole = content.first == first and all(0 <= index < len(first) - 1 for index in failures)
        shape = (first[-1], preprocessing.input_samples, len(LEADS))
        whole = whole and _holds_windows(folder / "windows.npy", shape)
    except (InputError, ValueError):
        return None
    return WindowStore(folder, first, failures) if whole else None


def _holds_windows(path: Path, shape: tuple[int, ...]) -> bool:
    """Tell whether a file holds an array of this shape, and nothing more or less."""
    size = file_size(path)
    try:
        windows = np.load(path, mmap_mode="r", allow_pickle=False)
        found = (windows.shape, windows.dtype, windows.offset + windows.nbytes)
    except Exception:  # NumPy raises many kinds for a damaged file
        return False
    return found == (shape, np.float16, size)


def _fingerprint(records: Sequence[RecordInfo], preprocessing: Preprocessing) -> str:
    root = os.path.commonpath([record.path.parent for record in records])
    files = [
        (str(path.relative_to(root)), path.stat().st_size, path.stat().st_mtime_ns)
        for record in records
        for path in record_files(record.path)
    ]
    content = json.dumps([STORE_VERSION, asdict(preprocessing), files])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _write_store(
    folder: Path,
    records: Sequence[RecordInfo],
    first: tuple[int, ...],
    preprocessing: Preprocessing,
    jobs: int,
) -> None:
    shape = (first[-1], preprocessing.input_samples, len(LEADS))
    np.lib.format.open_memmap(folder / "windows.npy", "w+", np.float16, shape).flush()
    _allocate(folder / "windows.npy")
    chunks = [range(start, min(start + CHUNK, len(records))) for start in range(0, len(records), CHUNK)]
    tasks = (
        joblib.delayed(_write_chunk)(
            folder / "windows.npy",
            [(index, records[index].path, first[index], first[index + 1]) for index in chunk],
            preprocessing,
        )
        for chunk in chunks
    )
    failures: dict[int, str] = {}
    parallel = joblib.Parallel(
        n_jobs=min(joblib.cpu_count(), len(chunks)) if jobs < 0 else jobs, return_as="generator_unordered"
    )
    with tqdm(total=len(records), desc="preparing windows", unit="record", disable=None) as bar:
        for done, failed in parallel(tasks):
            failures |= failed
            bar.update(done)
    flush(folder / "windows.npy")  # after a power failure, a store must not hold what never reached the disk
    write_json(folder / "store.json", {"first": first, "failures": dict(sorted(failures.items()))})


def _allocate(path: Path) -> None:
    """Take a file's space now: a full disk is an error here, and would kill whoever writes to the map later."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _first_windows(records: Sequence[RecordInfo], preprocessing: Preprocessing) -> tuple[int, ...]:
    """Return the number of each record's first window, as its header has it, and that of all windows."""
    samples = (resampled_length(each.samples, each.sampling_rate, preprocessing) for each in records)
    counts = (len(training_starts(length, preprocessing.window_samples)) for length in samples)
    return tuple(accumulate(counts, initial=0))


def _windows_of(path: Path, preprocessing: Preprocessing) -> np.ndarray:
    record = open_record(path)
    if isinstance(record, LongRecord):
        return long_training_windows(record, preprocessing)
    return training_windows(record.signal, record.sampling_rate, preprocessing)


def _write_chunk(
    path: Path, items: list[tuple[int, Path, int, int]], preprocessing: Preprocessing
) -> tuple[int, dict[int, str]]:
    """Prepare records into the file; return how many, and the failures.

    An item is a record's index, its path, the number of its first window and of the one after its last.
    """
    failures = {}
    file = np.load(path, mmap_mode="r+")
    for index, record_path, first, end in items:
        try:
            windows = _windows_of(record_path, preprocessing)
            if len(windows) != end - first:
                raise InputError(f"{record_path}: the signal's length differs from the header's")
            file[first:end] = np.clip(windows, -LARGEST_AMPLITUDE, LARGEST_AMPLITUDE)
        except Exception as error:  # whatever is wrong with one record must not cost the others
            failures[index] = str(error) if isinstance(error, InputError) else f"{record_path}: {error!r}"
    return len(items), failures
