"""Test whether a classifier's answers depend on the places that its maps show, and its maps on trained weights.

`faithfulness`: deletion and insertion (Petsiuk et al. 2018, "RISE: randomized input sampling for explanation").
Pieces of a window are set to 0 mV, or put back, in the order of their scores, and the probability of the
answered class is followed. The better the scores, the lower is the area under the curve of deletion, and the
higher is the area under the curve of insertion. Pieces are scored by the map, by gradient × input (Simonyan et
al. 2014) and at random.

`sanity`: rank correlation of the maps with the maps of networks whose weights are random from the last layer
down (Adebayo et al. 2018, "Sanity checks for saliency maps").
"""

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from benchmarks.common import Study, Table
from benchmarks.estimates import mean
from cnn_gap.io.records import read_record
from cnn_gap.model.trained_network import in_memory
from cnn_gap.signal.continuation import continue_signal
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    import keras

    from cnn_gap.classifier import Classifier

#: Number of records, drawn from all.
RECORDS = 50

#: Lengths of the pieces, s: about a wave and about a beat.
PIECES_S = (0.12, 1.0)

#: Number of equal parts in which a window is removed.
STEPS = 10


@dataclass(frozen=True, eq=False)
class Case:
    """A window and a class that is answered for it.

    Attributes
    ----------
    window : ndarray, shape (input_samples, leads)
        With its margins, mV.
    places : ndarray, shape (input_samples,), int
        The sample between the margins that each sample of the window repeats.
    column : int
        Of the class.
    activation : ndarray, shape (steps,)
        The class's map, a value a step.
    """

    window: np.ndarray
    places: np.ndarray
    column: int
    activation: np.ndarray

    def without(self, absent: np.ndarray) -> np.ndarray:
        """Return the window with 0 mV in `absent` pieces, bool of shape (pieces,), and their copies."""
        inside = self.places.max() + 1
        pieces = np.arange(inside) * len(absent) // inside
        return np.where(absent[pieces][self.places][:, None], np.float32(0), self.window)


#: Returns the scores of a case's steps, (steps,).
Way = Callable[["Classifier", Case], np.ndarray]


def faithfulness(study: Study) -> Iterator[Table]:
    """Yield a table for each length of pieces."""
    classifier, cases = study.classifier, answered_cases(study)
    step_s = classifier.map_stride / classifier.description.preprocessing.sampling_rate
    for piece_s in PIECES_S:
        found = areas(classifier, cases, WAYS, max(1, round(piece_s / step_s)))
        yield area_table(f"faithfulness, pieces of {piece_s:g} s", found)


def sanity(study: Study) -> Iterator[Table]:
    """Yield a table of the layers that are random; a constant map has no correlation (nan)."""
    import keras

    classifier, cases = study.classifier, answered_cases(study)
    rows = []
    for name, layers in cascade(classifier.network).items():
        keras.utils.set_random_seed(0)
        other = replace(classifier, trained=in_memory(randomised(classifier.network, layers)))
        maps = other.run_with_maps(np.stack([case.window for case in cases]))[1]
        pairs = zip(cases, maps, strict=True)
        found = [_correlation(case.activation, each[:, case.column]) for case, each in pairs]
        rows.append((name, len(found), mean(found), mean(np.abs(found).tolist())))
    yield Table("sanity", ("maps", "rank correlation", "its absolute value"), tuple(rows))


def area_table(name: str, found: Mapping[str, np.ndarray]) -> Table:
    """Return the table of areas by way, (cases, 2), and of how the first way differs from the others."""
    first, *others = found
    differences = {f"{first}, difference from {other}": found[first] - found[other] for other in others}
    rows = ((way, len(values), *map(mean, values.T)) for way, values in {**found, **differences}.items())
    return Table(name, ("answers", "deletion", "insertion"), tuple(rows))


def answered_cases(study: Study) -> list[Case]:
    """Return a case for each class that is answered for the first window of some records.

    Raises
    ------
    InputError
        If nothing is answered.
    """
    classifier, paths = study.classifier, study.paths()
    preprocessing, lowest = classifier.description.preprocessing, classifier.description.lowest_probabilities
    margin, samples = preprocessing.margin_samples, preprocessing.window_samples
    cases = []
    for index in np.random.default_rng(0).permutation(len(paths))[:RECORDS]:
        window = classifier.windows(read_record(paths[index]))[0]
        if len(window) == preprocessing.input_samples:  # shorter records have a shorter one
            (probabilities,), (maps,) = classifier.run_with_maps(window[None])
            places = continue_signal(window[margin:][:samples], margin, preprocessing.sampling_rate)
            answered = np.flatnonzero(probabilities >= lowest)
            cases += [Case(window, places, int(column), maps[:, column]) for column in answered]
    if not cases:
        raise InputError(f"{study.folders['data']}: none of the records is answered; give more")
    return cases


def areas(
    classifier: "Classifier", cases: Sequence[Case], ways: Mapping[str, Way], piece_steps: int
) -> dict[str, np.ndarray]:
    """Return the areas under the curves of deletion and insertion of each case by way, shape (cases, 2)."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    for case in cases:
        for name, way in ways.items():
            scores = np.array([part.mean() for part in _pieces(way(classifier, case), piece_steps)])
            found[name].append(np.trapezoid(probability_curves(classifier, case, scores), dx=1 / STEPS))
    return {name: np.array(values) for name, values in found.items()}


def probability_curves(classifier: "Classifier", case: Case, scores: np.ndarray) -> np.ndarray:
    """Return the class's probability after each step of deletion and insertion, (2, STEPS + 1)."""
    ranks = np.empty(len(scores), int)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    counts = [round(len(scores) * step / STEPS) for step in range(STEPS + 1)]
    absent = [ranks < count for count in counts] + [ranks >= count for count in counts]
    windows = np.stack([case.without(each) for each in absent])
    return classifier.run_with_maps(windows)[0][:, case.column].reshape(2, STEPS + 1)


def by_map(classifier: "Classifier", case: Case) -> np.ndarray:
    """Score steps by the class activation map."""
    return case.activation


def by_gradient(classifier: "Classifier", case: Case) -> np.ndarray:
    """Score steps by gradient × input, summed over the leads."""
    products = classifier.gradients(case.window[None], [case.column])[0, 0] * case.window
    total = np.bincount(case.places, products.sum(axis=1))  # a margin counts where it is repeated from
    return np.array([part.sum() for part in np.array_split(total, len(case.activation))])


def by_chance(classifier: "Classifier", case: Case) -> np.ndarray:
    """Score steps at random; the window seeds the random numbers."""
    return np.random.default_rng(zlib.crc32(case.window.tobytes())).random(len(case.activation))


#: Ways to score steps; the first one is compared with the others.
WAYS: dict[str, Way] = {"map": by_map, "gradient × input": by_gradient, "chance": by_chance}


def randomised(network: "keras.Model", names: Sequence[str]) -> "keras.Model":
    """Return the network with the weights of the layers `names` as before any training."""
    import keras

    from cnn_gap.network.architecture import copy_weights

    fresh = keras.models.clone_model(network)
    copy_weights(network, fresh, but=names)
    return fresh


def cascade(network: "keras.Model") -> dict[str, list[str]]:
    """Return the layers to randomise, by the name of the row."""
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


def _pieces(values: np.ndarray, steps: int) -> list[np.ndarray]:
    return np.array_split(values, max(1, len(values) // steps))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)
