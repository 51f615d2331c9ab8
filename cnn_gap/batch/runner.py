"""Run work on many records, with their results in one folder.

Classifying and explaining differ in what is done with a record and what is noted of it: that is a `Batch`. This
module does what they have in common: the lock of the folder, the ledger, the check that no other file is
replaced, keeping the results of an earlier run, and the progress bar.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from tqdm import tqdm

from cnn_gap.io.sources import ListedRecord, Listing, list_records
from cnn_gap.results.ledger import Ledger, LedgerKind
from cnn_gap.system.locks import locked

#: Lists the records of a folder, list or address; the bool: fail where a folder cannot be read.
ListData = Callable[[str, bool], Listing]


class Batch(Protocol):
    """Work on the records of a run; its methods are called in this order."""

    @property
    def title(self) -> str:
        """Of the progress bar."""

    def require_replaceable(self) -> None:
        """Require that no output of the run replaces a file that is no earlier output."""

    def keep(self, record: ListedRecord) -> bool:
        """Tell whether an earlier run's results of a record are still current, so that they are kept."""

    def work(self, waiting: list[ListedRecord]) -> Generator[list[Any]]:
        """Do the work on the records that are not kept, and yield the results of several at a time."""

    def take(self, results: list[Any]) -> None:
        """Note results."""

    def finish(self) -> None:
        """Write the files that are written once for all records."""


Work = TypeVar("Work", bound=Batch)


@dataclass(frozen=True)
class Done(Generic[Work]):
    """The end of a run.

    Attributes
    ----------
    batch : Batch
        Its counts say more.
    worked, kept, unreadable : int
        How many records were worked on, how many were kept, and how many folders could not be read.
    """

    batch: Work
    worked: int
    kept: int
    unreadable: int


def run_batch(
    kind: LedgerKind,
    out: Path,
    source: dict[str, Any],
    data: str,
    make_batch: Callable[[Ledger, list[ListedRecord]], Work],
    warn: Callable[[str], None],
    strict: bool = False,
    list_data: ListData = list_records,
) -> Done[Work]:
    """Do the work on every record of `data` that has no current result.

    Parameters
    ----------
    kind : LedgerKind
        Of the ledger in `out`.
    out : Path
        The folder of the results.
    source : dict
        What all results depend on, as JSON has it.
    data : str
        Folder of the records, list of them, or address, as `cnn_gap.io.sources` takes it.
    make_batch : callable
        Makes the work from the open ledger and all records.
    warn : callable
        Receives a line for each folder in `data` that cannot be read, and of files that are no ECG.
    strict : bool
        Fail instead where a folder cannot be read.
    list_data : callable
        Lists the records of `data`.

    Raises
    ------
    InputError
        If there are no records, an output would replace another file, or another process is writing into the
        folder.
    """
    listing = list_data(data, strict)
    for line in (*listing.unreadable, *listing.remarks):
        warn(line)
    records = list(listing.records)
    with locked(out), Ledger(out, kind, source, warn) as ledger:
        for record in records:
            ledger.require_replaceable(record.name)
        batch = make_batch(ledger, records)
        batch.require_replaceable()
        waiting = [record for record in records if not batch.keep(record)]
        with (
            closing(batch.work(waiting)) as results,
            tqdm(total=len(waiting), desc=batch.title, unit="record", disable=None) as bar,
        ):
            for several in results:
                batch.take(several)
                bar.update(len(several))
        batch.finish()
    return Done(batch, len(waiting), len(records) - len(waiting), len(listing.unreadable))
