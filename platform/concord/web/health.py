"""Signs of life for supervisors and balancers: alive, and ready to serve."""

from __future__ import annotations

import structlog
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from psycopg import Error as DriverError
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from concord.web.access import public
from concord.web.request import current_site, nobody
from matching.search_plan import PLANS, searches_without_index

blueprint = Blueprint("health", __name__, url_prefix="/health")

_log = structlog.get_logger("concord.web")
_SEARCH_SEEN = "concord_search_seen"


@blueprint.get("/live")
@public
def live() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="live")


@blueprint.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """Say whether the database and the queue store answer and a search uses its index, and name what does not."""
    answers = {"database": _database_answers(), "queue": _queue_answers()}
    answers |= {"search": not answers["database"] or _search_uses_its_index()}
    away = [name for name, good in answers.items() if not good]
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


def _search_uses_its_index() -> bool:
    # Asked until it was good once: what would change it is an upgrade, after which the site starts anew.
    if current_app.extensions.get(_SEARCH_SEEN):
        return True
    try:
        with nobody() as session:
            missing = searches_without_index((row.record, row.plan) for row in session.execute(text(PLANS)))
    except (SQLAlchemyError, DriverError) as error:
        _log.warning("search not examined", error=type(error).__name__)
        return False
    if missing:
        _log.error("search without its index", of=missing)
    current_app.extensions[_SEARCH_SEEN] = not missing
    return not missing


def _queue_answers() -> bool:
    try:
        current_site().valkey.ping()
    except RedisError as error:
        _log.warning("queue store away", error=type(error).__name__)
        return False
    return True
