"""Ranking by the highest mean of a map over some seconds."""

import numpy as np

from cnn_gap.diagnoses.classes import read_weights
from research import pooling


def test_a_short_peak_counts_more_in_a_short_mean():
    maps = np.zeros((2, 100, 1))
    maps[0, 40:50] = 1.0  # for a moment
    maps[1] = 0.15  # all the time
    whole, *_, short = pooling.logits_by_length(maps, rate=11.0)[:, :, 0]
    assert whole[0] < whole[1]
    assert short[0] > short[1]
    np.testing.assert_allclose(whole, maps.mean(axis=1)[:, 0])


def test_classes_that_change_are_listed_in_order():
    classes = read_weights()
    labels = np.zeros((40, len(classes)), bool)
    labels[:20, [3, 5]] = True
    scores = np.random.default_rng(0).normal(size=(len(pooling.LENGTHS_S), 40, len(classes)))
    scores[0, :, 3], scores[1:, :, 3] = 0, labels[:, 3]
    scores[0, :, 5], scores[1:, :, 5] = labels[:, 5], 0
    rows = pooling.table(classes, labels, scores).rows
    assert [row[0].split(" (")[0] for row in rows[1:]] == [classes.diagnoses[each].name for each in (3, 5)]
    assert rows[1][1:4] == (20, "0.500, 0.500", "1.000, 1.000")
