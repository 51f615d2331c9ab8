"""The waveforms of a file, joined into one, and the record made of it.

A device may store leads in groups: all of one time (limb leads and chest leads), or one group after another (a
page of three rows and four columns), and beside these a rhythm strip or an average beat.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from cnn_gap.io.calibration_pulse import calibration_pulse
from cnn_gap.io.headers import check_rate
from cnn_gap.leads import LEADS, LeadChoice, choose_leads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError

#: The stored value of a sample that is not valid: the lowest of 16 bits.
LOWEST = -32768

#: Beside a longer waveform, those shorter than this, s, are beats or templates: a page's column lasts 2.5 s.
SHORTEST_S = 2.0

#: The longest gap (s) between waveforms of the same leads that are one recording.
LONGEST_GAP_S = 1.0

#: The largest number of characters of a note: one on twelve leads at different times is shorter.
LONGEST_NOTE = 500

#: A joined signal has at most this many times as many samples as its waveforms have together.
MOST_EMPTY = 8

#: The note on a file with waveforms that are not read.
MORE_WAVEFORMS = "the file holds more waveforms than the one read"


@dataclass(frozen=True, eq=False)
class Waveform:
    """Leads of one sampling rate.

    Attributes
    ----------
    signal : ndarray, shape (samples, leads), float32
        In mV; NaN where not valid.
    leads : tuple of str
        Of `LEADS`, the columns of the signal.
    sampling_rate : float
        In Hz.
    start_s : float
        When it begins, in s; all waveforms of a file count from the same moment.
    notes : tuple of str
        What was left out or changed, as in `Record.notes`.
    """

    signal: np.ndarray
    leads: tuple[str, ...]
    sampling_rate: float
    start_s: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """How long it is, s."""
        return len(self.signal) / self.sampling_rate


def waveform_from(
    signal: np.ndarray,
    names: Sequence[str],
    sampling_rate: float,
    source: str,
    notes: tuple[str, ...] | None = None,
) -> Waveform:
    """Return the waveform of a signal's twelve leads, as far as it has them.

    Parameters
    ----------
    signal : ndarray, shape (samples, leads)
        In mV.
    names : sequence of str
        Of the columns, in any dialect.
    sampling_rate : float
        In Hz.
    source : str
        What to call the file in errors.
    notes : tuple of str, optional
        What was left out of it or changed before, as in `Record.notes`.

    Raises
    ------
    InputError
        If it has none of the twelve leads, or an ECG cannot have the sampling rate.
    """
    choice = choose_leads(names, source)
    with np.errstate(over="ignore"):  # infinite amplitudes count as not valid
        chosen = np.asarray(signal[:, list(choice.columns.values())], np.float32)
    for column, lead in enumerate(choice.columns):
        if lead in choice.inverted:
            chosen[:, column] *= -1
    leads = tuple(LEADS[lead] for lead in choice.columns)
    return Waveform(
        chosen, leads, check_rate(sampling_rate, source), notes=choice.notes if notes is None else notes
    )


def record_of_waveform(
    waveform: Waveform,
    source: str,
    age: float = math.nan,
    sex: str = "Unknown",
    device: str = "",
    time: datetime | None = None,
) -> Record:
    """Return the record of a waveform, without its calibration pulse if it has one.

    Parameters
    ----------
    waveform : Waveform
    source : str
        What to call the file in errors.
    age, sex, device, time
        As in `Record`.

    Raises
    ------
    InputError
        If it has no sample, or none is valid.
    """
    signal, notes = waveform.signal, waveform.notes
    pulse = calibration_pulse(signal, waveform.sampling_rate)
    if pulse is not None:
        signal, notes = signal[pulse.kept], (*notes, pulse.note)
    choice = LeadChoice({LEADS.index(lead): column for column, lead in enumerate(waveform.leads)})
    rate = waveform.sampling_rate
    return Record("", signal, choice, rate, (), age, sex, notes, device, time, source=source)


def join_waveforms(waveforms: Sequence[Waveform], source: str) -> Waveform:
    """Return one waveform with all leads: each at its time, and not valid where it was not recorded.

    The first waveform is the longest one of those with most leads. Each other waveform is joined if it has
    leads that are missing so far, or if it begins where its leads ended.

    Parameters
    ----------
    waveforms : sequence of Waveform
        One at least.
    source : str
        What to call the file in errors.

    Raises
    ------
    InputError
        If leads that are missing have another sampling rate, or lie too far apart.
    """
    longest = max(each.duration_s for each in waveforms)
    usable = [each for each in waveforms if each.duration_s >= min(SHORTEST_S, longest)]
    usable.sort(key=lambda each: (-len(each.leads), -each.duration_s, each.start_s))
    taken: list[Waveform] = []
    others: list[Waveform] = []
    for each in usable:
        known = {lead for other in taken for lead in other.leads}
        columns = [index for index, lead in enumerate(each.leads) if lead not in known]
        if columns:
            names = tuple(each.leads[column] for column in columns)
            taken.append(replace(each, signal=each.signal[:, columns], leads=names))
        else:
            others.append(each)
    for each in sorted(others, key=lambda each: each.start_s):
        if _goes_on(each, taken):
            taken.append(each)
    more = (MORE_WAVEFORMS,) if len(taken) < len(waveforms) else ()
    joined = taken[0] if len(taken) == 1 else _on_one_axis(taken, source)
    return replace(joined, notes=joined.notes + more)


def _goes_on(part: Waveform, taken: Sequence[Waveform]) -> bool:
    """Tell whether a waveform begins where others with its leads ended."""
    same = [other for other in taken if set(part.leads) & set(other.leads)]
    end = max(other.start_s + other.duration_s for other in same)
    alike = all(math.isclose(other.sampling_rate, part.sampling_rate) for other in same)
    return alike and -1 / part.sampling_rate < part.start_s - end <= LONGEST_GAP_S


def _on_one_axis(parts: Sequence[Waveform], source: str) -> Waveform:
    rate, first = parts[0].sampling_rate, min(part.start_s for part in parts)
    if not all(math.isclose(part.sampling_rate, rate) for part in parts):
        rates = sorted({part.sampling_rate for part in parts})
        raise InputError(f"{source}: its leads have different sampling rates, {rates} Hz; export one rate")
    parts = sorted(parts, key=lambda part: part.start_s)
    leads = tuple(dict.fromkeys(lead for part in parts for lead in part.leads))
    spans = [(start := round((part.start_s - first) * rate), start + len(part.signal)) for part in parts]
    length = max(end for _, end in spans)
    if length * len(leads) > MOST_EMPTY * sum(part.signal.size for part in parts):
        raise InputError(f"{source}: its leads lie too far apart to be one record")
    signal = np.full((length, len(leads)), np.nan, np.float32)
    for (start, end), part in zip(spans, parts, strict=True):
        signal[start:end, [leads.index(lead) for lead in part.leads]] = part.signal
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    times = [(part.leads, start / rate, end / rate) for part, (start, end) in zip(parts, spans, strict=True)]
    return Waveform(signal, leads, rate, first, notes + note_of_times(times))


def note_of_times(parts: Sequence[tuple[Sequence[str], float, float]]) -> tuple[str, ...]:
    """Return a note on leads that begin or end at different times (s); none if all have the same times."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for leads, start, end in parts:
        for lead in leads:
            held = spans.setdefault(lead, [])
            if held and math.isclose(held[-1][1], start, abs_tol=1e-6):
                held[-1] = (held[-1][0], end)
            else:
                held.append((start, end))
    leads_at: dict[tuple[tuple[float, float], ...], list[str]] = {}
    for lead, own in spans.items():
        leads_at.setdefault(tuple(own), []).append(lead)
    if len(leads_at) == 1 and len(next(iter(leads_at))) == 1:
        return ()
    times = (
        f"{', '.join(leads)} {' and '.join(f'from {start:g} to {end:g} s' for start, end in own)}"
        for own, leads in leads_at.items()
    )
    return (f"not all leads were recorded at the same time: {'; '.join(times)}"[:LONGEST_NOTE],)
