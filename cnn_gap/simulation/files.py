"""Simulated recordings as Challenge records in many dialects, with annotations of their waves and beats."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnn_gap.io.annotations import Event, write_events
from cnn_gap.leads import LEADS
from cnn_gap.simulation.heart_model import to_frank_leads
from cnn_gap.system.files import replacing


@dataclass(frozen=True)
class SimulatedRecord:
    """A simulated recording with its diagnoses, waves and beats.

    The signal is in mV, float32, shape (samples, 12), leads in the order of `cnn_gap.leads.LEADS`; the sampling
    rate is in Hz. The diagnoses are SNOMED CT codes; the age is in years, the sex "Male" or "Female". The
    events are all waves and premature beats in order of time.
    """

    name: str
    signal: np.ndarray
    sampling_rate: float
    codes: tuple[str, ...]
    age: int
    sex: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Dialect:
    r"""How the files of a record are written; the default is that of most Challenge records.

    Attributes
    ----------
    signal_format : str
        WFDB format of the signal file: a ``.mat`` with ``+24`` (bytes before the samples), else a ``.dat``.
    gain : str
        Gain in the header.
    units_per_mv : float
        The number that `gain` stands for.
    rate : str
        Sampling rate in the header; ``{rate}`` is the number. Empty: the line ends after the number of signals.
    date : str
        Date and time in the header; empty: none.
    comment, dx : str
        Form of a comment and of the list of diagnoses.
    line_end : str
        End of each header line.
    age : str
        Age in the header; ``{age}`` is the number.
    leads : tuple of str
        Names of the leads in their order in the file: of the twelve (in any case) and Frank's X, Y, Z.
    """

    signal_format: str = "16+24"
    gain: str = "1000/mV"
    units_per_mv: float = 1000.0
    rate: str = "{rate}"
    date: str = "12-May-2020 12:33:59"
    comment: str = "#{key}: {value}"
    dx: str = "{codes}"
    line_end: str = "\n"
    age: str = "{age}"
    leads: tuple[str, ...] = LEADS


CHALLENGE = Dialect()


@dataclass(frozen=True)
class Plan:
    """A record to simulate: its number, name, sampling rate (Hz), length (s) and the dialect of its files."""

    index: int
    name: str
    sampling_rate: float
    seconds: float
    dialect: Dialect


_UPPER = tuple(lead.upper() for lead in LEADS)

#: Dialects of the Challenge's databases, and others that the WFDB specification allows.
DIALECTS = (
    CHALLENGE,
    Dialect("16x1+24", "1000.0(0)/mV", comment="# {key}: {value}", date="12-May-2020"),
    Dialect(gain="1000(0)/mV", line_end="\r\n"),
    Dialect(gain="1/uV", date=""),
    Dialect(gain="1000/mv", dx="{codes},"),
    Dialect(gain="200", units_per_mv=200.0, date="12:33:59"),
    Dialect(leads=_UPPER, age="NaN"),
    Dialect(leads=LEADS[6:] + LEADS[:6], rate="{rate}/360", date=""),
    Dialect(leads=("I", "II", "V1", "V2", "V4", "V6")),
    Dialect(leads=(*LEADS, "vx", "vy", "vz")),
    Dialect("16", date="12:33:59 12/05/2020"),
    Dialect(dx="{codes},,", line_end=" \n", comment="# {key}:{value}"),
)

#: Sampling rates (Hz) and lengths (s) of the varied records; long records have low rates, to keep files small.
_RATES_AND_LENGTHS = (
    (100, 10),
    (250, 10),
    (500, 10),
    (100, 30),
    (257, 8),
    (300, 10),
    (128, 12),
    (360, 6),
    (500, 5),
    (1000, 5),
)


def varied_plans() -> list[Plan]:
    """Return 48 plans: each of the 24 classes twice, with all rates, lengths and dialects."""
    plans = []
    for index in range(48):
        rate, seconds = _RATES_AND_LENGTHS[index % len(_RATES_AND_LENGTHS)]
        # The step of 5 and the number of dialects have no common factor, so that rates and dialects are mixed.
        dialect = DIALECTS[(index * 5 + index // 12) % len(DIALECTS)]
        plans.append(Plan(index, f"SIM{index + 1:04d}", float(rate), float(seconds), dialect))
    # 250 Hz is WFDB's default for a header without a sampling rate.
    return [*plans[:-1], replace(plans[-1], sampling_rate=250.0, dialect=Dialect(rate="", date=""))]


def write_simulated(folder: Path, record: SimulatedRecord, dialect: Dialect = CHALLENGE) -> None:
    """Write ``NAME.mat`` (or ``.dat``), ``NAME.atr`` and ``NAME.hea`` to `folder`, each whole or not at all.

    The header is written last, so that a record with a header is complete.
    """
    folder = Path(folder)
    values = _integers(record, dialect)
    matlab = "+24" in dialect.signal_format
    signal_file = folder / (record.name + (".mat" if matlab else ".dat"))
    with replacing(signal_file) as aside:
        aside.write_bytes((_matlab_header(*values.shape) if matlab else b"") + values.tobytes())
    write_events(folder / f"{record.name}.atr", record.events, record.sampling_rate, len(record.signal))
    header = dialect.line_end.join(_header_lines(record, dialect, values, signal_file.name)) + dialect.line_end
    with replacing(folder / f"{record.name}.hea") as aside:
        aside.write_bytes(header.encode())


def _integers(record: SimulatedRecord, dialect: Dialect) -> np.ndarray:
    """Return the samples as int16 of shape (samples, leads of the dialect)."""
    upper = [lead.upper() for lead in LEADS] + ["VX", "VY", "VZ"]
    columns = [upper.index(lead.upper()) for lead in dialect.leads]
    signal = record.signal.astype(np.float64)
    if max(columns) >= len(LEADS):
        signal = np.concatenate([signal, to_frank_leads(signal)], axis=1)
    return np.clip(np.rint(signal[:, columns] * dialect.units_per_mv), -32767, 32767).astype("<i2")


def _matlab_header(samples: int, n_leads: int) -> bytes:
    """Return the start of a MATLAB version 4 file: an int16 matrix ``val`` with a row for each lead."""
    return np.array([30, n_leads, samples, 0, 4], dtype="<i4").tobytes() + b"val\0"


def _header_lines(
    record: SimulatedRecord, dialect: Dialect, values: np.ndarray, signal_file: str
) -> Iterator[str]:
    rate = dialect.rate.format(rate=f"{record.sampling_rate:g}")
    first = (record.name, str(values.shape[1]), *((rate, str(len(values)), dialect.date) if rate else ()))
    yield " ".join(filter(None, first))
    sums = values.sum(axis=0, dtype=np.int16)  # overflows, as WFDB defines the checksum
    for lead, start, checksum in zip(dialect.leads, values[0], sums, strict=True):
        yield f"{signal_file} {dialect.signal_format} {dialect.gain} 16 0 {start} {checksum} 0 {lead}"
    comments = {
        "Age": dialect.age.format(age=record.age),
        "Sex": record.sex,
        "Dx": dialect.dx.format(codes=",".join(record.codes)),
        "Rx": "Unknown",
        "Hx": "Unknown",
        "Sx": "Unknown",
    }
    for key, value in comments.items():
        yield dialect.comment.format(key=key, value=value)
