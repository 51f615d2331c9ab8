"""Write records of any format as Challenge records, so that a hospital's archive can train."""

import argparse
from dataclasses import replace
from pathlib import Path

from cnn_gap.commands.command import Command, add_strict_option, warn
from cnn_gap.io.challenge_records import require_new, write_challenge_record
from cnn_gap.io.label_tables import RecordTable, read_label_table
from cnn_gap.io.long_records import read_whole
from cnn_gap.io.sources import ListedRecord, list_records
from cnn_gap.system.errors import InputError, printable


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", help="folder, list or address of records, as drive takes them")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write NAME.hea and NAME.mat to")
    parser.add_argument(
        "--labels",
        dest="label_table",
        metavar="TABLE.csv",
        type=Path,
        help="diagnoses as lines of record,code[,code...] instead of the records' own",
    )
    add_strict_option(parser)


def _execute(options: argparse.Namespace) -> int:
    """Convert the records that can be read, and name the others; return 1 if none can be read."""
    table = None if options.label_table is None else read_label_table(options.label_table)
    listing = list_records(options.data, options.strict)
    require_new(options.out, listing.records)
    for line in (*listing.unreadable, *listing.remarks):
        warn(line)
    if table is not None and (absent := table.unmatched(listing.records)):
        warn(f"{options.label_table}: {len(absent)} listed records are not there, the first is {absent[0]}")
    from tqdm import tqdm

    converted = unlabelled = 0
    for listed in tqdm(listing.records, desc="converting", unit="record", disable=None):
        try:
            codes = _convert(listed, options.out, table)
        except InputError as error:
            warn(printable(f"{listed.name}: {error}"))
            continue
        except Exception as error:  # an error of one record must not stop the others
            warn(printable(f"{listed.name}: {listed.source}: cannot be converted ({error!r})"))
            continue
        converted += 1
        unlabelled += not codes
    failed = len(listing.records) - converted
    print(f"{converted} converted, of which {unlabelled} have no diagnosis; {failed} failed: {options.out}")
    print("the records keep the names of their files: make sure that these name no patient")
    return int(not converted)


def _convert(listed: ListedRecord, out: Path, table: RecordTable | None) -> tuple[str, ...]:
    """Write a record, print notes on the parts that were left out, and return its diagnoses."""
    with listed.local() as path:
        record = read_whole(path)
    for note in record.notes:
        warn(printable(f"{listed.name}: {note}"))
    codes = record.codes if table is None else table.of(listed) or ()
    write_challenge_record(out, replace(record, name=listed.name), codes)
    return codes


COMMAND = Command(
    "convert",
    "Write 12-lead ECG records of any format as Challenge records, without names and dates.",
    _add_arguments,
    _execute,
)
