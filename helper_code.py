"""The helper functions of the Challenge's 2021 harness by name, over this package.

The harness may put its own file in the place of this one, so nothing of the package imports it. The functions
here differ from the harness's functions: headers may be in any dialect that `cnn_gap.io.headers` reads, names
of leads match in upper and lower case, and folders may be nested. Gains are per mV whatever the unit, and
baselines come from the gain field.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from cnn_gap.io.formats.wfdb import read_recording
from cnn_gap.io.headers import (
    LARGEST_HEADER,
    Header,
    codes_of,
    decode_header,
    parse_age,
    parse_comments,
    parse_header,
)
from cnn_gap.leads import LEADS, canonical_lead
from cnn_gap.results import challenge_files
from cnn_gap.system.files import read_bytes

twelve_leads = LEADS
six_leads = ("I", "II", "III", "aVR", "aVL", "aVF")
four_leads = ("I", "II", "III", "V2")
three_leads = ("I", "II", "V2")
two_leads = ("I", "II")


def is_number(x: object) -> bool:
    """Return whether `x` is a number, or text that represents one."""
    try:
        float(x)
    except (TypeError, ValueError):
        return False
    return True


def is_integer(x: object) -> bool:
    """Return whether `x` is a whole number, or text that represents one."""
    return is_number(x) and float(x).is_integer()


def is_finite_number(x: object) -> bool:
    """Return whether `x` is a finite number, or text that represents one."""
    return is_number(x) and math.isfinite(float(x))


def sort_leads(leads: Iterable[str]) -> tuple[str, ...]:
    """Return the leads in the standard order, others after them as they come."""
    order = {lead: index for index, lead in enumerate(twelve_leads)}
    return tuple(sorted(leads, key=lambda lead: order.get(lead, len(order))))


def find_challenge_files(data_directory: str) -> tuple[list[str], list[str]]:
    """Return the headers that have a ``.mat`` file beside them, and these files, in the same order."""
    headers = sorted(path for path in Path(data_directory).rglob("*.hea") if not path.name.startswith("."))
    pairs = [
        (str(path), str(path.with_suffix(".mat"))) for path in headers if path.with_suffix(".mat").is_file()
    ]
    return [header for header, _ in pairs], [recording for _, recording in pairs]


def load_header(header_file: str) -> str:
    """Return the text of a header, whatever its line ends, with newlines."""
    text = decode_header(read_bytes(Path(header_file), LARGEST_HEADER))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def load_recording(
    recording_file: str, header: str | None = None, leads: Sequence[str] | None = None, key: str = "val"
) -> np.ndarray:
    """Return a ``.mat`` file's values, shape (leads, samples): of `leads` if these and `header` are given."""
    recording = read_recording(Path(recording_file), key)
    return choose_leads(recording, header, leads) if header and leads else recording


def choose_leads(recording: np.ndarray, header: str, leads: Sequence[str]) -> np.ndarray:
    """Return the rows of `recording` for `leads`, zeros for those that it does not have."""
    available = get_leads(header)
    chosen = np.zeros((len(leads), recording.shape[1]), recording.dtype)
    for row, lead in enumerate(map(canonical_lead, leads)):
        if lead in available:
            chosen[row] = recording[available.index(lead)]
    return chosen


def get_recording_id(header: str) -> str:
    """Return the record's name as the header has it."""
    return _parse(header).name


def get_leads(header: str) -> tuple[str, ...]:
    """Return the names of the leads, in the header's order."""
    return tuple(lead.name for lead in _parse(header).leads)


def get_age(header: str) -> float | None:
    """Return the age in years, NaN where it is no number, None where the header does not mention it."""
    age = _comment(header, "age")
    return None if age is None else parse_age(age)


def get_sex(header: str) -> str | None:
    """Return the sex as the header has it, None where the header does not mention it."""
    return _comment(header, "sex")


def get_num_leads(header: str) -> float:
    """Return the number of leads."""
    return float(len(_parse(header).leads))


def get_frequency(header: str) -> float:
    """Return the sampling rate in Hz."""
    return _parse(header).sampling_rate


def get_num_samples(header: str) -> float | None:
    """Return the number of samples of each lead, None where the header does not tell."""
    samples = _parse(header).samples
    return None if samples is None else float(samples)


def get_adc_gains(header: str, leads: Sequence[str]) -> np.ndarray:
    """Return the gains of `leads` in units per mV, 0 for leads that the header does not have."""
    gains = {lead.name: lead.gain for lead in reversed(_parse(header).leads)}
    return np.array([gains.get(canonical_lead(lead), 0.0) for lead in leads])


def get_baselines(header: str, leads: Sequence[str]) -> np.ndarray:
    """Return the stored values of 0 mV of `leads`, 0 for leads that the header does not have."""
    baselines = {lead.name: lead.baseline for lead in reversed(_parse(header).leads)}
    return np.array([float(baselines.get(canonical_lead(lead), 0)) for lead in leads])


def get_labels(header: str) -> list[str]:
    """Return the codes of the diagnoses, each once."""
    return list(codes_of(parse_comments(header)))


def save_outputs(
    output_file: str,
    recording_id: str,
    classes: Sequence[str],
    labels: Sequence[int],
    probabilities: Sequence[float],
) -> None:
    """Write a record's result file."""
    challenge_files.write_outputs(
        Path(output_file), recording_id, list(map(str, classes)), labels, probabilities
    )


def load_outputs(output_file: str) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[float, ...]]:
    """Return a result file's record, classes, labels (text) and probabilities (NaN where not finite)."""
    found = challenge_files.read_outputs(Path(output_file))
    labels = tuple("1" if label else "0" for label in found.labels)
    probabilities = tuple(float(value) if math.isfinite(value) else math.nan for value in found.probabilities)
    return found.name, tuple(found.codes), labels, probabilities


def _parse(header: str) -> Header:
    return parse_header(header, "header")


def _comment(header: str, wanted: str) -> str | None:
    return next((value for key, value in parse_comments(header) if key == wanted), None)
