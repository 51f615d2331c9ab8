"""Full disclosure: one lead of a whole recording, in small, for the page and the PDF."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnn_gap.holter.beat_shapes import PREFERRED
from cnn_gap.io.long_records import LongRecord
from cnn_gap.leads import LEADS
from cnn_gap.record import Record
from cnn_gap.signal.windows import Preprocessing, prepare_signal

#: Sampling rates of the lead, Hz, and the largest number of samples: a recording of up to a day has the first
#: rate, a longer one the second.
RATES, MOST_SAMPLES = (100.0, 50.0), 8_700_000

#: Corner of the high-pass filter, Hz, that holds the tracing on its line.
HIGHPASS_HZ = 0.5

#: Length of the parts that are read, s, and of the signal that is read before and after each in addition.
PART_S, MARGIN_S = 300.0, 10.0

_MIDDLE, _REACH = 128, 127  # the level of 0 mV, and how many levels are above and below it
_STEPS_UV = (5.0, 40.0)  # the smallest and the largest step of levels
_QUANTILE = 0.999  # of the amplitudes is within the levels


@dataclass(frozen=True, eq=False)
class DisclosedLead:
    """A lead of a whole recording.

    Attributes
    ----------
    name : str
        The lead; empty if the recording has none.
    rate : float
        In Hz.
    levels : ndarray, shape (samples,), uint8
        0 where not valid; else 128 and a step more or less for each `step_uv` above or below 0 mV.
    step_uv : float
        In microvolts.
    """

    name: str
    rate: float
    levels: np.ndarray
    step_uv: float

    def millivolts(self, start_s: float, end_s: float) -> np.ndarray:
        """Return the amplitudes of a part, mV; NaN where not valid."""
        part = self.levels[round(start_s * self.rate) : round(end_s * self.rate)]
        return np.where(part == 0, np.nan, (part.astype(np.float64) - _MIDDLE) * self.step_uv / 1000)


def disclose(record: LongRecord) -> DisclosedLead:
    """Return the lead of a recording by which its beats are found first, read part by part."""
    duration = record.samples / record.sampling_rate
    rate = next((each for each in RATES if duration * each <= MOST_SAMPLES), RATES[-1])
    signal, lead = np.full(round(duration * rate), np.nan, np.float32), ""
    for first_s, part in _parts(record, duration):
        lead = lead or _lead(part)
        if not lead or not part.leads[LEADS.index(lead)]:
            continue
        begin = max(first_s - MARGIN_S, 0.0)
        values = _filtered(part, lead, rate)[round((first_s - begin) * rate) :][: round(PART_S * rate)]
        place = round(first_s * rate)
        values = values[: len(signal) - place]
        signal[place : place + len(values)] = values
    return _in_levels(signal, lead, rate)


def _parts(record: LongRecord, duration: float) -> Iterator[tuple[float, Record]]:
    """Yield the start of each part, s, and the part with its margins."""
    for first_s in np.arange(0.0, duration, PART_S).tolist():
        first = round(max(first_s - MARGIN_S, 0.0) * record.sampling_rate)
        last = min(round((first_s + PART_S + MARGIN_S) * record.sampling_rate), record.samples)
        yield first_s, record.part(first, last)


def _lead(part: Record) -> str:
    return next((lead for lead in PREFERRED if part.leads[LEADS.index(lead)]), "")


def _filtered(part: Record, lead: str, rate: float) -> np.ndarray:
    """Return a lead of a part at a rate, mV, NaN where not valid."""
    column = LEADS.index(lead)
    made = Preprocessing(sampling_rate=rate, highpass_hz=HIGHPASS_HZ)
    prepared = prepare_signal(part.signal[:, column : column + 1], part.sampling_rate, made)
    return np.where(prepared.valid, prepared.signal, np.nan)[:, 0]


def _in_levels(signal: np.ndarray, lead: str, rate: float) -> DisclosedLead:
    valid = np.isfinite(signal)
    high = float(np.quantile(np.abs(signal[valid]), _QUANTILE)) if valid.any() else 0.0
    step = float(np.clip(1000 * high / _REACH, *_STEPS_UV))
    levels = np.clip(np.round(1000 * np.where(valid, signal, 0) / step), -_REACH, _REACH) + _MIDDLE
    return DisclosedLead(lead, rate, np.where(valid, levels, 0).astype(np.uint8), step)
