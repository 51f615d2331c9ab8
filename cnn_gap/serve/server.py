"""Runs the application on uvicorn."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from cnn_gap.serve.limits import Limits

#: Connections at a time for each place of a request: more are refused with 503.
CONNECTIONS = 4

#: Seconds that a connection without a request is kept open: longer than clients keep theirs. Otherwise a client
#: might send a request while the connection is being closed.
KEEP_ALIVE_S = 60


def make_server(
    app: Starlette, host: str, port: int, limits: Limits, say: Callable[[str], None]
) -> uvicorn.Server:
    """Return a server, whose `run` answers requests until the process is told to end.

    Requests that are being answered then are finished.

    Parameters
    ----------
    app : Starlette
    host, port
        Where to listen; port 0 is a free one.
    limits : Limits
    say : callable
        Receives the address when the service answers there.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_protocol(limits.header_s),
        ws="none",
        access_log=False,  # it has the paths, which are secret
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # anybody can write them
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=CONNECTIONS * limits.waiting,
        timeout_graceful_shutdown=round(limits.read_s + limits.draw_s),
    )
    return _Server(config, say)


def log_requests() -> None:
    """Write a line for each request on standard error: its operation, status and time, nothing of a record."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("cnn_gap.serve").setLevel(logging.INFO)


class _Server(uvicorn.Server):
    """Says its address when it has started."""

    def __init__(self, config: uvicorn.Config, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self._say = say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say where."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            self._say(f"http://{shown}:{port}/")


def _protocol(header_s: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with a limit on the time in which the head of a request must come, s."""

    class TimedProtocol(H11Protocol):
        """Closes connections whose request does not begin in time; uvicorn closes only those that had one."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._late = self.loop.call_later(header_s, self._close_late)

        def connection_lost(self, exc: Exception | None) -> None:
            self._late.cancel()
            super().connection_lost(exc)

        def _close_late(self) -> None:
            if self.cycle is None:
                self.transport.close()

    return TimedProtocol
