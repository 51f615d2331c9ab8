"""Classify one folder of all formats, some files damaged, into one table, and check every row.

Simulated records are written in each format that is read, some are damaged, and the folder is classified into a
Parquet file. Prints by format the number of answers and the largest difference of their probabilities from
those of the signal, rounded as the format stores it. Exits with 1 if a good record has no answer, a damaged one
has one or no reason, or a probability differs by more than 0.001.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.common import Table, command_parser, start_classifier
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.registry import FORMATS
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.simulation import SimulatedRecord, draw_codes, simulate_record, write_simulated
from cnn_gap.simulation.vendor_files import MUSE_LEADS, UNIT_UV, counts
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.exit_codes import run

#: The formats that devices write.
DEVICES = frozenset(form.name for form in FORMATS if form.needs == "content")

#: Largest difference of a probability from that of the signal as the format stores it.
LARGEST_DIFFERENCE = 1e-3

#: Number of distinct signals among the records.
SIGNALS = 100


@dataclass(frozen=True)
class Written:
    """A record that was written: its name, its format, the number of its signal, and whether it was damaged."""

    name: str
    form: str
    signal: int
    damaged: bool


def main(arguments: list[str]) -> int:
    """Write, classify and print a table; return 1 if a row is wrong."""
    parser = command_parser("benchmarks.quality.mixed_formats", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("--records", metavar="N", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--damaged", metavar="N", type=int, default=20, help="default: %(default)s")
    options = parser.parse_args(arguments)
    classifier = start_classifier(options.model)
    from cnn_gap.batch.classify_folder import OutputTarget, classify_folder

    with tempfile.TemporaryDirectory() as place:
        data, out = Path(place) / "data", Path(place) / "out"
        signals = list(_simulate(min(SIGNALS, options.records)))
        written = list(_write(data, signals, options.records, options.damaged))
        results = OutputTarget(out, files=False, table=out / "results.parquet", raw=True)
        summary = classify_folder(classifier, options.model, data, results, warn=lambda line: None)
        import pandas

        rows = pandas.read_parquet(out / "results.parquet").set_index("record")
    print(f"{summary}; one table of {len(rows)} rows\n")
    columns = [f"{name}_probability" for name in classifier.classes.short_names]
    lines, good = [], len(rows) == options.records
    for form in ("WFDB", *WRITERS):
        mine = [each for each in written if each.form == form]
        expected = classifier.predict_batch(_stored(form, each) for each in signals)
        answered = [each for each in mine if not rows.loc[each.name, "failure"]]
        differences = [
            np.abs(rows.loc[each.name, columns].to_numpy(float) - expected[each.signal].probabilities).max()
            for each in answered
        ]
        largest = float(max(differences, default=0.0))
        damaged = sum(each.damaged for each in mine)
        good &= {each.name for each in answered} == {each.name for each in mine if not each.damaged}
        good &= largest <= LARGEST_DIFFERENCE
        lines.append((form, len(mine), damaged, len(answered), len(mine) - len(answered), largest))
    headings = ("records", "damaged", "answered", "reasons", "largest difference")
    print(Table("format", headings, tuple(lines)))
    return 0 if good else 1


def _stored(form: str, signal: SimulatedRecord) -> Record:
    """Return the record that a format stores: counts where devices write it, eight leads in MUSE."""
    if form not in DEVICES:
        return record_from_signal(signal.signal, signal.sampling_rate, LEADS)
    kept = [LEADS.index(lead) for lead in (MUSE_LEADS if form == "GE MUSE XML" else LEADS)]
    leads = [LEADS[index] for index in kept]
    return record_from_signal(counts(signal)[:, kept] * UNIT_UV, signal.sampling_rate, leads, unit="uV")


def _simulate(count: int) -> Iterator[SimulatedRecord]:
    for index in range(count):
        yield simulate_record(f"S{index}", draw_codes(index), 250.0, 10.0, index)


def _write(folder: Path, signals: list[SimulatedRecord], count: int, damaged: int) -> Iterator[Written]:
    """Write the records, each format in turn, and damage some that are spread evenly."""
    folder.mkdir()
    forms = ("WFDB", *WRITERS)
    broken = set(np.linspace(0, count - 1, damaged).round().astype(int).tolist()) if damaged else set()
    for number in range(count):
        form, signal = forms[number % len(forms)], number % len(signals)
        record = replace(signals[signal], name=f"R{number:05d}")
        if form == "WFDB":
            write_simulated(folder, record)
            path = folder / f"{record.name}.mat"
        else:
            path = WRITERS[form](folder, record)
        if number in broken:
            path.write_bytes(path.read_bytes()[:40] + bytes(range(256)) * 4)
        yield Written(record.name, form, signal, number in broken)


if __name__ == "__main__":
    run(main)
