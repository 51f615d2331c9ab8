"""Arrays from elsewhere (NumPy, lists, pandas) as amplitudes in mV with named leads, checked."""

from collections import Counter
from collections.abc import Sequence
from numbers import Real

import numpy as np

from cnn_gap.ecg.headers import LEADS, canonical_lead, check_rate
from cnn_gap.errors import InputError

#: What a unit is in mV; the two mu are different letters.
UNITS = {"nV": 1e-6, "uV": 1e-3, "µV": 1e-3, "μV": 1e-3, "mV": 1.0, "V": 1e3}


def millivolts(signal: object, columns: int, unit: str, source: str) -> np.ndarray:
    """Return amplitudes in mV, shape (samples, columns).

    Parameters
    ----------
    signal : array_like, shape (samples, columns)
        Numbers in `unit`; NaN or None where not valid.
    columns : int
        How many leads were named.
    unit : str
        A key of `UNITS`.
    source : str
        What to call the signal in errors.

    Raises
    ------
    InputError
        If the unit is unknown, the values are no numbers or the shape does not fit.
    """
    if unit not in UNITS:
        raise InputError(f"{source}: the unit must be one of nV, uV, mV, V; received {unit!r}")
    values = _numbers(signal, source)
    if values.ndim != 2 or values.shape[1] != columns:
        turned = values.ndim == 2 and values.shape[0] == columns
        raise InputError(
            f"{source}: expected a signal of {columns} leads in columns; received {values.dtype} {values.shape}"
            + ("; give its transpose, a row a sample" if turned else "")
        )
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is not valid
        return values if unit == "mV" else values * UNITS[unit]


def rate_of(sampling_rate: object, source: str) -> float:
    """Return a sampling rate in Hz.

    Raises
    ------
    InputError
        If it is no number, or none that an ECG can have.
    """
    if not isinstance(sampling_rate, Real) or isinstance(sampling_rate, bool | np.bool):
        raise InputError(f"{source}: the sampling rate must be a number, in Hz; received {sampling_rate!r}")
    return check_rate(float(sampling_rate), source)


def lead_names(signal: object, leads: Sequence[str] | None, source: str) -> list[str]:
    """Return the names of a signal's columns: `leads`, or those that a pandas data frame has itself.

    Raises
    ------
    InputError
        If neither names them, or a name is no text.
    """
    names = getattr(signal, "columns", None) if leads is None else leads
    if names is None or isinstance(names, str):
        raise InputError(
            f"{source}: the leads must be a list of names such as ['I', 'II', 'V1']; received {names!r}"
        )
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"{source}: the name of a lead must be text; received {name!r}")
    return list(names)


def lead_notes(names: Sequence[str]) -> tuple[str, ...]:
    """Return what there is to say of the names of leads: which come twice, and which are left out.

    Examples
    --------
    >>> lead_notes(["I", "ii", "II", "vx"])
    ('lead II is given twice: the first counts', 'left out, as none of the twelve leads: vx')
    """
    counts = Counter(map(canonical_lead, names))
    twice = tuple(f"lead {lead} is given twice: the first counts" for lead in LEADS if counts[lead] > 1)
    others = [name for name in counts if name not in LEADS]
    if not others or len(names) == 1:
        return twice
    return (*twice, f"left out, as none of the twelve leads: {', '.join(others)[:80]}")


def _numbers(signal: object, source: str) -> np.ndarray:
    """Return an array of numbers, whatever holds them."""
    try:
        values = np.asarray(signal)
        if values.dtype.kind == "O":  # None among numbers, or pandas' own types
            values = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{source}: expected numbers, a row a sample, all rows of one length ({str(error)[:80]})"
        ) from error
    if values.dtype.kind not in "iuf":
        raise InputError(f"{source}: expected numbers; received values of type {values.dtype}")
    return values
