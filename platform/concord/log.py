"""Structured logs: one JSON object a line, or coloured lines on a terminal; never a person's data.

Bind what belongs to a request or a job once, with ``structlog.contextvars.bound_contextvars(request_id=…)``; every
line within carries it. Log a constant message, with ids beside it.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

from tenants.error import DomainError, Invalid

LOG_LEVEL = "CONCORD_LOG_LEVEL"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_QUIET = ("alembic", "fontTools", "urllib3", "werkzeug")


class LogLevelInvalid(Invalid):
    """The variable for the least level to log names none."""


def configure_logging(*, level: int | None = None) -> None:
    """Send every log line of this process, structlog's and the standard library's, to stderr in one form.

    Without ``level``, lines below ``CONCORD_LOG_LEVEL`` are left out; below INFO where that is not set.

    :raises LogLevelInvalid: when it is set to no level's name.
    """
    level = _level() if level is None else level
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_exception,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer()],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def name_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its kind and the lines it came through.

    Its text is left out, unless it is the domain's own, made to be shown: a database's error quotes the row.
    """
    error = _error(event.pop("exc_info", None))
    if error is not None:
        event["error"] = type(error).__name__
        event["at"] = _places(error.__traceback__)
        if isinstance(error, DomainError):
            event["message"] = str(error)
    return event


def _level() -> int:
    name = os.environ.get(LOG_LEVEL, "").strip().upper() or "INFO"
    if name not in LEVELS:
        raise LogLevelInvalid(f"{LOG_LEVEL} must be one of {', '.join(LEVELS)}.")
    return logging.getLevelNamesMapping()[name]


def _error(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def _renderer() -> structlog.types.Processor:
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer()
