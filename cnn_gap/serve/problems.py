"""The errors of the service, as problem details for HTTP (RFC 9457)."""

import math
from dataclasses import dataclass

from starlette.responses import JSONResponse

from cnn_gap.system.errors import InputError, printable

#: Content type of a problem.
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem: its status, and the title that all problems of the kind have."""

    status: int
    title: str


MALFORMED = ProblemKind(400, "The request is malformed")
UNAUTHORIZED = ProblemKind(401, "A token is needed")
FORBIDDEN = ProblemKind(403, "The page that sends the request is not allowed to")
NOT_FOUND = ProblemKind(404, "There is nothing here")
METHOD = ProblemKind(405, "This method is not allowed here")
NOT_ACCEPTABLE = ProblemKind(406, "The answer has none of the accepted formats")
TOO_SLOW = ProblemKind(408, "The request was not complete in time")
TOO_LARGE = ProblemKind(413, "The request is too large")
UNREADABLE = ProblemKind(422, "The record cannot be answered")
TOO_MANY = ProblemKind(429, "There are too many requests from one client")
DEFECT = ProblemKind(500, "The service has a defect")
BUSY = ProblemKind(503, "The service is busy")

KINDS = {kind.status: kind for kind in (MALFORMED, FORBIDDEN, NOT_FOUND, METHOD, TOO_LARGE, BUSY)}


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """An error that is answered as a problem.

    Parameters
    ----------
    kind : ProblemKind
    detail : str
        A sentence on this one case.
    retry_s : float, optional
        Seconds after which the client may try again.
    """

    def __init__(self, kind: ProblemKind, detail: str, retry_s: float | None = None):
        super().__init__(printable(detail))
        self.kind = kind
        self.retry_s = retry_s

    def to_dict(self) -> dict[str, object]:
        """Return the members of the problem."""
        return {
            "type": "about:blank",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": str(self),
        }

    def response(self) -> JSONResponse:
        """Return the problem as an answer."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_s is not None:
            headers["Retry-After"] = str(max(math.ceil(self.retry_s), 1))
        if self.kind in (TOO_LARGE, TOO_SLOW):
            headers["Connection"] = "close"  # the rest of the body is not awaited
        if self.kind is UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.to_dict(), self.kind.status, headers, PROBLEM)


def problem_of(error: InputError) -> Problem:
    """Return the problem of a record that cannot be answered, with the sentence that the commands print."""
    return Problem(UNREADABLE, str(error))
