"""A record: twelve named leads in mV, made of stored or of physical values."""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.ecg.amplitudes import lead_names, lead_notes, millivolts, rate_of
from cnn_gap.ecg.headers import (
    LEADS,
    Header,
    HeaderLead,
    canonical_lead,
)
from cnn_gap.errors import InputError

if TYPE_CHECKING:
    import pandas
    from numpy.typing import ArrayLike

#: What a limb lead is, as (share of I, share of II), by Einthoven's and Goldberger's definitions.
LIMB_LEADS = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}

#: What else ends the name of a file beside its record's name.
_FORMAT_SUFFIX = re.compile(r"\.(hea|mat|dat|dcm|dicom|xml|scp|edf|npy|npz|csv|parquet)", re.IGNORECASE)

_VALUE_BITS = {"16": 16, "24": 24, "32": 32, "80": 8, "160": 16, "212": 12, "310": 10, "311": 10}


class NoValidSampleError(InputError):
    """A recording in which every sample of every lead is invalid."""


@dataclass(frozen=True, eq=False)
class Record:
    """A recording.

    Attributes
    ----------
    name : str
    signal : ndarray, shape (samples, 12), float32
        In mV, leads in the order of `LEADS`. NaN where a sample is not valid; leads that are absent are zero.
    leads : ndarray, shape (12,), bool
        The leads that are present: stored with a valid sample, or derived from I and II.
    sampling_rate : float
        In Hz.
    codes : tuple of str
        The diagnoses.
    age : float
        In years, NaN where unknown.
    sex : str
        ``"Female"``, ``"Male"`` or ``"Unknown"``.
    notes : tuple of str
        What its reader has to know, such as leads that were left out.
    device : str
        Who made the device and what it is called; empty where unknown.
    time : datetime or None
        When the recording began, where it is known.
    """

    name: str
    signal: np.ndarray
    leads: np.ndarray
    sampling_rate: float
    codes: tuple[str, ...] = ()
    age: float = math.nan
    sex: str = "Unknown"
    notes: tuple[str, ...] = ()
    device: str = ""
    time: datetime | None = None

    def __repr__(self) -> str:
        leads = ", ".join(lead for lead, present in zip(LEADS, self.leads, strict=True) if present)
        return f"<Record {self.name!r}: {self.duration_s:g} s at {self.sampling_rate:g} Hz, leads {leads}>"

    @property
    def duration_s(self) -> float:
        """How long the recording is, s."""
        return len(self.signal) / self.sampling_rate


def record_name(path: Path) -> str:
    """Return the name of the record at a path: the file's without the suffix of its format.

    Examples
    --------
    >>> record_name(Path("data/A0001.hea")), record_name(Path("export/1.2.840.99"))
    ('A0001', '1.2.840.99')
    """
    return path.stem if _FORMAT_SUFFIX.fullmatch(path.suffix) else path.name


def record_from_digital(header: Header, recording: np.ndarray, leads: Collection[str] = LEADS) -> Record:
    """Return the record of stored values.

    Parameters
    ----------
    header : Header
    recording : ndarray, shape (leads, samples)
        The stored values, leads in the header's order. Samples beyond the header's number are left out.
    leads : collection of str
        The leads to look at; others are as if they were absent.

    Raises
    ------
    InputError
        If the recording does not fit the header, has no samples, or none of the twelve leads.
    """
    record = from_digital(header, recording, header.name, leads)
    require_samples(header, recording, header.name)
    return record


def record_from_signal(
    signal: "ArrayLike | pandas.DataFrame",
    sampling_rate: float,
    leads: Sequence[str] | None = None,
    name: str = "",
    codes: Iterable[str] = (),
    age: float = math.nan,
    sex: str = "Unknown",
    unit: str = "mV",
) -> Record:
    """Return the record of a signal.

    Parameters
    ----------
    signal : array_like, shape (samples, leads)
        NaN or None where not valid.
    sampling_rate : float
        In Hz.
    leads : sequence of str, optional
        The names of the columns, in any case; a pandas data frame's own if not given. Of two with the same name
        the first counts; names that are not in `LEADS` are left out, except that a single lead named ECG is
        taken as lead I. The record's notes say so.
    name, codes, age, sex
        As in `Record`.
    unit : str
        Of the amplitudes: ``"nV"``, ``"uV"``, ``"mV"`` or ``"V"``.

    Raises
    ------
    InputError
        If the shape, the names, the rate or the unit cannot be used.

    Examples
    --------
    >>> record_from_signal([[100, 250], [110, 240]], 500, ["I", "II"], unit="uV").signal[0, 1].item()
    0.25
    """
    source = name or "signal"
    names = lead_names(signal, leads, source)
    rate = rate_of(sampling_rate, source)
    stored = tuple(HeaderLead(canonical_lead(lead), "") for lead in names)
    about = Header(name, rate, None, stored, tuple(codes), age, sex)
    record = from_physical(about, millivolts(signal, len(names), unit, source), source)
    return replace(record, notes=lead_notes(names))


def require_samples(header: Header, recording: np.ndarray, source: str) -> None:
    """Check that stored values (leads, samples) are as many samples as the header says."""
    held = recording.shape[1]
    if held < (header.samples or 0):
        raise InputError(f"{source}: is truncated; holds {held} of the header's {header.samples} samples")


def from_digital(header: Header, recording: np.ndarray, source: str, leads: Collection[str] = LEADS) -> Record:
    """Return the record of stored values (leads, samples); `source` is what errors name."""
    values = np.asarray(recording)
    if values.ndim != 2 or len(values) != len(header.leads) or values.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: expected stored values of {len(header.leads)} leads; "
            f"received {values.dtype} {values.shape}"
        )
    columns = _columns(header, source, leads)
    chosen = [header.leads[column] for column in columns.values()]
    stored = values.T[: header.samples].take(list(columns.values()), axis=1)  # an index would turn the layout
    # float32 holds 16 bits exactly; wider values lose digits before the baseline is removed.
    exact = np.float32 if stored.dtype.itemsize <= 2 else np.float64
    physical: np.ndarray[Any, np.dtype[np.floating[Any]]] = stored.astype(exact)
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is not valid
        physical -= np.array([lead.baseline for lead in chosen], exact)
        physical /= np.array([lead.gain for lead in chosen], exact)
    # The value for "invalid" is the lowest that a format can store: a look at the lowest is mostly enough.
    invalid = np.array([-(2 ** (_VALUE_BITS.get(lead.storage, 16) - 1)) for lead in chosen])
    if stored.size and np.fmin.reduce(np.fmin.reduce(stored)) <= invalid.max():
        physical[stored == invalid] = np.nan
    return _assemble(header, physical, list(columns), source)


def from_physical(header: Header, signal: np.ndarray, source: str) -> Record:
    """Return the record of amplitudes (samples, leads) in mV; `source` is what errors name."""
    if signal.ndim != 2 or signal.shape[1] != len(header.leads) or signal.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: expected a signal of {len(header.leads)} leads in columns; "
            f"received {signal.dtype} {signal.shape}"
        )
    columns = _columns(header, source)
    return _assemble(header, signal[:, list(columns.values())], list(columns), source)


def _columns(header: Header, source: str, leads: Collection[str] = LEADS) -> dict[int, int]:
    """Return where each of the twelve leads is stored: indices of `LEADS` to those of the header."""
    names = [lead.name for lead in header.leads]
    if len(names) == 1 and names[0].lower() == "ecg":
        names = ["I"]  # Challenge 2017's hand-held devices record between the arms
    columns = {LEADS.index(lead): names.index(lead) for lead in LEADS if lead in names and lead in leads}
    if not columns:
        raise InputError(f"{source}: has none of the twelve leads; its leads are {', '.join(names)[:80]}")
    return columns


def _assemble(header: Header, physical: np.ndarray, targets: list[int], source: str) -> Record:
    if not len(physical):
        raise InputError(f"{source}: has no samples")
    present = np.zeros(len(LEADS), bool)
    present[targets] = True
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32 becomes infinite, so not valid
        signal = np.ascontiguousarray(physical, np.float32)
    if not present.all():
        stored, signal = signal, np.zeros((len(physical), len(LEADS)), np.float32)
        signal[:, targets] = stored
    valid = np.isfinite(signal)
    if not valid.all():
        signal[~valid] = np.nan
        present &= valid.any(axis=0)
    for lead, (of_first, of_second) in LIMB_LEADS.items():
        index = LEADS.index(lead)
        if not present[index] and present[0] and present[1]:
            signal[:, index] = of_first * signal[:, 0] + of_second * signal[:, 1]
            present[index] = np.isfinite(signal[:, index]).any()
    if not present.any():
        raise NoValidSampleError(f"{source}: has no valid sample in any of the twelve leads")
    signal[:, ~present] = 0
    notes = lead_notes([lead.name for lead in header.leads])
    return Record(
        header.name, signal, present, header.sampling_rate, header.codes, header.age, header.sex, notes
    )
