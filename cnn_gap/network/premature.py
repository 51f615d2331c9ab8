"""Training windows with a premature atrial beat at a known place, made of windows with a regular rhythm.

Few records are labelled with premature atrial beats, and 29 % of these labels in PTB-XL are wrong: see
research/premature.md. Here a beat of a regular window comes early, its P wave on the T wave of the beat before
it, and a pause follows.
"""

import numpy as np
from scipy.signal import find_peaks

#: The beat comes earlier by a share of the usual RR interval; the next interval is longer by a
#: share of this shortening. Both shares are drawn from these ranges.
EARLIER, PAUSE = (0.22, 0.45), (0.3, 1.0)

#: Time from the start of the P wave to the middle of its complex, s, and the shortest time from the complex
#: before it to the moved part, s.
P_S, AFTER_QRS_S = 0.24, 0.12

#: A rhythm is regular if no interval differs by more than this share from the median.
IRREGULAR_SHARE = 0.1

#: A complex lies where the leads together are steepest over its length, s: at least as steep as this
#: share of a high quantile of the window's steepness, and farther than this from other complexes, s.
COMPLEX_S, STEEP_SHARE, HIGH_QUANTILE, SHORTEST_RR_S = 0.08, 0.5, 0.98, 0.3

#: Fewest complexes of a window.
FEWEST_BEATS = 5

#: The TP segment of this length, s, before the next P wave is drawn out to make the pause.
DRAWN_S = 0.1


def premature_beats(
    windows: np.ndarray, sampling_rate: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Move one beat of each regular window forward; return all windows, and for each whether it was changed.

    Parameters
    ----------
    windows : ndarray, shape (windows, samples, leads), float32
        In mV.
    sampling_rate : float
        Of the windows, Hz.
    rng : Generator
        Draws all random numbers.

    Returns
    -------
    ndarray, shape (windows, samples, leads), float32
    ndarray, shape (windows,), bool
        False where there is no regular rhythm.
    """
    made = [_premature(window, sampling_rate, rng) for window in windows]
    changed = np.array([each is not None for each in made], bool)
    result = np.stack([window if each is None else each for each, window in zip(made, windows, strict=True)])
    return result.astype(windows.dtype), changed


def _premature(window: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray | None:
    """Return the window with one early beat; None if its rhythm is not regular, or too fast for it."""
    places = _find_beats(window, rate)
    intervals = np.diff(places)
    usual = float(np.median(intervals)) if len(intervals) else 0.0
    if len(places) < FEWEST_BEATS or np.abs(intervals / usual - 1).max() > IRREGULAR_SHARE:
        return None
    p, after = round(P_S * rate), round(AFTER_QRS_S * rate)
    earlier = round(rng.uniform(*EARLIER) * usual)
    chosen = int(rng.integers(1, len(places) - 1))
    start, following = int(places[chosen]) - p, int(places[chosen + 1]) - p
    if start - earlier < places[chosen - 1] + after or following - round(DRAWN_S * rate) < start + earlier:
        return None
    return _moved(
        window, start, earlier, following, round(rng.uniform(*PAUSE) * earlier), round(DRAWN_S * rate)
    )


def _moved(window: np.ndarray, start: int, earlier: int, following: int, pause: int, drawn: int) -> np.ndarray:
    """Return the window with the beat that begins at `start` moved to `earlier` samples before.

    Parameters
    ----------
    window : ndarray, shape (samples, leads)
    start, following : int
        The samples at which the P waves of the beat and of the next one begin.
    earlier, pause : int
        By how many samples the beat comes earlier, and the next interval is longer.
    drawn : int
        Length of the part before `following` that is drawn out.
    """
    # The beginning of the moved beat is added to the T wave there. The sum joins the signal at both ends.
    overlaid = window[start - earlier : start] + window[start : start + earlier] - window[start]
    segment = window[following - drawn : following]
    parts = (
        window[: start - earlier],
        overlaid,
        window[start + earlier : following - drawn],
        _stretched(segment, drawn + pause),
        window[following:],
    )
    return _stretched(np.concatenate(parts), len(window))


def _stretched(signal: np.ndarray, samples: int) -> np.ndarray:
    """Return a signal (samples, leads) with another number of samples, interpolated linearly."""
    at = np.linspace(0, len(signal) - 1, samples)
    first = np.minimum(at.astype(int), len(signal) - 2)
    share = (at - first)[:, None]
    return np.asarray(signal[first] * (1 - share) + signal[first + 1] * share)


def _find_beats(window: np.ndarray, rate: float) -> np.ndarray:
    """Return the samples of the complexes: the peaks of how steep the leads together are."""
    steep = np.linalg.norm(np.diff(window, axis=0, prepend=window[:1]), axis=1)
    length = round(COMPLEX_S * rate)
    smooth = np.convolve(steep, np.ones(length) / length, "same")
    height = STEEP_SHARE * float(np.quantile(smooth, HIGH_QUANTILE))
    return np.asarray(find_peaks(smooth, height=height or None, distance=round(SHORTEST_RR_S * rate))[0])
