"""Write any record as a Challenge record: 16-bit values and a header, without names and dates."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnn_gap.io.headers import GAIN_RANGE
from cnn_gap.io.sources import ListedRecord
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import replacing

#: Stored units per mV: one unit is 1 µV, as in the Challenge's records.
USUAL_GAIN = 1000.0

#: The largest stored value, and the value of a sample that is not valid.
LARGEST_VALUE, INVALID = 32767, -32768

#: The largest age that is written, years: higher ages become this one, by HIPAA's "safe harbor" rule.
OLDEST_WRITTEN = 90.0

_SUFFIXES = (".hea", ".mat")


def require_new(folder: Path, records: Sequence[ListedRecord]) -> None:
    """Require that records can be written to a folder without replacing a file.

    Raises
    ------
    InputError
        If the folder has a file of such a name.
    """
    for record in records:
        for suffix in _SUFFIXES:
            path = Path(folder) / f"{record.name}{suffix}"
            if path.exists() or path.is_symlink():
                raise InputError(f"{path}: is there and stays as it is; give another folder to write to")


def write_challenge_record(folder: Path, record: Record, codes: Sequence[str]) -> Path:
    """Write a record's leads that are present, and return its header; it reads back within half a unit.

    One unit is 1 µV or, in a lead with more than 32.767 mV, as much as its range needs. The header has age, sex
    and sampling rate, but no name and no date. The header comes last, so a record that has one is complete.

    Parameters
    ----------
    folder : Path
    record : Record
        Its name is that of its files.
    codes : sequence of str
        The diagnoses to write.

    Raises
    ------
    InputError
        If a file cannot be written, the name cannot be a file's, or the amplitudes are no ECG's.
    """
    if not record.name or "/" in record.name or "\\" in record.name or any(map(str.isspace, record.name)):
        raise InputError(
            f"{record.name!r}: cannot be the name of a WFDB record; give an id in a list of path,id"
        )
    leads = np.flatnonzero(record.leads)
    signal = record.signal[:, leads].astype(np.float64)
    gains, baselines = _scales(signal)
    if min(gains) < GAIN_RANGE[0]:
        raise InputError(f"{record.name}: its amplitudes of up to {np.nanmax(abs(signal)):.3g} mV are no ECG's")
    stored = np.rint(signal * gains + baselines)
    values = np.where(np.isfinite(stored), stored, INVALID).astype("<i2")
    folder = Path(folder)
    with replacing(folder / f"{record.name}.mat") as aside:
        head = np.array([30, len(leads), len(values), 0, 4], "<i4").tobytes() + b"val\0"
        aside.write_bytes(head + values.tobytes())
    header = folder / f"{record.name}.hea"
    lines = _header_lines(record, codes, [LEADS[lead] for lead in leads], values, gains, baselines)
    with replacing(header) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return header


def _scales(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return units per mV and the stored value of 0 mV of each lead."""
    low, high = np.nanmin(signal, axis=0), np.nanmax(signal, axis=0)
    beyond = np.maximum(abs(low), abs(high)) * USUAL_GAIN > LARGEST_VALUE
    # An offset is stored as such; a lead that varies too much for units of 1 uV gets a coarser unit.
    middle, half = (low + high) / 2, (high - low) / 2
    widest = (LARGEST_VALUE - 1) / USUAL_GAIN
    gains = np.where(beyond & (half > widest), (LARGEST_VALUE - 1) / np.maximum(half, widest), USUAL_GAIN)
    return gains, np.where(beyond, -np.rint(middle * gains), 0)


def _header_lines(
    record: Record,
    codes: Sequence[str],
    leads: Sequence[str],
    values: np.ndarray,
    gains: np.ndarray,
    baselines: np.ndarray,
) -> list[str]:
    sums = values.sum(axis=0, dtype=np.int16)  # wraps, as the checksum is defined to
    age = "NaN" if math.isnan(record.age) else f"{min(record.age, OLDEST_WRITTEN):g}"
    return [
        f"{record.name} {len(leads)} {_number(record.sampling_rate)} {len(values)}",
        *(
            f"{record.name}.mat 16+24 {_number(gain)}({baseline:.0f})/mV 16 0 {first} {checksum} 0 {lead}"
            for lead, gain, baseline, first, checksum in zip(
                leads, gains, baselines, values[0], sums, strict=True
            )
        ),
        f"#Age: {age}",
        f"#Sex: {record.sex}",
        f"#Dx: {','.join(codes)}",
        "#Rx: Unknown",
        "#Hx: Unknown",
        "#Sx: Unknown",
    ]


def _number(value: float) -> str:
    """Return a number as a text that is read back as the same number; a whole number has no decimal point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
