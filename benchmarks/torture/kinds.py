"""The kinds of damaged input and the public functions that read them.

Every format of `WRITERS` is a kind: a new one needs no change here.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.torture.damage import damaged_bytes, damaged_text
from benchmarks.torture.materials import LEDGER_SOURCE, ONLY_READ, WRITTEN, good_records, other_name
from cnn_gap.batch.classify_folder import DRIVER
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import SHIPPED_TABLES, read_findings
from cnn_gap.io.annotations import read_events
from cnn_gap.io.label_tables import read_label_table, read_record_table
from cnn_gap.io.long_records import open_record
from cnn_gap.io.records import read_info, read_record, record_files
from cnn_gap.io.sources import ListedRecord, find_records
from cnn_gap.model.archive import check_archive
from cnn_gap.model.folder import read_description
from cnn_gap.results.challenge_files import read_evaluation, read_outputs
from cnn_gap.results.ledger import Ledger
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.training.config import read_config
from cnn_gap.training.window_store import prepare_windows


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes
    ----------
    name : str
        A row of the table.
    weight : float
        Proportional to its share of the cases.
    run : callable
        Writes damaged input into an empty folder, from the materials in another, and reads it. Raises an
        `InputError` where it is refused. Returns the fault of the answer, None where there is none.
    keras : bool
        Whether it needs Keras.
    """

    name: str
    weight: float
    run: Callable[[Path, Path, Random], str | None]
    keras: bool = False


def _read(path: Path) -> None:
    """Read a record by every function that reads records."""
    read_info(path)
    record = open_record(path)
    whole = read_record(path)
    if hasattr(record, "signal") and record.signal.shape != whole.signal.shape:
        raise AssertionError("the two readings differ")


def copy_record(record: Path, folder: Path) -> list[Path]:
    """Copy a record's files; return them."""
    return [Path(shutil.copy(path, folder)) for path in record_files(record)]


def _header(name: str, materials: Path, folder: Path, random: Random) -> None:
    copy_record(materials / "records" / name, folder)
    path = folder / f"{name}.hea"
    _damage(path, random, as_text=random.random() < 0.9)
    _read(path)


def _signal(name: str, materials: Path, folder: Path, random: Random) -> None:
    copy_record(materials / "records" / name, folder)
    _damage(next(path for path in folder.iterdir() if path.suffix != ".hea"), random)
    header = folder / f"{name}.hea"
    if header.exists() and random.random() < 0.3:
        _damage(header, random, as_text=True)
    _read(folder / name)


def _other(name: str, materials: Path, folder: Path, random: Random) -> None:
    (record,) = (path for path in find_records(materials / "records") if path.stem == other_name(name))
    files = copy_record(record, folder)
    path = files[0] if random.random() < 0.8 else random.choice(files)
    _damage(path, random, as_text=_is_text(path) and random.random() < 0.7)
    _read(files[0])


def _is_text(path: Path) -> bool:
    """Tell whether a file is text, such as XML, CSV and JSON."""
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False


def _file(source: str, ask: Callable[[Path], object], materials: Path, folder: Path, random: Random) -> None:
    path = folder / Path(source).name
    shutil.copy(materials / source, path)
    _damage(path, random, as_text=path.suffix in (".csv", ".toml", ".json", ".jsonl") and random.random() < 0.8)
    ask(path)


def _damage(path: Path, random: Random, as_text: bool = False) -> None:
    content = path.read_bytes()
    if as_text:
        content = damaged_text(content.decode("latin-1"), random).encode("utf-8", "surrogateescape")
    else:
        content = damaged_bytes(content, random)
    path.write_bytes(content)


def _ledger(materials: Path, folder: Path, random: Random) -> None:
    shutil.copy(DRIVER.path(materials), folder)
    _damage(DRIVER.path(folder), random)
    record = ListedRecord("GOOD0", str(materials / "data" / "GOOD0.hea"))
    with Ledger(folder, DRIVER, LEDGER_SOURCE, lambda line: None) as ledger:
        ledger.is_current(record)
        list(ledger.entries())


def _evaluation(materials: Path, folder: Path, random: Random) -> None:
    for path in (materials / "data").glob("*.hea"):
        shutil.copy(path, folder)
        shutil.copy(materials / "result.csv", folder / f"{path.stem}.csv")
    for path in random.sample(sorted(folder.iterdir()), 3):
        _damage(path, random, as_text=random.random() < 0.5)
    read_evaluation(folder, folder, read_weights())


def _model(name: str, materials: Path, folder: Path, random: Random) -> None:
    for each in ("model.json", "model.keras"):
        shutil.copy(materials / "model" / each, folder)
    _damage(folder / name, random, as_text=name == "model.json" and random.random() < 0.9)
    read_description(folder)
    if name == "model.keras":
        check_archive(folder / name)


def _findings(materials: Path, folder: Path, random: Random) -> None:
    shutil.copy(SHIPPED_TABLES["scp"], folder / "findings.csv")
    _damage(folder / "findings.csv", random, as_text=random.random() < 0.8)
    read_findings(str(folder / "findings.csv"))


def _annotations(materials: Path, folder: Path, random: Random) -> None:
    shutil.copy(materials / "records" / "plain.atr", folder)
    _damage(folder / "plain.atr", random)
    read_events(folder / "plain.atr")


def _store(name: str, materials: Path, folder: Path, random: Random) -> str | None:
    shutil.copytree(materials / "cache", folder / "cache")
    (path,) = folder.glob(f"cache/*/{name}")
    _damage(path, random, as_text=path.suffix == ".json" and random.random() < 0.8)
    records = good_records(materials)
    whole, found = (prepare_windows(records, Preprocessing(), place / "cache") for place in (materials, folder))
    every = np.arange(whole.first[-1])
    if found.first != whole.first or found.read(every).shape != whole.read(every).shape:
        return "answer: the store has other windows than its records"
    # Samples that are damaged in place are not noticed: only a hash of all windows could tell.
    same = name == "windows.npy" or np.array_equal(found.read(every), whole.read(every))
    return None if same else "answer: the windows are others than those of the records"


#: Kinds that need no Keras: thousands of cases a minute.
PLAIN = (
    Kind("headers (.hea)", 30, partial(_header, "plain")),
    *(Kind(f"headers of format {name}", 1.5, partial(_header, f"f{name}")) for name in WRITTEN),
    *(Kind(f"signals of format {name}", 3, partial(_signal, f"f{name}")) for name in (*WRITTEN, *ONLY_READ)),
    *(Kind(f"{name} files", 4, partial(_other, name)) for name in WRITERS),
    Kind("MATLAB files, level 4", 6, partial(_signal, "plain")),
    Kind("MATLAB files, level 5", 8, partial(_signal, "level5")),
    Kind("CPSC 2018 files", 8, partial(_signal, "cpsc")),
    Kind("label tables", 5, partial(_file, "labels.csv", read_label_table)),
    Kind("patient tables", 2, partial(_file, "patients.csv", read_record_table)),
    Kind("weight tables", 5, partial(_file, "weights.csv", read_weights)),
    Kind("tables of findings", 3, _findings),
    Kind("configurations", 6, partial(_file, "config.toml", read_config)),
    Kind("model.json", 4, partial(_model, "model.json")),
    Kind("model.keras, looked at", 1, partial(_model, "model.keras")),
    Kind("result files", 4, partial(_file, "result.csv", read_outputs)),
    Kind("labels and results, evaluated", 2, _evaluation),
    Kind("driver.sqlite", 4, _ledger),
    Kind("annotations (.atr)", 3, _annotations),
    Kind("store.json of prepared windows", 2, partial(_store, "store.json")),
    Kind("windows.npy of prepared windows", 2, partial(_store, "windows.npy")),
)
