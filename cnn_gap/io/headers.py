"""WFDB headers in the dialects that ECG data sets come in.

The format is header(5) of the WFDB applications guide (https://physionet.org/physiotools/wag/header-5.htm).
The Challenge adds comments for age, sex and diagnoses.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnn_gap.io.units import millivolts_of
from cnn_gap.leads import canonical_lead
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_bytes

#: WFDB's values for a gain (units per mV) and a sampling rate (Hz) that are not given.
DEFAULT_GAIN = 200.0
DEFAULT_RATE = 250.0

#: The largest header that is read, bytes, and the oldest person, years (PTB-XL has 300 for those above 89).
LARGEST_HEADER = 1 << 20
OLDEST = 300.0

#: The lowest and the highest gain that is accepted, units per mV.
GAIN_RANGE = (1e-6, 1e12)

#: The lowest and the highest sampling rate that is accepted, Hz.
RATE_RANGE = (1.0, 100_000.0)

_COMMENT = re.compile(r"\s*#\s*(\w+)\s*:(.*)")

#: Age and sex in any comment: ``<age>: 49 <sex>: M``, ``Age (years) = 49``, ``Patient's gender: F``.
_PERSON = re.compile(
    r"\b(age|sex|gender)\b\s*(?:\([^)]*\)|\[[^\]]*\])?\s*>?\s*[:=]\s*"
    r"([\w.+-]+(?:\s+(?:year|month|week|day)s?\b)?)",
    re.IGNORECASE,
)
#: The same without a colon, where the comment says nothing else: ``# Age 49``, ``# AGE 49Y SEX M``.
_BARE_PERSON = re.compile(
    r"\s*#(?:\s*age[\s-]+(\d[\w.]*(?:\s+(?:year|month|week|day)s?\b)?))?"
    r"(?:[\s,;]*\b(?:sex|gender)[\s-]+(\w+))?\s*",
    re.IGNORECASE,
)
#: A first comment of the MIT-BIH databases: ``# 69 M 1085 1629 x1``.
_MIT_PERSON = re.compile(r"\s*#\s*(\d{1,3})\s+([MF])\b(?!\s*:).*")

#: An age in other units than years: words, or DICOM's letters without a space.
_YOUNG = re.compile(r"([\d.]+)(?:\s*(month|mo|week|wk|day)s?|(m|w|d))\b", re.IGNORECASE)
_YEARS_OF = {"m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25}
_STORAGE = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
_GAIN = re.compile(r"([^(/]*)(?:\(([^)]*)\))?(?:/(.*))?")


@dataclass(frozen=True)
class HeaderLead:
    """How one lead is stored.

    Attributes
    ----------
    name : str
        One of `LEADS` if it is one of the twelve in any case; otherwise as written.
    file_name : str
        The signal file, in the header's folder.
    storage : str
        WFDB's storage format, such as ``"16"``.
    gain : float
        Units per mV, or per `unit` where that is no unit of voltage.
    baseline : int
        The value of 0 mV.
    byte_offset : int
        Place of the first sample in the file.
    samples_per_frame : int
        Number of samples of this lead in each frame.
    skew : int
        Samples by which the lead is late.
    initial_value : int
        Value from which storage by differences starts.
    unit : str
        ``"mV"`` for every unit of voltage; another unit as written.
    """

    name: str
    file_name: str
    storage: str = "16"
    gain: float = DEFAULT_GAIN
    baseline: int = 0
    byte_offset: int = 0
    samples_per_frame: int = 1
    skew: int = 0
    initial_value: int = 0
    unit: str = "mV"


@dataclass(frozen=True)
class HeaderSegment:
    """A part of a record of several segments: a record in the same folder, or a gap where the name is ``~``."""

    name: str
    samples: int


@dataclass(frozen=True)
class Header:
    """The content of a record's header.

    Attributes
    ----------
    name : str
        Name of the record.
    sampling_rate : float
        Rate of the frames, Hz. A lead with several samples a frame has a multiple of this rate.
    samples : int or None
        Number of frames, which is the number of samples of most leads; None if the header does not say it.
    leads : tuple of HeaderLead
        In the order of the file; empty for a record of several segments.
    codes : tuple of str
        The diagnoses, each once, in order.
    age : float
        In years, NaN where unknown.
    sex : str
        ``"Female"``, ``"Male"`` or ``"Unknown"``.
    time : datetime or None
        When the recording began, where the header says its time and date as WFDB has them.
    """

    name: str
    sampling_rate: float
    samples: int | None
    leads: tuple[HeaderLead, ...]
    codes: tuple[str, ...] = ()
    age: float = math.nan
    sex: str = "Unknown"
    segments: tuple[HeaderSegment, ...] = ()
    time: datetime | None = None

    @property
    def about(self) -> dict[str, Any]:
        """Its attributes that a `Record` has, too."""
        return {"codes": self.codes, "age": self.age, "sex": self.sex, "time": self.time}


def read_header(path: Path) -> Header:
    """Read a header file; the record's name is that of the file, not that of its first line.

    Raises
    ------
    InputError
        If the file is missing, too large, or not a header that can be used.
    """
    path = Path(path)
    return replace(parse_header(decode_header(read_bytes(path, LARGEST_HEADER)), str(path)), name=path.stem)


def decode_header(content: bytes) -> str:
    """Return the text of a header's bytes: UTF-8, else Latin-1, which any bytes are."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


@lru_cache(8)  # a record's header is read for its stamp, for its signals and for itself
def parse_header(text: str, source: str) -> Header:
    """Parse the text of a header.

    Units of voltage become mV, as does a missing one; others stay. A gain of 0 or none means 200 per mV, a
    baseline that is missing is the zero of the converter, and a rate that is missing is 250 Hz, as WFDB has it.
    The Challenge's headers have a date before the time: that of the file, which is ignored.

    Parameters
    ----------
    text : str
    source : str
        What to call the header in errors.

    Raises
    ------
    InputError
        If the text is not a header.
    """
    if "\0" in text:
        raise InputError(f"{source}: is not a header but a binary file")
    lines = [line.strip() for line in re.split(r"[\r\n]+", text.removeprefix("\ufeff"))]
    fields = [line.split(maxsplit=8) for line in lines if line and not line.startswith("#")]
    if not fields:
        raise InputError(f"{source}: the header is empty")
    name, segment_count, count, rate, samples = _parse_record_line(fields, source)
    comments = parse_comments(text)
    time = _parse_time(fields[0][4:6])
    about = Header(name, rate, samples, (), codes_of(comments), *_parse_person(text), time=time)
    announced, what = segment_count or count, "segments" if segment_count else "leads"
    if len(fields) - 1 < announced:
        raise InputError(f"{source}: the header announces {announced} {what} and describes {len(fields) - 1}")
    described = fields[1 : announced + 1]
    if segment_count:
        return replace(about, segments=tuple(_parse_segment_line(line, source) for line in described))
    return replace(about, leads=tuple(_parse_lead_line(line, source) for line in described))


def parse_comments(text: str) -> list[tuple[str, str]]:
    """Return the comments of the form ``#Key: value`` as pairs, keys in lower case."""
    matches = (_COMMENT.fullmatch(line) for line in re.split(r"[\r\n]+", text))
    return [(match[1].lower(), match[2].strip()) for match in matches if match]


def codes_of(comments: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the codes of the ``Dx`` comments, each once, in order."""
    codes = (code.strip() for key, value in comments if key == "dx" for code in value.split(","))
    return tuple(dict.fromkeys(code for code in codes if code))


def parse_age(text: str) -> float:
    """Return an age in years, NaN where the text is not one that a person can have.

    Examples
    --------
    >>> parse_age("49"), parse_age("049Y"), parse_age("6 months"), parse_age("unknown")
    (49.0, 49.0, 0.5, nan)
    """
    match = re.match(r"\d+(\.\d*)?", text.strip())
    if match is None:
        return math.nan
    young = _YOUNG.match(text.strip())
    age = float(match[0]) * (_YEARS_OF[(young[2] or young[3])[0].lower()] if young else 1)
    return age if age <= OLDEST else math.nan


def parse_sex(text: str) -> str:
    """Return ``"Female"``, ``"Male"`` or ``"Unknown"``."""
    letters = text.strip().lower()
    if letters in ("f", "female", "woman"):
        return "Female"
    return "Male" if letters in ("m", "male", "man") else "Unknown"


def check_rate(rate: float, source: str) -> float:
    """Return the sampling rate (Hz).

    Raises
    ------
    InputError
        If an ECG cannot have it.
    """
    low, high = RATE_RANGE
    if not low <= rate <= high:
        raise InputError(
            f"{source}: a sampling rate of {rate:g} Hz cannot be used; expected {low:g} to {high:g}"
        )
    return float(rate)


def _parse_person(text: str) -> tuple[float, str]:
    """Return age and sex, which comments give in several dialects."""
    comments = [line for line in re.split(r"[\r\n]+", text) if line.lstrip().startswith("#")]
    found: dict[str, str] = {}
    for line in comments:
        for key, value in _PERSON.findall(line):
            found.setdefault("age" if key.lower() == "age" else "sex", value)
        if bare := _BARE_PERSON.fullmatch(line):
            for name, value in zip(("age", "sex"), bare.groups(), strict=True):
                if value:
                    found.setdefault(name, value)
    if not found and comments and (match := _MIT_PERSON.fullmatch(comments[0])):
        found = {"age": match[1], "sex": match[2]}
    return parse_age(found.get("age", "")), parse_sex(found.get("sex", ""))


def _parse_record_line(fields: list[list[str]], source: str) -> tuple[str, int, int, float, int | None]:
    """Return name, number of segments (0 where there is one), leads, rate (Hz) and samples."""
    first = fields[0]
    if len(first) < 2:
        raise InputError(f"{source}: is not a header; its first line names no number of leads")
    name, segments = _split_name(first[0], fields[1:])
    count = _integer(first[1], "number of leads", source)
    if count < 1:
        raise InputError(f"{source}: the header describes no leads")
    rate_text = first[2].partition("/")[0].partition("(")[0] if len(first) > 2 else ""
    rate = _number(rate_text, "sampling rate", source) if rate_text else DEFAULT_RATE
    samples = _integer(first[3], "number of samples", source) if len(first) > 3 else 0
    if samples < 0:
        raise InputError(f"{source}: the number of samples is negative ({samples})")
    return name, segments, count, check_rate(rate, source), samples or None  # 0 is WFDB's "not known"


def _parse_time(fields: list[str]) -> datetime | None:
    """Return the time of a record line's last fields, such as ``12:33:59 24/05/2020``; None if it has none."""
    time, _, fraction = " ".join(reversed(fields)).partition(".")
    try:
        return datetime.strptime(time, "%d/%m/%Y %H:%M:%S").replace(microsecond=int(f"{fraction:0<6}"[:6]))
    except ValueError:
        return None


def _split_name(text: str, lines: list[list[str]]) -> tuple[str, int]:
    """Return a record's name and its number of segments; a name may have slashes of its own, as PTB-XL+'s."""
    name, slash, number = text.rpartition("/")
    # A segment's line has two fields, a name and a number of samples; a lead's line nearly always has more.
    of_segments = all(len(line) == 2 and line[1].isdecimal() for line in lines)
    if slash and number.isdecimal() and int(number) > 0 and of_segments:
        return name, int(number)
    return text, 0


def _parse_segment_line(fields: list[str], source: str) -> HeaderSegment:
    return HeaderSegment(fields[0], _integer(fields[1], "number of samples", source))


def _parse_lead_line(fields: list[str], source: str) -> HeaderLead:
    storage = _STORAGE.fullmatch(fields[1]) if len(fields) > 1 else None
    if storage is None:
        raise InputError(f"{source}: the line of signal file {fields[0]} has no storage format such as 16+24")
    frame, skew, offset = (_integer(part or "0", "storage format", source) for part in storage.groups()[1:])
    zero, initial = (
        _integer(fields[index], "lead's zero or first value", source) if len(fields) > index else 0
        for index in (4, 5)
    )
    gain, baseline, unit = _parse_gain(fields[2] if len(fields) > 2 else "", zero, source)
    name = canonical_lead(fields[8]) if len(fields) > 8 else ""
    return HeaderLead(name, fields[0], storage[1], gain, baseline, offset, max(frame, 1), skew, initial, unit)


def _parse_gain(text: str, zero: int, source: str) -> tuple[float, int, str]:
    """Return units per mV, the value of 0 mV, and the unit where it is no voltage, else mV."""
    match = _GAIN.fullmatch(text)
    if match is None:
        raise InputError(f"{source}: {text} is not a gain such as 1000(0)/mV")
    gain_text, baseline_text, unit = match.groups()
    baseline = _integer(baseline_text, "baseline", source) if baseline_text else zero
    gain = _number(gain_text, "gain", source) if gain_text else 0.0
    factor = millivolts_of(unit or "mV")
    if factor is None:
        return gain or DEFAULT_GAIN, baseline, unit
    if gain == 0:
        return DEFAULT_GAIN, baseline, "mV"
    gain_mv = gain / factor
    low, high = GAIN_RANGE
    if not low <= abs(gain_mv) <= high:
        raise InputError(
            f"{source}: a gain of {text} cannot be used; expected {low:g} to {high:g} units per mV"
        )
    return gain_mv, baseline, "mV"


def _integer(text: str, what: str, source: str) -> int:
    number = _number(text, what, source)
    if not number.is_integer() or abs(number) > 2**53:
        raise InputError(f"{source}: the {what} is not an integer ({text[:40]})")
    return int(number)


def _number(text: str, what: str, source: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{source}: the {what} is not a number ({text[:40]})")
    return number
