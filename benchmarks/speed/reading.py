"""How long `read_record` takes, against the files' raw bytes, SciPy's loadmat and wfdb.

Every reader reads the same files, which a first pass has brought into the system's cache.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.common import interleaved, record_paths, table
from cnn_gap.io.records import read_record
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run

Reader = Callable[[Path], object]


def main(arguments: list[str]) -> None:
    """Time the readers and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.reading", description=__doc__)
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of records with headers")
    parser.add_argument("--limit", metavar="N", type=int, default=200, help="records (default: %(default)s)")
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=7, help="readings of each by each (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    paths = [path for path in record_paths(options.data, options.limit) if path.suffix == ".hea"]
    if not paths:
        raise InputError(f"{options.data}: has no records with headers; give a folder of .hea files")
    readers = _readers()
    times = [
        interleaved(
            {name: partial(read, path) for name, read in readers.items() if _can(read, path)}, options.rounds
        )
        for path in paths
    ]
    print(
        table(("reader", "ms a record", "times the raw bytes", "records it reads"), _rows(list(readers), times))
    )


def _readers() -> dict[str, Reader]:
    import wfdb
    from scipy.io import loadmat

    return {
        "raw bytes": _read_raw,
        "read_record": read_record,
        "scipy.io.loadmat, no header": lambda path: loadmat(path.with_suffix(".mat"))["val"],
        "wfdb.rdrecord": lambda path: wfdb.rdrecord(str(path.with_suffix(""))),
    }


def _read_raw(path: Path) -> list[bytes]:
    signals = (path.with_suffix(suffix) for suffix in (".mat", ".dat"))
    return [path.read_bytes(), *(signal.read_bytes() for signal in signals if signal.exists())]


def _can(read: Reader, path: Path) -> bool:
    try:
        read(path)
    except Exception:  # e.g. wfdb refuses dates that the Challenge uses
        return False
    return True


def _rows(names: list[str], times: list[dict[str, float]]) -> list[tuple]:
    rows = []
    for name in names:
        read = [each for each in times if name in each]
        if not read:
            rows.append((name, "-", "-", f"0 of {len(times)}"))
            continue
        # A ratio within each record: readers that refuse some are compared on what they read.
        ratio = median(each[name] / each["raw bytes"] for each in read)
        rows.append((name, 1000 * median(each[name] for each in read), ratio, f"{len(read)} of {len(times)}"))
    return rows


if __name__ == "__main__":
    run(main)
