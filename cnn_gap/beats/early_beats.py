"""How early a beat of the usual shape comes, as premature supraventricular beats do.

The mean of a map over ten seconds changes little with a single early beat, and 29 % of the training labels of
premature atrial complexes are wrong: see research/premature.md.
"""

import numpy as np

from cnn_gap.beats.detection import Beats

#: A beat is early after a smaller share than this of the median RR interval.
EARLY_SHARE = 0.85

#: Least correlation of an early beat, and of the beat before it, with the usual beat.
LEAST_LIKENESS = 0.8

#: Added to the variation of the other intervals: that of a regular rhythm, and the error of an interval.
STEADY_VARIATION = 0.03

#: Fewest beats, and smallest share of the intervals that have to be usual ones.
FEWEST_BEATS, USUAL_SHARE = 5, 0.5


def earliness(beats: Beats) -> float | None:
    """Return how early a beat comes, in multiples of the variation of the other intervals; 0 if none is early.

    The interval is the shortest one between two beats of the usual shape. The others are those that are neither
    short nor follow a short one, which a compensatory pause may have lengthened; their variation is their
    standard deviation. All are taken as shares of the median interval.

    Parameters
    ----------
    beats : Beats
        Of a record, or of a part of up to a minute.

    Returns
    -------
    float or None
        None where too few beats have a usual interval to decide which are early.

    Examples
    --------
    >>> times = np.array([0.0, 0.8, 1.6, 2.0, 3.1, 3.9, 4.7, 5.5])
    >>> beats = Beats(times, np.ones(8, bool), None, np.ones(8))
    >>> round(earliness(beats), 1)
    16.7
    """
    if len(beats.times_s) < FEWEST_BEATS:
        return None
    shares = beats.intervals_s / np.median(beats.intervals_s)
    short = shares < EARLY_SHARE
    others = shares[~short & ~np.append(False, short[:-1])]
    if len(others) <= USUAL_SHARE * len(shares):
        return None
    alike = beats.likeness > LEAST_LIKENESS
    early = short & alike[1:] & alike[:-1]
    return float((1 - shares[early].min(initial=1.0)) / (STEADY_VARIATION + others.std()))
