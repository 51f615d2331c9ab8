"""How much the service takes: sizes, times, rates and requests at a time."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cnn_gap.serve.problems import BUSY, TOO_MANY, Problem

MIB = 1 << 20

#: Clients whose rates are remembered; those who have not come for the longest time are forgotten.
CLIENTS = 10_000

#: Seconds after which a client may try again while the service is busy.
RETRY_S = 2.0


@dataclass(frozen=True)
class Limits:
    """The limits of the service.

    Attributes
    ----------
    body_mib, body_s : float
        Largest body of a request, MiB, and the time in which it must have come, s.
    header_s : float
        The time in which the head of a request must have come, s.
    files : int
        Most files of a request.
    waiting : int
        Most requests that are worked on or wait for it.
    rate : float
        Most requests of a client in a minute; 0: any number.
    read_s, draw_s : float
        Longest time in which a worker reads a record, and in which it draws an answer, s.
    worker_mib : int
        Most memory of a worker, MiB.
    longest_s : float
        Longest record that is answered, s.
    kept_s : float
        How long results are kept for the page, s.
    kept_mib : int
        Most memory of kept results, MiB: beyond it the oldest are forgotten.
    """

    body_mib: float = 64
    body_s: float = 60.0
    header_s: float = 10.0
    files: int = 2000
    waiting: int = 512
    rate: float = 6000.0
    read_s: float = 20.0
    draw_s: float = 60.0
    worker_mib: int = 4096
    longest_s: float = 3600.0
    kept_s: float = 3600.0
    kept_mib: int = 512

    @property
    def body_bytes(self) -> int:
        """Largest body, bytes."""
        return int(self.body_mib * MIB)


class Rates:
    """Requests that each client may still send: a bucket that refills evenly, with room for ten seconds."""

    def __init__(self, per_minute: float) -> None:
        self._per_s = per_minute / 60
        self._most = max(per_minute / 6, 1.0)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count a request of a client.

        Raises
        ------
        Problem
            If the client has none left.
        """
        if not self._per_s:
            return
        now = time.monotonic()
        left, since = self._buckets.pop(client, (self._most, now))
        left = min(left + (now - since) * self._per_s, self._most)
        self._buckets[client] = (max(left - 1, 0.0) if left >= 1 else left, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            detail = f"at most {60 * self._per_s:g} requests a minute are answered; send fewer"
            raise Problem(TOO_MANY, detail, (1 - left) / self._per_s)


class Places:
    """The places of requests that are worked on or wait."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place.

        Raises
        ------
        Problem
            If all are taken.
        """
        if self.taken >= self._count:
            raise Problem(BUSY, f"{self.taken} requests are being answered; send it again later", RETRY_S)
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
