"""MATLAB files without a header, as two earlier Challenges gave them."""

from pathlib import Path

import numpy as np

from cnn_gap.io.headers import Header, HeaderLead, parse_age, parse_sex
from cnn_gap.io.matlab import matrix_of, parse_matlab, text_of
from cnn_gap.io.matlab73 import Value
from cnn_gap.io.signal_files import parsing
from cnn_gap.io.stored_values import from_digital, from_physical
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.system.files import LARGEST_SIGNAL_FILE, read_bytes

#: Sampling rates (Hz) that two earlier Challenges' .mat files do not state, and the gain of the second.
CPSC_2018_RATE = 500.0
CHALLENGE_2017_RATE = 300.0
CHALLENGE_2017_GAIN = 1000.0


def recognise(start: bytes) -> bool:
    """Recognise nothing by content: a file of another name may hold any variables."""
    return False


def guard(path: Path) -> None:
    """Refuse nothing: `cnn_gap.io.matlab` limits how much it unpacks."""


def read(path: Path) -> Record:
    """Read CPSC 2018's struct ``ECG``, or Challenge 2017's one row ``val``."""
    with parsing(path, "MATLAB file"):
        content = parse_matlab(read_bytes(path, LARGEST_SIGNAL_FILE))
        if "ECG" in content:
            header, signal = _parse_cpsc_2018(path, _struct(content["ECG"]))
        elif "val" in content and len(matrix_of(content["val"])) == 1:
            lead = HeaderLead("ECG", path.name, gain=CHALLENGE_2017_GAIN)
            header, signal = Header(path.stem, CHALLENGE_2017_RATE, None, (lead,)), None
        else:
            raise ValueError(f"there is no header {path.stem}.hea, and no record of CPSC 2018 in the file")
    if signal is None:
        return from_digital(header, matrix_of(content["val"]), str(path))
    return from_physical(header, signal, str(path))


def _parse_cpsc_2018(path: Path, ecg: dict[str, Value]) -> tuple[Header, np.ndarray]:
    """Return the header and the signal (samples, 12) in mV of the struct ``ECG``."""
    age, sex = (text_of(ecg.get(name)) for name in ("age", "sex"))
    leads = tuple(HeaderLead(lead, path.name) for lead in LEADS)
    about = Header(path.stem, CPSC_2018_RATE, None, leads, (), parse_age(age), parse_sex(sex))
    return about, matrix_of(ecg["data"]).T


def _struct(values: Value) -> dict[str, Value]:
    if not isinstance(values, dict):
        raise ValueError("the variable ECG is not a struct")
    return values
