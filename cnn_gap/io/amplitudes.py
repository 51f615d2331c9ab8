"""Records of arrays in memory (NumPy, lists, pandas): values, leads and sampling rate are checked."""

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.io.headers import check_rate
from cnn_gap.io.units import millivolts_of
from cnn_gap.leads import choose_leads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import pandas
    from numpy.typing import ArrayLike


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
        The names of the columns, in every dialect of `cnn_gap.leads.choose_leads`; a pandas data frame's own if
        not given. The record's notes say which are left out.
    name, codes, age, sex
        As in `Record`.
    unit : str
        Of the amplitudes: nV, uV, mV or V, in every spelling of `cnn_gap.io.units`.

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
    choice = choose_leads(names, source)
    amplitudes = millivolts(signal, len(names), unit, source)[:, list(choice.columns.values())]
    return Record(name, amplitudes, choice, rate, tuple(codes), age, sex, source=source)


def millivolts(signal: object, columns: int, unit: str, source: str) -> np.ndarray:
    """Return amplitudes in mV, shape (samples, columns).

    Parameters
    ----------
    signal : array_like, shape (samples, columns)
        Numbers in `unit`; NaN or None where not valid.
    columns : int
        How many leads were named.
    unit : str
        Of voltage.
    source : str
        What to call the signal in errors.

    Raises
    ------
    InputError
        If the unit is unknown, the values are no numbers or the shape does not fit.
    """
    factor = millivolts_of(str(unit))
    if factor is None:
        raise InputError(f"{source}: the unit must be one of nV, uV, mV, V; received {unit!r}")
    values = _numbers(signal, source)
    if values.ndim != 2 or values.shape[1] != columns:
        turned = values.ndim == 2 and values.shape[0] == columns
        raise InputError(
            f"{source}: expected a signal of {columns} leads in columns; received {values.dtype} {values.shape}"
            + ("; give its transpose, a row for each sample" if turned else "")
        )
    with np.errstate(over="ignore", invalid="ignore"):  # infinite amplitudes count as not valid
        if factor == 1:
            return values
        # A half-precision product would lose digits that the values have.
        return values.astype(np.float32 if values.dtype == np.float16 else values.dtype, copy=False) * factor


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


def _numbers(signal: object, source: str) -> np.ndarray:
    """Return numbers as an array, from an array, list or data frame."""
    try:
        values = np.asarray(signal)
        if values.dtype.kind == "O":  # None among numbers, or pandas' own types
            values = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{source}: expected numbers, a row for each sample, all rows of one length ({str(error)[:80]})"
        ) from error
    if values.dtype.kind not in "iuf":
        raise InputError(f"{source}: expected numbers; received values of type {values.dtype}")
    return values
