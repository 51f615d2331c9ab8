"""How far measured intervals are from those that cardiologists have delineated, as in LUDB.

DATA holds records and `waves.json`: {record: {lead: [[kind, onset, peak, end], ...]}} in samples, kind p, N (a
QRS complex) or t. A beat's wave has begun when it has in a quarter of the leads, and ended when it has in
three quarters: marks of single leads scatter too much for the earliest to be right. A record's mark is the
median over its beats, from the complex's fiducial point. With NeuroKit2 installed, its delineation of each
lead, joined by the same rule, stands beside. The allowances of `cnn_gap.beats.waves` were chosen on the
first, third, ... of the records: the table is of the others, unless `--chosen`.
"""

import argparse
import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.common import record_paths, table
from cnn_gap.beats.detection import Beats, find_beats, prepare_for_beats
from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_record
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

#: Kind of a wave and which of its marks.
MARKS = {"P onset": ("p", 1), "QRS onset": ("N", 1), "QRS end": ("N", 3), "T end": ("t", 3)}

#: What two of the CSE working party's referees differ by, twice the standard deviation, ms.
TOLERANCES_MS = {"P onset": 10.2, "QRS onset": 6.5, "QRS end": 11.6, "T end": 30.6}

INTERVALS = {"PR": ("P onset", "QRS onset"), "QRS": ("QRS onset", "QRS end"), "QT": ("QRS onset", "T end")}

FEWEST_LEADS = 3  # that show a wave
_LIKELY_MS = {"p": (-400, -20), "N": (-100, 100), "t": (60, 640)}  # a wave's peak from the complex

Marks = dict[str, float | None]
Waves = dict[str, list[list]]


def main(arguments: list[str]) -> None:
    """Measure every delineated record and print the errors."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.intervals", description=__doc__)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of records and waves.json")
    parser.add_argument("--chosen", action="store_true", help="the records that the allowances were chosen on")
    options = parser.parse_args(arguments)
    records, waves = _delineated(options.data, slice(0 if options.chosen else 1, None, 2))
    methods: dict[str, Callable[[Record], Marks]] = {"cnn_gap.beats": _measured}
    if find_spec("neurokit2"):
        methods["NeuroKit2 (dwt)"] = _neurokit("dwt")
    print(f"{len(records)} records\n")
    headings = ("error in ms", "method", "records", "mean", "standard deviation", "tolerance", "met")
    print(table(headings, _rows(records, waves, methods)))


def errors(data: Path, part: slice) -> dict[str, np.ndarray]:
    """Return the errors (ms) of each of `MARKS` over a part of the records, where both have it."""
    records, waves = _delineated(data, part)
    found = [_measured(record) for record in records]
    truths = [_reference(record, waves[record.name]) for record in records]
    return {mark: _differences([f.get(mark) for f in found], [t.get(mark) for t in truths]) for mark in MARKS}


def _delineated(data: Path, part: slice) -> tuple[list[Record], dict[str, Waves]]:
    waves = json.loads((data / "waves.json").read_text(encoding="utf-8"))
    paths = [path for path in record_paths(data, None) if path.stem in waves]
    return [read_record(path) for path in paths[part]], waves


def _rows(
    records: Sequence[Record], waves: dict[str, Waves], methods: dict[str, Callable[[Record], Marks]]
) -> Iterable[Sequence[object]]:
    truths = [_reference(record, waves[record.name]) for record in records]
    found = {name: [method(record) for record in records] for name, method in methods.items()}
    for name, marks in found.items():
        for mark, tolerance in TOLERANCES_MS.items():
            errors = _differences([each.get(mark) for each in marks], [each.get(mark) for each in truths])
            met = "yes" if errors.std(ddof=1) <= tolerance else "no"
            yield mark, name, len(errors), f"{errors.mean():.1f}", f"{errors.std(ddof=1):.1f}", tolerance, met
        for interval, (start, end) in INTERVALS.items():
            errors = _differences(
                [_length(each, start, end) for each in marks], [_length(each, start, end) for each in truths]
            )
            yield interval, name, len(errors), f"{errors.mean():.1f}", f"{errors.std(ddof=1):.1f}", "", ""
        told = [
            one.get("P onset") is None
            for one, true in zip(marks, truths, strict=True)
            if true["P onset"] is None
        ]
        yield "no P wave", name, len(told), "", "", "", f"{sum(told)} times"


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


def _reference(record: Record, waves: Waves) -> Marks:
    """Return the cardiologists' marks, ms from the fiducial points of the usual beats."""
    return _joined(record, _beats(record), waves.values())


def _joined(record: Record, beats: Beats, leads: Iterable[list[list]]) -> Marks:
    """Return the marks of all leads together, ms from fiducial points, None where most beats have none."""
    known = [mark for lead in leads for mark in lead if mark[2] is not None]
    unit = 1000 / record.sampling_rate
    ends = [
        min((mark[2] for mark in known), default=0) * unit,
        max((mark[2] for mark in known), default=0) * unit,
    ]
    times = 1000 * beats.times_s[beats.usual]
    times = times[(times > ends[0] - 50) & (times < ends[1] + 50)]
    joined: Marks = {}
    for name, (kind, column) in MARKS.items():
        first, last = _LIKELY_MS[kind]
        values = []
        for time in times:
            marks = [
                mark[column] * unit - time
                for mark in known
                if mark[0] == kind and mark[column] is not None and first < mark[2] * unit - time < last
            ]
            values.append(_over_leads(marks, latest=column == 3))
        told = [value for value in values if value is not None]
        joined[name] = float(np.median(told)) if len(told) > len(values) / 2 else None
    return joined


def _over_leads(marks: list[float], latest: bool) -> float | None:
    """Return the mark that a quarter of the leads have not reached yet, or have passed."""
    return float(np.quantile(marks, 0.75 if latest else 0.25)) if len(marks) >= FEWEST_LEADS else None


def _beats(record: Record) -> Beats:
    return find_beats(record, prepare_for_beats(record))


def _neurokit(name: str) -> Callable[[Record], Marks]:
    import neurokit2

    columns = {"p": "ECG_P", "N": "ECG_R", "t": "ECG_T"}

    def marks(record: Record) -> Marks:
        rate = int(record.sampling_rate)
        beats = _beats(record)
        peaks = (beats.times_s * rate).round().astype(int)
        leads = []
        for lead in record.signal.T:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    clean = neurokit2.ecg_clean(lead, rate)
                    found = neurokit2.ecg_delineate(clean, peaks, rate, method=name)[1]
                except Exception:  # it fails in many ways on leads where it finds nothing
                    continue
            leads.append(
                [
                    [kind, *(None if np.isnan(at) else at for at in marks)]
                    for kind, key in columns.items()
                    for marks in zip(
                        found[f"{key}_Onsets"],
                        peaks if kind == "N" else found[f"{key}_Peaks"],
                        found[f"{key}_Offsets"],
                        strict=True,
                    )
                ]
            )
        return _joined(record, beats, leads)

    return marks


if __name__ == "__main__":
    run(main)
