"""Sample records for people who have no ECG files: DICOM files of simulated hearts."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.diagnoses.classes import known_diagnoses
from cnn_gap.serve.problems import NOT_FOUND, Problem
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.vendor_files import write_dicom
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: Length, s, and sampling rate, Hz, of a sample record.
SECONDS, RATE = 10.0, 500.0


@dataclass(frozen=True)
class Sample:
    """A sample record: the name of its file, and the diagnoses that are simulated."""

    name: str
    diagnoses: tuple[str, ...]
    seed: int


SAMPLES = (
    Sample("sample-sinus-rhythm.dcm", ("NSR",), 1),
    Sample("sample-atrial-fibrillation.dcm", ("AF",), 2),
    Sample("sample-premature-beats.dcm", ("NSR", "PAC"), 3),
    Sample("sample-left-bundle-branch-block.dcm", ("NSR", "LBBB"), 4),
    Sample("sample-first-degree-av-block.dcm", ("NSR", "IAVB"), 5),
    Sample("sample-bradycardia.dcm", ("SB",), 6),
)


def sample_file(name: str) -> bytes:
    """Return the file of a sample record.

    Raises
    ------
    Problem
        If there is none of this name.
    """
    sample = next((each for each in SAMPLES if each.name == name), None)
    if sample is None:
        known = ", ".join(each.name for each in SAMPLES)
        raise Problem(NOT_FOUND, f"the sample records are {known}; received {name[:80]}")
    codes = {each.abbreviation: each.code for each in known_diagnoses().values()}
    wanted = [codes[short] for short in sample.diagnoses]
    record = simulate_record(Path(name).stem, wanted, RATE, SECONDS, sample.seed)
    with tempfile.TemporaryDirectory(prefix="cnn-gap-") as folder:
        return read_bytes(write_dicom(Path(folder), record), LARGEST_SIGNAL_FILE)
