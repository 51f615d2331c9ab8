"""The names of result files, and which records can have one."""

import os

from cnn_gap.ecg.sources import ListedRecord, Stamp
from cnn_gap.errors import InputError, printable

#: The longest name of a file that systems take, bytes.
LONGEST_NAME = 255


def file_name(name: str) -> str:
    """Return the name of the result file of a record."""
    return f"{name}.csv"


def fits(name: str) -> bool:
    """Tell whether a record's name is short enough for a result file."""
    return len(os.fsencode(file_name(name))) <= LONGEST_NAME


def stamp_for_result(record: ListedRecord) -> Stamp:
    """Return the stamp of a record, which is part of its result.

    Raises
    ------
    InputError
        If no result can have the record's name, or a file of it cannot be read.
    """
    if printable(record.name) != record.name:
        raise InputError(
            f"{record.source}: the name of a record must have no control characters; rename its files"
        )
    if not fits(record.name):
        raise InputError(
            f"{record.source}: the name of a record is too long for a result file; rename its files"
        )
    return record.stamp()
