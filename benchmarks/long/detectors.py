"""Compare QRS detectors of this package and of others (extra `peers`) on annotated half hours.

OpenECG's networks were trained on this database, among others. So only its detector by rules is measured here.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wfdb
import wfdb.processing

from benchmarks.common import Table
from benchmarks.long.annotated import LEARNING_S, Annotated, Counts, annotated_records
from cnn_gap.beats.detection import find_beats, prepare_for_beats
from cnn_gap.holter.beat_shapes import measure_beats
from cnn_gap.io.long_records import open_record, read_whole
from cnn_gap.system.exit_codes import run


def _ours(record: Annotated) -> np.ndarray:
    opened = open_record(record.path.with_suffix(".hea"))
    return measure_beats(opened).times_s


def _short_records(record: Annotated) -> np.ndarray:
    whole = read_whole(record.path.with_suffix(".hea"))
    return find_beats(whole, prepare_for_beats(whole)).times_s


def _first_lead(detect: Callable[[np.ndarray, int], np.ndarray]) -> Callable[[Annotated], np.ndarray]:
    def found(record: Annotated) -> np.ndarray:
        read = wfdb.rdrecord(str(record.path))
        return np.asarray(detect(read.p_signal[:, 0].astype(float), read.fs)) / read.fs

    return found


def _xqrs(signal: np.ndarray, rate: int) -> np.ndarray:
    return wfdb.processing.xqrs_detect(signal, rate, verbose=False)


def _sleepecg(signal: np.ndarray, rate: int) -> np.ndarray:
    import sleepecg

    return sleepecg.detect_heartbeats(signal, rate)


def _neurokit(signal: np.ndarray, rate: int) -> np.ndarray:
    import neurokit2

    return neurokit2.ecg_peaks(neurokit2.ecg_clean(signal, rate), rate)[1]["ECG_R_Peaks"]


def _openecg(signal: np.ndarray, rate: int) -> np.ndarray:
    import openecg

    return openecg.detect_qrs(signal, rate)


#: Finds the times, s, of the beats of a record.
DETECTORS = {
    "cnn_gap.holter (all leads)": _ours,
    "cnn_gap.beats, for short records (all leads)": _short_records,
    "wfdb XQRS (first lead)": _first_lead(_xqrs),
    "sleepecg (first lead)": _first_lead(_sleepecg),
    "NeuroKit2 (first lead)": _first_lead(_neurokit),
    "OpenECG detect_qrs (first lead)": _first_lead(_openecg),
}


def main(arguments: list[str] | None = None) -> int:
    """Print sensitivity, predictive value and time of each detector."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long.detectors", description=__doc__)
    parser.add_argument("data", metavar="MITDB", type=Path, help="records with .atr files of cardiologists")
    records = annotated_records(parser.parse_args(arguments).data)
    rows = []
    for name, detect in DETECTORS.items():
        whole, counted, started = Counts(), Counts(), time.perf_counter()
        try:
            found = [detect(record) for record in records]
        except ImportError as error:
            print(f"{name}: not measured ({error})")
            continue
        seconds = time.perf_counter() - started
        for record, times in zip(records, found, strict=True):
            whole, counted = whole + record.score(times, 0.0), counted + record.score(times, LEARNING_S)
        each = [(count.sensitivity, count.predictive_value) for count in (counted, whole)]
        hours = sum(record.duration_s for record in records) / 3600
        rows.append((name, *each[0], *each[1], seconds / hours))
    headings = ("Se", "+P", "Se from the start", "+P from the start", "s an hour")
    print(Table("detector", headings, tuple(rows)))
    return 0


if __name__ == "__main__":
    run(main)
