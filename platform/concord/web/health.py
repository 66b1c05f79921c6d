"""Signs of life for supervisors and balancers: alive, and ready to serve."""

from __future__ import annotations

import structlog
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from psycopg import Error as DriverError
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from concord.web.access import public
from concord.web.request import current_site

blueprint = Blueprint("health", __name__, url_prefix="/health")

_log = structlog.get_logger("concord.web")


@blueprint.get("/live")
@public
def live() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="live")


@blueprint.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """Say whether the database and the queue store answer, and name what does not."""
    away = [name for name, answers in (("database", _database_answers()), ("queue", _queue_answers())) if not answers]
    if away:
        return jsonify(status="not ready", away=away), 503
    return jsonify(status="ready", away=[])


def _database_answers() -> bool:
    try:
        current_site().database.ping()
    except (SQLAlchemyError, DriverError) as error:
        _log.warning("database away", error=type(error).__name__)
        return False
    return True


def _queue_answers() -> bool:
    try:
        current_site().valkey.ping()
    except RedisError as error:
        _log.warning("queue store away", error=type(error).__name__)
        return False
    return True
