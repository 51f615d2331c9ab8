"""The measurements of a recording of minutes to days, part by part."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from cnn_gap.beats.intervals import measure
from cnn_gap.io.long_records import LongRecord
from cnn_gap.reading.evidence import Evidence, gather_evidence

#: Length of the parts that are measured, s. A recording shorter than two of them is measured as one part.
PART_S = 30.0


def part_starts(record: LongRecord) -> np.ndarray:
    """Return when each part of a recording begins, s; the last one overlaps with the one before."""
    duration = record.samples / record.sampling_rate
    if duration < 2 * PART_S:
        return np.zeros(1)
    return np.append(np.arange(0.0, duration - PART_S, PART_S), duration - PART_S)


def measure_parts(record: LongRecord, starts_s: Sequence[float] | np.ndarray) -> tuple[Evidence, ...]:
    """Return the measurements of the parts that begin at `starts_s`; one of them is in memory at a time.

    Raises
    ------
    InputError
        If a part cannot be read.
    """
    duration = record.samples / record.sampling_rate
    length = record.samples if duration < 2 * PART_S else round(PART_S * record.sampling_rate)
    return tuple(_measured(record, float(start), length) for start in starts_s)


def typical_evidence(parts: Sequence[Evidence]) -> Evidence:
    """Return the measurements of that part whose heart rate is the median of all parts."""
    with_rate = sorted((part for part in parts if "rate" in part.values), key=lambda part: part.values["rate"])
    return with_rate[len(with_rate) // 2] if with_rate else parts[0]


def _measured(record: LongRecord, start_s: float, length: int) -> Evidence:
    first = min(round(start_s * record.sampling_rate), record.samples - length)
    part = record.part(first, first + length)
    known = replace(part, age=record.age, sex=record.sex)
    evidence = gather_evidence(known, measure(known))
    if length == record.samples:
        return evidence
    about = f"{part.duration_s:.0f} s from {timedelta(seconds=int(start_s))} on"
    # Earliness is left out: in a long recording all beats are labelled, not only the beats of this part.
    values = {name: value for name, value in evidence.values.items() if name != "earliness"}
    return replace(evidence, values=values, part=about, start_s=start_s)
