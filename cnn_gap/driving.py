"""Classify a whole folder of records into a folder of result files, whatever single records are like."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cnn_gap.classifier import Classifier
from cnn_gap.errors import InputError
from cnn_gap.files import read_json, write_json, write_text
from cnn_gap.outputs import write_outputs
from cnn_gap.records import find_records, read_record

#: Records that are classified together.
BATCH = 64

#: Threads that read ahead; the network's own threads need the cores more.
READERS = 2


@dataclass(frozen=True)
class Summary:
    """How a run ended: counts of records."""

    classified: int
    failed: int
    kept: int

    def __str__(self):
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        return f"{self.classified} classified, {self.failed} failed{kept}"


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A record's windows, or why there are none."""

    name: str
    windows: np.ndarray | None = None
    failure: str = ""


def classify_folder(
    classifier: Classifier, model: Path, data: Path, out: Path, warn: Callable[[str], None]
) -> Summary:
    """Classify every record of `data` into `out/NAME.csv`.

    A record that fails gets labels 0 and probabilities nan, a line to `warn` and one in `out/failures.log`. A
    second run keeps the files that an earlier one with the same model has written, and tries failures again.

    Parameters
    ----------
    classifier : Classifier
        Loaded from the folder `model`.
    model, data, out : Path
        Folders of the model, of the records and for the results.
    warn : callable
        Receives a line for each record that fails.

    Raises
    ------
    InputError
        If there are no records, two have the same name, or `out` cannot be written.
    """
    out = Path(out)
    paths = find_records(Path(data))
    _require_unique_names(paths)
    _start(out, _fingerprint(Path(model)))
    open_paths = [path for path in paths if not _is_current(out / f"{path.stem}.csv", path)]
    classified, failures = 0, []
    with tqdm(total=len(open_paths), desc="classifying", unit="record", disable=None) as bar:
        prepared = _read_ahead(lambda path: _prepare(classifier, path), open_paths)
        while batch := list(islice(prepared, BATCH)):
            classified += _classify(classifier, [each for each in batch if not each.failure], out)
            for each in (each for each in batch if each.failure):
                failures.append(f"{each.name}: {each.failure}")
                warn(failures[-1])
                # The log comes first: a crash must not leave a result of a failure that no log names.
                write_text(out / "failures.log", "\n".join(failures) + "\n")
                _write_failure(classifier, each.name, out)
            bar.update(len(batch))
    return Summary(classified, len(failures), len(paths) - len(open_paths))


def _prepare(classifier: Classifier, path: Path) -> _Prepared:
    try:
        return _Prepared(path.stem, classifier.windows(read_record(path)))
    except InputError as error:
        return _Prepared(path.stem, failure=str(error))
    except Exception as error:  # whatever is wrong with one record must not cost the others
        return _Prepared(path.stem, failure=f"{path}: {error!r}")


def _classify(classifier: Classifier, batch: list[_Prepared], out: Path) -> int:
    predictions = classifier.predict_windows([each.name for each in batch], [each.windows for each in batch])
    classes = classifier.classes
    for prediction in predictions:
        labels, probabilities = classes.expand(prediction.labels), classes.expand(prediction.probabilities)
        write_outputs(out / f"{prediction.name}.csv", prediction.name, classes.codes, labels, probabilities)
    return len(predictions)


def _write_failure(classifier: Classifier, name: str, out: Path) -> None:
    codes = classifier.classes.codes
    nothing = np.zeros(len(codes), bool)
    write_outputs(out / f"{name}.csv", name, codes, nothing, np.full(len(codes), np.nan))


def _read_ahead(read: Callable[[Path], _Prepared], paths: Iterable[Path]) -> Iterator[_Prepared]:
    """Yield `read(path)` of each path in order, at most two batches ahead in other threads."""
    remaining = iter(paths)
    with ThreadPoolExecutor(READERS) as pool:
        waiting = deque(pool.submit(read, path) for path in islice(remaining, 2 * BATCH))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(read, path) for path in islice(remaining, 1))


def _require_unique_names(paths: list[Path]) -> None:
    first: dict[str, Path] = {}
    for path in paths:
        if path.stem in first:
            raise InputError(
                f"{path}: has the same name as {first[path.stem]}, so both would be written to"
                f" {path.stem}.csv; classify their folders one at a time"
            )
        first[path.stem] = path


def _start(out: Path, fingerprint: str) -> None:
    """Note in `out` which model writes there; forget the files of another model and those of failures."""
    note = out / "driver.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if note.exists() and read_json(note) == {"model": fingerprint}:
            failures = out / "failures.log"
            lines = failures.read_text(encoding="utf-8").splitlines() if failures.exists() else []
            outdated = [out / f"{line.split(': ')[0]}.csv" for line in lines]
        else:
            outdated = list(out.glob("*.csv")) if note.exists() else []
        for path in [*outdated, out / "failures.log"]:
            path.unlink(missing_ok=True)
        write_json(note, {"model": fingerprint})
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); choose another folder") from error


def _fingerprint(model: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.keras", "model.json"):
        digest.update((model / name).read_bytes())
    return digest.hexdigest()


def _is_current(output: Path, record: Path) -> bool:
    if not output.exists():
        return False
    files = (record.with_suffix(suffix) for suffix in (".hea", ".mat", ".dat"))
    written = output.stat().st_mtime_ns
    return all(file.stat().st_mtime_ns <= written for file in files if file.exists())
