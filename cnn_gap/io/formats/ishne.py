"""ISHNE's Holter format (Badilini 1998, doi:10.1111/j.1542-474X.1998.tb00353.x), read by ecgdatakit."""

from dataclasses import replace
from pathlib import Path

from cnn_gap.io.vendor import Parsed, parse, record_of, waveform_of
from cnn_gap.record import Record


def recognise(start: bytes) -> bool:
    """Tell whether a file with this start is of this format."""
    return start.startswith(b"ISHNE1.0")


def guard(path: Path) -> None:
    """Refuse nothing: the samples take no more memory than a multiple of the file's size."""


def read(path: Path) -> Record:
    """Read the leads; samples of a lead that was off are not valid."""
    parsed = parse(path)
    return record_of(parsed, waveform_of(_with_length(parsed), str(path)), str(path))


def _with_length(parsed: Parsed) -> Parsed:
    """Return the parsed file, with a note if it has fewer samples than the header announces.

    Some devices announce the longest recording that they can make, so such a file may be complete.
    """
    about = parsed.record.raw_metadata
    announced, held = about["ecg_size"], about["samples_per_lead"]
    if announced <= held:
        return parsed
    return replace(parsed, notes=(*parsed.notes, f"the file announces {announced} samples and holds {held}"))
