"""The OpenAPI 3.1 document, made from the operations and their models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from audience_nb import __version__
from audience_nb.server.messages import Failure
from audience_nb.server.operations import Operation

__all__ = ["openapi"]

# Any request may meet these.
_REFUSALS = {
    400: "What was given cannot be used.",
    401: "The bearer token is not accepted.",
    403: "No credentials, or the role or the data type does not allow it.",
    404: "There is no such thing, or it is somebody else's.",
    405: "The place knows other methods.",
    409: "A step is missing, or somebody else changed the session.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "No assignment meets the limits, or what was saved is damaged.",
    429: "Too many requests; Retry-After says how long to wait.",
    500: "The server failed; the log id says where to look.",
    501: "An optional part is not installed.",
    502: "A source of records, an encoder or the history gives no answer.",
    503: "Too much work is waiting; Retry-After says how long to wait.",
}
_BRACES = re.compile(r"\{(\w+)\}")


def openapi(operations: Sequence[Operation], base_url: str = "/") -> dict[str, Any]:
    """Give the document.

    Parameters
    ----------
    operations : sequence of Operation
        Those that are served.
    base_url : str, optional
        Where the server stands.

    Returns
    -------
    dict
        As OpenAPI 3.1.0 says.

    Examples
    --------
    >>> openapi([])["openapi"]
    '3.1.0'
    """
    models: dict[tuple[type[BaseModel], Any], None] = {(Failure, "serialization"): None}
    for operation in operations:
        if operation.takes is not None and operation.method != "GET":
            models[(operation.takes, "validation")] = None
        if isinstance(operation.answers, type):
            models[(operation.answers, "serialization")] = None
    references, schemas = models_json_schema(
        list(models), ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        place = paths.setdefault(operation.path, {})
        place[operation.method.lower()] = _described(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "audience_nb",
            "version": __version__,
            "description": "From a sentence to an audience: search, pick, segment, export.",
        },
        "servers": [{"url": base_url.rstrip("/") or "/"}],
        "security": [{"token": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Jupyter's own: `token <token>`.",
                },
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _described(operation: Operation, references: dict[Any, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _BRACES.findall(operation.path)
        ],
        "responses": _responses(operation, references),
    }
    if operation.takes is not None and operation.method == "GET":
        schema = operation.takes.model_json_schema()
        said["parameters"] += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": _without_null(value),
            }
            for name, value in schema["properties"].items()
        ]
    elif operation.takes is not None:
        body = references[(operation.takes, "validation")]
        said["requestBody"] = {
            "required": bool(operation.takes.model_json_schema().get("required")),
            "content": {"application/json": {"schema": body}},
        }
    if operation.probe:
        said["security"] = [{"token": []}, {"bearer": []}, {}]
    return said


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of a query's value: it is left out, never null."""
    kept = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return kept[0] if len(kept) == 1 else {k: v for k, v in schema.items() if k != "title"}


def _file(kind: str) -> dict[str, Any]:
    # Binary content has no type (OpenAPI 3.1.0, section 4.8.14.1).
    return {"text/csv": {"type": "string"}, "application/json": {"type": "object"}}.get(kind, {})


def _responses(operation: Operation, references: dict[Any, Any]) -> dict[str, Any]:
    failure = {"application/json": {"schema": references[(Failure, "serialization")]}}
    told: dict[str, Any] = {
        str(status): {"description": text, "content": failure} for status, text in _REFUSALS.items()
    }
    if operation.answers is None:
        told[str(operation.status)] = {"description": "Done."}
        return dict(sorted(told.items()))
    if isinstance(operation.answers, tuple):
        content: dict[str, Any] = {kind: {"schema": _file(kind)} for kind in operation.answers}
    else:
        content = {"application/json": {"schema": references[(operation.answers, "serialization")]}}
    told[str(operation.status)] = {"description": operation.summary, "content": content}
    for status in operation.also:
        schema = content["application/json"]["schema"]
        either = {"anyOf": [schema, references[(Failure, "serialization")]]}
        told[str(status)] = {
            "description": _REFUSALS[status],
            "content": {"application/json": {"schema": either}},
        }
    return dict(sorted(told.items()))
