"""EDF, EDF+ and BDF (https://www.edfplus.info/specs/, https://www.biosemi.com/faq/file_format.htm).

This is code of our own, since libraries refuse files that some devices write: with a version padded with NUL,
with a channel of annotations without samples, or marked as having gaps (EDF+D) without a gap.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from cnn_gap.io.units import millivolts_of
from cnn_gap.io.waveforms import record_of_waveform, waveform_from
from cnn_gap.leads import choose_leads
from cnn_gap.record import Record
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

_LARGEST_FILE = 256 << 20

#: Widths of a signal's fields: label, transducer, unit, physical and digital range, filters, samples, reserved.
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)

_SEX = {"F": "Female", "M": "Male"}

#: The first annotation of each data record says when it begins, in s.
_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)[\x14\x15]")


@dataclass(frozen=True)
class Channel:
    """A signal of a file: its fields in the header, and its place in each data record, in samples."""

    label: str
    unit: str
    physical: tuple[float, float]
    digital: tuple[float, float]
    first: int
    samples: int

    @property
    def is_annotation(self) -> bool:
        """Whether it holds text instead of samples."""
        return self.label in ("EDF Annotations", "BDF Annotations")


@dataclass(frozen=True)
class EdfHeader:
    """The header of a file.

    Attributes
    ----------
    width : int
        Bytes of a sample.
    size : int
        Bytes of the header.
    kind : str
        ``"EDF+C"``, ``"EDF+D"``, ``"BDF+C"``, ``"BDF+D"``, or other text.
    patient, recording, start : str
        Fields as they are.
    records : int
        How many data records there are.
    duration_s : float
        Of a data record.
    channels : tuple of Channel
    """

    width: int
    size: int
    kind: str
    patient: str
    recording: str
    start: str
    records: int
    duration_s: float
    channels: tuple[Channel, ...]

    @property
    def record_samples(self) -> int:
        """Samples of all channels in a data record."""
        return sum(channel.samples for channel in self.channels)


def recognise(start: bytes) -> bool:
    """Tell whether there is a header: its version, and its own size as a number."""
    version = start[:8].rstrip(b"\0 ")
    return version in (b"0", b"\xffBIOSEMI") and start[184:192].strip(b"\0 ").isdigit() and len(start) >= 256


def guard(path: Path) -> None:
    """Refuse nothing: the samples take no more memory than a multiple of the file's size."""


def read(path: Path) -> Record:
    """Read the signals."""
    source, content = str(path), read_bytes(path, _LARGEST_FILE)
    header = _read_header(content, source)
    data = _data_records(content, header, source)
    if header.kind.endswith("+D"):
        _require_continuous(data, header, source)
    channels = [channel for channel in header.channels if channel.samples and not channel.is_annotation]
    choice = choose_leads([channel.label for channel in channels], source)
    leads = [channels[column] for column in choice.columns.values()]
    if len({lead.samples for lead in leads}) > 1:
        rates = sorted({lead.samples / header.duration_s for lead in leads})
        raise InputError(f"{source}: its leads have different sampling rates, {rates} Hz; export one rate")
    signal = np.stack([_amplitudes(data, lead, header.width, source) for lead in leads], axis=1)
    rate = leads[0].samples / header.duration_s if header.duration_s > 0 else 0.0
    waveform = waveform_from(signal, [lead.label for lead in leads], rate, source, choice.notes)
    born, sex = _patient(header)
    time = _time(header.start)
    age = math.nan if born is None or time is None else float(_years(born, time))
    return record_of_waveform(waveform, source, age, sex, _device(header), time)


def _read_header(content: bytes, source: str) -> EdfHeader:
    width = 2 if content[:1] == b"0" else 3
    fixed = content[:256].decode("latin-1").replace("\0", " ")
    number = int(_number(fixed[252:256], "signals", source))
    size = 256 * (number + 1)
    if not 0 < number < 4096 or len(content) < size:
        raise InputError(f"{source}: is damaged or incomplete; its header announces {number} signals")
    text = content[256:size].decode("latin-1").replace("\0", " ")
    fields, at = [], 0
    for field_width in _WIDTHS:
        fields.append([text[at + index * field_width :][:field_width].strip() for index in range(number)])
        at += number * field_width
    labels, _, units, *ranges, _, samples, _ = fields
    channels, first = [], 0
    for index, label in enumerate(labels):
        low, high, lowest, highest = (_number(each[index], "a range", source) for each in ranges)
        count = int(_number(samples[index], "samples", source))
        if not 0 <= count <= len(content):
            raise InputError(f"{source}: is damaged; signal {index + 1} announces {count} samples in a record")
        channels.append(Channel(label, units[index], (low, high), (lowest, highest), first, count))
        first += count
    return EdfHeader(
        width,
        size,
        fixed[192:197],
        fixed[8:88],
        fixed[88:168],
        f"{fixed[168:176]} {fixed[176:184]}",
        int(_number(fixed[236:244], "data records", source)),
        _number(fixed[244:252], "a duration", source),
        tuple(channels),
    )


def _number(text: str, of: str, source: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError as error:
        raise InputError(f"{source}: is damaged; its header has no number of {of}") from error
    if not math.isfinite(value):
        raise InputError(f"{source}: is damaged; its header has no number of {of}")
    return value


def _data_records(content: bytes, header: EdfHeader, source: str) -> np.ndarray:
    """Return the data records as bytes, shape (records, samples of all channels, bytes of a sample)."""
    bytes_of_record = header.record_samples * header.width
    held = (len(content) - header.size) // max(bytes_of_record, 1)
    if not 0 < header.records <= held or not bytes_of_record:
        raise InputError(
            f"{source}: is damaged or incomplete; it announces {header.records} data records and holds {held}"
        )
    data = np.frombuffer(content, np.uint8, header.records * bytes_of_record, header.size)
    return data.reshape(header.records, header.record_samples, header.width)


def _amplitudes(data: np.ndarray, channel: Channel, width: int, source: str) -> np.ndarray:
    """Return a channel's samples in mV, float32."""
    factor = millivolts_of(channel.unit)
    if factor is None:
        raise InputError(
            f"{source}: lead {channel.label} has no unit of voltage; its unit is {channel.unit or 'none'}"
        )
    (low, high), (lowest, highest) = channel.physical, channel.digital
    if highest <= lowest or low == high:
        raise InputError(f"{source}: is damaged; lead {channel.label} has no range of amplitudes")
    part = data[:, channel.first : channel.first + channel.samples]
    if width == 2:
        digital = np.ascontiguousarray(part).view("<i2").ravel()
    else:  # the three bytes become the upper ones of four
        wide = np.zeros((*part.shape[:2], 4), np.uint8)
        wide[..., 1:] = part
        digital = wide.view("<i4").ravel() >> 8
    gain = (high - low) / (highest - lowest)
    return (((digital - lowest) * gain + low) * factor).astype(np.float32)


def _require_continuous(data: np.ndarray, header: EdfHeader, source: str) -> None:
    """Refuse a file whose data records do not follow one another without a gap."""
    texts = [channel for channel in header.channels if channel.is_annotation and channel.samples]
    onsets = []
    for record in data:
        found = [_ONSET.match(record[text.first : text.first + text.samples].tobytes()) for text in texts[:1]]
        onsets += [float(onset[1]) for onset in found if onset]
    steps = np.diff(onsets)
    if len(onsets) < len(data) or np.any(np.abs(steps - header.duration_s) > 1e-3 * max(header.duration_s, 1)):
        raise InputError(
            f"{source}: is discontinuous EDF (EDF+D) with gaps, which is not supported; export EDF+C"
        )


def _patient(header: EdfHeader) -> tuple[datetime | None, str]:
    """Return the day of birth and the sex; nothing else of EDF+'s field ``code sex birthday name`` is taken."""
    words = header.patient.split()
    if len(words) < 3 or not header.kind.startswith(("EDF+", "BDF+")):
        return None, "Unknown"
    try:
        born = datetime.strptime(words[2], "%d-%b-%Y")
    except ValueError:
        born = None
    return born, _SEX.get(words[1].upper(), "Unknown")


def _device(header: EdfHeader) -> str:
    """Return the equipment, the last word of EDF+'s field ``Startdate day code technician equipment``."""
    words = header.recording.split()
    known = header.kind.startswith(("EDF+", "BDF+")) and len(words) > 4 and words[4] != "X"
    return words[4].replace("_", " ") if known else ""


def _time(text: str) -> datetime | None:
    """Return when a recording began; of two digits of the year 85 is 1985 and 84 is 2084, as EDF+ has it."""
    try:
        time = datetime.strptime(text.strip(), "%d.%m.%y %H.%M.%S")
    except ValueError:
        return None
    return time.replace(year=1900 + time.year % 100 if time.year % 100 >= 85 else 2000 + time.year % 100)


def _years(born: datetime, time: datetime) -> int:
    return time.year - born.year - ((time.month, time.day) < (born.month, born.day))
