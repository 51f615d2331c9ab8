"""QRS complexes by wfdb's XQRS, which spends most of its time on local peaks unless they are found faster."""

from functools import cache
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np
import scipy


def find_complexes(signal: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return about where the QRS complexes of one lead, (samples,), are, in samples.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        Without its baseline.
    sampling_rate : float
        Hz.
    """
    detector = _detectors().XQRS(signal, sampling_rate)
    detector.detect(verbose=False)
    return np.asarray(detector.qrs_inds, int)


def local_peaks(signal: np.ndarray, radius: int) -> np.ndarray:
    """Return where a signal, (samples,), is highest among the samples around.

    The same as `wfdb.processing.peaks.find_local_peaks`, which looks at each sample in Python: the `radius`
    samples before and the `radius - 1` behind are around, and after a peak as many samples are left out.
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
    """Return wfdb's module with the faster search in it: a copy, so that nobody else's wfdb changes."""
    spec = find_spec("wfdb.processing.qrs")  # wfdb takes a second to import
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.find_local_peaks = local_peaks  # type: ignore[attr-defined]
    return module
