"""What hospitals' devices and archives write: DICOM, GE MUSE, Philips Sierra, HL7 aECG, SCP-ECG and EDF.

ecgdatakit (https://ecgdatakit.ummisco.fr) parses them; here its result becomes a `Record`: the twelve leads of
the rhythm waveform in mV. Of the patient nothing but age and sex is taken.
"""

import math
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.leads import LEADS, canonical_lead
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

if TYPE_CHECKING:
    from ecgdatakit import ECGRecord, Lead

#: What the parsers warn of where the samples are not what was recorded, or not all of it.
_DAMAGE = re.compile(r"CRC|truncated|not closed", re.IGNORECASE)

#: What they warn of where a file holds more than the one waveform that is read.
_MORE = re.compile(r"not loaded|ignored in|only the first", re.IGNORECASE)

_SEX = {"F": "Female", "M": "Male"}


class UnreadableError(Exception):
    """A file cannot be read, for a reason in words that quote nothing of the file."""


def read_vendor(path: Path, several_groups: bool = False) -> Record:
    """Read a file of a device's format with ecgdatakit.

    Parameters
    ----------
    path : Path
    several_groups : bool
        Whether the leads may be in several groups, of which one is read.

    Raises
    ------
    InputError
        If the file is damaged, discontinuous or partial, or its leads have no unit or different rates.
    UnreadableError
        If ecgdatakit refuses it.
    ImportError
        If a package is missing.
    """
    import ecgdatakit

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            parsed = ecgdatakit.FileParser.parse(path, units="mV")
        except ImportError:
            raise
        except Exception as error:  # its parsers promise no kind of exception
            raise UnreadableError(_reason(error, path)) from error
    said = [str(each.message) for each in caught]
    if any(map(_DAMAGE.search, said)):
        raise InputError(f"{path}: is damaged or incomplete; export it again")
    if parsed.file_format.version == "EDF+D":
        raise InputError(f"{path}: is discontinuous EDF (EDF+D), which is not supported; export EDF+C")
    more = any(map(_MORE.search, said))
    if several_groups and more and len(parsed.leads) < 8:
        raise InputError(f"{path}: its leads are in several multiplex groups, which is not supported")
    return _record(path, parsed, ("the file holds more waveforms than the one read",) if more else ())


def _record(path: Path, parsed: "ECGRecord", notes: tuple[str, ...]) -> Record:
    leads = [lead for lead in parsed.leads if canonical_lead(lead.label) in LEADS]
    if not leads:
        names = ", ".join(lead.label for lead in parsed.leads)[:80]
        raise InputError(f"{path}: has none of the twelve leads; its leads are {names or 'none'}")
    for lead in leads:
        if lead.is_raw or lead.units != "mV":
            unit = lead.units or lead.adc_resolution_unit or "none"
            raise InputError(f"{path}: lead {lead.label} has no unit of voltage; its unit is {unit}")
    rates = {lead.sampling_rate for lead in leads}
    if len(rates) > 1:
        raise InputError(
            f"{path}: its leads have different sampling rates, {sorted(rates)} Hz; export one rate"
        )
    patient, device = parsed.patient, parsed.recording.device
    record = record_from_signal(
        _aligned(path, leads),
        _exact_rate(parsed, leads[0]),
        [lead.label for lead in leads],
        age=float(patient.age) if patient.age is not None and patient.age >= 0 else math.nan,
        sex=_SEX.get(patient.sex, "Unknown"),
    )
    about = " ".join(filter(None, (device.manufacturer, device.model)))
    return replace(record, notes=record.notes + notes, device=about, time=parsed.recording.date)


def _aligned(path: Path, leads: list["Lead"]) -> np.ndarray:
    """Return the leads as columns; where they begin or end at different times, NaN before and after."""
    starts = [int(lead.annotations.get("start_sample", 1)) for lead in leads]
    first = min(starts)
    ends = [start - first + len(lead.samples) for start, lead in zip(starts, leads, strict=True)]
    if max(ends) * len(leads) > 4 * sum(len(lead.samples) for lead in leads):
        raise InputError(f"{path}: its leads lie too far apart to be one record")
    signal = np.full((max(ends), len(leads)), np.nan, np.float32)
    with np.errstate(over="ignore"):  # what becomes infinite is not valid
        for column, (start, end, lead) in enumerate(zip(starts, ends, leads, strict=True)):
            signal[start - first : end, column] = lead.samples
    return signal


def _exact_rate(parsed: "ECGRecord", lead: "Lead") -> float:
    """Return the sampling rate in Hz; ecgdatakit rounds a lead's, and keeps the exact one elsewhere."""
    held = parsed.raw_metadata
    exact = [
        held.get("exact_sampling_rates", {}).get(lead.label),
        held.get("rhythm_time", {}).get("sampling_rate_exact"),
        1e6 / held["rhythm_sample_interval_us"] if held.get("rhythm_sample_interval_us") else None,
        *(group["sampling_frequency"] for group in held.get("multiplex_groups", ())),
    ]
    near = (rate for rate in exact if rate is not None and abs(rate - lead.sampling_rate) <= 0.5)
    return float(next(near, lead.sampling_rate))


def _reason(error: Exception, path: Path) -> str:
    """Return what ecgdatakit says of a file, but not what it quotes: that may be the patient's name."""
    if error.__cause__ is not None or not type(error).__module__.startswith("ecgdatakit"):
        return type(error.__cause__ or error).__name__
    return " ".join(str(error).replace(str(path), "the file").split())[:200]
