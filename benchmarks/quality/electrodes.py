"""Make the model that finds swapped electrodes, and say how often it finds simulated swaps.

    python -m benchmarks.quality.electrodes TRAINING_RECORDS OTHER_RECORDS [--write]

Linear maps and limits are fitted on the median beats of the training records, so that at most one record in a
hundred without a swap exceeds its limit. The table is of the other records.
"""

import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.common import Table, command_parser
from cnn_gap.beats import electrodes
from cnn_gap.beats.electrodes import (
    LIMB_SWAPS,
    SAMPLE_STEP,
    ElectrodeModel,
    believed_swap,
    best_swap,
    swaps,
)
from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.system.exit_codes import run

#: Shares of the training records in which a swap of limb and of chest electrodes is believed: less than 1 %
#: together, since the limits fit these records.
LIMB_ALARMS, CHEST_ALARMS = 0.001, 0.007


def main(arguments: list[str]) -> None:
    """Fit the model and print the table; with `--write` the package gets the model."""
    parser = command_parser("benchmarks.quality.electrodes", __doc__)
    parser.add_argument("training", type=Path)
    parser.add_argument("others", type=Path)
    parser.add_argument("--records", type=int, default=2500, help="of each folder at most")
    parser.add_argument("--write", action="store_true", help="write cnn_gap/beats/electrodes.json")
    options = parser.parse_args(arguments)
    training = median_beats(options.training, options.records)
    others = median_beats(options.others, options.records)
    limb, chest = fit_maps(training)
    limits = choose_limits(training, ElectrodeModel(limb, chest, {}))
    model = ElectrodeModel(limb, chest, limits)
    print(Table("swap", ("found", "taken for another"), tuple(sensitivity_rows(others, model))))
    if options.write:
        held = {"limb": limb.round(4).tolist(), "chest": chest.round(4).tolist(), "limits": limits}
        path = Path(electrodes.__file__).parent / "electrodes.json"
        path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def median_beats(folder: Path, count: int) -> list[np.ndarray]:
    """Return median beats (samples, 12) of records with twelve leads, drawn at random."""
    paths, found = find_records(folder), []
    for index in tqdm(np.random.default_rng(0).permutation(len(paths))[:count], disable=None):
        record = read_record(paths[index])
        measured = measure(record)
        if measured.waves is not None and measured.beats.median is not None and record.leads.all():
            found.append(measured.beats.median[::SAMPLE_STEP])
    return found


def fit_maps(beats: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the maps of `ElectrodeModel` by least squares, each record counting alike."""
    level = [beat - beat[:5].mean(axis=0) for beat in beats]
    stacked = np.concatenate([beat / max(np.linalg.norm(beat), 1e-9) for beat in level])
    limb, *_ = np.linalg.lstsq(stacked[:, 6:], stacked[:, :2], rcond=None)
    chest = np.zeros((6, 8))
    held = stacked[:, [0, 1, *range(6, 12)]]
    for lead in range(6):
        others = [column for column in range(8) if column != lead + 2]
        chest[lead, others], *_ = np.linalg.lstsq(held[:, others], stacked[:, 6 + lead], rcond=None)
    return limb, chest


def choose_limits(beats: list[np.ndarray], model: ElectrodeModel) -> dict[str, float]:
    """Return the limit of each swap: a share of the median gain of beats that have it.

    The share is the same for all swaps of limbs, and for all of the chest, so that as many records without a
    swap exceed their limits as `LIMB_ALARMS` and `CHEST_ALARMS` say.
    """
    usual: dict[str, float] = {}
    for name, swap in swaps().items():
        gains = [gain for best, gain in (best_swap(swap(beat), model) for beat in beats) if best == name]
        usual[name] = float(np.median(gains))
    unswapped = [best_swap(beat, model) for beat in beats]
    limits = {}
    for limbs, alarms in ((True, LIMB_ALARMS), (False, CHEST_ALARMS)):
        shares = [gain / usual[name] if (name in LIMB_SWAPS) == limbs else -1.0 for name, gain in unswapped]
        lowest = float(np.quantile(shares, 1 - alarms))
        limits |= {
            name: round(lowest * gain, 4) for name, gain in usual.items() if (name in LIMB_SWAPS) == limbs
        }
    return limits


def sensitivity_rows(beats: list[np.ndarray], model: ElectrodeModel) -> list[tuple[object, ...]]:
    """Return for each swap the share of records in which it is found, and that in which another one is."""
    rows: list[tuple[object, ...]] = []
    believed = [believed_swap(beat, model) for beat in beats]
    rows.append(("none", "", f"{np.mean([bool(name) for name in believed]):.3f}"))
    for name, swap in swaps().items():
        believed = [believed_swap(swap(beat), model) for beat in beats]
        found = np.mean([each == name for each in believed])
        rows.append(
            (name, f"{found:.3f}", f"{np.mean([bool(each) and each != name for each in believed]):.3f}")
        )
    return rows


if __name__ == "__main__":
    run(main)
