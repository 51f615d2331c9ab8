"""Do maps hang on what the network has learned, and on what a spike does to a lead?"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from benchmarks.maps.faithfulness import Case, explained
from benchmarks.maps.pointing import covered, share_inside
from cnn_gap.record import Record

if TYPE_CHECKING:
    import keras

    from cnn_gap.classifier import Classifier

#: The spike of the paper's Figure 3, mV, and the time around it that is looked at, s to both sides.
SPIKE_MV, SPIKE_AROUND_S = 32.0, 0.15

#: Without clipping, filters and correction of the gain.
WITHOUT = {"clip_mv": 0.0, "lowpass_hz": 0.0, "highpass_hz": 0.0, "slope_mv_s": (0.0, 0.0)}


def spike_shares(classifier: "Classifier", cases: Sequence[Case], seed: int) -> dict[str, list[float]]:
    """Return the share of each map's positive part that lies where a spike is, before and after it is added.

    By the name of the row: with the classifier's own preprocessing and without it.
    """
    spiked = [with_spike(case.record, seed) for case in cases]
    places = [place for _, place in spiked]
    disturbed = [replace(case, record=record) for case, (record, _) in zip(cases, spiked, strict=True)]
    plain = replace(classifier.description.preprocessing, **WITHOUT)
    variants = {
        "before preprocessing": replace(
            classifier, description=replace(classifier.description, preprocessing=plain)
        ),
        "after preprocessing": classifier,
    }
    return {
        f"{name}, {what}": _shares(variant, given, places)
        for name, variant in variants.items()
        for what, given in (("as recorded", cases), ("with the spike", disturbed))
    }


def randomised_correlations(
    classifier: "Classifier", cases: Sequence[Case], seed: int
) -> dict[str, list[float]]:
    """Return the rank correlations of the maps with those of ever more random weights, by what is random.

    From the last layer down, as the cascade of Adebayo et al. 2018, "Sanity checks for saliency maps". A map
    that does not vary has none: nan.
    """
    import keras

    original = [each.activation for each in explained(classifier, cases)]
    found = {}
    for name, layers in cascade(classifier.network).items():
        keras.utils.set_random_seed(seed)
        other = replace(classifier, network=randomised(classifier.network, layers))
        maps = (each.activation for each in explained(other, cases))
        found[name] = [_correlation(*pair) for pair in zip(original, maps, strict=True)]
    return found


def randomised(network: "keras.Model", names: Sequence[str]) -> "keras.Model":
    """Return the network with the weights of the layers `names` as before any training."""
    import keras

    from cnn_gap.network.architecture import copy_weights

    fresh = keras.models.clone_model(network)
    copy_weights(network, fresh, but=names)
    return fresh


def cascade(network: "keras.Model") -> dict[str, list[str]]:
    """Return the layers to randomise, by how the row is called."""
    names = [layer.name for layer in network.layers if layer.weights]
    numbers = {name: int(match[1]) for name in names if (match := re.match(r"block(\d+)_", name))}
    last = max(numbers.values())

    def above(number: int) -> list[str]:
        return [name for name in names if numbers.get(name, last + 1) > number]

    return {
        "the dense layer": above(last),
        "and the last block": above(last - 1),
        "and the last half of the blocks": above(last // 2),
        "all": names,
    }


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)


def with_spike(record: Record, seed: int) -> tuple[Record, tuple[float, float]]:
    """Return the record with a spike of one sample on a random lead, and the time around it."""
    rng = np.random.default_rng([seed, *record.name.encode()])
    signal = record.signal.copy()
    at = int(rng.integers(len(signal)))
    signal[at, rng.choice(np.flatnonzero(record.leads))] += SPIKE_MV
    time = at / record.sampling_rate
    return replace(record, signal=signal), (time - SPIKE_AROUND_S, time + SPIKE_AROUND_S)


def _shares(
    classifier: "Classifier", cases: Sequence[Case], places: Sequence[tuple[float, float]]
) -> list[float]:
    shares = []
    for case, place, found in zip(cases, places, explained(classifier, cases), strict=True):
        inside = covered(len(found.activation), case.record.sampling_rate, [place])
        shares.append(share_inside(found.activation, inside))
    return shares
