"""Times of a recording as texts: by the clock where its start is known, and else from its start."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cnn_gap.reading.reading import Reading, Sentence, kind_of
from cnn_gap.system.timed_text import clock, with_times


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

    def in_reading(self, reading: Reading | None) -> Reading | None:
        """Return a reading whose sentences have the times of this recording."""
        if reading is None or self.start is None:
            return reading
        statements = (replace(each, evidence=self._written(each.evidence)) for each in reading.statements)
        (reason,) = self._written((reading.reason,))
        return replace(
            reading,
            reason=reason,
            alerts=self._written(reading.alerts),
            notes=self._written(reading.notes),
            statements=tuple(statements),
        )

    def _written(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Sentence(with_times(each, self.text), kind=kind_of(each)) for each in texts)

    @property
    def seconds_of_day(self) -> float | None:
        """The seconds from midnight to the start; None where that is not known."""
        if self.start is None:
            return None
        return 3600.0 * self.start.hour + 60.0 * self.start.minute + self.start.second
