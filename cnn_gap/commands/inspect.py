"""Show the content of ECG files, and the notes that their readers would get."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.commands.command import Command, add_strict_option, warn
from cnn_gap.io.registry import record_name
from cnn_gap.io.sources import ListedRecord, Listing, is_several, list_records
from cnn_gap.model.folder import read_description
from cnn_gap.system.errors import printable
from cnn_gap.system.shipped import SHIPPED_MODEL

if TYPE_CHECKING:
    from cnn_gap.signal.inspection import Inspection


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        metavar="FILE|FOLDER",
        help="record, or a folder, list or address of records, as drive takes them",
    )
    parser.add_argument(
        "--json", action="store_true", help="print everything that is known of each record as JSON"
    )
    add_strict_option(parser)


def _execute(options: argparse.Namespace) -> int:
    """Print the content of a record or, of several, how many are of each kind; return 1 if none can be read."""
    single = not is_several(options.data)
    listing = _single(options.data) if single else list_records(options.data, options.strict)
    from tqdm import tqdm

    from cnn_gap.signal.inspection import inspect_record

    preprocessing = read_description(SHIPPED_MODEL).preprocessing
    found = [
        inspect_record(record, preprocessing)
        for record in tqdm(listing.records, desc="inspecting", unit="record", disable=single or None)
    ]
    for line in listing.unreadable:
        warn(line)
    if options.json:
        print(json.dumps(_as_json(found, listing), indent=2))
    elif single:
        print(_description(found[0]))
    else:
        print(_summary(found, listing))
    return int(all(each.failure for each in found))


def _single(data: str) -> Listing:
    return Listing((ListedRecord(record_name(Path(data)), data),))


def _as_json(found: "list[Inspection]", listing: Listing) -> dict[str, object]:
    return {
        "records": [each.to_dict() for each in found],
        "no_known_ecg": [printable(path) for path in listing.unknown],
        "unreadable_folders": list(listing.unreadable),
    }


def _description(found: "Inspection") -> str:
    """Return the description of one record, a line for each property."""
    from cnn_gap.report.tables import aligned

    if found.failure:
        return f"{found.format}: {found.failure}" if found.format else found.failure
    person = [] if math.isnan(found.age) else [f"{found.age:g} years"]
    rows = [
        ("record", found.name),
        ("format", found.format),
        ("device", found.device),
        ("recorded", found.recorded),
        ("signal", f"{found.duration_s:g} s at {found.sampling_rate:g} Hz"),
        ("leads", ", ".join(found.stored)),
        ("derived", ", ".join(found.derived)),
        ("missing", ", ".join(found.missing)),
        ("amplitude", "" if math.isnan(found.amplitude_mv) else f"{found.amplitude_mv:g} mV, median of leads"),
        ("person", ", ".join([*person, *([] if found.sex == "Unknown" else [found.sex.lower()])])),
        ("diagnoses", ", ".join(found.codes)),
        ("answerable", "yes" if found.answerable else "no"),
        *(("note", note) for note in found.notes),
    ]
    return aligned([(what, printable(text)) for what, text in rows if text])


def _summary(found: "list[Inspection]", listing: Listing) -> str:
    """Return counts of several records, by format, rate, leads, note and reason."""
    from cnn_gap.signal.inspection import count_inspections

    failed = sum(bool(each.failure) for each in found)
    answerable = sum(each.answerable for each in found)
    blocks = [f"{len(found)} records: {answerable} can be answered, {failed} cannot be read"]
    for title, counts in count_inspections(found).items():
        if counts:
            width = len(str(max(counts.values())))
            blocks.append("\n".join([title, *(f"  {count:{width}}  {kind}" for kind, count in counts.items())]))
    return "\n".join([*blocks, *listing.remarks])


COMMAND = Command(
    "inspect",
    "Show what 12-lead ECG files hold, and the notes on what is missing or doubtful in them.",
    _add_arguments,
    _execute,
)
