"""Networks of each kind that the configuration can describe, with weights as training might leave them."""

from dataclasses import replace
from functools import cache

import keras
import numpy as np

from cnn_gap.network.architecture import build_network
from cnn_gap.network.options import FeaturePath, Network

PLAIN = Network(filters=(8, 8, 16), kernels=(9, 4, 5), pooling=(2, 2, 1))
PATHS = (
    FeaturePath("wave", (8, 8), (3, 1)),
    FeaturePath("beat", (16, 8, 8), (5, 2, 3)),
    FeaturePath("rhythm", (8, 12), (9, 5), pool=2),
)

#: Networks by the option in which each is special.
NETWORKS = {
    "plain": PLAIN,
    "one block": Network(filters=(8,), kernels=(5,), pooling=(4,)),
    "odd pooling": replace(PLAIN, pooling=(3, 1, 5)),
    "dropout": replace(PLAIN, dropout=0.0, last_dropout=0.5),
    "residual": replace(PLAIN, residual=True),
    "dilation": replace(PLAIN, dilation=(1, 2, 4), residual=True),
    "dilation of an even kernel": replace(PLAIN, kernels=(9, 4, 4), dilation=(1, 1, 2), residual=True),
    "squeeze": replace(PLAIN, squeeze=4),
    "squeeze and residual": replace(PLAIN, squeeze=2, residual=True),
    "sharpen": replace(PLAIN, sharpen=True),
    "sharpen by neighbours": replace(PLAIN, sharpen=True, sharpen_steps=7),
    "one path": replace(PLAIN, paths=PATHS[:1]),
    "paths": replace(PLAIN, paths=PATHS, residual=True),
    "paths and squeeze": replace(PLAIN, paths=PATHS, squeeze=4, sharpen=True),
    "gated": replace(PLAIN, paths=PATHS, residual=True, sharpen=True, sharpen_steps=5, gated=True),
    "moments": replace(PLAIN, momentary=("1", "3"), moment_steps=7),
    "paths and moments": replace(PLAIN, paths=PATHS, residual=True, momentary=("1", "3"), moment_steps=9),
}


@cache
def drawn_network(kind: str):
    """Return a network of five classes, weights as after a training; all but the plain one have margins.

    The weights are the same each time, whichever tests ran before: rounding errors depend on them.
    """
    keras.utils.set_random_seed(1)
    options = NETWORKS[kind]
    margin, momentary = 0 if kind == "plain" else 2 * options.stride, [int(code) for code in options.momentary]
    network = build_network(options, 12, 5, margin=margin, momentary=momentary)
    random = np.random.default_rng(1)
    network.set_weights([each + random.uniform(0, 0.2, each.shape) for each in network.get_weights()])
    return network


def drawn_windows(count: int, samples: int) -> np.ndarray:
    return np.random.default_rng(samples).normal(0, 0.5, (count, samples, 12)).astype(np.float32)
