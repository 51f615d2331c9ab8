"""Classify a whole folder of records into a folder of result files, whatever single records are like."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from cnn_gap.classifier import Classifier
from cnn_gap.ecg.long_records import LongRecord, open_record
from cnn_gap.ecg.records import Record, find_records, paths_by_name, record_name
from cnn_gap.errors import InputError, printable
from cnn_gap.files import readable, writable, write_text
from cnn_gap.locks import locked
from cnn_gap.prediction.prediction import Prediction
from cnn_gap.prediction.stream import Waiting, predict_stream
from cnn_gap.scoring.result_files import outputs_text
from cnn_gap.scoring.result_journal import ResultJournal, Stamp, open_journal, stamp_of

#: The file in the results' folder that says which records failed, and why.
FAILURES = "failures.log"

#: The one with notes on records that were classified: flat leads, corrected gains, no heartbeat.
QUALITY = "quality.log"

#: Results that are written at a time: to wait for the disk once for all of them.
TOGETHER = 16

#: The longest name of a file that systems take, bytes.
LONGEST_NAME = 255


@dataclass(frozen=True)
class Summary:
    """How a run ended: counts of records, and of folders that could not be read."""

    classified: int
    failed: int
    kept: int
    unreadable: int = 0
    unanswerable: int = 0

    def __str__(self) -> str:
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        unreadable = f", {self.unreadable} folders unreadable" if self.unreadable else ""
        nothing = f" ({self.unanswerable} cannot be answered)" if self.unanswerable else ""
        return f"{self.classified} classified{nothing}, {self.failed} failed{kept}{unreadable}"


def classify_folder(
    classifier: Classifier,
    model: Path,
    data: Path,
    out: Path,
    warn: Callable[[str], None],
    strict: bool = False,
) -> Summary:
    """Classify every record of `data` into `out/NAME.csv`.

    A record that fails gets labels 0 and probabilities nan, a line to `warn` and one in `out/failures.log`; one
    that holds no heartbeat gets zeros. What is to know of records' signals is in `out/quality.log`. A
    second run keeps the files that an earlier one of the same model and records has written, as far as they are
    whole and the records unchanged, and tries failures again.

    Parameters
    ----------
    classifier : Classifier
        Loaded from the folder `model`.
    model, data, out : Path
        Folders of the model, of the records and for the results.
    warn : callable
        Receives a line for each record that fails or cannot be answered, and for each folder in `data` that
        cannot be read.
    strict : bool
        Fail instead where a folder cannot be read.

    Raises
    ------
    InputError
        If there are no records, two have the same name, `out` cannot be written or another process is writing
        into it.
    """
    out = Path(out)
    unreadable: list[str] = []
    paths = list(paths_by_name(find_records(Path(data), None if strict else unreadable.append)).values())
    for line in unreadable:
        warn(line)
    source = {
        "model": _fingerprint(Path(model)),
        "data": str(Path(data).resolve()),
        "precision": classifier.runtime.precision,
    }
    with locked(out), open_journal(out, source, paths, warn) as journal:
        with writable(out / FAILURES):
            (out / FAILURES).unlink(missing_ok=True)
        open_paths = [path for path in paths if not journal.is_current(path)]
        kept = len(paths) - len(open_paths)
        if not kept:
            with writable(out / QUALITY):
                (out / QUALITY).unlink(missing_ok=True)
        failed, unanswerable = _classify(classifier, open_paths, out, journal, warn)
    return Summary(len(open_paths) - failed, failed, kept, len(unreadable), unanswerable)


def _classify(
    classifier: Classifier,
    paths: list[Path],
    out: Path,
    journal: ResultJournal,
    warn: Callable[[str], None],
) -> tuple[int, int]:
    """Classify records and write their results; return how many failed and how many cannot be answered."""
    stamps: dict[str, Stamp] = {}
    failed = unanswerable = 0
    waiting = (Waiting(record_name(path), str(path), partial(_read, path, stamps)) for path in paths)
    with tqdm(total=len(paths), desc="classifying", unit="record", disable=None) as bar:
        for predictions in _several(predict_stream(classifier, waiting)):
            for prediction in predictions:
                if prediction.failure:
                    failed += 1
                    warn(_log(out / FAILURES, prediction.name, prediction.failure))
                elif prediction.notes:
                    line = _log(out / QUALITY, prediction.name, "; ".join(prediction.notes))
                    if not prediction.answerable:
                        unanswerable += 1
                        warn(line)
            _write(predictions, stamps, out, journal)
            bar.update(len(predictions))
    return failed, unanswerable


def _several(predictions: Iterator[Prediction]) -> Iterator[list[Prediction]]:
    while several := list(islice(predictions, TOGETHER)):
        yield several


def _read(path: Path, stamps: dict[str, Stamp]) -> Record | LongRecord:
    """Read a record; its stamp is of before, so that one that changes meanwhile is read again next time."""
    if printable(record_name(path)) != record_name(path):
        raise InputError(f"{path}: the name of a record must have no control characters; rename its files")
    if not _fits(record_name(path)):
        raise InputError(f"{path}: the name of a record is too long for a result file; rename its files")
    stamps[record_name(path)] = stamp_of(path)
    return open_record(path)


def _fits(name: str) -> bool:
    return len(os.fsencode(_file_name(name))) <= LONGEST_NAME


def _file_name(name: str) -> str:
    return f"{name}.csv"


def _write(predictions: list[Prediction], stamps: dict[str, Stamp], out: Path, journal: ResultJournal) -> None:
    """Write the result files of several records, and note those that need not be written again."""
    texts = {each.name: _text(each) for each in predictions if _fits(each.name)}
    for each in predictions:
        if not each.failure:
            journal.add(each.name, stamps.pop(each.name), texts[each.name])
    with ThreadPoolExecutor(TOGETHER) as pool:
        written = [pool.submit(write_text, out / _file_name(name), text) for name, text in texts.items()]
    for done in written:
        done.result()


def _text(prediction: Prediction) -> str:
    classes = prediction.classes
    labels, probabilities = classes.expand(prediction.labels), classes.expand(prediction.probabilities)
    return outputs_text(prediction.name, classes.codes, labels, probabilities)


def _log(log: Path, name: str, text: str) -> str:
    """Add a line about a record to a log, and return it."""
    line = printable(f"{name}: {text}")
    with writable(log), log.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{line}\n")
    return line


def _fingerprint(model: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.keras", "model.json"):
        with readable(model / name):
            digest.update((model / name).read_bytes())
    return digest.hexdigest()
