"""The measurements of a record that the rules of the reading use."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from cnn_gap.beats.detection import median_sample
from cnn_gap.beats.early_beats import earliness
from cnn_gap.beats.electrodes import LIMB_SWAPS, find_swapped_electrodes
from cnn_gap.beats.intervals import IRREGULAR, WIDE_QRS_S, Measurements
from cnn_gap.beats.st_level import StLevels, measure_st
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.quality import unusable_leads

#: The shortest QTc (Bazett) that is long, s, by sex (Rautaharju et al. 2009).
LONG_QTC_S = {"Female": 0.46, "Male": 0.45, "Unknown": 0.46}

#: The smallest number of leads from which a QTc is given: one or two leads may not show the end of the T wave
#: (Rautaharju et al. 2009).
LEADS_OF_QT = 6

#: A chest lead whose QRS complex is smaller than this, mV from peak to peak, shows no heartbeat; so do the limb
#: leads if all of them are smaller. Of 1,715 records of PTB-XL, one had such a lead.
SMALLEST_QRS_MV = 0.1

#: The highest rate of a sinus rhythm, /min, is 220 less the age in years, or this where the age is unknown. An
#: age above `OLDEST` counts as that: PTB-XL has 300 for ages above 89.
FASTEST_SINUS, OLDEST = 180.0, 90.0

#: Name and unit of each measured value, as statements show them.
VALUE_NAMES = {
    "rate": ("rate", "/min"),
    "rate_above_sinus": ("rate above the highest of a sinus rhythm by", "/min"),
    "pr_ms": ("PR", " ms"),
    "qrs_ms": ("QRS", " ms"),
    "qtc_bazett_ms": ("QTc (Bazett)", " ms"),
    "shorter_qtc_ms": ("QTc by Bazett and by Fridericia at least", " ms"),
    "qtc_above_limit_ms": ("QTc above its limit by", " ms"),
    "axis_deg": ("axis", " degrees"),
    "limb_mv": ("highest QRS complex of the limb leads", " mV"),
    "sokolow_lyon_mv": ("S in V1 and R in V5 or V6", " mV"),
    "st_criteria": ("leads with ST elevation", ""),
    "anterior_score": ("Smith's score", ""),
    "large_waves": ("no QRS complexes stand out", ""),
    "wide_rate": ("rate with wide QRS complexes", "/min"),
    "run_rate": ("rate of the run", "/min"),
    "early_run_beats": ("early beats of the usual shape in a row", ""),
    "earliness": ("a beat of the usual shape comes early, by", " times the variation of the other intervals"),
}


@dataclass(frozen=True, eq=False)
class Evidence:
    """The measurements of a record without its signal and beats, so that a million of them fit into memory.

    Attributes
    ----------
    values : dict of str to float
        By the names that `statements.csv` and the alerts use; a value that cannot be trusted is left out.
    elevated : tuple of str
        Neighbouring leads with ST elevation.
    swapped : str
        Electrodes that seem to be swapped, such as ``"V1 and V2"``; empty if none do.
    missing : tuple of str
        Leads that the record does not have, or that are flat, noisy, off for long or without heartbeats.
    silent : tuple of str
        The missing leads that are recorded, but show no heartbeats.
    duration_s : float
    part : str
        Which part of a recording of hours was measured, such as ``"30 s from 2:00:00 on"``; empty: all of it.
    age : float
        In years, NaN where unknown.
    start_s : float
        When the part that was measured begins, s.
    """

    values: dict[str, float] = field(default_factory=dict)
    elevated: tuple[str, ...] = ()
    swapped: str = ""
    missing: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    duration_s: float = 10.0
    part: str = ""
    age: float = math.nan
    start_s: float = 0.0

    @property
    def end_s(self) -> float:
        """When the part that was measured ends, s."""
        return self.start_s + self.duration_s

    def without_beats(self) -> "Evidence":
        """Return the evidence of a record in which no heartbeat was found: it has no rate and no interval."""
        kept = {"large_waves": 1.0} if "sine_waves" in self.values else {}
        return replace(self, values=kept, elevated=(), swapped="")

    def words(self, measure: str) -> str:
        """Return a value as a text, such as ``"axis -45 degrees"``; empty if it was not measured."""
        if measure not in self.values:
            return ""
        name, unit = VALUE_NAMES[measure]
        if measure == "large_waves":
            return name
        if measure == "st_criteria":
            return f"{name}: {', '.join(self.elevated)}"
        value = self.values[measure]
        if measure == "earliness" and not value:
            return "no early beat of the usual shape"
        return f"{name} {value:.2f}{unit}" if measure.endswith("_mv") else f"{name} {value:.0f}{unit}"


def gather_evidence(record: Record, measured: Measurements) -> Evidence:
    """Return the measurements of a record that the rules of the reading use."""
    record = replace(record, leads=record.leads & ~unusable_leads(record))
    silent = record.leads & _without_beats(record, measured)
    record = replace(record, leads=record.leads & ~silent)
    st = measure_st(record, measured)
    values = {name: value for name, value in _values(record, measured, st).items() if value is not None}
    elevated = () if st is None else st.elevated
    swapped = find_swapped_electrodes(record, measured)
    if swapped in LIMB_SWAPS:
        values.pop("axis_deg", None)
    missing = _names(~np.asarray(record.leads, bool))
    return Evidence(values, elevated, swapped, missing, _names(silent), record.duration_s, age=record.age)


def _names(leads: np.ndarray) -> tuple[str, ...]:
    return tuple(LEADS[lead] for lead in np.flatnonzero(leads))


def _without_beats(record: Record, measured: Measurements) -> np.ndarray:
    """Return which leads show no QRS complex, bool of shape (12,); none where no beat was measured."""
    heights = _heights(record, measured)
    if heights is None:
        return np.zeros(len(LEADS), bool)
    small = np.asarray(heights[0] - heights[1] < SMALLEST_QRS_MV)
    small[:6] = small[:6].all()
    return small


def _values(record: Record, measured: Measurements, st: StLevels | None) -> dict[str, float | None]:
    variation = _variation(measured.beats.intervals_s)
    regular = variation is not None and variation <= IRREGULAR and record.leads.sum() >= LEADS_OF_QT
    narrow = measured.qrs_s is not None and measured.qrs_s < WIDE_QRS_S
    wide = measured.qrs_s is not None and measured.qrs_s >= WIDE_QRS_S
    run = measured.run
    qtc = measured.qtc_bazett_s if narrow and regular else None
    fridericia = measured.qtc_fridericia_s if narrow and regular else None
    heights = _heights(record, measured)
    return {
        "rate": measured.rate,
        "rate_above_sinus": _rate_above_sinus(record, measured),
        "rr_variation": variation,
        "earliness": None if measured.rate is None else earliness(measured.beats),
        "shortest_rr_s": None if measured.rr_range_s is None else measured.rr_range_s[0],
        "longest_rr_s": None if measured.rr_range_s is None else measured.rr_range_s[1],
        "pr_ms": _milliseconds(measured.pr_s),
        "qrs_ms": _milliseconds(measured.qrs_s),
        "qt_ms": _milliseconds(measured.qt_s),
        "qtc_bazett_ms": _milliseconds(qtc),
        "qtc_fridericia_ms": _milliseconds(fridericia),
        "shorter_qtc_ms": None if qtc is None or fridericia is None else 1000 * min(qtc, fridericia),
        "qtc_above_limit_ms": None if qtc is None else 1000 * (qtc - LONG_QTC_S.get(record.sex, 0.46)),
        "axis_deg": measured.axis_deg,
        "limb_mv": None if heights is None else _limb_voltage(record, *heights),
        "sokolow_lyon_mv": None if heights is None else _sokolow_lyon(record, *heights),
        "sine_waves": 1.0 if measured.large_waves else None,
        "large_waves": 1.0 if measured.large_waves and measured.rate is None else None,
        "wide_rate": measured.rate if wide else None,
        "run_rate": None if run is None else run.rate,
        "run_beats": None if run is None else float(run.beats),
        "st_criteria": None if st is None else float(len(st.elevated)),
        "anterior_score": None if st is None else st.anterior_score,
    }


def _variation(intervals_s: np.ndarray) -> float | None:
    """Return the standard deviation of RR intervals divided by their mean; None of fewer than two."""
    return float(intervals_s.std() / intervals_s.mean()) if len(intervals_s) > 1 else None


def _rate_above_sinus(record: Record, measured: Measurements) -> float | None:
    """Return by how much the rate is higher than that of any sinus rhythm, /min; None if it is not."""
    highest = FASTEST_SINUS if math.isnan(record.age) else 220 - min(record.age, OLDEST)
    return measured.rate - highest if measured.rate is not None and measured.rate > highest else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _heights(record: Record, measured: Measurements) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the highest and lowest value of each lead's QRS complex against its onset, mV, (12,) each."""
    waves, median = measured.waves, measured.beats.median
    if waves is None or median is None:
        return None
    first, last = map(median_sample, (waves.qrs_onset, waves.qrs_end))
    part = median[max(first, 0) : last] - median[max(first - 1, 0)]
    return (part.max(axis=0), part.min(axis=0)) if len(part) else None


def _limb_voltage(record: Record, high: np.ndarray, low: np.ndarray) -> float | None:
    """Return the largest QRS complex of the limb leads from peak to peak, mV; None where one is missing."""
    return float((high - low)[:6].max()) if np.all(record.leads[:6]) else None


def _sokolow_lyon(record: Record, high: np.ndarray, low: np.ndarray) -> float | None:
    """Return the S wave in V1 and the higher R wave of V5 and V6, mV (Sokolow and Lyon 1949)."""
    first, fifth, sixth = (LEADS.index(lead) for lead in ("V1", "V5", "V6"))
    if not (record.leads[first] and record.leads[fifth] and record.leads[sixth]):
        return None
    return float(-low[first] + max(high[fifth], high[sixth]))
