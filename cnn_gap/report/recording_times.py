"""Times of a recording as texts: by the clock where its start is known, and else from its start."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cnn_gap.holter.timeline import clock


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
        """Return the time so many seconds after the start."""
        if self.start is None:
            return clock(seconds)
        at = self.start + timedelta(seconds=round(seconds))
        day = (at.date() - self.start.date()).days
        return f"{at:%H:%M:%S} (day {day + 1})" if day else f"{at:%H:%M:%S}"

    @property
    def seconds_of_day(self) -> float | None:
        """The seconds from midnight to the start; None where that is not known."""
        if self.start is None:
            return None
        return 3600.0 * self.start.hour + 60.0 * self.start.minute + self.start.second
