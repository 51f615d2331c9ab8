"""The application: routes of the table of operations, the page, and the checks of every request."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cnn_gap.report.page_frame import PAGE_ASSETS
from cnn_gap.serve.handlers import Handlers
from cnn_gap.serve.openapi import openapi_document
from cnn_gap.serve.operations import OPERATIONS, Operation
from cnn_gap.serve.problems import DEFECT, KINDS, MALFORMED, Problem, problem_of
from cnn_gap.serve.security import PAGE_POLICY, Access, add_headers
from cnn_gap.serve.service import Service
from cnn_gap.system.errors import InputError

ASSETS = Path(__file__).parent / "assets"

#: The files of the page by their paths; the page has the same colours as reports.
PAGE_FILES = {
    "/": ASSETS / "index.html",
    "/app.js": ASSETS / "app.js",
    "/app.css": ASSETS / "app.css",
    "/colours.css": PAGE_ASSETS / "colours.css",
}

Answer = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Request, AsyncExitStack], Awaitable[Response]]

_log = logging.getLogger("cnn_gap.serve")


def make_app(service: Service, fingerprint: str, access: Access) -> Starlette:
    """Return the application.

    Parameters
    ----------
    service : Service
        Runs as long as the application does.
    fingerprint : str
        Of the model.
    access : Access
        Who may send requests.
    """
    handlers = Handlers(service, fingerprint)
    document = openapi_document(bool(access.tokens))

    async def openapi(request: Request) -> Response:
        return JSONResponse(document)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with service.running() as uploads:
            yield {"uploads": uploads}

    answers: dict[str, dict[str, Answer]] = {}
    for each in OPERATIONS:
        guarded = _Guarded(each, getattr(handlers, each.name), service, access)
        answers.setdefault(each.path, {})[each.method] = guarded.answer
    routes = [Route(path, _by_method(methods), methods=list(methods)) for path, methods in answers.items()]
    routes += [Route(path, _page(file, access)) for path, file in PAGE_FILES.items()]
    routes.append(Route("/openapi.json", _open(openapi, access)))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=sorted(access.origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization"],
    )
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[cors] if access.origins else [],
        exception_handlers={HTTPException: _unrouted},
    )


class _Guarded:
    """Answers an operation: checks the request, counts it, and turns errors into problems."""

    def __init__(self, operation: Operation, handler: Handler, service: Service, access: Access) -> None:
        self._operation = operation
        self._handler = handler
        self._service = service
        self._access = access

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        started = time.perf_counter()
        try:
            response = await self._answer(request)
        except Problem as problem:
            response = problem.response()
        except InputError as error:
            response = problem_of(error).response()
        except ClientDisconnect:
            response = Problem(MALFORMED, "the client has gone").response()
        except Exception as error:  # its text may be a patient's: only its kind is logged
            _log.error("%s has a defect: %s", self._operation.name, type(error).__name__)
            response = Problem(DEFECT, "an error that is no fault of the request; please report it").response()
        seconds = time.perf_counter() - started
        metrics, name = self._service.metrics, self._operation.name
        metrics.requests.labels(name, response.status_code).inc()
        metrics.seconds.labels(name).observe(seconds)
        _log.info("%s %d %.0f ms", name, response.status_code, 1000 * seconds)
        return add_headers(response)

    async def _answer(self, request: Request) -> Response:
        service = self._service
        self._access.require_host(request)
        if self._operation.needs_token:
            service.rates.take(self._access.require_token(request))
        stack = AsyncExitStack()
        try:
            if self._operation.holds_place:
                stack.enter_context(service.places.place())
            response = await self._handler(request, stack)
        except BaseException:
            await stack.aclose()
            raise
        if not isinstance(response, StreamingResponse):  # a stream closes it at its end
            await stack.aclose()
        return response


def _by_method(answers: dict[str, Answer]) -> Answer:
    """Return a function that answers the methods of one path, HEAD as GET."""

    async def answer(request: Request) -> Response:
        return await answers["GET" if request.method == "HEAD" else request.method](request)

    return answer


def _page(file: Path, access: Access) -> Answer:
    async def page(request: Request) -> Response:
        return FileResponse(file, headers={"Content-Security-Policy": PAGE_POLICY})

    return _open(page, access)


def _open(answer: Answer, access: Access) -> Answer:
    """Return a function that answers without a token, and checks the host alone."""

    async def checked(request: Request) -> Response:
        try:
            access.require_host(request)
            return add_headers(await answer(request))
        except Problem as problem:
            return add_headers(problem.response())

    return checked


async def _unrouted(request: Request, error: Exception) -> Response:
    """Answer a request that no operation takes."""
    assert isinstance(error, HTTPException)
    kind = KINDS.get(error.status_code, MALFORMED)
    response = Problem(kind, f"{error.detail}; /openapi.json lists what there is").response()
    response.headers.update(error.headers or {})
    return add_headers(response)
