"""Texts that name times of a recording, and hold these times as numbers."""

from collections.abc import Callable, Iterable


class TimedText(str):
    """A text whose times count from the start of a recording, each written as `clock` writes it.

    Files and programs get it as it is. A report that knows when the recording began, or that
    leads to the times, writes it by `with_times`.

    Parameters
    ----------
    *pieces : str or float
        In the order of the text. A str is words, or itself a text with times; a float is a time, s.

    Attributes
    ----------
    pieces : tuple of str or float
        Words and times, s.

    Examples
    --------
    >>> alert = TimedText("Pause of 3.1 s, at ", 886.2, "; also at ", 3600.0)
    >>> alert, alert.times_s
    ('Pause of 3.1 s, at 14:46; also at 1:00:00', (886.2, 3600.0))
    """

    __slots__ = ("pieces",)
    pieces: tuple[str | float, ...]

    def __new__(cls, *pieces: str | float) -> "TimedText":
        """Write the text."""
        flat: list[str | float] = []
        for each in pieces:
            flat += pieces_of(each) if isinstance(each, str) else [float(each)]
        text = super().__new__(cls, _joined(flat, clock))
        text.pieces = tuple(flat)
        return text

    @property
    def times_s(self) -> tuple[float, ...]:
        """The times that the text names, s from the recording's start."""
        return tuple(each for each in self.pieces if not isinstance(each, str))


def pieces_of(text: str) -> tuple[str | float, ...]:
    """Return the words and times of a text, in its order; a text without times is one piece."""
    return text.pieces if isinstance(text, TimedText) else (text,)


def times_of(text: str) -> tuple[float, ...]:
    """Return the times that a text names, s from the recording's start; a plain one names none."""
    return text.times_s if isinstance(text, TimedText) else ()


def with_times(text: str, time: Callable[[float], str], words: Callable[[str], str] = str) -> str:
    """Return a text with each of its times, and of the words between them, as a function writes it.

    Examples
    --------
    >>> with_times(TimedText("from ", 60.0, " on"), "{:.0f} s".format, str.upper)
    'FROM 60 s ON'
    """
    return _joined(pieces_of(text), time, words)


def clock(seconds: float) -> str:
    """Return a time in a recording.

    Examples
    --------
    >>> clock(914.4), clock(3725)
    ('15:14', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _joined(
    pieces: Iterable[str | float], time: Callable[[float], str], words: Callable[[str], str] = str
) -> str:
    return "".join(words(each) if isinstance(each, str) else time(each) for each in pieces)
