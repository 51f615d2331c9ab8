"""The signal files of a header: which they are, whether they hold what it says, and wfdb's reader of them.

wfdb makes arrays as large as a header asks for, whatever its file holds. So a header's samples, frames, skews
and offsets are compared with the sizes of its files first.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cnn_gap.io.headers import Header, HeaderLead
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

#: Values that wfdb is asked for at once: it takes some 40 bytes for each.
LARGEST_VALUES = 1 << 26


def signal_files(path: Path, header: Header) -> dict[Path, int]:
    """Return the files of a header's leads, each once, all of them in the header's folder, with their sizes.

    Raises
    ------
    InputError
        If one is missing, is no regular file or lies elsewhere.
    """
    files = {}
    for name in dict.fromkeys(lead.file_name for lead in header.leads):
        if "/" in name or "\\" in name or name in (".", ".."):
            raise InputError(f"{path}: the signal file {name} is not a name in the header's folder")
        try:
            files[path.parent / name] = file_size(path.parent / name)
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


def read_with_wfdb(path: Path, header: Header, first: int = 0, count: int | None = None) -> np.ndarray:
    """Return the signal in mV, shape (samples, leads), or `count` samples of it from `first` on.

    wfdb refuses dates, names and numbers of fields that are in use, so it gets a header of its own.

    Raises
    ------
    InputError
        If the header asks for more than its files hold, or wfdb cannot read them.
    """
    import wfdb  # it takes a second to import, and few records need it

    sizes = signal_files(path, header)
    samples = held_samples(path, header, sizes)
    last = samples if count is None else min(first + count, samples)
    values = (last - first) * sum(lead.samples_per_frame for lead in header.leads)
    if values > LARGEST_VALUES:
        raise InputError(f"{path}: is too long to be read at once; at most {LARGEST_VALUES} values are")
    files = {file.name: f"signal{index}" for index, file in enumerate(sizes)}
    lines = [f"record {len(header.leads)} {header.sampling_rate!r} {samples}"]
    lines += [
        f"{files[lead.file_name]} {lead.storage}x{lead.samples_per_frame}:{lead.skew}+{lead.byte_offset} "
        f"{lead.gain!r}({lead.baseline})/mV 16 0 {lead.initial_value} 0 0 lead{index}"
        for index, lead in enumerate(header.leads)
    ]
    with tempfile.TemporaryDirectory() as folder, reading(path, "WFDB record with whole signal files"):
        for name, alias in files.items():
            _link(path.parent / name, Path(folder) / alias)
        (Path(folder) / "record.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
        signal = wfdb.rdrecord(str(Path(folder) / "record"), sampfrom=first, sampto=last).p_signal
    if len(signal) != last - first:
        raise InputError(f"{path}: the signal is truncated; has {len(signal)} of {last - first} samples")
    return signal


def held_samples(path: Path, header: Header, sizes: Mapping[Path, int]) -> int:
    """Return the number of samples of each lead: the header's or, where it has none, what the files hold.

    Raises
    ------
    InputError
        If the files cannot hold what the header says: samples, samples in a frame, skew or offset.
    """
    held = []
    for file, size in sizes.items():
        leads = [lead for lead in header.leads if lead.file_name == file.name]
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
    """Return how many samples of each of its leads a file holds, None where its size does not tell."""
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
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a parser stumbles on in a damaged file into an `InputError`."""
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
