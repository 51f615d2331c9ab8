"""The level of the ST segment in each lead, and the criteria of the universal definition of infarction.

New elevation at the J point in two neighbouring leads counts from 0.1 mV on. In V2 and V3 it counts from 0.15
mV on in women, from 0.2 mV on in men of 40 years and more, and from 0.25 mV on in younger men (Thygesen et al.
2018, doi:10.1161/CIR.0000000000000617). One record does not show whether the elevation is new. In the anterior
leads, early repolarisation looks similar: the score of Smith et al. 2012
(doi:10.1016/j.annemergmed.2012.02.015) distinguishes it from infarction.
"""

import math
from dataclasses import dataclass

import numpy as np

from cnn_gap.beats.detection import MEASURED_HZ, median_sample
from cnn_gap.beats.intervals import Measurements
from cnn_gap.leads import LEADS
from cnn_gap.record import Record

#: Pairs of leads of neighbouring parts of the heart, in the order of the frontal plane and of the chest.
NEIGHBOURS = (
    ("aVL", "I"),
    ("II", "aVF"),
    ("aVF", "III"),
    *((f"V{number}", f"V{number + 1}") for number in range(1, 6)),
)

#: The second time at which the level is measured, s after the J point.
LATE_S = 0.06

_V3, _V4 = LEADS.index("V3"), LEADS.index("V4")
_ELEVATION_MV = 0.1
_BASELINE_S = (0.020, 0.004)  # before the QRS complex


@dataclass(frozen=True, eq=False)
class StLevels:
    """Levels of the ST segment against the end of the PR segment, mV, shape (12,); NaN where a lead is missing.

    Attributes
    ----------
    j_mv, late_mv : ndarray
        At the J point and `LATE_S` after it.
    elevated : tuple of str
        Leads of neighbouring pairs that meet the criteria at both times.
    anterior_score : float or None
        Smith's score, above 23.4 in most infarctions of the anterior wall and below it in early repolarisation.
        None unless only chest leads are elevated and QTc is known.
    """

    j_mv: np.ndarray
    late_mv: np.ndarray
    elevated: tuple[str, ...]
    anterior_score: float | None = None


def measure_st(record: Record, measured: Measurements) -> StLevels | None:
    """Return the levels of the median beat's ST segment, None where there is no such beat."""
    waves, median = measured.waves, measured.beats.median
    if waves is None or median is None:
        return None
    onset, end = map(median_sample, (waves.qrs_onset, waves.qrs_end))
    first, last = (max(onset - round(before * MEASURED_HZ), 0) for before in _BASELINE_S)
    level = median[first : max(last, first + 1)].mean(axis=0)
    late = min(end + round(LATE_S * MEASURED_HZ), len(median) - 1)
    present = np.asarray(record.leads, bool)
    j_mv, late_mv = (np.where(present, median[at] - level, np.nan) for at in (min(end, late), late))
    elevated = _elevated(j_mv, late_mv, record.age, record.sex)
    r_wave_mv = float((median[onset : max(end, onset + 1)] - level)[:, _V4].max())
    score = _anterior_score(float(late_mv[_V3]), measured.qtc_bazett_s, r_wave_mv)
    anterior = bool(elevated) and all(lead.startswith("V") for lead in elevated) and present[_V4]
    return StLevels(j_mv, late_mv, elevated, score if anterior else None)


def _anterior_score(v3_mv: float, qtc_s: float | None, r_wave_v4_mv: float) -> float | None:
    """Return Smith's score of the level in V3 60 ms after the J point, QTc (Bazett) and the R wave in V4."""
    if qtc_s is None or math.isnan(v3_mv):
        return None
    return 1.196 * 10 * v3_mv + 0.059 * 1000 * qtc_s - 0.326 * 10 * r_wave_v4_mv


def _elevated(j_mv: np.ndarray, late_mv: np.ndarray, age: float, sex: str) -> tuple[str, ...]:
    meets = {
        lead
        for index, lead in enumerate(LEADS)
        if min(j_mv[index], late_mv[index]) >= _limit(lead, age, sex)  # false for NaN
    }
    pairs = [pair for pair in NEIGHBOURS if meets.issuperset(pair)]
    found = {lead for pair in pairs for lead in pair}
    return tuple(lead for lead in LEADS if lead in found)


def _limit(lead: str, age: float, sex: str) -> float:
    """Return the elevation that counts in a lead, mV; unknown ages count as below 40, unknown sexes as male."""
    if lead not in ("V2", "V3"):
        return _ELEVATION_MV
    if sex == "Female":
        return 0.15
    return 0.2 if not math.isnan(age) and age >= 40 else 0.25
