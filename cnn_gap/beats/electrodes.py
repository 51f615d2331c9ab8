"""Swapped electrodes, found by how well the leads fit together.

Linear maps that are nearly the same for all hearts compute the limb leads from the chest leads, and each chest
lead from the other leads (Kors et al. 2001, "Accurate automatic detection of electrode interchange in the
electrocardiogram", Am J Cardiol 88:396). Each possible swap is undone in turn. The swap after which the leads
fit these maps best is reported if they fit much better than before. The maps and the limits are in
`electrodes.json`, which `benchmarks.quality.electrodes` makes from training records. It also measures how often
swaps are found.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from cnn_gap.beats.intervals import Measurements
from cnn_gap.record import Record

#: For each swap of limb electrodes: index and sign of the lead that each of the six limb leads then shows.
LIMB_SWAPS: dict[str, tuple[tuple[int, float], ...]] = {
    "right and left arm": ((0, -1), (2, 1), (1, 1), (4, 1), (3, 1), (5, 1)),
    "right arm and left leg": ((2, -1), (1, -1), (0, -1), (5, 1), (4, 1), (3, 1)),
}

#: Chest electrodes whose swaps are searched for.
CHEST_SWAPS = ((1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (1, 3), (2, 4))

#: Every tenth sample of a median beat is compared.
SAMPLE_STEP = 10

_LIMB_WEIGHT = 10.0  # of the misfit of the limb leads, from 0 to 1, beside the sum of six logarithms
_LEAST_ERROR = 1e-4  # of a lead's energy: the least error, so that a lead without energy decides nothing


@dataclass(frozen=True, eq=False)
class ElectrodeModel:
    """The linear maps between leads, and the limits of a swap.

    Attributes
    ----------
    limb : ndarray, shape (6, 2)
        Computes leads I and II from V1 to V6.
    chest : ndarray, shape (6, 8)
        Computes each chest lead from I, II and V1 to V6; its own factor is 0.
    limits : dict of str to float
        The gain above which a swap is reported, by its name: 1 in 100 records without a swap exceeds its limit.
    """

    limb: np.ndarray
    chest: np.ndarray
    limits: dict[str, float]


@cache
def electrode_model() -> ElectrodeModel:
    """Return the model that comes with the package."""
    held = json.loads((Path(__file__).parent / "electrodes.json").read_text(encoding="utf-8"))
    return ElectrodeModel(np.array(held["limb"]), np.array(held["chest"]), held["limits"])


def find_swapped_electrodes(record: Record, measured: Measurements) -> str:
    """Return which electrodes seem to be swapped, such as ``"right and left arm"``; empty if none have.

    Records without twelve leads and a median beat are not judged.
    """
    if measured.beats.median is None or measured.waves is None or not np.all(record.leads):
        return ""
    return believed_swap(measured.beats.median[::SAMPLE_STEP], electrode_model())


def believed_swap(beat: np.ndarray, model: ElectrodeModel) -> str:
    """Return the name of the swap with the highest gain if that is above its limit, else an empty text."""
    name, gain = best_swap(beat, model)
    return name if gain > model.limits[name] else ""


def best_swap(beat: np.ndarray, model: ElectrodeModel) -> tuple[str, float]:
    """Return the swap that improves the fit of the leads most once it is undone, and its gain.

    Parameters
    ----------
    beat : ndarray, shape (samples, 12)
        The median beat, mV.
    """
    beat = beat - beat[:5].mean(axis=0)
    before = _misfit(beat, model)
    gains = {name: before - _misfit(undo(beat), model) for name, undo in swaps().items()}
    return max(gains.items(), key=lambda each: each[1])


def swaps() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return functions that swap two electrodes of a beat (samples, 12), or swap them back, by their names."""
    limbs = {name: partial(swap_limbs, name=name) for name in LIMB_SWAPS}
    return limbs | {chest_swap_name(pair): partial(swap_chest, pair=pair) for pair in CHEST_SWAPS}


def swap_limbs(beat: np.ndarray, name: str) -> np.ndarray:
    """Return a beat (samples, 12) with two limb electrodes swapped; a second call swaps them back."""
    swapped = beat.copy()
    for target, (source, sign) in enumerate(LIMB_SWAPS[name]):
        swapped[:, target] = sign * beat[:, source]
    return swapped


def swap_chest(beat: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Return a beat (samples, 12) with two chest leads exchanged, such as V1 and V2 for (1, 2)."""
    swapped = beat.copy()
    first, second = (5 + number for number in pair)
    swapped[:, [first, second]] = beat[:, [second, first]]
    return swapped


def chest_swap_name(pair: tuple[int, int]) -> str:
    """Return the name of a swap of chest electrodes, such as ``"V1 and V2"``."""
    return f"V{pair[0]} and V{pair[1]}"


def _misfit(beat: np.ndarray, model: ElectrodeModel) -> float:
    """Return how badly the limb leads fit the chest leads, and each chest lead the others."""
    limbs, expected = beat[:, :2], beat[:, 6:] @ model.limb
    size = float(np.linalg.norm(limbs) + np.linalg.norm(expected))
    held = beat[:, [0, 1, *range(6, 12)]]
    errors = ((held @ model.chest.T - beat[:, 6:]) ** 2).sum(axis=0)
    chest = float(np.log(errors + _LEAST_ERROR).sum())
    return chest + _LIMB_WEIGHT * float(np.linalg.norm(expected - limbs)) / max(size, 1e-9)
