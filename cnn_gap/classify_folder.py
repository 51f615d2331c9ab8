"""Classify a whole folder of records into a folder of result files, whatever single records are like."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cnn_gap.classifier import Classifier, Prediction
from cnn_gap.ecg.records import find_records, paths_by_name, read_record, record_files
from cnn_gap.errors import InputError
from cnn_gap.files import read_json, write_json
from cnn_gap.prediction.predictor import PreparedRecord
from cnn_gap.scoring.result_files import write_outputs

#: Records, and windows of them, that are classified together: long records come in smaller batches.
BATCH = 64
BATCH_WINDOWS = 512

#: The file in the results' folder that says which records failed, and why.
FAILURES = "failures.log"

#: And the one that says what to know of records that were classified: flat leads, corrected gains, no heartbeat.
NOTES = "notes.log"


@dataclass(frozen=True)
class Summary:
    """How a run ended: counts of records."""

    classified: int
    failed: int
    kept: int
    unanswerable: int = 0

    def __str__(self) -> str:
        nothing = f" ({self.unanswerable} cannot be answered)" if self.unanswerable else ""
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        return f"{self.classified} classified{nothing}, {self.failed} failed{kept}"


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A record as it is classified, or why it cannot be."""

    name: str
    record: PreparedRecord | None = None
    failure: str = ""

    @property
    def count(self) -> int:
        """How many windows there are."""
        return 0 if self.record is None else len(self.record.windows)


def classify_folder(
    classifier: Classifier, model: Path, data: Path, out: Path, warn: Callable[[str], None]
) -> Summary:
    """Classify every record of `data` into `out/NAME.csv`.

    A record that fails gets labels 0 and probabilities nan, a line to `warn` and one in `out/failures.log`; one
    that holds no heartbeat gets zeros, and what is to know of a record's quality stands in `out/notes.log`. A
    second run keeps the files that an earlier one of the same model and records has written, and tries
    failures again.

    Parameters
    ----------
    classifier : Classifier
        Loaded from the folder `model`.
    model, data, out : Path
        Folders of the model, of the records and for the results.
    warn : callable
        Receives a line for each record that fails or cannot be answered.

    Raises
    ------
    InputError
        If there are no records, two have the same name, or `out` cannot be written.
    """
    out = Path(out)
    paths = list(paths_by_name(find_records(Path(data))).values())
    _start(out, {"model": _fingerprint(Path(model)), "data": str(Path(data).resolve())}, paths)
    open_paths = [path for path in paths if not _is_current(out / f"{path.stem}.csv", path)]
    classified = failed = unanswerable = 0
    with tqdm(total=len(open_paths), desc="classifying", unit="record", disable=None) as bar:
        for batch in _ahead(_batches(_prepare(classifier, path) for path in open_paths)):
            for name, prediction in _classify(classifier, batch).items():
                if isinstance(prediction, str):
                    failed += 1
                    warn(f"{name}: {prediction}")
                    _write_failure(classifier, name, prediction, out)
                else:
                    classified += 1
                    _write_prediction(classifier, prediction, out)
                    if notes := prediction.quality.notes:
                        _append(out / NOTES, f"{name}: {' '.join(notes)}")
                    if not prediction.quality.answerable:
                        unanswerable += 1
                        warn(f"{name}: {notes[0]}")
            bar.update(len(batch))
    return Summary(classified, failed, len(paths) - len(open_paths), unanswerable)


def _prepare(classifier: Classifier, path: Path) -> _Prepared:
    try:
        return _Prepared(path.stem, replace(classifier.prepare(read_record(path)), name=path.stem))
    except InputError as error:
        return _Prepared(path.stem, failure=str(error))
    except Exception as error:  # whatever is wrong with one record must not cost the others
        return _Prepared(path.stem, failure=f"{path}: {error!r}")


def _classify(classifier: Classifier, batch: list[_Prepared]) -> dict[str, Prediction | str]:
    """Return each record's prediction by name, or the reason why there is none."""
    failures = {each.name: each.failure for each in batch if each.failure}
    return failures | _predict(classifier, [each for each in batch if not each.failure])


def _predict(classifier: Classifier, batch: list[_Prepared]) -> dict[str, Prediction | str]:
    try:
        predictions = classifier.predict_prepared([each.record for each in batch if each.record is not None])
    except Exception as error:  # one record, too large perhaps, must not cost the others
        if len(batch) == 1:
            return {batch[0].name: f"cannot be classified ({error!r})"}
        return {name: result for each in batch for name, result in _predict(classifier, [each]).items()}
    return {
        each.name: each
        if np.isfinite(each.probabilities).all()
        else "cannot be classified: its amplitudes are beyond the network's numbers"
        for each in predictions
    }


def _write_prediction(classifier: Classifier, prediction: Prediction, out: Path) -> None:
    classes = classifier.classes
    labels, probabilities = classes.expand(prediction.labels), classes.expand(prediction.probabilities)
    write_outputs(out / f"{prediction.name}.csv", prediction.name, classes.codes, labels, probabilities)


def _write_failure(classifier: Classifier, name: str, reason: str, out: Path) -> None:
    _append(out / FAILURES, f"{name}: {reason}")
    codes = classifier.classes.codes
    nothing = np.zeros(len(codes), bool)
    write_outputs(out / f"{name}.csv", name, codes, nothing, np.full(len(codes), np.nan))


def _append(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{line}\n")


def _batches(prepared: Iterable[_Prepared]) -> Iterator[list[_Prepared]]:
    batch, windows = [], 0
    for each in prepared:
        batch.append(each)
        windows += each.count
        if len(batch) == BATCH or windows >= BATCH_WINDOWS:
            yield batch
            batch, windows = [], 0
    if batch:
        yield batch


def _ahead(batches: Iterator[list[_Prepared]]) -> Iterator[list[_Prepared]]:
    """Yield the batches, and prepare the next one in another thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, batches, None)
        while batch := waiting.result():
            waiting = pool.submit(next, batches, None)
            yield batch


def _start(out: Path, source: dict[str, str], paths: list[Path]) -> None:
    """Note in `out` which model and records its results are of; remove those of others and a crash's."""
    note = out / "driver.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        continued = note.exists() and read_json(note) == source
        outdated = [] if continued else [out / f"{path.stem}.csv" for path in paths]
        logs = [out / FAILURES] if continued else [out / FAILURES, out / NOTES]
        for path in [*outdated, *logs, *out.glob(".writing-*")]:
            path.unlink(missing_ok=True)
        write_json(note, source)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); choose another folder") from error


def _fingerprint(model: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.keras", "model.json"):
        digest.update((model / name).read_bytes())
    return digest.hexdigest()


def _is_current(output: Path, record: Path) -> bool:
    """Tell whether there is a result that is younger than its record and not of a failure."""
    if not output.exists() or output.read_bytes().endswith(b"nan\n"):
        return False
    written = output.stat().st_mtime_ns
    return all(file.stat().st_mtime_ns <= written for file in record_files(record))
