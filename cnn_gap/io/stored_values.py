"""Records of stored values and of amplitudes, as a header describes them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnn_gap.io.headers import Header
from cnn_gap.leads import LEADS, LeadChoice, NoLeadError, choose_leads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

_VALUE_BITS = {"16": 16, "24": 24, "32": 32, "80": 8, "160": 16, "212": 12, "310": 10, "311": 10}


@dataclass(frozen=True)
class StoredLeads:
    """The leads of a header that are read.

    Attributes
    ----------
    choice : LeadChoice
        Its columns count all leads of the header.
    samples_per_frame : int
        Largest number of samples a frame of these leads.
    """

    choice: LeadChoice
    samples_per_frame: int = 1


def stored_leads(header: Header, source: str, wanted: Collection[str] = LEADS) -> StoredLeads:
    """Return which of a header's leads are the twelve.

    Notes name what is left out, and leads of a lower sampling rate than others.

    Raises
    ------
    NoLeadError
        If none is one of the twelve, or has a unit of voltage.
    """
    leads = header.leads
    voltages = [index for index, lead in enumerate(leads) if lead.unit == "mV"]
    if not voltages:
        units = ", ".join(dict.fromkeys(lead.unit for lead in leads))[:80]
        raise NoLeadError(
            f"{source}: has no lead in a unit of voltage; its units are {units}; write gains per mV into the"
            " header"
        )
    found = choose_leads([leads[index].name for index in voltages], source, wanted)
    columns = {lead: voltages[column] for lead, column in found.columns.items()}
    notes = list(found.notes)
    others = [f"{lead.name} ({lead.unit})" for lead in leads if lead.unit != "mV"]
    if others:
        notes.append(f"left out, as their units are no voltage: {', '.join(others)[:80]}")
    per_frame = max(leads[column].samples_per_frame for column in columns.values())
    for lead, column in columns.items():
        if leads[column].samples_per_frame < per_frame:
            rate, highest = (
                each * header.sampling_rate for each in (leads[column].samples_per_frame, per_frame)
            )
            notes.append(f"lead {LEADS[lead]} has {rate:g} Hz and is interpolated to {highest:g} Hz")
    return StoredLeads(LeadChoice(columns, found.inverted, tuple(notes)), per_frame)


def record_from_digital(header: Header, recording: np.ndarray, leads: Collection[str] = LEADS) -> Record:
    """Return the record of stored values.

    Parameters
    ----------
    header : Header
    recording : ndarray, shape (leads, samples)
        The stored values, leads in the header's order. Samples beyond the header's number are left out.
    leads : collection of str
        The leads to read; others count as absent.

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
    """Return the record of stored values (leads, samples); errors name `source`."""
    values = np.asarray(recording)
    if values.ndim != 2 or len(values) != len(header.leads) or values.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: expected stored values of {len(header.leads)} leads; "
            f"received {values.dtype} {values.shape}"
        )
    stored = stored_leads(header, source, leads)
    columns = list(stored.choice.columns.values())
    chosen = [header.leads[column] for column in columns]
    digital = values.T[: header.samples].take(columns, axis=1)  # indexing would change the layout in memory
    # float32 holds 16 bits exactly; wider values lose digits before the baseline is removed.
    exact = np.float32 if digital.dtype.itemsize <= 2 else np.float64
    physical: np.ndarray[Any, np.dtype[np.floating[Any]]] = digital.astype(exact)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite amplitudes count as not valid
        physical -= np.array([lead.baseline for lead in chosen], exact)
        physical /= np.array([lead.gain for lead in chosen], exact)
    # The value for "invalid" is the lowest that a format can store. If no value is that low, none is invalid.
    invalid = np.array([-(2 ** (_VALUE_BITS.get(lead.storage, 16) - 1)) for lead in chosen])
    if digital.size and np.fmin.reduce(np.fmin.reduce(digital)) <= invalid.max():
        physical[digital == invalid] = np.nan
    return from_amplitudes(header, stored, physical, source)


def from_physical(header: Header, signal: np.ndarray, source: str) -> Record:
    """Return the record of the amplitudes of all leads (samples, leads) in mV; errors name `source`."""
    if signal.ndim != 2 or signal.shape[1] != len(header.leads) or signal.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: expected a signal of {len(header.leads)} leads in columns; "
            f"received {signal.dtype} {signal.shape}"
        )
    stored = stored_leads(header, source)
    return from_amplitudes(header, stored, signal[:, list(stored.choice.columns.values())], source)


def from_amplitudes(header: Header, stored: StoredLeads, signal: np.ndarray, source: str) -> Record:
    """Return the record of the amplitudes in mV of the leads that are read, in the order of `stored`."""
    rate = header.sampling_rate * stored.samples_per_frame
    return Record(header.name, signal, stored.choice, rate, **header.about, source=source)
