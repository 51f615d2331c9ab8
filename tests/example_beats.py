"""Measured beats for the tests of long recordings."""

import numpy as np

from cnn_gap.holter.beat_shapes import MeasuredBeats


def measured_beats(times_s, likeness, size, shapes, usable, **others):
    """Return measured beats; unless `others` say so, none is doubtful and no block has large waves."""
    given = {"doubtful": np.zeros(len(times_s), bool), "waves": np.zeros(len(usable), bool)} | others
    return MeasuredBeats(times_s, likeness, size, shapes, usable=usable, **given)
