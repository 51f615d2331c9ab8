"""Write PTB-XL's labels without premature atrial complexes that the records do not show.

    python -m research.premature_labels TRAIN LABELS.csv
    python train_model.py TRAIN OUT --labels LABELS.csv ...

The Challenge counts PTB-XL's supraventricular arrhythmia (SVARR) as premature atrial complexes. Records that
have it, have no statement PAC, and show that no beat comes early lose the Challenge's codes. See
research/premature.md. The split into training and validation follows the labels, so teachers need the same
table.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import command_parser
from cnn_gap.beats.early_beats import earliness
from cnn_gap.beats.intervals import measure
from cnn_gap.io.records import read_info
from cnn_gap.io.sources import find_records
from cnn_gap.system.exit_codes import run
from cnn_gap.system.files import write_text

#: The Challenge's codes of premature atrial complexes; PTB-XL's statement of them, and the statement that the
#: Challenge counts as them.
CODES, STATEMENT, COUNTED_AS = frozenset(("284470004", "63593006")), "PAC", "SVARR"


def main(arguments: list[str]) -> None:
    """Write the table."""
    parser = command_parser("research.premature_labels", __doc__)
    parser.add_argument("data", metavar="TRAIN", type=Path, help="records with both kinds of labels")
    parser.add_argument("table", metavar="LABELS.csv", type=Path, help="lines of record,code[,code...]")
    options = parser.parse_args(arguments)
    lines, changed = [], 0
    for path in find_records(options.data):
        codes = read_info(path).codes
        kept = shown_codes(path, codes)
        changed += len(kept) < len(codes)
        lines.append(",".join((path.stem, *kept)))
    write_text(options.table, "\n".join(["record,codes", *lines]) + "\n")
    print(f"{options.table}: {len(lines)} records, {changed} without premature atrial complexes")


def shown_codes(path: Path, codes: Sequence[str]) -> tuple[str, ...]:
    """Return a record's codes, without a doubtful label of premature atrial complexes if no beat is early."""
    doubtful = COUNTED_AS in codes and STATEMENT not in codes and not CODES.isdisjoint(codes)
    if not doubtful or earliness(measure(path).beats) != 0:
        return tuple(codes)
    return tuple(code for code in codes if code not in CODES)


if __name__ == "__main__":
    run(main)
