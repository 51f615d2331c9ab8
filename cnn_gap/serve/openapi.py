"""The OpenAPI document (https://spec.openapis.org/oas/v3.1.1), made of the table of operations."""

from typing import Any

from cnn_gap.io.registry import FORMATS
from cnn_gap.serve.answers import CSV, NDJSON
from cnn_gap.serve.operations import COMMON, OPERATIONS, WITH_TOKEN, Operation, Parameter
from cnn_gap.serve.problems import PROBLEM, ProblemKind
from cnn_gap.serve.uploads import MULTIPART
from cnn_gap.system.version import __version__

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_NUMBER_OR_NULL = {"type": ["number", "null"]}
_BINARY: dict[str, Any] = {}


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    """Return the schema of an object; `required` names some of its properties."""
    return {"type": "object", "properties": properties, "required": required.split() or list(properties)}


SCHEMAS: dict[str, Any] = {
    "Problem": _object(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT),
    "Statement": _object(
        key=_TEXT,
        name=_TEXT,
        category=_TEXT,
        codes=_TEXTS,
        aha=_TEXT,
        degree={"enum": ["present", "probable", "possible"]},
        probability=_NUMBER_OR_NULL,
        evidence=_TEXTS,
        origin=_TEXT,
        severity={"type": "integer", "minimum": 0, "maximum": 9},
    ),
    "Reading": _object(
        conclusion={"enum": ["normal", "borderline", "abnormal", "not interpretable"]},
        reason=_TEXT,
        statements={"type": "array", "items": {"$ref": "#/components/schemas/Statement"}},
        alerts=_TEXTS,
        alert_times_s={"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        not_assessed=_TEXTS,
        notes=_TEXTS,
        interpretation=_TEXT,
    ),
    "Class": _object(
        probability=_NUMBER_OR_NULL,
        label={"type": "boolean"},
        name=_TEXT,
        abbreviation=_TEXT,
        codes=_TEXTS,
        system=_TEXT,
        threshold=_NUMBER_OR_NULL,
        seen={"type": "boolean"},
    ),
    "Ecg": _object(
        "record age sex recorded notes failure answerable reading measurements classes",
        id=_TEXT,
        record=_TEXT,
        age=_NUMBER_OR_NULL,
        sex=_TEXT_OR_NULL,
        recorded=_TEXT_OR_NULL,
        notes=_TEXTS,
        failure=_TEXT_OR_NULL,
        answerable={"type": "boolean"},
        reading={"$ref": "#/components/schemas/Reading"},
        measurements={"type": "object", "additionalProperties": {"type": "number"}},
        classes={"type": "array", "items": {"$ref": "#/components/schemas/Class"}},
    ),
    "Collection": _object(
        records={
            "type": "array",
            "items": _object(id=_TEXT, record=_TEXT, reading={"$ref": "#/components/schemas/Reading"}),
        }
    ),
    "Models": _object(
        models={
            "type": "array",
            "items": _object(
                name=_TEXT,
                fingerprint=_TEXT,
                runtime=_TEXT,
                precision=_TEXT,
                classes={"type": "array", "items": _object(name=_TEXT, abbreviation=_TEXT, codes=_TEXTS)},
            ),
        }
    ),
    "Formats": _object(
        formats={
            "type": "array",
            "items": _object(
                name=_TEXT, suffixes=_TEXTS, largest_mib={"type": "integer"}, needs_sidecar={"type": "boolean"}
            ),
        }
    ),
    "Samples": _object(samples=_TEXTS),
    "Status": _object(status=_TEXT),
}

_READING = {
    "conclusion": "abnormal",
    "reason": "atrial fibrillation",
    "statements": [
        {
            "key": "atrial_fibrillation",
            "name": "Atrial fibrillation",
            "category": "rhythm",
            "codes": ["164889003", "AFIB"],
            "aha": "50",
            "degree": "present",
            "probability": 0.98,
            "evidence": ["rate 84/min"],
            "origin": "network",
            "severity": 6,
        }
    ],
    "alerts": [],
    "alert_times_s": [],
    "not_assessed": ["Ventricular tachycardia"],
    "notes": [],
    "interpretation": "Atrial fibrillation.",
}
_ECG = {
    "record": "A0001",
    "age": 63.0,
    "sex": "Female",
    "recorded": "2026-11-29T10:15:00",
    "notes": [],
    "failure": None,
    "answerable": True,
    "reading": _READING,
    "measurements": {"rate": 84.2, "qrs_ms": 92.0},
    "classes": [
        {
            "probability": 0.98,
            "label": True,
            "name": "Atrial fibrillation",
            "abbreviation": "AF",
            "codes": ["164889003"],
            "system": "SNOMED CT",
            "threshold": 0.31,
            "seen": True,
        }
    ],
}

#: Examples of JSON answers by their schema, each cut to one class or statement; the numbers are made up.
EXAMPLES: dict[str, Any] = {
    "Ecg": _ECG,
    "Collection": {"records": [{"id": "x" * 43, "record": "A0001", "reading": _READING}]},
    "Models": {
        "models": [
            {
                "name": "ptbxl-100hz",
                "fingerprint": "6f1c0d",
                "runtime": "onnx",
                "precision": "float32",
                "classes": [{"name": "Atrial fibrillation", "abbreviation": "AF", "codes": ["164889003"]}],
            }
        ]
    },
    "Formats": {
        "formats": [
            {"name": "DICOM", "suffixes": [".dcm", ".dicom"], "largest_mib": 32, "needs_sidecar": False}
        ]
    },
    "Samples": {"samples": ["sample-atrial-fibrillation.dcm"]},
    "Status": {"status": "ok"},
}


def openapi_document(has_tokens: bool) -> dict[str, Any]:
    """Return the document; operations that need a token say so if there are tokens."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        described = _described(operation, has_tokens)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    components: dict[str, Any] = {"schemas": SCHEMAS}
    if has_tokens:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    formats = ", ".join(each.name for each in FORMATS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CNN-GAP",
            "version": __version__,
            "description": f"Reads 12-lead ECGs. For research only, not for diagnosis. Formats: {formats}.",
            "license": {"name": "BSD-2-Clause", "identifier": "BSD-2-Clause"},
        },
        "paths": paths,
        "components": components,
    }


def _described(operation: Operation, has_tokens: bool) -> dict[str, Any]:
    protected = operation.needs_token and has_tokens
    limited = WITH_TOKEN if protected else WITH_TOKEN[1:] if operation.needs_token else ()
    problems = sorted({*COMMON, *limited, *operation.problems}, key=lambda kind: kind.status)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.about,
        "parameters": [_parameter(each) for each in operation.parameters],
        "responses": {
            **{str(status): _answer(operation, status) for status in operation.answers},
            **{str(kind.status): _problem(kind) for kind in problems},
        },
    }
    if operation.bodies:
        described["requestBody"] = {
            "required": True,
            "content": {kind: _body(kind) for kind in operation.bodies},
        }
    if protected:
        described["security"] = [{"token": []}]
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.kind}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.pattern:
        schema["pattern"] = f"^{parameter.pattern}$"
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.about,
        "schema": schema,
        "example": parameter.example,
    }


def _answer(operation: Operation, status: int) -> dict[str, Any]:
    kinds = operation.answers[status]
    answer: dict[str, Any] = {"description": operation.summary if kinds else "Done"}
    if kinds:
        answer["content"] = {kind: _content(kind, operation.schema) for kind in kinds}
    if status == 201:
        answer["headers"] = {"Location": {"description": "of the kept result", "schema": _TEXT}}
    return answer


def _content(kind: str, schema: str) -> dict[str, Any]:
    if kind == "application/json":
        return {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": EXAMPLES[schema]}
    if kind in (CSV.content_type, NDJSON.content_type) or kind.startswith("text/"):
        return {"schema": _TEXT}
    return {"schema": _BINARY}


def _body(kind: str) -> dict[str, Any]:
    if kind != MULTIPART:
        return {"schema": _BINARY}
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"schema": _object(file={"type": "array", "items": file, "minItems": 1})}


def _problem(kind: ProblemKind) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": kind.title,
        "status": kind.status,
        "detail": "A sentence on this case",
    }
    return {
        "description": kind.title,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
