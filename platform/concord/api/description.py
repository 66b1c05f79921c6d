"""What is said of an operation in the OpenAPI description: its security, parameters, bodies, errors and examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint

from concord.schema.header import IdempotencyKeySchema, IfMatchSchema
from tenants.api_scope import scopes_for

if TYPE_CHECKING:
    from concord.api.operation import Shape

SECURITY = "client_credentials"
_EVERY = (401, 403, 422, 429, 500, 503)
_WRITES = (400, 409)


def describe(blueprint: Blueprint, view: Callable[..., Any], shape: Shape) -> Callable[..., Any]:
    """Return the view with what the description says of it."""
    doc: dict[str, Any] = {
        "operationId": view.__name__,
        "security": [{SECURITY: [scope.value]} for scope in scopes_for(*shape.verbs)],
        "parameters": list(_parameters(shape)),
        "responses": {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in _errors(shape)},
    }
    doc["responses"][str(shape.status)] = _answer(shape)
    if not shape.writes and not shape.media:
        doc["responses"]["304"] = {"description": "It is as If-None-Match says it was read."}
    body = _body(shape)
    if body:
        doc["requestBody"] = body
    described: Callable[..., Any] = blueprint.doc(**doc)(view)
    return described


def _parameters(shape: Shape) -> Iterator[dict[str, Any]]:
    if shape.query:
        yield {"in": "query", "schema": shape.query}
    if shape.writes:
        yield {"in": "header", "schema": IfMatchSchema if shape.versioned else IdempotencyKeySchema}
    elif not shape.media:
        yield {
            "in": "header",
            "name": "If-None-Match",
            "required": False,
            "schema": {"type": "string"},
            "description": "An ETag: 304 when it is still so.",
        }


def _errors(shape: Shape) -> list[int]:
    body = (413, 415) if shape.body or shape.takes_bytes else ()
    version = (412, 428) if shape.versioned else ()
    return sorted({*_EVERY, *(_WRITES if shape.writes else ()), *body, *version, *shape.errors})


def _answer(shape: Shape) -> dict[str, Any]:
    said: dict[str, Any] = {"description": {201: "Made.", 202: "Taken; a job does it."}.get(shape.status, "Found.")}
    if shape.media:
        said["content"] = {media: {"schema": {"type": "string", "format": "binary"}} for media in shape.media}
    elif shape.answer:
        said["content"] = {"application/json": {"schema": shape.answer, **_example(shape, "answer")}}
    if shape.status in {201, 202}:
        said["headers"] = {"Location": {"schema": {"type": "string"}, "description": "Where it can be read."}}
    elif not shape.writes and not shape.media:
        said["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "What it is now."}}
    return said


def _body(shape: Shape) -> dict[str, Any] | None:
    if shape.takes_bytes:
        binary = {"schema": {"type": "string", "format": "binary"}}
        return {"required": True, "content": {"application/octet-stream": binary}}
    if shape.body is None:
        return None
    return {"required": True, "content": {"application/json": {"schema": shape.body, **_example(shape, "body")}}}


def _example(shape: Shape, of: str) -> dict[str, Any]:
    return {"example": shape.examples[of]} if of in shape.examples else {}
