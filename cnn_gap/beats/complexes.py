"""QRS complexes by wfdb's XQRS, with a faster search for local peaks, on which it spends most of its time."""

from functools import cache
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np
import scipy


def find_complexes(signal: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return the approximate places of the QRS complexes in one lead, in samples.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        One lead without its baseline.
    sampling_rate : float
        Hz.
    """
    detector = _detectors().XQRS(signal, sampling_rate)
    detector.detect(verbose=False)
    return np.asarray(detector.qrs_inds, int)


def local_peaks(signal: np.ndarray, radius: int) -> np.ndarray:
    """Return the samples at which a signal, (samples,), has its maximum within a radius.

    The result equals that of `wfdb.processing.peaks.find_local_peaks`, which loops over the samples in Python.
    A peak is the highest of the `radius` samples before it and the `radius - 1` samples after it, and the next
    peak is at least `radius` samples later.
    """
    if not len(signal) or signal.min() == signal.max():
        return np.empty(0)
    highest = scipy.ndimage.maximum_filter1d(signal, 2 * radius, mode="constant", cval=-np.inf)
    peaks: list[int] = []
    for place in np.flatnonzero(signal == highest).tolist():
        if not peaks or place >= peaks[-1] + radius:
            peaks.append(place)
    return np.array(peaks)


@cache
def _detectors() -> Any:
    """Return a copy of wfdb's module that uses `local_peaks`; wfdb itself stays unchanged."""
    spec = find_spec("wfdb.processing.qrs")  # imported late: wfdb takes a second
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.find_local_peaks = local_peaks  # type: ignore[attr-defined]
    return module
