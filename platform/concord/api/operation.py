"""Operations: one decorator that makes a verb of the domain an operation of the API, guarded, described and recorded.

Each operation is one function of a ``Call``. Around it stand, in this order: the token and its scopes; what was asked,
unknown fields refused; one transaction in the client's scope; for a write its idempotency key; and the ETag.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from flask import Response, g, request
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, RAISE, Schema
from sqlalchemy.orm import Session
from webargs.flaskparser import FlaskParser

from concord.api.description import describe
from concord.api.parts import current_parts
from concord.api.refusal import MediaWrong, VersionMissing, VersionOver
from concord.api.token import require_caller
from concord.schema.header import IdempotencyKeySchema, IfMatchSchema
from tenants.api_answer import Answer, find_answer, keep_answer
from tenants.api_token import Caller
from tenants.base import utc_now
from tenants.permission import Verb

JSON = "application/json"
BYTES = "application/octet-stream"

P = ParamSpec("P")


class Parser(FlaskParser):
    """Reads what was asked; a field that nobody knows is a mistake, and is said to be one."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {
        "json": RAISE,
        "query": RAISE,
        "headers": EXCLUDE,
    }


_PARSER = Parser()


@dataclass(slots=True)
class Call:
    """One request as an operation sees it."""

    session: Session
    caller: Caller
    now: datetime
    query: Mapping[str, Any]
    body: Any
    """What the JSON said, as its schema loads it; or the bytes that were sent."""
    location: str | None = None
    """Where what was made can be read; set by the operation."""
    if_match: str | None = None
    status: int | None = None
    """Set by the operation where it is another than the usual."""

    def match(self, seen: object, schema: type[Schema]) -> None:
        """Let a change pass when what it changes is still what the program has read.

        :raises VersionMissing: when it does not say what it has read.
        :raises VersionOver: when that was another version.
        """
        if self.if_match is None:
            raise VersionMissing
        if self.if_match.strip() not in {"*", _etag(_dump(seen, schema))}:
            raise VersionOver


@dataclass(frozen=True, slots=True)
class Shape:
    """What an operation takes and gives."""

    method: str
    verbs: tuple[Verb, ...]
    answer: type[Schema] | None
    status: int = 200
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    takes_bytes: bool = False
    media: tuple[str, ...] = ()
    """The media types of the file that is handed out, where the answer is one."""
    versioned: bool = False
    """Wants If-Match."""
    errors: tuple[int, ...] = ()
    """The refusals of its own, beside those that every operation of its kind has."""
    examples: Mapping[str, Any] = field(default_factory=dict)
    """An example each of the ``body`` and the ``answer``."""

    @property
    def writes(self) -> bool:
        """Say whether it changes anything, and so takes an idempotency key."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is handed out."""

    content: bytes
    media: str
    name: str


def operation(blueprint: Blueprint, rule: str, shape: Shape) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Make a function of a ``Call``, and of what the address names, an operation at ``rule``."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(function)
        def view(**path: UUID | str) -> Response:
            g.caller = require_caller(shape.verbs)
            return _answer(function, shape, g.caller, path)

        view.access = f"token may {' or '.join(shape.verbs)}"  # type: ignore[attr-defined]
        described = describe(blueprint, view, shape)
        blueprint.add_url_rule(
            rule,
            endpoint=function.__name__,
            view_func=described,
            methods=[shape.method],
            provide_automatic_options=False,
        )
        return described

    return decorate


def _answer(function: Callable[..., Any], shape: Shape, caller: Caller, path: Mapping[str, Any]) -> Response:
    query = _PARSER.parse(shape.query, request, location="query") if shape.query else _no_query()
    body = _body(shape)
    headers = _headers(shape)
    now = utc_now()
    with current_parts().database.transaction(caller.scope) as session:
        session.info.update(request_id=current_parts().request_id(), origin="api", address=request.remote_addr)
        call = Call(session, caller, now, query, body, if_match=headers.get("if_match"))
        if not shape.writes:
            return _conditional(_rendered(function(call, **path), shape))
        key = {"key": headers["key"], "fingerprint": _fingerprint(), "now": now}
        answer = find_answer(session, caller, **key)
        if answer is None:
            said = _dump(function(call, **path), shape.answer)
            answer = Answer(call.status or shape.status, said, call.location)
            keep_answer(session, caller, answer, **key)
    return _written(answer)


def _no_query() -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = _PARSER.parse(Schema(), request, location="query")
    return parsed


def _body(shape: Shape) -> Any:  # noqa: ANN401 - what the schema loads
    if shape.takes_bytes:
        _want(BYTES)
        return request.get_data()
    if shape.body is None:
        return None
    _want(JSON)
    return _PARSER.parse(shape.body, request, location="json")


def _want(media: str) -> None:
    if request.mimetype != media:
        raise MediaWrong(f"Send the body as {media}.")


def _headers(shape: Shape) -> Mapping[str, Any]:
    if not shape.writes:
        return {}
    schema = IfMatchSchema if shape.versioned else IdempotencyKeySchema
    parsed: Mapping[str, Any] = _PARSER.parse(schema, request, location="headers", error_status_code=400)
    return parsed


def _fingerprint() -> bytes:
    """Return what makes the present request the same as another: its method, address, media type, version and body."""
    said = [request.method, request.full_path, request.mimetype, request.headers.get("If-Match")]
    return hashlib.sha256(json.dumps(said).encode() + b"\n" + request.get_data()).digest()


def _dump(result: object, schema: type[Schema] | None) -> str:
    return "" if schema is None else json.dumps(schema().dump(result), ensure_ascii=False)


def _rendered(result: Any, shape: Shape) -> Response:  # noqa: ANN401 - a file, or what the schema dumps
    if isinstance(result, File):
        response = Response(result.content, content_type=result.media)
        response.headers["Content-Disposition"] = f'attachment; filename="{result.name}"'
        return response
    response = Response(_dump(result, shape.answer), status=shape.status, content_type=JSON)
    response.headers["ETag"] = _etag(response.get_data(as_text=True))
    return response


def _etag(said: str) -> str:
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def _conditional(response: Response) -> Response:
    if "ETag" in response.headers:
        response.make_conditional(request)
    return response


def _written(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status, content_type=JSON if answer.body else None)
    if answer.location:
        response.headers["Location"] = current_parts().site_url + answer.location
    return response
