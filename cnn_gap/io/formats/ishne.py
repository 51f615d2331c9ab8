"""ISHNE's Holter format (Badilini 1998, doi:10.1111/j.1542-474X.1998.tb00353.x), read by ecgdatakit."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cnn_gap.io.vendor import Parsed, parse, record_of, waveform_of
from cnn_gap.record import Record

#: The stored value of a sample where the lead was off.
_LEAD_OFF = -32768


def recognise(start: bytes) -> bool:
    """Tell whether a file that begins so is of this format."""
    return start.startswith(b"ISHNE1.0")


def guard(path: Path) -> None:
    """Refuse nothing: its samples take as much memory as its size tells."""


def read(path: Path) -> Record:
    """Read the leads; samples of a lead that was off are not valid."""
    parsed = parse(path)
    for lead in parsed.record.leads:
        if lead.adc_resolution > 0:  # nV
            lead.samples[np.isclose(lead.samples, _LEAD_OFF * lead.adc_resolution * 1e-6)] = np.nan
    return record_of(parsed, waveform_of(_with_length(parsed), str(path)), str(path))


def _with_length(parsed: Parsed) -> Parsed:
    """Return what was parsed with a note, if there are fewer samples than the header announces.

    Some devices announce the most that they can record, so the file may be whole nevertheless.
    """
    about = parsed.record.raw_metadata
    announced, held = about["ecg_size"], about["samples_per_lead"]
    if announced <= held:
        return parsed
    return replace(parsed, notes=(*parsed.notes, f"the file announces {announced} samples and holds {held}"))
