"""Whether maps lie on the waves that cardiologists delineated, and whether a distant change leaves them as they
are.

`ludb` is a folder of records and `waves.json`: {record: {lead: [[kind, onset, peak, end], ...]}} in samples,
kind p, N (a QRS complex) or t. A wave lasts from its onset in the first lead to its end in the last, and the
time between the first and the last delineated complex counts. Findings of the QRS complex are taken from the
headers; these hardly name findings of T and P waves, so the model's own answers are taken there.

`locality`: the last two seconds of each record are replaced by those of the next one; the largest change of the
answers' maps more than four seconds away is given as a share of the map's largest value.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Study, Table, unique_name
from benchmarks.estimates import mean, proportion
from benchmarks.maps.pointing import Interval, Pointing, point
from cnn_gap.record import Record

if TYPE_CHECKING:
    from cnn_gap.classifier import Classifier
    from cnn_gap.explain.explanation import ExplainedClass

#: Length of the end that is replaced, and distance from it at which maps are compared, s.
CHANGED_S, AWAY_S = 2.0, 4.0

#: Codes of findings of the QRS complex: blocks, axes, Q waves, voltages, ventricular beats.
QRS_CODES = frozenset(
    (
        *("713427006", "59118001", "713426002", "164909002", "445118002", "445211001", "698252002"),
        *("39732003", "47665007", "164917005", "251146004", "427172004", "17338001", "164884008"),
    )
)

#: Codes of findings of ST segments and T waves: SCP-ECG statements and three scored classes.
T_CODES = frozenset(
    (
        *("164934002", "59931005", "NDT", "NST_", "DIG", "LNGQT", "ISC_", "ISCAL", "ISCIN", "ISCIL", "ISCAS"),
        *("ISCLA", "ISCAN", "ANEUR", "EL", "NT_", "INVT", "LOWT", "TAB_", "STD_", "STE_", "111975006"),
    )
)

#: Codes of findings of P waves and PR intervals.
P_CODES = frozenset(
    ("LAO/LAE", "RAO/RAE", "270492004", "164947007", "1AVB", "LPR", "284470004", "63593006", "PAC")
)

#: Intervals of the waves of a record, s, by kind.
Waves = dict[str, list[Interval]]

HEADINGS = (
    "maps",
    "chance",
    "maximum inside",
    "share of the map inside",
    "maximum of the amplitude inside",
    "maximum of the absolute gradient × input inside",
)


@dataclass(frozen=True)
class Group:
    """Findings of one kind of wave.

    Attributes
    ----------
    codes : frozenset of str
        Of the findings.
    labelled : bool
        Whether records labelled with a finding count; otherwise those that the model answers with it.
    waves : callable
        Returns the intervals that show it from the waves of a record.
    """

    codes: frozenset[str]
    labelled: bool
    waves: Callable[[Waves], list[Interval]]


def waves(study: Study) -> Iterator[Table]:
    """Yield a table of groups of findings: the map beside amplitude and gradient × input."""
    delineated = json.loads((study.folders["ludb"] / "waves.json").read_text(encoding="utf-8"))
    found: dict[str, list[tuple[Pointing, ...]]] = {name: [] for name in GROUPS}
    for record in study.records("ludb"):
        own = waves_of(record, delineated[record.name])
        explanation = study.classifier.explain(record, "all", leads=False)
        for name, group in GROUPS.items():
            wanted = [each for each in explanation.classes if _counts(each, record, group)]
            if own["N"] and wanted:
                found[name] += _pointings(
                    study.classifier, record, wanted, group.waves(own), counted(record, own)
                )
    yield Table("waves", HEADINGS, tuple(waves_row(name, each) for name, each in found.items()))


def locality(study: Study) -> Iterator[Table]:
    """Yield a table of one row: how much maps change far from a change of the record."""
    changes = map_changes(study.classifier, study.records("ludb"))
    headings = ("number", "mean change far away", "median change far away")
    row = ("of the answers", len(changes), float(np.mean(changes)), float(np.median(changes)))
    yield Table("locality", headings, (row,))


def waves_of(record: Record, leads: dict[str, list]) -> Waves:
    """Return the waves of each kind, s: overlapping marks of all leads are one wave."""
    found: Waves = {}
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


def counted(record: Record, waves: Waves) -> slice:
    """Return the samples from the first to the last delineated complex."""
    complexes = waves["N"]
    return slice(*(round(edge * record.sampling_rate) for edge in (complexes[0][0], complexes[-1][1])))


def waves_row(name: str, found: Sequence[tuple[Pointing, ...]]) -> tuple[object, ...]:
    """Return a row of the table; of each finding, `found` has the map, the amplitude and gradient × input."""
    maps = [each[0] for each in found]
    hits = [proportion([each[way].hit for each in found]) for way in range(3)]
    inside = mean([each.inside for each in maps])
    return name, len(found), mean([each.chance for each in maps]).value, hits[0], inside, *hits[1:]


def map_changes(classifier: "Classifier", records: Sequence[Record]) -> list[float]:
    """Return the largest change of each answer's map far from the replaced end, as a share of its maximum."""
    changes: list[float] = []
    for record, other in zip(records, [*records[1:], records[0]], strict=True):
        answers = [each for each in classifier.explain(record).classes if each.label]
        if not answers or len(other.signal) != len(record.signal):
            continue
        signal = record.signal.copy()
        last = round(CHANGED_S * record.sampling_rate)
        signal[-last:] = other.signal[-last:]
        names = [unique_name(each.diagnosis) for each in answers]
        changed = classifier.explain(replace(record, signal=signal), names)
        far = len(signal) - last - round(AWAY_S * record.sampling_rate)
        changes += [
            float(np.abs(after.activation - before.activation)[:far].max() / np.abs(before.activation).max())
            for before, after in zip(answers, changed.classes, strict=True)
        ]
    return changes


def _pointings(
    classifier: "Classifier",
    record: Record,
    wanted: Sequence["ExplainedClass"],
    intervals: Sequence[Interval],
    part: slice,
) -> Iterator[tuple[Pointing, ...]]:
    """Yield how the map, the amplitude and gradient × input of each wanted finding lie."""
    start = part.start / record.sampling_rate
    shifted = [(first - start, last - start) for first, last in intervals]
    size = np.abs(np.nan_to_num(record.signal) - np.nanmedian(record.signal, axis=0)).sum(axis=1)
    names = [unique_name(each.diagnosis) for each in wanted]
    for each in classifier.explain(record, names, leads=True).classes:
        curves = (each.activation, size, np.abs(each.lead_activation).sum(axis=1))
        yield tuple(point(curve[part], record.sampling_rate, shifted, each.label) for curve in curves)


def _counts(explained: "ExplainedClass", record: Record, group: Group) -> bool:
    if group.codes.isdisjoint(explained.codes) or explained.threshold is None:
        return False
    return not set(record.codes).isdisjoint(explained.codes) if group.labelled else explained.label


def _conduction(waves: Waves) -> list[Interval]:
    """Return the times from each P wave's onset to that of the complex that follows."""
    starts = [start for start, _ in waves["N"]]
    following = [(p, next((start for start in starts if start > p), None)) for p, _ in waves["p"]]
    return [(p, start) for p, start in following if start is not None]


def _repolarisation(waves: Waves) -> list[Interval]:
    """Return the times from each complex's end to the end of the T wave that follows."""
    ends = [end for _, end in waves["t"]]
    following = [(end, next((last for last in ends if last > end), None)) for _, end in waves["N"]]
    return [(start, end) for start, end in following if end is not None]


#: By the name of the row.
GROUPS = {
    "QRS complexes (labelled)": Group(QRS_CODES, True, lambda waves: waves["N"]),
    "ST segments and T waves (answered)": Group(T_CODES, False, _repolarisation),
    "P waves to QRS complexes (answered)": Group(P_CODES, False, _conduction),
}
