"""Cut off the calibration pulse that devices append to a recording.

Philips' electrocardiographs write 0.4 s after the ECG, the same in each lead: 0.1 s at 0 mV, 0.2 s at 1 mV and
0.1 s at 0 mV. Files that were converted from such files keep the pulse.
"""

from dataclasses import dataclass, replace

import numpy as np

from cnn_gap.leads import LEADS
from cnn_gap.record import Record

#: The largest difference of a pulse from 0 mV and from 1 mV, mV.
_TOLERANCE = 0.03

#: The shortest and the longest time at 1 mV, and the longest time at 0 mV between it and the record's end, s.
#: EDF fills its last second with zeros.
_SHORTEST_S, _LONGEST_S = 0.08, 0.5
_OUTSIDE_S = 1.5

#: The share of leads that must show a pulse of 1 mV.
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class CalibrationPulse:
    """A calibration pulse that is to be cut off.

    Attributes
    ----------
    kept : slice
        The samples without it.
    note : str
        What was left out or changed, as in `Record.notes`.
    """

    kept: slice
    note: str


def calibration_pulse(signal: np.ndarray, sampling_rate: float) -> CalibrationPulse | None:
    """Return the calibration pulse at the end or at the beginning of a signal, None if there is none.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        In mV.
    sampling_rate : float
        In Hz.
    """
    for place, turned in (("end", signal[::-1]), ("beginning", signal)):
        length = _pulse_length(turned, sampling_rate)
        if 0 < length < len(signal):
            kept = slice(0, len(signal) - length) if place == "end" else slice(length, len(signal))
            note = f"left out: a calibration pulse of {length / sampling_rate:g} s at the {place}"
            return CalibrationPulse(kept, note)
    return None


def without_pulse(record: Record) -> Record:
    """Return a record without its calibration pulse if it has one."""
    derived = [LEADS.index(lead) for lead in record.derived]
    stored = np.setdiff1d(np.flatnonzero(record.leads), derived)
    held = record.signal if len(stored) == len(LEADS) else record.signal[:, stored]
    pulse = calibration_pulse(held, record.sampling_rate)
    if pulse is None:
        return record
    return replace(record, signal=record.signal[pulse.kept], notes=(*record.notes, pulse.note))


def _pulse_length(signal: np.ndarray, rate: float) -> int:
    """Return the number of samples of a pulse at the beginning of a signal (samples, leads); 0 if none."""
    outside, longest = round(_OUTSIDE_S * rate), round(_LONGEST_S * rate)
    part = signal[: outside + 2 * longest + 1]
    part = part[:, np.isfinite(part[:1]).any(axis=0)]
    before = _run(np.abs(part) <= _TOLERANCE)
    # A file may end within the pulse: HDF5 is read without the zeros at its end.
    if not part.size or before > outside or before == len(part):
        return 0
    rest, level = part[before:], part[before]
    # In leads that were computed from others the pulse has another height; those not connected have none.
    if np.mean(np.abs(level - 1) <= _TOLERANCE) < _LEAST_SHARE:
        return 0
    high = _run(np.abs(rest - level) <= _TOLERANCE)
    if not _SHORTEST_S * rate <= high <= longest:
        return 0
    # After the pulse the ECG may begin near 0 mV in all leads: of that no more than half the pulse is cut.
    after = min(_run(np.abs(rest[high:]) <= _TOLERANCE), high // 2)
    return before + high + after if after else 0


def _run(fits: np.ndarray) -> int:
    """Return how many rows at the beginning are true in all columns."""
    whole: np.ndarray = np.all(fits, axis=1)
    return len(whole) if whole.all() else int(whole.argmin())
