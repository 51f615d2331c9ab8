"""Records of stored values and of amplitudes, as a header describes them."""

from collections.abc import Collection
from typing import Any

import numpy as np

from cnn_gap.io.headers import Header
from cnn_gap.leads import LEADS, lead_columns, lead_notes
from cnn_gap.record import Record, twelve_leads
from cnn_gap.system.errors import InputError

_VALUE_BITS = {"16": 16, "24": 24, "32": 32, "80": 8, "160": 16, "212": 12, "310": 10, "311": 10}


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
    names = [lead.name for lead in header.leads]
    columns = lead_columns(names, source, leads)
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
    return _record(header, *twelve_leads(physical, columns, source), lead_notes(names))


def from_physical(header: Header, signal: np.ndarray, source: str) -> Record:
    """Return the record of amplitudes (samples, leads) in mV; `source` is what errors name."""
    if signal.ndim != 2 or signal.shape[1] != len(header.leads) or signal.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: expected a signal of {len(header.leads)} leads in columns; "
            f"received {signal.dtype} {signal.shape}"
        )
    names = [lead.name for lead in header.leads]
    columns = lead_columns(names, source)
    chosen = signal[:, list(columns.values())]
    return _record(header, *twelve_leads(chosen, columns, source), lead_notes(names))


def _record(header: Header, signal: np.ndarray, present: np.ndarray, notes: tuple[str, ...]) -> Record:
    """Return the record of a signal (samples, 12) and what its header says."""
    rate, codes = header.sampling_rate, header.codes
    return Record(header.name, signal, present, rate, codes, header.age, header.sex, notes)
