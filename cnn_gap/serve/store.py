"""Results that the page asks for again: in memory, for an hour or until they are to be forgotten.

The address of a result is 256 random bits: who knows it may read it.
"""

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from cnn_gap.serve.answered import Answered
from cnn_gap.serve.problems import MALFORMED, NOT_FOUND, Problem

#: Pattern of a collection's key, which a page chooses: as random as a UUID.
_KEY = re.compile(r"[A-Za-z0-9_-]{22,64}")

#: Bytes that a result takes beside its signal.
_OVERHEAD = 20_000


@dataclass
class Kept:
    """A result that is kept.

    Attributes
    ----------
    answered : Answered
    collection : str
        The key of the collection that it belongs to.
    until : float
        When it is forgotten, by the store's clock.
    drawn : dict of str to bytes
        Answers that take long to make, by their content type.
    """

    answered: Answered
    collection: str
    until: float
    drawn: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.answered.record.signal.nbytes + sum(map(len, self.drawn.values())) + _OVERHEAD


class Store:
    """Kept results, by their ids.

    Parameters
    ----------
    seconds : float
        How long a result is kept.
    most_bytes : int
        Most memory of all results; beyond it the oldest are forgotten.
    clock : callable
        Returns seconds.
    """

    def __init__(self, seconds: float, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def __len__(self) -> int:
        self.tidy()
        return len(self._kept)

    def add(self, answered: Answered, collection: str) -> str:
        """Keep a result, and return its id."""
        identifier = secrets.token_urlsafe(32)
        self._kept[identifier] = Kept(answered, collection, self._clock() + self._seconds)
        self.tidy()
        return identifier

    def get(self, identifier: str) -> Kept:
        """Return a kept result.

        Raises
        ------
        Problem
            If there is none, or it is forgotten.
        """
        self.tidy()
        if identifier not in self._kept:
            raise Problem(NOT_FOUND, "this result is not known, or is forgotten; send the record again")
        return self._kept[identifier]

    def collection(self, key: str) -> dict[str, Kept]:
        """Return the results of a collection by their ids, in the order in which they came."""
        self.tidy()
        return {each: kept for each, kept in self._kept.items() if kept.collection == key}

    def forget(self, identifiers: list[str]) -> None:
        """Forget results; unknown ones are forgotten already."""
        for each in identifiers:
            self._kept.pop(each, None)

    def tidy(self) -> None:
        """Forget results that are too old, and the oldest ones while all take too much memory."""
        size = sum(kept.size for kept in self._kept.values())
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if oldest.until > self._clock() and size <= self._most_bytes:
                return
            self._kept.popitem(last=False)
            size -= oldest.size


def require_key(key: str) -> str:
    """Return the key of a collection.

    Raises
    ------
    Problem
        If it is too short to be secret, or has other characters.
    """
    if not _KEY.fullmatch(key):
        detail = "collection must be 22 to 64 random letters, digits, - and _, such as a UUID"
        raise Problem(MALFORMED, f"{detail}; received {len(key)} characters")
    return key
