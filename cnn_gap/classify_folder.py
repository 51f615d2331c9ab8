"""Classify a whole folder of records into a folder of result files, whatever single records are like."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from cnn_gap.classifier import Classifier
from cnn_gap.ecg.records import find_records, paths_by_name, read_record, record_files, record_name
from cnn_gap.errors import InputError
from cnn_gap.files import read_json, write_json
from cnn_gap.prediction.prediction import Prediction
from cnn_gap.prediction.stream import Waiting, predict_stream
from cnn_gap.scoring.result_files import write_outputs

#: The file in the results' folder that says which records failed, and why.
FAILURES = "failures.log"


@dataclass(frozen=True)
class Summary:
    """How a run ended: counts of records."""

    classified: int
    failed: int
    kept: int

    def __str__(self) -> str:
        kept = f", {self.kept} kept from an earlier run" if self.kept else ""
        return f"{self.classified} classified, {self.failed} failed{kept}"


def classify_folder(
    classifier: Classifier, model: Path, data: Path, out: Path, warn: Callable[[str], None]
) -> Summary:
    """Classify every record of `data` into `out/NAME.csv`.

    A record that fails gets labels 0 and probabilities nan, a line to `warn` and one in `out/failures.log`. A
    second run keeps the files that an earlier one of the same model and records has written, and tries
    failures again.

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
    paths = list(paths_by_name(find_records(Path(data))).values())
    _start(out, {"model": _fingerprint(Path(model)), "data": str(Path(data).resolve())}, paths)
    open_paths = [path for path in paths if not _is_current(out / f"{record_name(path)}.csv", path)]
    classified = failed = 0
    waiting = (Waiting(record_name(path), str(path), partial(read_record, path)) for path in open_paths)
    with tqdm(total=len(open_paths), desc="classifying", unit="record", disable=None) as bar:
        for prediction in predict_stream(classifier, waiting):
            if prediction.failure:
                failed += 1
                warn(f"{prediction.name}: {prediction.failure}")
                _write_failure(prediction, out)
            else:
                classified += 1
            _write_prediction(prediction, out)
            bar.update()
    return Summary(classified, failed, len(paths) - len(open_paths))


def _write_prediction(prediction: Prediction, out: Path) -> None:
    classes = prediction.classes
    labels, probabilities = classes.expand(prediction.labels), classes.expand(prediction.probabilities)
    write_outputs(out / f"{prediction.name}.csv", prediction.name, classes.codes, labels, probabilities)


def _write_failure(prediction: Prediction, out: Path) -> None:
    with (out / FAILURES).open("a", encoding="utf-8", errors="surrogateescape") as log:
        log.write(f"{prediction.name}: {prediction.failure}\n")


def _start(out: Path, source: dict[str, str], paths: list[Path]) -> None:
    """Write driver.json; delete results of another model or data, and the temporary files of a crash."""
    note = out / "driver.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        continued = note.exists() and read_json(note) == source
        outdated = [] if continued else [out / f"{record_name(path)}.csv" for path in paths]
        for path in [*outdated, out / FAILURES, *out.glob(".writing-*")]:
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
