"""Whole files of every kind that the package reads, to be damaged."""

import shutil
from pathlib import Path

import numpy as np

from cnn_gap.batch.classify_folder import DRIVER
from cnn_gap.io.records import RecordInfo, read_info
from cnn_gap.io.sources import Stamp, find_records
from cnn_gap.leads import LEADS
from cnn_gap.results.ledger import Entry, Ledger
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.shipped import SHIPPED_CONFIGS, SHIPPED_MODEL, SHIPPED_WEIGHTS
from cnn_gap.training.window_store import prepare_windows

#: WFDB's storage formats that wfdb writes, and those that it only reads with their bytes a sample.
WRITTEN = ("16", "24", "32", "80", "212", "508", "516", "524")
ONLY_READ = {"8": 1.0, "61": 2.0, "160": 2.0, "310": 4 / 3, "311": 4 / 3}

#: The model and data of the ledger.
LEDGER_SOURCE = {"model": "a" * 64, "data": "/data"}

#: Number of samples and sampling rate (Hz) of the records.
SAMPLES, RATE = 500, 100.0

#: A configuration whose training takes seconds.
TINY = """[network]
filters = [4, 4]
kernels = [5, 5]
pooling = [4, 4]
[training]
epochs = 1
batch_size = 8
validation_fraction = 0.25
"""


def make_materials(folder: Path) -> None:
    """Write records, undamaged ones of `data/`, tables, a model folder and results into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_records(folder / "records")
    for index in range(8):
        codes = ["426783006", "164889003", "270492004"][index % 3 :][:1]
        write_simulated(folder / "data", simulate_record(f"GOOD{index}", codes, RATE, 10.0, seed=index))
    prepare_windows(good_records(folder), Preprocessing(), folder / "cache")
    shutil.copy(SHIPPED_WEIGHTS, folder / "weights.csv")
    shutil.copy(SHIPPED_CONFIGS / "default.toml", folder / "config.toml")
    (folder / "tiny.toml").write_text(TINY)
    shutil.copytree(SHIPPED_MODEL, folder / "model")
    codes = {"GOOD0": "426783006", "GOOD1": "164889003,270492004", "GOOD2": "59118001"}
    (folder / "labels.csv").write_text("record,code\n" + "".join(f"{k},{v}\n" for k, v in codes.items()))
    (folder / "patients.csv").write_text("record,patient\nGOOD0,a\nGOOD1,a\nGOOD2,b\n")
    (folder / "result.csv").write_text("#GOOD0\n426783006,164889003\n1,0\n0.9,0.123456\n")
    with Ledger(folder, DRIVER, LEDGER_SOURCE, print) as ledger:
        ledger.add([Entry("GOOD0", Stamp((("GOOD0.hea", 10, 20),), "ab"), "cd", ["", True, "a note", 0.5])])


def good_records(materials: Path) -> list[RecordInfo]:
    """Read the headers of the records of `data/`."""
    return [read_info(path) for path in find_records(materials / "data")]


def other_name(name: str) -> str:
    """Return the name of the record that is written in a format of `WRITERS`."""
    return "other" + "".join(filter(str.isalnum, name))


def _write_records(folder: Path) -> None:
    """Write a record in each storage format, and MATLAB files of both levels."""
    import wfdb
    from scipy.io import savemat

    folder.mkdir()
    signal = simulate_record("A", ["426783006"], RATE, SAMPLES / RATE, seed=1).signal
    for storage in WRITTEN:
        values = np.rint(signal * {"80": 50, "508": 50}.get(storage, 500)).astype(np.int64)
        limit = 100 if storage in ("80", "508") else 2000
        about = {
            "fmt": [storage] * 12,
            "adc_gain": [500.0] * 12,
            "baseline": [0] * 12,
            "write_dir": str(folder),
        }
        values = np.clip(values, -limit, limit)
        wfdb.wrsamp(f"f{storage}", RATE, ["mV"] * 12, list(LEADS), d_signal=values, comments=["Dx: 1"], **about)
    for storage, size in ONLY_READ.items():
        noise = np.random.default_rng(1).integers(0, 256, int(SAMPLES * 12 * size) + 8, np.uint8)
        (folder / f"f{storage}.dat").write_bytes(noise.tobytes())
        lines = [f"f{storage}.dat {storage} 500/mV 16 0 0 0 0 {lead}" for lead in LEADS]
        (folder / f"f{storage}.hea").write_text("\n".join([f"f{storage} 12 {RATE:g} {SAMPLES}", *lines]) + "\n")
    write_simulated(folder, simulate_record("plain", ["426783006"], RATE, SAMPLES / RATE, seed=1))
    shutil.copy(folder / "plain.hea", folder / "level5.hea")
    header = (folder / "level5.hea").read_text().replace("plain", "level5")
    (folder / "level5.hea").write_text(header)
    values = np.rint(signal * 1000).astype(np.int16)
    savemat(folder / "level5.mat", {"val": values.T}, do_compression=True)
    for name, write in WRITERS.items():
        write(folder, simulate_record(other_name(name), ["426783006"], 500.0, 5.0, seed=1))
    savemat(folder / "cpsc.mat", {"ECG": {"sex": "Male", "age": 60.0, "data": signal.T.astype(float)}})
