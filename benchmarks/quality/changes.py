"""How a model's answers change when the same records are shorter, disturbed, resampled, or have fewer leads.

Every row classifies all records after one change. Differences are from the records as they are.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.common import Classified, Study, Table, classify, resampled
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS
from cnn_gap.record import Record

#: Returns the record that is classified instead.
Change = Callable[[Record], Record]

#: Adds a disturbance that is drawn by random numbers.
Disturbance = Callable[[Record, np.random.Generator], Record]

#: Lead sets of Reyna et al. 2021, "Will two do?", and those that patches, watches and long-term recorders have.
#: Limb leads are derived from I and II.
LEAD_SETS = {
    "6 leads: I, II, III, aVR, aVL, aVF": LEADS[:6],
    "4 leads: I, II, III, V2": ("I", "II", "III", "V2"),
    "3 leads: I, II, V2": ("I", "II", "V2"),
    "2 leads: I, II": ("I", "II"),
    "2 leads: II, V1": ("II", "V1"),
    "2 leads: II, V5": ("II", "V5"),
    "lead I": ("I",),
    "lead II": ("II",),
    "lead V2": ("V2",),
    "lead V5": ("V5",),
}

#: Lengths that records are cut to, s, and rates that they are resampled to, Hz.
LENGTHS_S = (6, 4, 3, 2)
RATES_HZ = (100, 128, 250, 257, 300, 360, 977, 1000)

#: Amplitudes, mV: the spike of the paper's Figure 3, strong hum and strong wander.
SPIKE_MV, HUM_MV, WANDER_MV = 32.0, 0.2, 1.0
SPIKE_S, HUM_HZ = 0.01, 50.0

#: Records of a lower rate than twice `HUM_HZ` are resampled to this rate before hum is added, Hz.
RECORDER_HZ = 500.0

#: Factor of a wrong gain; the first headers of the 2020 Challenge had such gains.
GAIN = 5.0

HEADINGS = (
    "macro AUROC",
    "difference of macro AUROC",
    "Challenge metric",
    "difference of Challenge metric",
    "mean change of probability",
    "labels that differ",
)


def leads(study: Study) -> Iterator[Table]:
    """Yield a table of sets of leads."""
    changes = {name: partial(with_leads, leads=kept) for name, kept in LEAD_SETS.items()}
    yield _table(study, "data", "leads", changes)


def lengths(study: Study) -> Iterator[Table]:
    """Yield a table of lengths."""
    yield _table(study, "data", "lengths", {f"first {s} s": partial(first, seconds=s) for s in LENGTHS_S})


def disturbances(study: Study) -> Iterator[Table]:
    """Yield a table of disturbances."""
    changes = {name: partial(disturbed, disturb=disturb) for name, disturb in DISTURBANCES.items()}
    yield _table(study, "data", "disturbances", changes)


def rates(study: Study) -> Iterator[Table]:
    """Yield a table of sampling rates of `high_rate`, a folder of records of 500 Hz or more."""
    changes = {f"resampled to {rate} Hz": partial(resampled, rate=rate) for rate in RATES_HZ}
    yield _table(study, "high_rate", "rates", changes)


def _table(study: Study, folder: str, name: str, changes: Mapping[str, Change]) -> Table:
    reference = study.classified(folder).scored
    rows = [changed_row("as recorded", reference, reference)]
    for row, change in changes.items():
        changed = classify(study.classifier, study.paths(folder), change).scored
        rows.append(changed_row(row, changed, reference))
    return Table(name, HEADINGS, tuple(rows))


def changed_row(name: str, changed: Classified, reference: Classified) -> tuple[object, ...]:
    """Return a row of the table."""
    return (
        name,
        changed.auroc,
        changed.auroc - reference.auroc,
        changed.challenge_metric,
        changed.challenge_metric - reference.challenge_metric,
        changed.mean_change(reference),
        int((changed.outputs != reference.outputs).sum()),
    )


def with_leads(record: Record, leads: tuple[str, ...]) -> Record:
    """Return the record as if only `leads` had been recorded, of those that it has.

    Raises
    ------
    InputError
        If it has none of them.
    """
    kept = [index for index, lead in enumerate(LEADS) if lead in leads and record.leads[index]]
    return record_from_signal(
        record.signal[:, kept],
        record.sampling_rate,
        [LEADS[index] for index in kept],
        record.name,
        record.codes,
        record.age,
        record.sex,
    )


def first(record: Record, seconds: float) -> Record:
    """Return the record's first seconds."""
    return replace(record, signal=record.signal[: round(seconds * record.sampling_rate)])


def disturbed(record: Record, disturb: Disturbance) -> Record:
    """Return the record with a disturbance; its name seeds the random numbers."""
    return disturb(record, np.random.default_rng(list(record.name.encode())))


def add_spike(record: Record, rng: np.random.Generator) -> Record:
    """Return the record with a spike on one lead."""
    signal = record.signal.copy()
    width = max(1, round(SPIKE_S * record.sampling_rate))
    start = rng.integers(max(1, len(signal) - width))
    signal[start : start + width, _any_lead(record, rng)] += SPIKE_MV
    return replace(record, signal=signal)


def add_hum(record: Record, rng: np.random.Generator) -> Record:
    """Return the record with mains hum, of another amplitude on each lead."""
    if record.sampling_rate <= 2 * HUM_HZ:
        record = resampled(record, RECORDER_HZ)
    hum = HUM_MV * np.sin(2 * np.pi * (HUM_HZ * _seconds(record) + rng.random()))
    return _added(record, hum, rng.uniform(0.5, 1.5, len(record.leads)))


def add_wander(record: Record, rng: np.random.Generator) -> Record:
    """Return the record with baseline wander of 0.15 to 0.45 Hz, of another amplitude on each lead."""
    wander = WANDER_MV * np.sin(2 * np.pi * (rng.uniform(0.15, 0.45) * _seconds(record) + rng.random()))
    return _added(record, wander, rng.uniform(-1.5, 1.5, len(record.leads)))


def _take_lead_off(record: Record, rng: np.random.Generator) -> Record:
    signal = record.signal.copy()
    signal[:, _any_lead(record, rng)] = 0
    return replace(record, signal=signal)


def _scaled(record: Record, rng: np.random.Generator, gain: float) -> Record:
    return replace(record, signal=record.signal * np.float32(gain))


def _any_lead(record: Record, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(record.leads)))


def _seconds(record: Record) -> np.ndarray:
    return np.arange(len(record.signal)) / record.sampling_rate


def _added(record: Record, disturbance: np.ndarray, gains: np.ndarray) -> Record:
    """Return the record with the disturbance, (samples,) in mV, times its gain on each lead that is present."""
    on_leads = disturbance[:, None] * (gains * record.leads)
    return replace(record, signal=record.signal + on_leads.astype(np.float32))


#: By the name of the row.
DISTURBANCES: dict[str, Disturbance] = {
    f"a spike of {SPIKE_MV:g} mV": add_spike,
    f"{HUM_HZ:g} Hz hum, {HUM_MV:g} mV": add_hum,
    f"wander, {WANDER_MV:g} mV": add_wander,
    "one lead off": _take_lead_off,
    f"gain × {GAIN:g}": partial(_scaled, gain=GAIN),
    f"gain ÷ {GAIN:g}": partial(_scaled, gain=1 / GAIN),
}
