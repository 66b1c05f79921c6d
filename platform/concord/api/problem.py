"""Errors as programs read them: ``application/problem+json`` (RFC 9457), never with anything of another tenant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from concord.api.parts import PREFIX
from tenants.error import DomainError

MEDIA = "application/problem+json"
PLAIN = "about:blank"
"""The type of a problem that its status says all of (RFC 9457, section 4.2.1)."""

DETAILS: dict[int, str] = {
    400: "The request could not be read. Nothing was done.",
    401: "Send a token that is still good as “Authorization: Bearer …”. A token is had from /api/v1/token.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "What was sent is too large. Nothing was kept.",
    415: "Send the media type that this operation’s description names.",
    422: "Something in the request cannot be taken as it is. Nothing was done.",
    429: "That was too much at once. Nothing was done.",
    500: "Something went wrong that nobody foresaw. Nothing was kept. Quote the X-Request-Id.",
    503: "Concord’s database does not answer. Nothing was kept. Try again in a few minutes.",
}


def asks_api() -> bool:
    """Say whether the present request is a program's, whose errors are no pages."""
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")


def problem(status: int, *, kind: str = PLAIN, detail: str | None = None, **more: object) -> Response:
    """Return a problem; ``more`` are its extensions."""
    said = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or DETAILS.get(status, DETAILS[500 if status >= 500 else 400]),
        **more,
    }
    return Response(json.dumps(said, ensure_ascii=False), status=status, content_type=MEDIA)


def problem_of_refusal(error: DomainError, status: int) -> Response:
    """Return the problem of what the domain refuses; its type is the refusal's own name."""
    if status >= 500:
        return problem(status)
    return problem(status, kind=kind_of(type(error)), detail=str(error))


def problem_of_http(error: HTTPException) -> Response:
    """Return the problem of what never reached the domain, with a pointer to each field that cannot be taken."""
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages") or {}
    found = [{"pointer": pointer, "detail": words} for pointer, words in _pointers(messages)]
    more: dict[str, Any] = {"errors": found} if found else {}
    said = problem(status, kind=getattr(error, "kind", PLAIN), detail=getattr(error, "detail", None), **more)
    for name, value in error.get_headers():
        if name.lower() in {"www-authenticate", "allow", "retry-after"}:
            said.headers[name] = value
    return said


def kind_of(error: type[DomainError]) -> str:
    """Return the type by which a program may tell a refusal from others, such as ``urn:concord:group-unknown``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", error.__name__).lower()
    return f"urn:concord:{words}"


def _pointers(messages: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where and what: a JSON pointer into a body (RFC 6901), or the name of a parameter or a header."""
    for location, found in messages.items():
        start = "#" if location == "json" else location
        yield from _walk(start, found)


def _walk(where: str, found: object) -> Iterator[tuple[str, str]]:
    if isinstance(found, Mapping):
        for name, below in found.items():
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _walk(where if name == "_schema" else f"{where}/{step}", below)
    elif isinstance(found, list):
        yield from ((where, str(words)) for words in found)
    else:
        yield where, str(found)
