"""The functions that answer the operations of the table."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from cnn_gap.io.registry import FORMATS
from cnn_gap.serve.answered import Answered
from cnn_gap.serve.answers import (
    BATCH_FORMATS,
    COLLECTION_FORMATS,
    CSV,
    HTML,
    JSON,
    RECORD_FORMATS,
    AnswerFormat,
    choose_format,
    record_content,
    record_csv,
    several_csv,
)
from cnn_gap.serve.limits import RETRY_S
from cnn_gap.serve.parsing import UploadedRecord
from cnn_gap.serve.problems import BUSY, TOO_LARGE, Problem, problem_of
from cnn_gap.serve.samples import SAMPLES, sample_file
from cnn_gap.serve.service import Service
from cnn_gap.serve.store import Kept, require_key
from cnn_gap.serve.uploads import MULTIPART, received
from cnn_gap.system.errors import InputError

#: Records of a batch that are worked on at a time.
AHEAD = 32

#: The policy of a record's page, beside the one inside it: it has no access to the rest of the service.
_RECORD_POLICY = "sandbox allow-scripts allow-modals allow-downloads; frame-ancestors 'none'"


class Handlers:
    """Answers requests; each method is named by its operation.

    A handler receives the request and a stack of resources that are closed after the answer. A handler that
    answers with a stream closes the stack itself.
    """

    def __init__(self, service: Service, fingerprint: str) -> None:
        self._service = service
        self._fingerprint = fingerprint

    async def read_ecg(self, request: Request, stack: AsyncExitStack) -> Response:
        """Answer the one record of a request."""
        service, key = self._service, _collection(request)
        form = _wanted(request, RECORD_FORMATS[:1] if key else RECORD_FORMATS)
        folder = await stack.enter_async_context(received(request, _root(request), service.limits))
        answered = await service.answer_single(folder, form.measured)
        if not key:
            return await self._response(form, answered)
        identifier = service.store.add(answered, key)
        content = {"id": identifier, **record_content(answered, service.classifier.description)}
        return JSONResponse(content, 201, {"Location": f"/v1/ecgs/{identifier}"})

    async def read_ecgs(self, request: Request, stack: AsyncExitStack) -> Response:
        """Answer any number of records, a line each."""
        service, key = self._service, _collection(request)
        form = _wanted(request, BATCH_FORMATS)
        folder = await stack.enter_async_context(received(request, _root(request), service.limits))
        if not request.headers.get("content-type", "").lower().startswith(MULTIPART):
            folder = await self._unpacked(folder)
        uploads = await service.list(folder)
        if len(uploads) > service.limits.files:
            raise Problem(
                TOO_LARGE, f"at most {service.limits.files} records are answered; received {len(uploads)}"
            )
        return StreamingResponse(self._lines(uploads, folder, key, stack), media_type=form.content_type)

    async def get_ecg(self, request: Request, stack: AsyncExitStack) -> Response:
        """Answer with a kept result."""
        form = _wanted(request, RECORD_FORMATS)
        kept = self._service.store.get(request.path_params["identifier"])
        return await self._response(form, kept.answered, kept)

    async def forget_ecg(self, request: Request, stack: AsyncExitStack) -> Response:
        """Forget a kept result."""
        self._service.store.forget([request.path_params["identifier"]])
        return Response(status_code=204)

    async def get_collection(self, request: Request, stack: AsyncExitStack) -> Response:
        """Answer with the kept results of a collection."""
        form = _wanted(request, COLLECTION_FORMATS)
        results = self._service.store.collection(require_key(request.path_params["key"]))
        if form is CSV:
            table = several_csv([kept.answered for kept in results.values()])
            return Response(table, media_type=CSV.content_type, headers=_attachment("ecgs.csv"))
        records = [
            {
                "id": identifier,
                "record": kept.answered.record.name,
                "reading": _reading(kept.answered),
            }
            for identifier, kept in results.items()
        ]
        return JSONResponse({"records": records})

    async def forget_collection(self, request: Request, stack: AsyncExitStack) -> Response:
        """Forget all results of a collection."""
        store = self._service.store
        store.forget(list(store.collection(require_key(request.path_params["key"]))))
        return Response(status_code=204)

    async def list_models(self, request: Request, stack: AsyncExitStack) -> Response:
        """Describe the model."""
        classifier = self._service.classifier
        outputs = zip(classifier.classes.diagnoses, classifier.classes.outputs, strict=True)
        model = {
            "name": self._service.model,
            "fingerprint": self._fingerprint,
            "runtime": classifier.runtime.resolved,
            "precision": classifier.runtime.precision,
            "classes": [
                {"name": about.name, "abbreviation": about.abbreviation, "codes": list(codes)}
                for about, codes in outputs
            ],
        }
        return JSONResponse({"models": [model]})

    async def list_formats(self, request: Request, stack: AsyncExitStack) -> Response:
        """List the formats of files that are read."""
        formats = [
            {
                "name": form.name,
                "suffixes": list(form.suffixes),
                "largest_mib": form.largest,
                "needs_sidecar": form.needs == "sidecar",
            }
            for form in FORMATS
        ]
        return JSONResponse({"formats": formats})

    async def list_samples(self, request: Request, stack: AsyncExitStack) -> Response:
        """List the sample records."""
        return JSONResponse({"samples": [each.name for each in SAMPLES]})

    async def get_sample(self, request: Request, stack: AsyncExitStack) -> Response:
        """Answer with the file of a sample record."""
        name = request.path_params["name"]
        content = await asyncio.to_thread(sample_file, name)
        return Response(content, media_type="application/dicom", headers=_attachment(name))

    async def get_metrics(self, request: Request, stack: AsyncExitStack) -> Response:
        """Answer with figures for Prometheus."""
        return Response(self._service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def get_health(self, request: Request, stack: AsyncExitStack) -> Response:
        """Tell that the service runs."""
        return JSONResponse({"status": "ok"})

    async def get_readiness(self, request: Request, stack: AsyncExitStack) -> Response:
        """Tell whether the service takes records."""
        service = self._service
        if not service.is_ready or service.places.taken >= service.limits.waiting:
            raise Problem(BUSY, "the service does not take records now", RETRY_S)
        return JSONResponse({"status": "ready"})

    async def _response(self, form: AnswerFormat, answered: Answered, kept: Kept | None = None) -> Response:
        """Return a record's answer; if the result is kept, its drawn answers are kept, too."""
        if form is JSON:
            return JSONResponse(record_content(answered, self._service.classifier.description))
        headers = {"Content-Security-Policy": _RECORD_POLICY} if form is HTML else {}
        headers |= _attachment(f"{answered.record.name}.{form.name}", "inline")
        if form is CSV:
            return Response(record_csv(answered), media_type=form.content_type, headers=headers)
        drawn = kept.drawn.get(form.name) if kept else None
        if drawn is None:
            drawn = await self._service.draw(answered, form)
            if kept:
                kept.drawn[form.name] = drawn
        return Response(drawn, media_type=form.content_type, headers=headers)

    async def _unpacked(self, folder: Path) -> Path:
        (archive,) = folder.iterdir()
        target = folder / "unpacked"
        target.mkdir()
        await self._service.unpack(archive, target)
        return target

    async def _lines(
        self, uploads: list[UploadedRecord], folder: Path, key: str | None, stack: AsyncExitStack
    ) -> AsyncIterator[bytes]:
        """Yield a line of JSON a record, in their order; several are worked on at a time."""
        async with stack:
            waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
            try:
                for each in uploads:
                    waiting.append(asyncio.create_task(self._line(each, folder, key)))
                    if len(waiting) >= AHEAD:
                        yield _encoded(await waiting.popleft())
                while waiting:
                    yield _encoded(await waiting.popleft())
            finally:
                for task in waiting:
                    task.cancel()

    async def _line(self, upload: UploadedRecord, folder: Path, key: str | None) -> dict[str, Any]:
        service = self._service
        try:
            answered = await service.answer(upload, folder)
        except (InputError, Problem) as error:
            problem = problem_of(error) if isinstance(error, InputError) else error
            return {"record": upload.name, "problem": problem.to_dict()}
        content = record_content(answered, service.classifier.description)
        return content if key is None else {"id": service.store.add(answered, key), **content}


def _reading(answered: Answered) -> dict[str, Any]:
    reading = answered.prediction.reading
    assert reading is not None  # kept results are measured
    return reading.to_dict()


def _root(request: Request) -> Path:
    root: Path = request.state.uploads
    return root


def _wanted(request: Request, formats: tuple[AnswerFormat, ...]) -> AnswerFormat:
    return choose_format(request.headers.get("accept", ""), request.query_params.get("format"), formats)


def _collection(request: Request) -> str | None:
    key = request.query_params.get("collection")
    return None if key is None else require_key(key)


def _attachment(name: str, how: str = "attachment") -> dict[str, str]:
    """Return the header that names a file; all but ASCII letters, digits, dots and hyphens become `_`."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in name)
    return {"Content-Disposition": f'{how}; filename="{plain}"'}


def _encoded(content: dict[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode() + b"\n"
