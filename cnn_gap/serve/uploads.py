"""Receives the files of a request into a folder of its own, within the limits of size, number and time."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from cnn_gap.io.registry import START_BYTES, recognise
from cnn_gap.serve.limits import Limits
from cnn_gap.serve.problems import MALFORMED, TOO_LARGE, TOO_SLOW, Problem
from cnn_gap.system.errors import printable

#: The name of a record whose request gives no name.
UNNAMED = "ecg"

#: Bytes that are copied at a time, and the longest name of a file, bytes.
_CHUNK = 1 << 20
_LONGEST_NAME = 200

#: Content types of forms with files, and of ZIP archives.
MULTIPART = "multipart/form-data"
ZIP = "application/zip"


@asynccontextmanager
async def received(request: Request, root: Path, limits: Limits) -> AsyncIterator[Path]:
    """Yield a folder with the files of a request, which is removed at the end.

    The body is one file, whose name the parameter `name` tells, or a form with several. The parameters `rate`,
    `unit` and `leads` are written as the sidecar of arrays that come without one.

    Raises
    ------
    Problem
        If the body is too large, too slow, malformed or empty.
    """
    _require_length(request, limits)
    with tempfile.TemporaryDirectory(dir=root) as name:
        folder = Path(name)
        bounded = Request(request.scope, _bounded(request.receive, limits))
        try:
            async with asyncio.timeout(limits.body_s):
                is_form = request.headers.get("content-type", "").lower().startswith(MULTIPART)
                files = await (_form(bounded, folder, limits) if is_form else _body(bounded, folder))
        except TimeoutError:
            detail = f"the body must come within {limits.body_s:g} s; send it again, or less at a time"
            raise Problem(TOO_SLOW, detail) from None
        except ClientDisconnect:
            raise Problem(MALFORMED, "the body has ended before it was whole") from None
        _write_sidecars(request, files)
        yield folder


def _require_length(request: Request, limits: Limits) -> None:
    """Refuse a body that announces itself as too large, before it is read."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:18]) > limits.body_bytes:
        raise _too_large(limits)


def _too_large(limits: Limits) -> Problem:
    return Problem(TOO_LARGE, f"at most {limits.body_mib:g} MiB are taken; send fewer or smaller files")


def _bounded(receive: Receive, limits: Limits) -> Receive:
    """Return a function that receives as another does, up to the largest body."""
    left = limits.body_bytes

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(limits)
        return message

    return receive_some


async def _body(request: Request, folder: Path) -> list[Path]:
    place = folder / UNNAMED
    start = b""
    with place.open("wb") as file:
        async for chunk in request.stream():
            start += chunk[: START_BYTES - len(start)]
            file.write(chunk)
    if not start:
        raise Problem(MALFORMED, "the body is empty; send a file, or a form with several")
    name = request.query_params.get("name")
    if name is None:
        name = _guessed_name(start, is_array="rate" in request.query_params)
    return [place.rename(_place(folder, name))]


def _guessed_name(start: bytes, is_array: bool) -> str:
    """Return a name with the suffix of the content's format; any text may be a table of an array."""
    form = recognise(start)
    is_known = form is not None and (form.needs != "sidecar" or is_array)
    return f"{UNNAMED}{form.suffixes[0]}" if form is not None and is_known else UNNAMED


async def _form(request: Request, folder: Path, limits: Limits) -> list[Path]:
    try:
        form = await request.form(max_files=limits.files, max_fields=8)
    except HTTPException as error:
        raise Problem(MALFORMED, f"the form cannot be read ({error.detail})") from error
    try:
        uploads = [each for _, each in form.multi_items() if isinstance(each, UploadFile)]
        if not uploads:
            raise Problem(MALFORMED, "the form has no files; give at least one, with its name")
        return [await _copied(each, folder) for each in uploads]
    finally:
        await form.close()


async def _copied(upload: UploadFile, folder: Path) -> Path:
    place = _place(folder, upload.filename or "")
    if place.exists():
        raise Problem(
            MALFORMED, f"two files are named {place.name}; rename one, or send a ZIP archive of folders"
        )
    with place.open("wb") as file:
        while chunk := await upload.read(_CHUNK):
            file.write(chunk)
    return place


def _place(folder: Path, name: str) -> Path:
    """Return where a file of a name goes: names have no folders, and are shown to people."""
    last = name.replace("\\", "/").rpartition("/")[2]
    is_plain = last == printable(last) and last.isprintable() and not last.startswith(".")
    if not last or not is_plain or len(last.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise Problem(MALFORMED, f"the name of a file must be plain and short; received {last[:80]!r}")
    return folder / last


def _write_sidecars(request: Request, files: list[Path]) -> None:
    """Write the sidecar of each array that comes without one, where the request tells its rate."""
    given = request.query_params
    if "rate" not in given:
        return
    try:
        content: dict[str, object] = {"sampling_rate": float(given["rate"])}
    except ValueError:
        raise Problem(MALFORMED, f"rate must be a number of Hz; received {given['rate'][:40]!r}") from None
    if "unit" in given:
        content["unit"] = given["unit"]
    if "leads" in given:
        content["leads"] = [each.strip() for each in given["leads"].split(",")]
    for path in files:
        sidecar = path.with_suffix(".json")
        if not sidecar.exists():
            sidecar.write_text(json.dumps(content), encoding="utf-8")
