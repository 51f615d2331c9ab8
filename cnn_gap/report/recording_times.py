"""Times of a recording as texts: by the clock where its start is known, and else from its start."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cnn_gap.holter.timeline import clock
from cnn_gap.reading.reading import Reading

# A time from the start in a sentence of the reading, as `clock` writes it, and the word before it.
_TIME = re.compile(r"(\bat |\bfrom |\bto |, )((?:\d+:)?\d{1,2}:\d\d)\b")


@dataclass(frozen=True)
class RecordingTimes:
    """Writes the times of a recording.

    Attributes
    ----------
    start : datetime or None
        When the recording began; None where it is not known.

    Examples
    --------
    >>> RecordingTimes(None).text(3725), RecordingTimes(datetime(2026, 1, 1, 23, 59)).text(3725)
    ('1:02:05', '01:01:05 (day 2)')
    """

    start: datetime | None

    def text(self, seconds: float) -> str:
        """Return the time that is `seconds` after the start."""
        if self.start is None:
            return clock(seconds)
        at = self.start + timedelta(seconds=round(seconds))
        day = (at.date() - self.start.date()).days
        return f"{at:%H:%M:%S} (day {day + 1})" if day else f"{at:%H:%M:%S}"

    def in_sentence(self, sentence: str, write: Callable[[float], str] | None = None) -> str:
        """Return a sentence of a reading, in which times are from the start, with each as `write` has it.

        Examples
        --------
        >>> RecordingTimes(datetime(2026, 1, 1, 8)).in_sentence("Pause of 3.1 s, at 14:46; also at 1:00:00")
        'Pause of 3.1 s, at 08:14:46; also at 09:00:00'
        """
        written = write or self.text
        return _TIME.sub(lambda found: found[1] + written(_seconds(found[2])), sentence)

    def in_reading(self, reading: Reading | None) -> Reading | None:
        """Return a reading whose alerts, statements and notes have the times of this recording."""
        if reading is None or self.start is None:
            return reading
        statements = (
            replace(each, evidence=tuple(map(self.in_sentence, each.evidence))) for each in reading.statements
        )
        return replace(
            reading,
            alerts=tuple(map(self.in_sentence, reading.alerts)),
            notes=tuple(map(self.in_sentence, reading.notes)),
            statements=tuple(statements),
        )

    @property
    def seconds_of_day(self) -> float | None:
        """The seconds from midnight to the start; None where that is not known."""
        if self.start is None:
            return None
        return 3600.0 * self.start.hour + 60.0 * self.start.minute + self.start.second


def _seconds(text: str) -> float:
    """Return the seconds of a time that `clock` has written."""
    seconds = 0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return float(seconds)
