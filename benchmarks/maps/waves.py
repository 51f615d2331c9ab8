"""Do maps lie on the waves that cardiologists have delineated, and do they stay where they are?

LUDB is a folder of records and `waves.json`: {record: {lead: [[kind, onset, peak, end], ...]}} in samples, kind
p, N (a QRS complex) or t. A wave lasts from its onset in the first lead to its end in the last. Counted is what
lies between the first and the last complex that are delineated. Findings that the QRS complex shows are those
that the headers name; few headers name what T and P waves show, so there the model's own answers are taken.

Then the last two seconds of each record become those of the next one: how far does that change the map of the
answers more than four seconds away?
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import record_paths, start_classifier, table, unique_name
from benchmarks.estimates import mean, proportion
from benchmarks.maps.pointing import Interval, Pointing, point
from cnn_gap.io.records import read_record
from cnn_gap.record import Record
from cnn_gap.system.exit_codes import run

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.explain.explanation import ExplainedClass

#: What the last seconds are, and how far away a map should not mind, s.
CHANGED_S, AWAY_S = 2.0, 4.0

#: Codes of what the QRS complex shows: blocks, axes, Q waves, voltages, ventricular beats.
QRS_CODES = frozenset(
    (
        *("713427006", "59118001", "713426002", "164909002", "445118002", "445211001", "698252002"),
        *("39732003", "47665007", "164917005", "251146004", "427172004", "17338001", "164884008"),
    )
)

#: SCP-ECG statements, and a class, of what T waves with their ST segments show.
T_STATEMENTS = frozenset(
    (
        *("164934002", "59931005", "NDT", "NST_", "DIG", "LNGQT", "ISC_", "ISCAL", "ISCIN", "ISCIL", "ISCAS"),
        *("ISCLA", "ISCAN", "ANEUR", "EL", "NT_", "INVT", "LOWT", "TAB_", "STD_", "STE_", "111975006"),
    )
)

#: And of what P waves show, with the PR interval.
P_CODES = frozenset(
    ("LAO/LAE", "RAO/RAE", "270492004", "164947007", "1AVB", "LPR", "284470004", "63593006", "PAC")
)


@dataclass(frozen=True)
class Group:
    """Findings by what shows them.

    Attributes
    ----------
    codes : frozenset of str
        Of the findings.
    labelled : bool
        Whether records count that are labelled so; otherwise those that are answered so.
    waves : callable
        Returns where it shows from the waves of a record by kind.
    """

    codes: frozenset[str]
    labelled: bool
    waves: Callable[[dict[str, list[Interval]]], list[Interval]]


def main(arguments: list[str]) -> None:
    """Print where the maxima lie, and how far the maps change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.maps.waves", description=__doc__)
    parser.add_argument("data", metavar="LUDB", type=Path, help="folder of records and waves.json")
    parser.add_argument("models", metavar="MODEL", type=Path, nargs="+", help="folders of trained models")
    options = parser.parse_args(arguments)
    records = [read_record(path) for path in record_paths(options.data, None)]
    waves = json.loads((options.data / "waves.json").read_text(encoding="utf-8"))
    classifiers = {str(folder): start_classifier(folder) for folder in options.models}
    headings = ("shown by", "model", "maps", "chance", "map: maximum inside", "map: share inside")
    rows = []
    for name, classifier in classifiers.items():
        explained = [classifier.explain(record, "all", leads=False) for record in records]
        for shown, group in GROUPS.items():
            found = _pointings(classifier, explained, group, waves)
            rows.append((shown, name, *pointing_row(found)))
    rows.sort(key=lambda row: list(GROUPS).index(row[0]))
    print(table((*headings, "amplitude", "gradient × input, absolute"), rows))
    lines = [(name, *locality(classifier, records)) for name, classifier in classifiers.items()]
    print(
        "\n"
        + table(("model", "maps", "mean change of the map far away, share of its maximum", "median"), lines)
    )


def waves_of(record: Record, leads: dict[str, list]) -> dict[str, list[Interval]]:
    """Return the waves of each kind, s: marks of all leads that overlap are one."""
    found: dict[str, list[Interval]] = {}
    for kind in ("p", "N", "t"):
        marks = sorted(
            (mark[1] / record.sampling_rate, mark[3] / record.sampling_rate)
            for each in leads.values()
            for mark in each
            if mark[0] == kind and mark[1] is not None and mark[3] is not None
        )
        joined: list[Interval] = []
        for start, end in marks:
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        found[kind] = joined
    return found


def counted(record: Record, waves: dict[str, list[Interval]]) -> slice:
    """Return the samples from the first to the last complex that is delineated."""
    complexes = waves["N"]
    return slice(*(round(edge * record.sampling_rate) for edge in (complexes[0][0], complexes[-1][1])))


def _pointings(
    classifier: "Classifier", explained: Sequence, group: Group, waves: dict[str, dict[str, list]]
) -> list[tuple[Pointing, Pointing, Pointing]]:
    """Return how the map, the amplitude and gradient × input lie for each record and finding of a group."""
    found = []
    for explanation in explained:
        record = explanation.record
        own = waves_of(record, waves[record.name])
        wanted = [each for each in explanation.classes if _counts(each, record, group)]
        if not own["N"] or not wanted:
            continue
        part, intervals = counted(record, own), group.waves(own)
        names = [unique_name(each.diagnosis) for each in wanted]
        with_leads = classifier.explain(record, names, leads=True)
        size = np.abs(np.nan_to_num(record.signal) - np.nanmedian(record.signal, axis=0)).sum(axis=1)
        for each in with_leads.classes:
            products = np.abs(each.lead_activation).sum(axis=1)
            curves = (each.activation, size, products)
            found.append(tuple(_point(curve, record, part, intervals, each.label) for curve in curves))
    return found


def _counts(explained: "ExplainedClass", record: Record, group: Group) -> bool:
    if group.codes.isdisjoint(explained.codes) or explained.threshold is None:
        return False
    return not set(record.codes).isdisjoint(explained.codes) if group.labelled else explained.label


def _point(
    curve: np.ndarray, record: Record, part: slice, intervals: Sequence[Interval], answered: bool
) -> Pointing:
    start = part.start / record.sampling_rate
    shifted = [(first - start, last - start) for first, last in intervals]
    return point(curve[part], record.sampling_rate, shifted, answered)


def pointing_row(found: Sequence[tuple[Pointing, Pointing, Pointing]]) -> tuple:
    """Return a row's figures: how many, chance, and the maxima and shares inside."""
    maps = [each[0] for each in found]
    hits = [proportion([each[way].hit for each in found]) for way in range(3)]
    inside = mean([each.inside for each in maps])
    return len(found), mean([each.chance for each in maps]).value, hits[0], inside, *hits[1:]


def locality(classifier: "Classifier", records: Sequence[Record]) -> tuple[int, float, float]:
    """Return how many maps are compared, and the mean and median of their largest change far away."""
    changes: list[float] = []
    for record, other in zip(records, [*records[1:], records[0]], strict=True):
        explanation = classifier.explain(record)
        answers = [each for each in explanation.classes if each.label]
        if not answers or len(other.signal) != len(record.signal):
            continue
        signal = record.signal.copy()
        last = round(CHANGED_S * record.sampling_rate)
        signal[-last:] = other.signal[-last:]
        changed = classifier.explain(
            replace(record, signal=signal), [unique_name(each.diagnosis) for each in answers]
        )
        far = len(signal) - last - round(AWAY_S * record.sampling_rate)
        changes += [
            float(np.abs(after.activation - before.activation)[:far].max() / np.abs(before.activation).max())
            for before, after in zip(answers, changed.classes, strict=True)
        ]
    return len(changes), float(np.mean(changes)), float(np.median(changes))


def _conduction(waves: dict[str, list[Interval]]) -> list[Interval]:
    """Return the times from each P wave's onset to that of the complex that follows."""
    starts = [start for start, _ in waves["N"]]
    following = [(p, next((start for start in starts if start > p), None)) for p, _ in waves["p"]]
    return [(p, start) for p, start in following if start is not None]


def _repolarisation(waves: dict[str, list[Interval]]) -> list[Interval]:
    """Return the times from each complex's end to the end of the T wave that follows."""
    ends = [end for _, end in waves["t"]]
    following = [(end, next((last for last in ends if last > end), None)) for _, end in waves["N"]]
    return [(start, end) for start, end in following if end is not None]


#: By the name of the row.
GROUPS = {
    "QRS complexes (labelled)": Group(QRS_CODES, True, lambda waves: waves["N"]),
    "ST segments and T waves (answered)": Group(T_STATEMENTS, False, _repolarisation),
    "P waves to QRS complexes (answered)": Group(P_CODES, False, _conduction),
}


if __name__ == "__main__":
    run(main)
