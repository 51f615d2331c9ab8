"""Swapped electrodes, found by how well the leads fit together.

Linear maps that are nearly the same for all hearts compute the limb leads from the chest leads, and each chest
lead from the other leads (Kors et al. 2001, "Accurate automatic detection of electrode interchange in the
electrocardiogram", Am J Cardiol 88:396). If the leads fit these maps much better after two electrodes are
changed back, the electrodes were swapped. The maps and the limits are in `electrodes.json`, which
`benchmarks.quality.electrodes` makes from training records. It also measures how often swaps are found.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cnn_gap.beats.intervals import Measurements
from cnn_gap.record import Record

#: For each swap of limb electrodes: which lead, by index and sign, each of the six limb leads shows then.
LIMB_SWAPS: dict[str, tuple[tuple[int, float], ...]] = {
    "right and left arm": ((0, -1), (2, 1), (1, 1), (4, 1), (3, 1), (5, 1)),
    "right arm and left leg": ((2, -1), (1, -1), (0, -1), (5, 1), (4, 1), (3, 1)),
}

#: Chest electrodes whose swaps are searched for. V4, V5 and V6 are too alike in most hearts.
CHEST_SWAPS = ((1, 2), (2, 3), (3, 4), (1, 3))

#: Every tenth sample of a median beat is compared.
SAMPLE_STEP = 10

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
        The gain above which a swap is reported, by its name: 1 in 100 records without a swap exceeds any.
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
    """Return the name of the swap with the highest gain beyond its limit; those of limbs come first."""
    gains = swap_gains(beat, model)
    beyond = [name for name, gain in gains.items() if gain > model.limits[name]]
    limbs = [name for name in beyond if name in LIMB_SWAPS]
    return max(limbs or beyond, key=lambda name: gains[name], default="")


def swap_gains(beat: np.ndarray, model: ElectrodeModel) -> dict[str, float]:
    """Return how much better the leads of a beat fit together once a swap is undone, by the swap's name.

    Parameters
    ----------
    beat : ndarray, shape (samples, 12)
        The median beat, mV.
    """
    beat = beat - beat[:5].mean(axis=0)
    limbs = {name: _limb_gain(beat, swap_limbs(beat, name), model) for name in LIMB_SWAPS}
    before = _chest_misfit(beat, model)
    chest = {
        chest_swap_name(pair): before - _chest_misfit(swap_chest(beat, pair), model) for pair in CHEST_SWAPS
    }
    return limbs | chest


def swap_limbs(beat: np.ndarray, name: str) -> np.ndarray:
    """Return a beat (samples, 12) as it is recorded with these electrodes swapped, or swapped back."""
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


def _limb_gain(beat: np.ndarray, undone: np.ndarray, model: ElectrodeModel) -> float:
    expected = beat[:, 6:] @ model.limb

    def misfit(leads: np.ndarray) -> float:
        size = float(np.linalg.norm(leads) + np.linalg.norm(expected))
        return float(np.linalg.norm(expected - leads)) / max(size, 1e-9)

    return misfit(beat[:, :2]) - misfit(undone[:, :2])


def _chest_misfit(beat: np.ndarray, model: ElectrodeModel) -> float:
    held = beat[:, [0, 1, *range(6, 12)]]
    errors = ((held @ model.chest.T - beat[:, 6:]) ** 2).sum(axis=0)
    return float(np.log(errors + _LEAST_ERROR).sum())
