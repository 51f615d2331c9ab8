"""The state of a training between epochs."""

import numpy as np

from cnn_gap.network.architecture import build_network
from cnn_gap.network.options import Network
from cnn_gap.training.checkpoints import COLUMNS, Checkpoints, Progress


def _network():
    return build_network(Network((4, 4), (5, 5), (4, 4)), leads=12, classes=24)


def test_a_network_without_an_optimizer_is_kept(tmp_path):
    kept, other = _network(), _network()
    progress = Progress({"seed": 0}, (dict.fromkeys(COLUMNS, 0.5),), 1)
    Checkpoints(tmp_path).save(kept, progress)
    assert Checkpoints(tmp_path).read({"seed": 0}) == progress
    Checkpoints(tmp_path).load_weights(other, 1)
    for expected, found in zip(kept.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
