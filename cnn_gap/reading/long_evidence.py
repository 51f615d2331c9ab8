"""The measurements of a recording of hours: those of one typical part of it."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from cnn_gap.beats.intervals import measure
from cnn_gap.io.long_records import LongRecord
from cnn_gap.reading.evidence import Evidence, gather_evidence
from cnn_gap.record import Record

#: Number of parts that are measured, and the length of each, s.
PARTS, PART_S = 9, 30.0


def typical_evidence(record: LongRecord) -> Evidence:
    """Return the measurements of that part of a recording whose heart rate is the median of all parts.

    The parts are spread evenly over the recording, and one is in memory at a time.

    Raises
    ------
    InputError
        If a part cannot be read.
    """
    length = min(round(PART_S * record.sampling_rate), record.samples)
    starts = np.linspace(0, record.samples - length, PARTS).astype(int).tolist()
    parts = [_measured(record, start, record.part(start, start + length)) for start in starts]
    with_rate = sorted((part for part in parts if "rate" in part.values), key=lambda part: part.values["rate"])
    return with_rate[len(with_rate) // 2] if with_rate else parts[0]


def _measured(record: LongRecord, start: int, part: Record) -> Evidence:
    known = replace(part, age=record.age, sex=record.sex)
    begins = timedelta(seconds=start // record.sampling_rate)
    evidence = gather_evidence(known, measure(known))
    return replace(evidence, part=f"{part.duration_s:.0f} s from {begins} on")
