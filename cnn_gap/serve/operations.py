"""The table of all operations: routes and the OpenAPI document are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnn_gap.serve.answers import BATCH_FORMATS, COLLECTION_FORMATS, RECORD_FORMATS, AnswerFormat
from cnn_gap.serve.problems import (
    BUSY,
    FORBIDDEN,
    MALFORMED,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    TOO_LARGE,
    TOO_MANY,
    TOO_SLOW,
    UNAUTHORIZED,
    UNREADABLE,
    ProblemKind,
)
from cnn_gap.serve.uploads import MULTIPART, ZIP


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation: in its path, or in the query."""

    name: str
    about: str
    example: str | float
    kind: str = "string"
    place: str = "query"
    pattern: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """An operation.

    Attributes
    ----------
    name : str
        Of the method of `Handlers` that answers it, and in metrics and logs.
    method, path : str
    summary, about : str
    answers : dict of int to sequence of str
        The content types of each successful status; an empty one has no content.
    schema : str
        Of the JSON answer, in `openapi.SCHEMAS`.
    parameters : sequence of Parameter
    bodies : sequence of str
        Content types of the request's body; empty: it has none.
    problems : sequence of ProblemKind
        The problems that it can have besides those of `COMMON`.
    needs_token : bool
        Whether a request needs a token where there are any, and is counted in its client's rate.
    holds_place : bool
        Whether a request takes one of the places of those that are worked on.
    """

    name: str
    method: str
    path: str
    summary: str
    about: str
    answers: dict[int, Sequence[str]]
    schema: str = ""
    parameters: Sequence[Parameter] = ()
    bodies: Sequence[str] = ()
    problems: Sequence[ProblemKind] = ()
    needs_token: bool = True
    holds_place: bool = False


#: Problems of every operation, and further problems of every operation that needs a token.
COMMON = (FORBIDDEN,)
WITH_TOKEN = (UNAUTHORIZED, TOO_MANY)

_WORK = (MALFORMED, NOT_ACCEPTABLE, TOO_SLOW, TOO_LARGE, UNREADABLE, BUSY)
_ANY = "application/octet-stream"
_KEY = "[A-Za-z0-9_-]{22,64}"


def _types(formats: Sequence[AnswerFormat]) -> tuple[str, ...]:
    return tuple(each.content_type for each in formats)


def _format(formats: Sequence[AnswerFormat]) -> Parameter:
    names = tuple(each.name for each in formats)
    return Parameter("format", "the answer's format, instead of the header Accept", names[0], choices=names)


_ARRAYS = (
    Parameter("rate", "sampling rate of an array without a sidecar, Hz", 500, "number"),
    Parameter("unit", "its unit", "uV", choices=("nV", "uV", "mV", "V")),
    Parameter("leads", "leads of the array, in the order of its columns", "I,II,V1,V2,V3,V4,V5,V6"),
)
_NAME = Parameter("name", "name of the body's file, from which the record's name is made", "A0001.dcm")
_COLLECTION = Parameter(
    "collection",
    "keep the result in memory, in the collection with this key, which the client draws at random",
    "4f8a3c52-9d0e-4b7a-8a51-6d2f0c9e7b13",
    pattern=_KEY,
)
_IDENTIFIER = Parameter("identifier", "the id that the result was kept under", "x" * 43, place="path")
_KEY_IN_PATH = Parameter("key", _COLLECTION.about, _COLLECTION.example, place="path", pattern=_KEY)

OPERATIONS = (
    Operation(
        "read_ecg",
        "POST",
        "/v1/ecgs",
        "Read one ECG",
        "The body is the record's file, of any format that is read, or a form with its files, such as header"
        " and signals of WFDB. The format is recognised by the content. Nothing is kept unless a collection is"
        " named.",
        {200: _types(RECORD_FORMATS), 201: _types(RECORD_FORMATS[:1])},
        "Ecg",
        (_NAME, *_ARRAYS, _format(RECORD_FORMATS), _COLLECTION),
        (_ANY, MULTIPART),
        _WORK,
        holds_place=True,
    ),
    Operation(
        "read_ecgs",
        "POST",
        "/v1/ecgs/batch",
        "Read many ECGs",
        "The body is a form with the files of any number of records, or a ZIP archive of them. The answer has"
        " a line of JSON for each record, in the order of their paths; one that cannot be read has a problem.",
        {200: _types(BATCH_FORMATS)},
        "",
        (*_ARRAYS, _format(BATCH_FORMATS), _COLLECTION),
        (ZIP, MULTIPART),
        _WORK,
        holds_place=True,
    ),
    Operation(
        "get_ecg",
        "GET",
        "/v1/ecgs/{identifier}",
        "Return a kept result",
        "Whoever knows the secret id can read the result without a token.",
        {200: _types(RECORD_FORMATS)},
        "Ecg",
        (_IDENTIFIER, _format(RECORD_FORMATS)),
        problems=(NOT_FOUND, NOT_ACCEPTABLE, BUSY),
        needs_token=False,
        holds_place=True,
    ),
    Operation(
        "forget_ecg",
        "DELETE",
        "/v1/ecgs/{identifier}",
        "Forget a kept result",
        "It is removed from memory.",
        {204: ()},
        "",
        (_IDENTIFIER,),
        needs_token=False,
    ),
    Operation(
        "get_collection",
        "GET",
        "/v1/collections/{key}",
        "Return the kept results of a collection",
        "JSON has their ids and readings; CSV is the table that `cnn-gap predict --csv` prints.",
        {200: _types(COLLECTION_FORMATS)},
        "Collection",
        (_KEY_IN_PATH, _format(COLLECTION_FORMATS)),
        problems=(MALFORMED, NOT_ACCEPTABLE),
        needs_token=False,
    ),
    Operation(
        "forget_collection",
        "DELETE",
        "/v1/collections/{key}",
        "Forget all results of a collection",
        "They are removed from memory.",
        {204: ()},
        "",
        (_KEY_IN_PATH,),
        problems=(MALFORMED,),
        needs_token=False,
    ),
    Operation(
        "list_models",
        "GET",
        "/v1/models",
        "Describe the model that answers",
        "The answer has its name, its fingerprint and the diagnoses that it knows.",
        {200: ("application/json",)},
        "Models",
    ),
    Operation(
        "list_formats",
        "GET",
        "/v1/formats",
        "List the formats of ECG files that are read",
        "The answer has the suffixes of each format and the size of its largest file.",
        {200: ("application/json",)},
        "Formats",
    ),
    Operation(
        "list_samples",
        "GET",
        "/v1/samples",
        "List the sample records",
        "They are simulated.",
        {200: ("application/json",)},
        "Samples",
        needs_token=False,
    ),
    Operation(
        "get_sample",
        "GET",
        "/v1/samples/{name}",
        "Return the file of a sample record",
        "A DICOM file.",
        {200: ("application/dicom",)},
        "",
        (Parameter("name", "of the file", "sample-atrial-fibrillation.dcm", place="path"),),
        problems=(NOT_FOUND, BUSY),
        needs_token=False,
        holds_place=True,
    ),
    Operation(
        "get_metrics",
        "GET",
        "/metrics",
        "Return figures for Prometheus",
        "They are counts and times, and tell nothing of a record.",
        {200: ("text/plain",)},
    ),
    Operation(
        "get_health",
        "GET",
        "/healthz",
        "Tell that the service runs",
        "It answers as long as the process does.",
        {200: ("application/json",)},
        "Status",
        needs_token=False,
    ),
    Operation(
        "get_readiness",
        "GET",
        "/readyz",
        "Tell whether the service takes records",
        "It takes none while it starts or ends, or while all places are taken.",
        {200: ("application/json",)},
        "Status",
        problems=(BUSY,),
        needs_token=False,
    ),
)
