"""Answers to requests for access come to an end: their files are destroyed once their days are over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import text

from matching.subject_access.export import destroy_exports
from matching.subject_access.request import get_request
from tenants.database import Database
from tenants.error import DomainError
from tenants.scope import NOBODY, Scope

_ENDED = text("SELECT * FROM answers_past_their_end(:before_day)")
log = structlog.get_logger(__name__)


def destroy_answers(database: Database, *, now: datetime) -> int:
    """Destroy the files of each answer whose days are over, in its own agency's scope; return how many there were."""
    with database.transaction(NOBODY) as session:
        ended = session.execute(_ENDED, {"before_day": now.date()}).all()
    return sum(_destroy(database, agency_id, request_id, now=now) for request_id, agency_id in ended)


def _destroy(database: Database, agency_id: UUID, request_id: UUID, *, now: datetime) -> int:
    try:
        with database.transaction(Scope(agency_id=agency_id)) as session:
            session.info["request_id"] = "schedule"
            return destroy_exports(session, get_request(session, request_id), now=now)
    except DomainError as error:
        # One agency's trouble must not keep the others' answers.
        log.warning("schedule.answer_kept", request=str(request_id), error=type(error).__name__)
        return 0
