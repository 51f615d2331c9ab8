"""Who may send requests: tokens, names of the host, other sites; and the headers of every answer."""

import hmac
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cnn_gap.serve.problems import FORBIDDEN, UNAUTHORIZED, Problem
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, read_text

#: Addresses of this machine alone.
LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))

#: Characters of the shortest token.
SHORTEST_TOKEN = 16

#: The policy of the page: files of this service alone.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: The policy of all other answers, which load nothing. A record's page has a stricter one inside.
ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Access:
    """Who may send requests.

    Attributes
    ----------
    tokens : tuple of str
        Bearer tokens, one of which a request needs; none: no request needs one.
    hosts : frozenset of str
        The names by which this machine may be called where there are no tokens: a page of another site that
        gives its name this machine's address is refused.
    origins : frozenset of str
        Other sites whose pages may send requests.
    """

    tokens: tuple[str, ...] = ()
    hosts: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()

    def require_host(self, request: Request) -> None:
        """Require that a request is for this machine's name and comes from its own page, or from none.

        Raises
        ------
        Problem
            If not.
        """
        host = request.headers.get("host", "")
        if not self.tokens and urlsplit(f"//{host}").hostname not in self.hosts:
            raise Problem(
                FORBIDDEN, f"this service is not called {host[:80]}; use the address that it was started with"
            )
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host and origin not in self.origins:
            raise Problem(FORBIDDEN, f"pages of {origin[:80]} may not use this service (--allow-origin)")

    def require_token(self, request: Request) -> str:
        """Require one of the tokens, if there are any, and return the key that counts the client's rate.

        Raises
        ------
        Problem
            If there is none in the request, or a wrong one.
        """
        client = request.client.host if request.client else ""
        if not self.tokens:
            return client
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip().encode()
        known = [each for each in self.tokens if hmac.compare_digest(each.encode(), given)]
        if scheme.lower() != "bearer" or not known:
            raise Problem(UNAUTHORIZED, "send the header Authorization: Bearer TOKEN")
        return known[0]


def read_tokens(path: Path) -> tuple[str, ...]:
    """Read tokens, one a line; empty lines and lines that begin with # are left out.

    Raises
    ------
    InputError
        If there are none, or one is too short.
    """
    lines = [line.strip() for line in read_text(path, LARGEST_SETTINGS).splitlines()]
    tokens = tuple(line for line in lines if line and not line.startswith("#"))
    if not tokens:
        raise InputError(f"{path}: has no tokens; write one a line, such as of `openssl rand -hex 32`")
    if short := next((each for each in tokens if len(each) < SHORTEST_TOKEN), None):
        raise InputError(f"{path}: a token has at least {SHORTEST_TOKEN} characters; received {len(short)}")
    return tokens


def add_headers(response: Response) -> Response:
    """Add the headers that every answer has, and return it."""
    response.headers.setdefault("Content-Security-Policy", ANSWER_POLICY)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
