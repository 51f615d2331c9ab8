"""Texts that name times of a recording, and hold these times as numbers."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Self

#: A piece of a text: words; a time, s, that is written; or times, s, that are only held.
Piece = str | float | tuple[float, ...]


class TimedText(str):
    """A text whose times count from the start of a recording, each written as `clock` writes it.

    Files and programs get it as it is. A report that knows when the recording began, or that
    leads to the times, writes it by `with_times`.

    Parameters
    ----------
    *pieces : str, float or tuple of float
        In the order of the text. A str is words, or itself a text with times; a float is a time, s. A tuple is
        times, s, that the text does not name one by one, such as those behind "and 5 more".

    Attributes
    ----------
    pieces : tuple of str, float or tuple of float
        Words and times, s.

    Examples
    --------
    >>> alert = TimedText("Pause of 3.1 s, at ", 886.2, "; also at ", 3600.0)
    >>> alert, alert.times_s
    ('Pause of 3.1 s, at 14:46; also at 1:00:00', (886.2, 3600.0))
    """

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    def __new__(cls, *pieces: Piece) -> Self:
        """Write the text."""
        flat: list[Piece] = []
        for each in pieces:
            if isinstance(each, str):
                flat += pieces_of(each)
            else:
                flat.append(tuple(map(float, each)) if isinstance(each, tuple) else float(each))
        text = super().__new__(cls, _joined(flat, clock))
        text.pieces = tuple(flat)
        return text

    @property
    def times_s(self) -> tuple[float, ...]:
        """The times that the text speaks of, s from the recording's start, also those that it does not name."""
        times = (each for each in self.pieces if not isinstance(each, str))
        return tuple(chain.from_iterable(each if isinstance(each, tuple) else (each,) for each in times))


def pieces_of(text: str) -> tuple[Piece, ...]:
    """Return the words and times of a text, in its order; a text without times is one piece."""
    return text.pieces if isinstance(text, TimedText) else (text,)


def times_of(text: str) -> tuple[float, ...]:
    """Return the times that a text speaks of, s from the recording's start; a plain one has none."""
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


def _joined(pieces: Iterable[Piece], time: Callable[[float], str], words: Callable[[str], str] = str) -> str:
    named = (each for each in pieces if not isinstance(each, tuple))
    return "".join(words(each) if isinstance(each, str) else time(each) for each in named)
