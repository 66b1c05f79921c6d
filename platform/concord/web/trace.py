"""One id per request, in the log, the answer's headers and the error page; and one log line per request."""

from __future__ import annotations

import secrets
import time

import structlog
from flask import Flask, Response, g, request

HEADER = "X-Request-Id"

_log = structlog.get_logger("concord.web")


def request_id() -> str:
    """Return the id of this request; it is made here and never taken from outside."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(8)
    made: str = g.request_id
    return made


def install_trace(app: Flask) -> None:
    """Number and log each request of ``app``."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id())


def _end(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    if request.endpoint != "static":
        _log.info(
            "request",
            method=request.method,
            # The path itself may name a record or hold what somebody typed.
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            milliseconds=round((time.monotonic() - g.get("began", time.monotonic())) * 1000),
        )
    return response
