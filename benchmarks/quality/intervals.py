"""Errors of measured intervals against cardiologists' delineations, as in LUDB.

DATA holds records and `waves.json`: {record: {lead: [[kind, onset, peak, end], ...]}} in samples, kind p, N (a
QRS complex) or t. Marks of single leads scatter, so a wave of a beat begins where it has begun in a quarter of
the leads and ends where it has ended in three quarters; a record's mark is the median over its beats, counted
from the fiducial point of the complex. The allowances of `cnn_gap.beats.waves` were chosen on the first, third,
... records: the table is of the others, with `--chosen` of those.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import Table, command_parser
from cnn_gap.beats.detection import find_beats, prepare_for_beats
from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

#: Kind of a wave and the column of its mark.
MARKS = {"P onset": ("p", 1), "QRS onset": ("N", 1), "QRS end": ("N", 3), "T end": ("t", 3)}

#: Tolerances of the CSE working party, ms: twice the standard deviation between two of its referees.
TOLERANCES_MS = {"P onset": 10.2, "QRS onset": 6.5, "QRS end": 11.6, "T end": 30.6}

INTERVALS = {"PR": ("P onset", "QRS onset"), "QRS": ("QRS onset", "QRS end"), "QT": ("QRS onset", "T end")}

HEADINGS = ("records", "mean", "standard deviation", "tolerance", "met")

#: Least number of leads that must show a wave.
FEWEST_LEADS = 3

#: Lowest and highest distance of a wave's peak from its beat's fiducial point, ms.
_PEAKS_MS = {"p": (-400, -20), "N": (-100, 100), "t": (60, 640)}

#: Time of each mark, ms from the fiducial point; None where there is none.
Marks = dict[str, float | None]
Waves = dict[str, list[list]]


def main(arguments: list[str]) -> None:
    """Measure every delineated record and print the errors."""
    parser = command_parser("benchmarks.quality.intervals", __doc__)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of records and waves.json")
    parser.add_argument("--chosen", action="store_true", help="the records that the allowances were chosen on")
    options = parser.parse_args(arguments)
    found, true = _marks(options.data, slice(0 if options.chosen else 1, None, 2))
    print(f"{len(found)} records\n\n{Table('error in ms', HEADINGS, tuple(_rows(found, true)))}")


def errors(data: Path, part: slice) -> dict[str, np.ndarray]:
    """Return the errors (ms) of each of `MARKS` over a part of the records, where both have it."""
    found, true = _marks(data, part)
    return {mark: _differences([f.get(mark) for f in found], [t.get(mark) for t in true]) for mark in MARKS}


def _marks(data: Path, part: slice) -> tuple[list[Marks], list[Marks]]:
    """Return the marks that are measured and those that cardiologists made, of a part of the records."""
    waves = json.loads((data / "waves.json").read_text(encoding="utf-8"))
    paths = [path for path in find_records(data) if path.stem in waves]
    records = [read_record(path) for path in paths[part]]
    return [_measured(each) for each in records], [_delineated(each, waves[each.name]) for each in records]


def _rows(found: Sequence[Marks], true: Sequence[Marks]) -> Iterator[tuple[object, ...]]:
    for mark, tolerance in TOLERANCES_MS.items():
        values = _differences([each.get(mark) for each in found], [each.get(mark) for each in true])
        met = "yes" if values.std(ddof=1) <= tolerance else "no"
        yield mark, len(values), f"{values.mean():.1f}", f"{values.std(ddof=1):.1f}", tolerance, met
    for name, ends in INTERVALS.items():
        values = _differences([_length(each, *ends) for each in found], [_length(each, *ends) for each in true])
        yield name, len(values), f"{values.mean():.1f}", f"{values.std(ddof=1):.1f}", "", ""
    without = [one for one, other in zip(found, true, strict=True) if other["P onset"] is None]
    told = sum(each.get("P onset") is None for each in without)
    yield "no P wave", len(without), "", "", "", f"{told} times"


def _length(marks: Marks, start: str, end: str) -> float | None:
    first, last = marks.get(start), marks.get(end)
    return None if first is None or last is None else last - first


def _differences(found: Sequence[float | None], true: Sequence[float | None]) -> np.ndarray:
    pairs = zip(found, true, strict=True)
    return np.array([one - two for one, two in pairs if one is not None and two is not None])


def _measured(record: Record) -> Marks:
    measured = measure(record)
    waves = measured.waves
    if waves is None:
        return {}
    seconds = {
        "P onset": None if measured.pr_s is None else waves.p_onset,
        "QRS onset": waves.qrs_onset,
        "QRS end": waves.qrs_end,
        "T end": waves.t_end,
    }
    return {mark: None if at is None else 1000 * at for mark, at in seconds.items()}


def _delineated(record: Record, waves: Waves) -> Marks:
    """Return the cardiologists' marks of all leads together; None where most beats have none."""
    beats = find_beats(record, prepare_for_beats(record))
    unit = 1000 / record.sampling_rate
    marks = [mark for lead in waves.values() for mark in lead if mark[2] is not None]
    peaks = [mark[2] * unit for mark in marks]
    times = 1000 * beats.times_s[beats.usual]
    times = times[(times > min(peaks, default=0) - 50) & (times < max(peaks, default=0) + 50)]
    joined: Marks = {}
    for name, (kind, column) in MARKS.items():
        values = [
            _over_leads(_near(marks, kind, column, unit, time), latest=column == 3) for time in times.tolist()
        ]
        known = [value for value in values if value is not None]
        joined[name] = float(np.median(known)) if len(known) > len(values) / 2 else None
    return joined


def _near(marks: Iterable[list], kind: str, column: int, unit: float, time: float) -> list[float]:
    """Return the marks of a kind of wave around a beat at `time` (ms), from it; `unit` is a sample, ms."""
    first, last = _PEAKS_MS[kind]
    return [
        mark[column] * unit - time
        for mark in marks
        if mark[0] == kind and mark[column] is not None and first < mark[2] * unit - time < last
    ]


def _over_leads(marks: list[float], latest: bool) -> float | None:
    """Return the mark that a quarter of the leads have not reached yet, with `latest` have passed."""
    return float(np.quantile(marks, 0.75 if latest else 0.25)) if len(marks) >= FEWEST_LEADS else None


if __name__ == "__main__":
    run(main)
