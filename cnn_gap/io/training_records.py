"""The records of a training: of a folder, a list or an address."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.io.records import RecordInfo, read_info
from cnn_gap.io.sources import ListedRecord, RemoteRecord, list_records


@dataclass(frozen=True)
class RemoteInfo(RecordInfo):
    """The properties of a recording of a remote file system; its path is the address.

    Attributes
    ----------
    listed : RemoteRecord
    """

    listed: RemoteRecord


def list_training_records(data: str, strict: bool, log: Callable[[str], None]) -> list[ListedRecord]:
    """Return the records of a training.

    Parameters
    ----------
    data : str
        Folder, list or address, as `cnn_gap.io.sources` takes it.
    strict : bool
        Fail where a folder cannot be read, rather than leave it out with a line to `log`.
    log : callable
    """
    listing = list_records(data, strict)
    for line in listing.unreadable:
        log(f"left out: {line}")
    if listing.unreadable:
        log(f"left out: the records of {len(listing.unreadable)} folders that cannot be read")
    for line in listing.remarks:
        log(line)
    return list(listing.records)


def read_listed_info(listed: ListedRecord) -> RecordInfo:
    """Return the properties of a record without its signal, under the name that it is listed by."""
    if isinstance(listed, RemoteRecord):
        record = listed.read()
        about = (record.sampling_rate, len(record.signal), record.codes)
        return RemoteInfo(Path(listed.source), listed.name, *about, listed)
    info = read_info(Path(listed.source))
    return RecordInfo(info.path, listed.name, info.sampling_rate, info.samples, info.codes)
