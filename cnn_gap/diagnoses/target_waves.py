"""The waves of a heartbeat that show a diagnosis: the table `target_waves.csv`.

It lists the diagnoses that readers recognise by one part of a heartbeat: blocks, axes, voltages and Q waves by
the QRS complex (Surawicz et al. 2009, "AHA/ACCF/HRS recommendations for the standardization and interpretation
of the electrocardiogram, part III"), changes of repolarisation by ST segment and T wave (Rautaharju et al.
2009, part IV), enlarged atria and atrioventricular delay by P wave and PR interval, premature beats by the
early beat. Rhythms are not listed, nor diagnoses that several parts show: infarctions and hypertrophies.
"""

import csv
from functools import cache
from pathlib import Path

from cnn_gap.diagnoses.classes import ClassSet


@cache
def wave_by_code() -> dict[str, str]:
    """Return the table: the part of a heartbeat by the code of its diagnosis."""
    with (Path(__file__).parent / "target_waves.csv").open(newline="", encoding="utf-8") as file:
        return {row["code"]: row["wave"] for row in csv.DictReader(file)}


def target_waves(classes: ClassSet) -> tuple[str, ...]:
    """Return the part of a heartbeat that shows each output; "" where the table does not list it.

    Examples
    --------
    >>> from cnn_gap.diagnoses.classes import read_weights
    >>> dict(zip(read_weights().short_names, target_waves(read_weights())))["LBBB"]
    'QRS'
    """
    table = wave_by_code()
    return tuple(next((table[code] for code in codes if code in table), "") for codes in classes.outputs)
