"""Answer the records that appear in a folder, each once it is whole, by the runs of `classify_folder`."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cnn_gap.batch.classify_folder import Classify, ModelIdentity, OutputTarget, Summary, fill_results
from cnn_gap.io.records import record_files
from cnn_gap.io.sources import ListedRecord, Listing, NoRecordsError, list_records, require_folder
from cnn_gap.system.errors import InputError

#: Seconds after which a record is classified although a file of it is missing, so that its failure is reported.
GRACE_S = 60.0

#: Size and time of change of each file of a record; None for a file that is missing.
State = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class _Seen:
    """The last state of a record's files, and the time, s, at which they were first seen in it."""

    state: State
    since: float


class Arrivals:
    """The records of a folder that are whole: their files did not change between two looks.

    Parameters
    ----------
    folder : Path
    clock : callable
        Returns seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = require_folder(folder)
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def look(self) -> tuple[Listing, dict[str, State]]:
        """Look at the folder once, and return its listing with the whole records alone, and their states.

        Raises
        ------
        InputError
            If there are no records, or two have the same name.
        """
        listing = list_records(self._folder)
        now, earlier = self._clock(), self._seen
        self._seen = {}
        whole: list[ListedRecord] = []
        for record in listing.records:
            state = _state(Path(record.source))
            before = earlier.get(record.source)
            is_same = before is not None and before.state == state
            self._seen[record.source] = before if before is not None and is_same else _Seen(state, now)
            waited_s = now - self._seen[record.source].since
            if is_same and (None not in state or waited_s >= GRACE_S):
                whole.append(record)
        states = {record.source: self._seen[record.source].state for record in whole}
        return replace(listing, records=tuple(whole)), states


def watch_folder(
    model: ModelIdentity,
    folder: Path,
    results: OutputTarget,
    classify: Classify,
    warn: Callable[[str], None],
    every_s: float,
) -> Iterator[Summary]:
    """Classify the records that appear in a folder, and yield how each run ended; this never ends by itself.

    Results, ledger and logs are those of `classify_folder`: a record is answered once, after crashes too, and
    again where its files change.

    Parameters
    ----------
    model, classify
        As of `fill_results`.
    folder : Path
    results : OutputTarget
    warn : callable
        Receives each line once, such as on a record that fails.
    every_s : float
        Seconds between two looks.

    Raises
    ------
    InputError
        If there is no such folder, an output would replace another file, or another process is writing there.
    """
    arrivals, answered = Arrivals(folder), dict[str, State]()
    say = _once(warn)
    while True:
        try:
            listing, states = arrivals.look()
        except InputError as error:
            # An empty folder is not reported; two records of one name, or other files without records, are.
            if not isinstance(error, NoRecordsError):
                say(str(error))
            listing, states = Listing(()), {}
        if states and states != answered:
            yield fill_results(model, str(folder), results, classify, say, list_data=_returns(listing))
            answered = states
        time.sleep(every_s)


def _state(record: Path) -> State:
    files = record_files(record)
    states = tuple(map(_file_state, files))
    # `record_files` returns the header alone as long as it names a signal file that is not there.
    return (*states, None) if len(files) == 1 and files[0].suffix.lower() == ".hea" else states


def _file_state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _returns(listing: Listing) -> Callable[[str, bool], Listing]:
    return lambda data, strict: listing


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that passes on each line once, as long as no other thousand came between."""
    said: dict[str, None] = {}

    def say(line: str) -> None:
        if line not in said:
            warn(line)
        said.pop(line, None)
        said[line] = None
        if len(said) > 1000:
            del said[next(iter(said))]

    return say
