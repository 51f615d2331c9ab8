"""The signal files of a header: their paths, whether they are as long as it says, and reading them with wfdb.

wfdb allocates arrays of the size that a header states, even if its files are shorter. So the samples, frames,
skews and offsets of a header are compared with the sizes of its files first.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_gap.io.headers import Header, HeaderLead
from cnn_gap.io.stored_values import StoredLeads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import file_size, readable

#: WFDB's storage formats: bits of a sample in a file, None where it is compressed.
STORAGE_BITS: dict[str, float | None] = {
    **{
        "8": 8,
        "16": 16,
        "24": 24,
        "32": 32,
        "61": 16,
        "80": 8,
        "160": 16,
        "212": 12,
        "310": 32 / 3,
        "311": 32 / 3,
    },
    **dict.fromkeys(("508", "516", "524")),
}

#: The largest number of values that wfdb reads in one call: it needs about 40 bytes for each.
LARGEST_VALUES = 1 << 26


@dataclass(frozen=True)
class SignalReader:
    """A function that reads parts of a recording, and the recording's properties.

    Attributes
    ----------
    sampling_rate : float
        In Hz.
    samples : int
        Of each lead; 0 where the recording can be read only whole.
    read : callable
        Returns the samples from the first to before the last as a `Record`.
    notes : tuple of str
        What was left out or changed in the whole recording, as in `Record.notes`.
    """

    sampling_rate: float
    samples: int
    read: Callable[[int, int], Record]
    notes: tuple[str, ...] = ()


def file_beside(path: Path, name: str) -> Path:
    """Return the file of that name in the folder of `path`: in another case, where only that is there."""
    exact = path.with_name(name)
    if os.path.lexists(exact):
        return exact
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - pathlib's is slow
    spellings = (stem + suffix.upper(), stem + suffix.lower(), name.upper(), name.lower())
    return next((path.with_name(each) for each in spellings if os.path.lexists(path.with_name(each))), exact)


def signal_files(path: Path, header: Header) -> dict[Path, int]:
    """Return the files of a header's leads, each once, all of them in the header's folder, with their sizes.

    Raises
    ------
    InputError
        If one is missing, is no regular file or lies in another folder.
    """
    files: dict[Path, int] = {}
    for name in dict.fromkeys(lead.file_name for lead in header.leads):
        if "/" in name or "\\" in name or name in (".", ".."):
            raise InputError(f"{path}: the signal file {name} is not a name in the header's folder")
        try:
            file = file_beside(path, name)
            files[file] = file_size(file)
        except InputError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise InputError(
                    f"{path.parent / name}: the signal file is missing; {path.name} refers to it"
                ) from error
            raise
    return files


def is_plain(header: Header) -> bool:
    """Tell whether one file holds all leads, a sample of each after the other, from one byte on."""
    first = header.leads[0]
    alike = (first.file_name, 1, 0, first.byte_offset)
    return all(
        (lead.file_name, lead.samples_per_frame, lead.skew, lead.byte_offset) == alike for lead in header.leads
    )


def read_with_wfdb(
    path: Path, header: Header, stored: StoredLeads, first: int = 0, last: int | None = None
) -> np.ndarray:
    """Return the signal of stored leads in mV, shape (samples, leads), from sample `first` to before `last`.

    Leads of a lower rate than the record's are interpolated linearly. wfdb refuses dates, names and numbers of
    fields that are in use, so it gets a header of its own.

    Raises
    ------
    InputError
        If the header asks for more than its files hold, or wfdb cannot read them.
    """
    import wfdb  # late: its import takes a second, and few records need it

    sizes = signal_files(path, header)
    frames, per_frame = held_samples(path, header, sizes), stored.samples_per_frame
    last = frames * per_frame if last is None else min(last, frames * per_frame)
    # Whole frames are read, and one more each side, from which slow leads are interpolated.
    start, end = max(first // per_frame - 1, 0), min(-(-last // per_frame) + 1, frames)
    values = (end - start) * sum(lead.samples_per_frame for lead in header.leads)
    if values > LARGEST_VALUES:
        raise InputError(f"{path}: is too long to be read at once; at most {LARGEST_VALUES} values are")
    aliases = {file: f"signal{index}" for index, file in enumerate(sizes)}
    lines = [f"record {len(header.leads)} {header.sampling_rate!r} {frames}"]
    lines += [
        f"{aliases[file_beside(path, lead.file_name)]} {lead.storage}x{lead.samples_per_frame}:{lead.skew}"
        f"+{lead.byte_offset} {lead.gain if lead.unit == 'mV' else 1.0!r}({lead.baseline})/mV 16 0"
        f" {lead.initial_value} 0 0 lead{index}"
        for index, lead in enumerate(header.leads)
    ]
    columns = list(stored.choice.columns.values())
    with tempfile.TemporaryDirectory() as folder, parsing(path, "WFDB record with whole signal files"):
        for file, alias in aliases.items():
            _link(file, Path(folder) / alias)
        (Path(folder) / "record.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
        leads = wfdb.rdrecord(
            str(Path(folder) / "record"), start, end, channels=columns, smooth_frames=False
        ).e_p_signal
    signal = np.stack([_at_rate(lead, (end - start) * per_frame) for lead in leads], axis=1)
    signal = signal[first - start * per_frame : last - start * per_frame]
    if len(signal) != last - first:
        raise InputError(f"{path}: the signal is truncated; has {len(signal)} of {last - first} samples")
    return signal


def _at_rate(lead: np.ndarray, samples: int) -> np.ndarray:
    """Return a lead with this number of samples over the same time, interpolated if it has fewer."""
    if len(lead) == samples:
        return lead
    times, own_times = np.arange(samples) / samples, np.arange(len(lead)) / len(lead)
    interpolated: np.ndarray = np.interp(times, own_times, lead)
    return interpolated


def held_samples(path: Path, header: Header, sizes: Mapping[Path, int]) -> int:
    """Return the number of frames: from the header or, if it has none, from the size of the files.

    Raises
    ------
    InputError
        If the files cannot hold what the header says: samples, samples in a frame, skew or offset.
    """
    held = []
    for file, size in sizes.items():
        leads = [lead for lead in header.leads if file_beside(file, lead.file_name) == file]
        frames = _held_frames(file, size, leads)
        if frames is None and header.samples is None:
            raise InputError(f"{path}: must say how many samples there are, since {file.name} is compressed")
        wanted = frames if header.samples is None else header.samples
        if frames is not None and frames < (wanted or 0):
            raise InputError(f"{file}: is truncated; holds {frames} of the header's {wanted} samples")
        late = max(lead.skew for lead in leads)
        if late > (wanted or 0):
            raise InputError(f"{path}: a skew of {late} samples is longer than the record, which has {wanted}")
        held.append(wanted or 0)
    if not min(held):
        raise InputError(f"{path}: has no samples")
    return min(held)


def _held_frames(file: Path, size: int, leads: list[HeaderLead]) -> int | None:
    """Return how many samples of each of its leads a file holds, None if its size does not show that."""
    storage, offset = leads[0].storage, max(lead.byte_offset for lead in leads)
    if storage not in STORAGE_BITS:
        raise InputError(f"{file}: is stored in format {storage}; known are {', '.join(STORAGE_BITS)}")
    if any(lead.storage != storage for lead in leads):
        raise InputError(f"{file}: its leads must have one storage format; the header names several")
    if offset > size:
        raise InputError(f"{file}: is truncated; its samples start at byte {offset} of {size}")
    bits = STORAGE_BITS[storage]
    frame = sum(lead.samples_per_frame for lead in leads)
    return None if bits is None else int((size - offset) * 8 / bits) // frame


@contextmanager
def parsing(path: Path, what: str) -> Iterator[None]:
    """Turn any error of a parser in a damaged file into an `InputError`."""
    try:
        with readable(path):
            yield
    except InputError:
        raise
    except Exception as error:  # the libraries promise no kind of exception
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: is not a {what} that can be read ({type(error).__name__}: {reason})"
        ) from error


def _link(path: Path, link: Path) -> None:
    try:
        link.symlink_to(path.absolute())
    except OSError:  # not every file system has links
        shutil.copyfile(path, link)
